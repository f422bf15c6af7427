#include "transcript/read/dialogue.h"

enum { SECOND_LEN = 19 }; /* what two times are compared by */

static void put_text(struct paint *p, enum paint_color color, const char *text)
{
    paint_octets(p, color, span_str(text));
}

/* "<words><text>", when there is a text. */
static void put_fact(struct paint *p, enum paint_color color, const char *words,
                     const char *text)
{
    if (text[0] == '\0')
        return;
    paint_words(p, color, "%s", words);
    put_text(p, color, text);
}

static bool text_is(const struct record *r, const char *name, const char *want)
{
    return strcmp(record_text(r->root, name), want) == 0;
}

static void put_outcome(struct paint *p, const struct record *r, enum paint_color color)
{
    const char *version = record_text(r->root, "version");
    const char *detail = record_text(r->root, "detail");
    const json_t *certificate = json_object_get(r->root, "certificate");

    if (record_flag(r->root, "ok")) {
        put_fact(p, color, ": ", version[0] != '\0' ? version : "complete");
        put_fact(p, color, " ", record_text(r->root, "cipher"));
        return;
    }
    put_fact(p, color, " failed: ", record_text(r->root, "text"));
    if (detail[0] != '\0' && strcmp(detail, record_text(certificate, "verify")) != 0) {
        put_fact(p, color, " (", detail);
        paint_words(p, color, ")");
    }
    put_fact(p, color, ", ", version);
}

static const char *with_whom(const struct record *r, bool ok)
{
    return text_is(r, "side", "client")   ? "TLS with the client"
           : text_is(r, "side", "server") ? "TLS with the upstream"
           : ok                           ? "TLS passed through"
                                          : "TLS that passed through";
}

static void put_handshake(struct dialogue *d, const struct record *r)
{
    struct paint *p = &d->paint;
    bool ok = record_flag(r->root, "ok");
    enum paint_color color = ok ? PLAIN : RED;
    char took[32];

    paint_time(took, record_count(r->root, "us"));
    paint_line(p, color, ok ? "===  " : "***  ");
    paint_words(p, color, "%s", with_whom(r, ok));
    put_outcome(p, r, color);
    put_fact(p, color, ", asked for ", record_text(r->root, "server_name"));
    put_fact(p, color, ", ALPN ", record_text(r->root, "alpn"));
    if (record_flag(r->root, "resumed"))
        paint_words(p, color, ", resumed");
    paint_words(p, DIM, "  [%s]", took);
    paint_end(p);
}

static void put_validity(struct paint *p, const struct record *r, const json_t *certificate)
{
    const char *begin = record_text(certificate, "not_before");
    const char *end = record_text(certificate, "not_after");

    if (begin[0] != '\0' && strncmp(begin, r->t, SECOND_LEN) > 0)
        put_fact(p, RED, ", not valid before ", begin);
    else if (end[0] != '\0' && strncmp(end, r->t, SECOND_LEN) < 0)
        put_fact(p, RED, ", expired ", end);
    else
        put_fact(p, DIM, ", valid until ", end);
}

static void put_verify(struct paint *p, const struct record *r, const json_t *certificate)
{
    const char *verify = record_text(certificate, "verify");

    if (strcmp(verify, "ok") == 0)
        paint_words(p, DIM, ", verified");
    else if (verify[0] != '\0')
        put_fact(p, YELLOW, ", not verified: ", verify);
    else if (!text_is(r, "side", "through"))
        paint_words(p, DIM, ", not verified");
}

/* The fingerprints are long: for those who compare them. */
static void put_prints(struct dialogue *d, const struct record *r, const json_t *certificate)
{
    static const struct {
        const char *name, *words;
    } prints[] = { { "sha256", "certificate SHA-256 " }, { "spki_sha256", "key SHA-256 " } };

    if (!d->hex && !text_is(r, "failure", "pin-mismatch"))
        return;
    for (size_t i = 0; i < ARRAY_LEN(prints); i++) {
        if (record_text(certificate, prints[i].name)[0] == '\0')
            continue;
        paint_line(&d->paint, DIM, "     ");
        put_fact(&d->paint, DIM, prints[i].words, record_text(certificate, prints[i].name));
        paint_end(&d->paint);
    }
}

static void put_certificate(struct dialogue *d, const struct record *r)
{
    const json_t *certificate = json_object_get(r->root, "certificate");
    struct paint *p = &d->paint;
    const char *subject = record_text(certificate, "subject");

    if (certificate == NULL)
        return;
    paint_line(p, DIM, "     ");
    put_fact(p, DIM, "certificate: ", subject[0] != '\0' ? subject : "(no subject)");
    put_fact(p, DIM, ", issued by ", record_text(certificate, "issuer"));
    put_validity(p, r, certificate);
    put_verify(p, r, certificate);
    paint_end(p);
    put_prints(d, r, certificate);
}

void dialogue_tls(struct dialogue *d, const struct record *r)
{
    put_handshake(d, r);
    put_certificate(d, r);
    dialogue_notes(d, r, UINT64_MAX, 0);
}

void dialogue_legs_follow(struct dialogue_legs *legs, const struct record *r)
{
    if (r->kind != RECORD_TLS || !record_flag(r->root, "ok"))
        return;
    if (text_is(r, "side", "client"))
        legs->client = true;
    else if (text_is(r, "side", "server"))
        legs->upstream = text_is(r, "how", "starttls") ? LEG_UPGRADED : LEG_TLS;
}

const char *dialogue_marker(const struct dialogue *d, enum dialogue_marker m)
{
    static const char *const markers[][2] = {
        [FROM_CLIENT] = { " ->  ", " ~>  " },   [TO_CLIENT] = { "<-   ", "<~   " },
        [MADE_HERE] = { "<**  ", "<~*  " },     [TO_UPSTREAM] = { " =>  ", " =~> " },
        [FROM_UPSTREAM] = { "<=   ", "<~=  " },
    };
    bool upstream =
        d->legs.upstream == LEG_TLS || (d->legs.upstream == LEG_UPGRADED && !d->early);

    return markers[m][m < TO_UPSTREAM ? d->legs.client : upstream];
}
