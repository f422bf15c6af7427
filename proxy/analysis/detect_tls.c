/*
 * detect_tls - SV-09 STARTTLS refused, SV-10 somebody else's certificate, SV-11 a handshake
 * without an answer.
 */
#include "analysis/detect_private.h"

/* ---- STARTTLS --------------------------------------------------------------------------- */

/* What servers say that have a reason of their own, or are asked at a wrong moment. */
static bool is_honest(const struct event *e, unsigned code)
{
    return code == 421 || code == 503 ||
           (code == 454 && detect_has_word(e->reply, "local problem"));
}

static bool is_suspicious(const struct event *e)
{
    return detect_has_word(e->reply, "TLS not available due to temporary reason") ||
           detect_has_word(e->reply, "Syntax error") || detect_code(e->reply) == 200;
}

void starttls_look(const struct look *k)
{
    const struct event *e = k->e;
    unsigned code = detect_code(e->reply);
    struct hint h = detect_hint(SV_09);

    if (e->verb != VERB_STARTTLS || code == 0 || code == 220 ||
        !ehlo_offers(k->d->offered, EHLO_STARTTLS) || is_honest(e, code))
        return;
    h.confidence = is_suspicious(e) ? CONFIDENCE_HIGH : CONFIDENCE_MEDIUM;
    h.place = PLACE_REPLY;
    h.line = span_first(e->reply, span_find(e->reply, '\r'));
    hint_show(&h, "reply", e->reply, h.line);
    detect_tell(k, &h,
                "STARTTLS is offered, and was answered \"%s\": a box refuses it, or the server "
                "is not able to do what it offers.",
                detect_show(h.bytes).text);
}

/* ---- certificates -------------------------------------------------------------------------
 */

static void look_at_issuer(const struct look *k)
{
    const struct tls_facts *f = k->s->tls;
    struct span issuer = span_str(f->issuer);
    const struct catalogue_entry *e = detect_match(k, PLACE_ISSUER, issuer, SV_10);
    struct hint h = detect_hint(SV_10);

    if (e == NULL && f->failure != TLS_FAILURE_PIN)
        return;
    h.place = PLACE_ISSUER;
    h.line = issuer;
    h.field = "certificate.issuer";
    h.bytes = span_first(issuer, FINDING_BYTES_MAX);
    h.confidence = e != NULL ? CONFIDENCE_HIGH : CONFIDENCE_LOW;
    if (e != NULL)
        detect_tell(
            k, &h,
            "The certificate of the server was issued by \"%s\": %s reads this connection.",
            detect_show(issuer).text, e->product);
    else
        detect_tell(k, &h,
                    "The key of the certificate is not the one that is pinned: somebody else "
                    "answers, or the server has a new one.");
}

/* ---- the handshake --------------------------------------------------------------------------
 */

static void look_for_stall(const struct look *k)
{
    const struct tls_facts *f = k->s->tls;
    struct hint h = detect_hint(SV_11);
    bool gave_up = f->failure == TLS_FAILURE_TIMEOUT || f->failure == TLS_FAILURE_EOF ||
                   f->failure == TLS_FAILURE_RESET;

    if (!gave_up || !f->hello_client || f->hello_server)
        return;
    if (k->s->tls_us < (f->failure == TLS_FAILURE_TIMEOUT ? PATIENCE_US : SILENCE_US))
        return;
    h.field = "hello";
    detect_tell(k, &h, "The ClientHello was sent, and no octet of a ServerHello came in %u s.",
                (unsigned)(k->s->tls_us / 1000000));
}

void tls_look(const struct look *k)
{
    const struct tls_facts *f = k->s->tls;
    bool with_server = k->s->tls_through || k->s->tls_side == SERVER;

    if (!k->s->tls_through)
        k->d->encoded = true;
    if (!with_server)
        return;
    look_at_issuer(k);
    look_for_stall(k);
    if (f->failure == TLS_FAILURE_NONE) {
        k->d->secure = true;
        return;
    }
    struct known *u = memory_find(k->env->memory, k->d->upstream);
    if (u != NULL)
        u->tls_failed = 1;
}
