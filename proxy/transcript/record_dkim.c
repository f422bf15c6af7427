#include "transcript/record_dkim.h"

#include "transcript/draft.h"

/* All of one signature but its texts: keys, numbers, words, two hashes. */
enum { ONE_FIXED = 512, ALL_FIXED = 64 };

size_t dkim_record_octets(const struct dkim_verdict *v)
{
    size_t octets = ALL_FIXED / JSON_OCTET_MAX + 1;

    for (unsigned i = 0; v != NULL && i < v->count; i++) {
        const struct dkim_signature *s = &v->signatures[i];
        octets += ONE_FIXED / JSON_OCTET_MAX + 1;
        octets += strlen(s->algorithm) + strlen(s->domain) + strlen(s->selector);
        octets += strlen(s->damage_text) + (s->damage != NULL ? strlen(s->damage) : 0);
    }
    return octets;
}

static void put_hashes(struct json *j, const struct dkim_signature *s)
{
    if (s->hash_len == 0)
        return;
    JSON_LIT(j, ",\"expected\":\"");
    json_hex(j, s->expected, s->hash_len);
    *j->p++ = '"';
    if (s->result != DKIM_CHANGED)
        return;
    JSON_LIT(j, ",\"computed\":\"");
    json_hex(j, s->computed, s->hash_len);
    *j->p++ = '"';
}

static void put_signature(struct json *j, const struct dkim_signature *s)
{
    JSON_LIT(j, "{\"header\":");
    json_text(j, s->arc ? SPAN_LIT("arc") : SPAN_LIT("dkim"));
    JSON_TEXT(j, "result", span_str(dkim_result_name(s->result)));
    DRAFT_U64(j, "instance", s->instance);
    if (s->hash_len > 0)
        JSON_TEXT(j, "canonicalization", s->relaxed ? SPAN_LIT("relaxed") : SPAN_LIT("simple"));
    DRAFT_TEXT(j, "algorithm", span_str(s->algorithm));
    DRAFT_TEXT(j, "domain", span_str(s->domain));
    DRAFT_TEXT(j, "selector", span_str(s->selector));
    if (s->limited)
        JSON_U64(j, "length", s->length);
    put_hashes(j, s);
    if (s->damage != NULL)
        JSON_TEXT(j, "damage", span_str(s->damage));
    DRAFT_TEXT(j, "damage_text", span_str(s->damage_text));
    *j->p++ = '}';
}

void dkim_record(struct json *j, const struct dkim_verdict *v)
{
    if (v == NULL)
        return;
    JSON_LIT(j, ",\"dkim\":[");
    for (unsigned i = 0; i < v->count; i++) {
        if (i > 0)
            *j->p++ = ',';
        put_signature(j, &v->signatures[i]);
    }
    *j->p++ = ']';
    if (v->more)
        JSON_LIT(j, ",\"dkim_more\":true");
}
