#include "transcript/record_dkim.h"

#include "transcript/record_writer.h"

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
    PUT_HEX(j, signature_expected, s->expected, s->hash_len);
    if (s->result == DKIM_CHANGED)
        PUT_HEX(j, signature_computed, s->computed, s->hash_len);
}

static void put_signature(struct json *j, const struct dkim_signature *s)
{
    *j->p++ = '{';
    PUT_FIRST(j, signature_header);
    json_text(j, s->arc ? SPAN_LIT("arc") : SPAN_LIT("dkim"));
    PUT_TEXT(j, signature_result, span_str(dkim_result_name(s->result)));
    PUT_U64_IF(j, signature_instance, s->instance);
    if (s->hash_len > 0)
        PUT_TEXT(j, signature_canonicalization,
                 s->relaxed ? SPAN_LIT("relaxed") : SPAN_LIT("simple"));
    PUT_TEXT_IF(j, signature_algorithm, span_str(s->algorithm));
    PUT_TEXT_IF(j, signature_domain, span_str(s->domain));
    PUT_TEXT_IF(j, signature_selector, span_str(s->selector));
    if (s->limited)
        PUT_U64(j, signature_length, s->length);
    put_hashes(j, s);
    if (s->damage != NULL)
        PUT_TEXT(j, signature_damage, span_str(s->damage));
    PUT_TEXT_IF(j, signature_damage_text, span_str(s->damage_text));
    *j->p++ = '}';
}

void dkim_record(struct json *j, const struct dkim_verdict *v)
{
    if (v == NULL)
        return;
    PUT_LIST(j, content_dkim);
    for (unsigned i = 0; i < v->count; i++) {
        if (i > 0)
            *j->p++ = ',';
        put_signature(j, &v->signatures[i]);
    }
    *j->p++ = ']';
    if (v->more)
        PUT_BOOL(j, content_dkim_more, true);
}
