#include "transcript/read/shape.h"

#define MUST(name, type)                                                                       \
    {                                                                                          \
        (name), FIELD_##type, true, NULL                                                       \
    }
#define MAY(name, type)                                                                        \
    {                                                                                          \
        (name), FIELD_##type, false, NULL                                                      \
    }
#define SHAPE(id) static const struct shape id##_shape = { id##_fields, ARRAY_LEN(id##_fields) }

#define HEAD                                                                                   \
    MUST("v", COUNT), MUST("kind", TEXT), MUST("t", TEXT), MUST("sid", TEXT),                  \
        MUST("n", COUNT), MUST("vantage", TEXT)
#define REPLY                                                                                  \
    MUST("origin", TEXT), MAY("reply", WIRE), MAY("replied", WIRE), MAY("code", COUNT),        \
        MAY("enhanced", TEXT), MAY("reply_us", COUNT)
#define NOTES                                                                                  \
    {                                                                                          \
        "notes", FIELD_OBJECTS, false, &note_shape                                             \
    }

static const struct field note_fields[] = { MUST("id", TEXT), MUST("at", COUNT),
                                            MUST("count", COUNT) };
SHAPE(note);

static const struct field cut_fields[] = { MUST("at", COUNT), MUST("octets", COUNT) };
SHAPE(cut);

static const struct field proxy_fields[] = { MUST("version", COUNT), MUST("command", TEXT),
                                             MAY("peer", TEXT) };
SHAPE(proxy);
static const struct field syn_fields[] = { MAY("client", TEXT), MAY("server", TEXT) };
SHAPE(syn);

static const struct field open_fields[] = {
    HEAD,
    MAY("listener", TEXT),
    MAY("mode", TEXT),
    MAY("client", TEXT),
    MAY("server", TEXT),
    MAY("original", TEXT),
    { "proxy", FIELD_OBJECT, false, &proxy_shape },
    MAY("above_per_client", FLAG),
    { "syn", FIELD_OBJECT, false, &syn_shape },
};
SHAPE(open);

static const struct field connect_fields[] = { HEAD, MAY("upstream", TEXT), MAY("local", TEXT),
                                               MUST("us", COUNT), MAY("error", TEXT) };
SHAPE(connect);

static const struct field certificate_fields[] = {
    MAY("subject", TEXT),   MAY("issuer", TEXT), MAY("not_before", TEXT),
    MAY("not_after", TEXT), MAY("sha256", TEXT), MAY("spki_sha256", TEXT),
    MAY("verify", TEXT),
};
SHAPE(certificate);

static const struct field alert_fields[] = { MUST("number", COUNT), MAY("name", TEXT) };
SHAPE(alert);

static const struct field alerts_fields[] = {
    { "received", FIELD_OBJECT, false, &alert_shape },
    { "sent", FIELD_OBJECT, false, &alert_shape },
};
SHAPE(alerts);

static const struct field tls_fields[] = {
    HEAD,
    MUST("side", TEXT),
    MUST("how", TEXT),
    MUST("ok", FLAG),
    MUST("us", COUNT),
    MAY("version", TEXT),
    MAY("cipher", TEXT),
    MAY("server_name", TEXT),
    MAY("alpn", TEXT),
    MAY("alpn_offered", TEXT),
    MAY("resumed", FLAG),
    { "certificate", FIELD_OBJECT, false, &certificate_shape },
    MAY("failure", TEXT),
    MAY("text", TEXT),
    MAY("detail", TEXT),
    MAY("hello", TEXT),
    { "alert", FIELD_OBJECT, false, &alerts_shape },
    NOTES,
};
SHAPE(tls);

static const struct field greeting_fields[] = { HEAD, MUST("at", COUNT), REPLY, NOTES };
SHAPE(greeting);

static const struct field command_fields[] = {
    HEAD,
    MUST("verb", TEXT),
    MAY("arg", WIRE),
    MUST("at", COUNT),
    MUST("received", WIRE),
    MAY("received_octets", COUNT),
    MAY("forwarded", WIRE),
    { "redacted", FIELD_OBJECTS, false, &cut_shape },
    MAY("reads", COUNTS),
    MAY("reads_more", FLAG),
    MUST("action", TEXT),
    MAY("forward_us", COUNT),
    REPLY,
    MAY("auth_line", FLAG),
    NOTES,
};
SHAPE(command);

static const struct field endings_fields[] = { MUST("crlf", COUNT), MUST("bare_lf", COUNT),
                                               MUST("crcrlf", COUNT), MUST("bare_cr", COUNT) };
SHAPE(endings);

static const struct field reads_fields[] = { MUST("n", COUNT), MUST("at", COUNTS) };
SHAPE(reads);

static const struct field digest_fields[] = { MUST("alg", TEXT), MUST("whole", TEXT),
                                              MAY("sent", TEXT), MUST("blocks", BLOCKS),
                                              MAY("blocks_omitted", COUNT) };
SHAPE(digest);

static const struct field spool_fields[] = { MUST("file", TEXT), MUST("octets", COUNT) };
SHAPE(spool);

static const struct field signature_fields[] = {
    MUST("header", TEXT),          MUST("result", TEXT),   MAY("instance", COUNT),
    MAY("canonicalization", TEXT), MAY("algorithm", TEXT), MAY("domain", TEXT),
    MAY("selector", TEXT),         MAY("length", COUNT),   MAY("expected", TEXT),
    MAY("computed", TEXT),         MAY("damage", TEXT),    MAY("damage_text", TEXT),
};
SHAPE(signature);

static const struct field content_fields[] = {
    HEAD,
    MUST("at", COUNT),
    MUST("via", TEXT),
    MUST("complete", FLAG),
    MUST("altered", FLAG),
    MUST("refused", FLAG),
    MAY("refused_by", TEXT),
    MUST("octets", COUNT),
    MAY("octets_sent", COUNT),
    MUST("lines", COUNT),
    MUST("longest_line", COUNT),
    { "endings", FIELD_OBJECT, true, &endings_shape },
    MUST("nul", COUNT),
    MUST("eight_bit", COUNT),
    MUST("leading_dots", COUNT),
    MUST("header_octets", COUNT),
    MUST("signed_headers", FLAG),
    { "reads", FIELD_OBJECT, true, &reads_shape },
    MUST("us", COUNT),
    NOTES,
    { "digest", FIELD_OBJECT, false, &digest_shape },
    MAY("sha256", TEXT),
    MAY("headers", WIRE),
    { "spool", FIELD_OBJECT, false, &spool_shape },
    { "dkim", FIELD_OBJECTS, false, &signature_shape },
    MAY("dkim_more", FLAG),
};
SHAPE(content);

static const struct field both_fields[] = { MUST("client", COUNT), MUST("server", COUNT) };
SHAPE(both);

static const struct field sample_fields[] = { MUST("client", WIRE), MUST("server", WIRE) };
SHAPE(sample);

static const struct field opaque_fields[] = {
    HEAD,
    MAY("why", TEXT),
    { "octets", FIELD_OBJECT, true, &both_shape },
    { "missing", FIELD_OBJECT, false, &both_shape },
    { "sample", FIELD_OBJECT, false, &sample_shape },
    NOTES,
};
SHAPE(opaque);

static const struct field finding_fields[] = {
    HEAD,
    MUST("id", TEXT),
    MUST("name", TEXT),
    MUST("severity", TEXT),
    MUST("confidence", TEXT),
    MUST("side", TEXT),
    MAY("record", COUNT),
    MAY("field", TEXT),
    MAY("at", COUNT),
    MAY("bytes", WIRE),
    MUST("text", TEXT),
    MAY("next_test", TEXT),
    MAY("products", LABELS),
};
SHAPE(finding);

static const struct field octets_fields[] = { MUST("client_in", COUNT),
                                              MUST("client_out", COUNT),
                                              MUST("server_in", COUNT),
                                              MUST("server_out", COUNT) };
SHAPE(octets);

static const struct field leg_fields[] = { MUST("rtt_us", COUNT),  MUST("retransmits", COUNT),
                                           MUST("unacked", COUNT), MUST("pmtu", COUNT),
                                           MUST("acked", COUNT),   MUST("received", COUNT) };
SHAPE(leg);

static const struct field tcp_fields[] = { { "client", FIELD_OBJECT, false, &leg_shape },
                                           { "server", FIELD_OBJECT, false, &leg_shape } };
SHAPE(tcp);

static const struct field close_fields[] = {
    HEAD,
    MUST("reason", TEXT),
    MUST("text", TEXT),
    MUST("error", FLAG),
    MUST("first", TEXT),
    MUST("how", TEXT),
    MAY("first_us", COUNT),
    { "octets", FIELD_OBJECT, true, &octets_shape },
    MUST("us", COUNT),
    MAY("commands", TEXTS),
    { "tcp", FIELD_OBJECT, false, &tcp_shape },
};
SHAPE(close);

static const struct field lost_fields[] = { HEAD, MUST("records", COUNT) };
SHAPE(lost);

static const struct {
    const char *name;
    const struct shape *shape;
} kinds[] = {
#define X(id, name) [RECORD_##id] = { #name, &name##_shape },
    RECORD_KINDS(X)
#undef X
};

_Static_assert(ARRAY_LEN(kinds) == RECORD_KIND_COUNT, "a kind has no shape");

const struct shape *shape_of(enum record_kind k)
{
    return kinds[k].shape;
}

enum record_kind record_kind_find(const char *name)
{
    unsigned k = 0;

    while (k < RECORD_KIND_COUNT && strcmp(kinds[k].name, name) != 0)
        k++;
    return (enum record_kind)k;
}
