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

void tls_refused(const struct detect_ctx *k)
{
    const struct event *e = k->e;

    if (e->verb != VERB_STARTTLS || k->code == 0 || k->code == 220 ||
        !ehlo_offers(k->d->offered, EHLO_STARTTLS) || is_honest(e, k->code))
        return;
    struct span line = detect_first_line(e->reply);
    struct finding_draft h = draft_of_reply(k, SV_09, PLACE_REPLY, line, line);
    h.confidence = is_suspicious(e) ? CONFIDENCE_HIGH : CONFIDENCE_MEDIUM;
    detect_report(
        k, &h,
        "STARTTLS is offered, and was answered \"%s\": a box refuses it, or the server "
        "is not able to do what it offers.",
        detect_show(h.bytes).text);
}

/* ---- certificates ---- */

void tls_interceptor(const struct detect_ctx *k)
{
    const struct tls_facts *f = k->s->tls;
    struct span issuer = span_str(f->issuer);
    const struct catalogue_entry *e = detect_match(k, PLACE_ISSUER, issuer, SV_10);
    struct finding_draft h = detect_draft(SV_10);

    if (e == NULL && f->failure != TLS_FAILURE_PIN)
        return;
    h.place = PLACE_ISSUER;
    h.line = issuer;
    h.field = "certificate.issuer";
    h.bytes = span_first(issuer, FINDING_BYTES_MAX);
    h.confidence = e != NULL ? CONFIDENCE_HIGH : CONFIDENCE_LOW;
    if (e != NULL)
        detect_report(
            k, &h,
            "The certificate of the server was issued by \"%s\": %s reads this connection.",
            detect_show(issuer).text, e->product);
    else
        detect_report(k, &h,
                      "The key of the certificate is not the one that is pinned: somebody else "
                      "answers, or the server has a new one.");
}

/* ---- the handshake ---- */

void tls_stall(const struct detect_ctx *k)
{
    const struct tls_facts *f = k->s->tls;
    struct finding_draft h = detect_draft(SV_11);
    bool gave_up = f->failure == TLS_FAILURE_TIMEOUT || f->failure == TLS_FAILURE_EOF ||
                   f->failure == TLS_FAILURE_RESET;

    if (!gave_up || !f->hello_client || f->hello_server)
        return;
    if (k->s->tls_us < (f->failure == TLS_FAILURE_TIMEOUT ? PATIENCE_US : SILENCE_US))
        return;
    h.field = "hello";
    detect_report(k, &h, "The ClientHello was sent, and no byte of a ServerHello came in %u s.",
                  (unsigned)(k->s->tls_us / 1000000));
}
