#include "transcript/record_writer.h"
#include "transcript/finding.h"

#include <assert.h>

#define NAMES(list)                                                                            \
    static const char *const names[] = { list(X) };                                            \
    return names[v]
#define X(id, name) name,

const char *severity_name(enum severity v)
{
    NAMES(SEVERITIES);
}

const char *confidence_name(enum confidence v)
{
    NAMES(CONFIDENCES);
}

const char *blame_name(enum blame v)
{
    NAMES(BLAMES);
}

#undef X

static void put_evidence(struct json *j, const struct finding *f, bool all)
{
    PUT_U64_IF(j, finding_record, f->record);
    if (f->field == NULL)
        return;
    PUT_TEXT(j, finding_field, span_str(f->field));
    PUT_U64(j, finding_at, f->at);
    if (!all)
        PUT_TEXT_IF(j, finding_bytes, f->bytes);
}

static void put_products(struct json *j, const struct finding *f)
{
    for (unsigned i = 0; i < FINDING_PRODUCTS_MAX && f->products[i] != NULL; i++) {
        if (i == 0)
            PUT_LIST(j, finding_products);
        else
            *j->p++ = ',';
        json_text(j, span_str(f->products[i]));
        if (i + 1 == FINDING_PRODUCTS_MAX || f->products[i + 1] == NULL)
            *j->p++ = ']';
    }
}

static size_t finding_octets(const struct finding *f)
{
    size_t octets = f->bytes.len + strlen(f->text) + strlen(f->id) + strlen(f->name);

    if (f->next_test != NULL)
        octets += strlen(f->next_test);
    for (unsigned i = 0; i < FINDING_PRODUCTS_MAX && f->products[i] != NULL; i++)
        octets += strlen(f->products[i]);
    return octets;
}

void record_finding(struct recorder *r, const struct finding *f, uint64_t t_us)
{
    struct json j;

    assert(f->bytes.len <= FINDING_BYTES_MAX); /* more is counted, too: finding_octets() */
    if (!stream_is_on(r->stream) ||
        !record_begin(&j, r, RECORD_FINDING, t_us, finding_octets(f)))
        return;
    PUT_TEXT(&j, finding_id, span_str(f->id));
    PUT_TEXT(&j, finding_name, span_str(f->name));
    PUT_TEXT(&j, finding_severity, span_str(severity_name(f->severity)));
    PUT_TEXT(&j, finding_confidence, span_str(confidence_name(f->confidence)));
    PUT_TEXT(&j, finding_side, span_str(blame_name(f->side)));
    put_evidence(&j, f, r->stream->config->redact == REDACT_ALL);
    PUT_TEXT(&j, finding_text, span_str(f->text));
    if (f->next_test != NULL)
        PUT_TEXT(&j, finding_next_test, span_str(f->next_test));
    put_products(&j, f);
    r->findings++;
    record_end(&j, r);
}
