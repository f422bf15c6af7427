#include "transcript/draft.h"
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
    DRAFT_U64(j, "record", f->record);
    if (f->field == NULL)
        return;
    JSON_TEXT(j, "field", span_str(f->field));
    JSON_U64(j, "at", f->at);
    if (!all)
        DRAFT_TEXT(j, "bytes", f->bytes);
}

static void put_products(struct json *j, const struct finding *f)
{
    for (unsigned i = 0; i < FINDING_PRODUCTS_MAX && f->products[i] != NULL; i++) {
        if (i == 0)
            JSON_LIT(j, ",\"products\":[");
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
        !draft_begin(&j, r, SPAN_LIT("finding"), t_us, finding_octets(f)))
        return;
    JSON_TEXT(&j, "id", span_str(f->id));
    JSON_TEXT(&j, "name", span_str(f->name));
    JSON_TEXT(&j, "severity", span_str(severity_name(f->severity)));
    JSON_TEXT(&j, "confidence", span_str(confidence_name(f->confidence)));
    JSON_TEXT(&j, "side", span_str(blame_name(f->side)));
    put_evidence(&j, f, r->stream->config->redact == REDACT_ALL);
    JSON_TEXT(&j, "text", span_str(f->text));
    if (f->next_test != NULL)
        JSON_TEXT(&j, "next_test", span_str(f->next_test));
    put_products(&j, f);
    draft_end(&j, r);
}
