/*
 * detect_past - what an upstream offers now, beside what it offered before.
 *
 * SV-08 STARTTLS is gone, SV-19 other keywords came or went.
 */
#include "analysis/detect_private.h"

#include <stdio.h>

enum {
    SAMPLES_MIN = 3,
    DRIFTS_MAX = 3, /* an upstream that changes more often than that is a pool */
    COUNT_MAX = 255,
};

/* What depends on who asks, or is told by another detector. */
static const ehlo_set personal = 1ull << EHLO_STARTTLS | 1ull << EHLO_AUTH |
                                 1ull << EHLO_XCLIENT | 1ull << EHLO_XFORWARD |
                                 1ull << EHLO_REQUIRETLS;

static void look_for_tls(const struct look *k, struct known *u, ehlo_set offered)
{
    struct hint h = detect_hint(SV_08);

    if (k->d->secure)
        return;
    if (ehlo_offers(offered, EHLO_STARTTLS)) {
        u->tls_seen = (uint8_t)(u->tls_seen < COUNT_MAX ? u->tls_seen + 1 : COUNT_MAX);
        return;
    }
    if (u->tls_seen == 0)
        return;
    /* A server may stop to offer TLS to a client that failed with it. */
    bool sure = u->tls_seen >= SAMPLES_MIN && u->tls_failed == 0;
    h.severity = sure ? SEVERITY_CRITICAL : SEVERITY_MEDIUM;
    h.confidence = sure ? CONFIDENCE_MEDIUM : CONFIDENCE_LOW;
    h.field = "reply";
    detect_tell(k, &h,
                "The server does not offer STARTTLS, and offered it in %u session%s before%s.",
                (unsigned)u->tls_seen, u->tls_seen == 1 ? "" : "s",
                u->tls_failed > 0 ? "; TLS with it has failed since" : "");
}

static void list_keywords(char *out, size_t size, ehlo_set set)
{
    static const char *const words[] = {
#define X(id, text, treatment, mail, rcpt) text,
        EHLO_KEYWORDS(X)
#undef X
    };
    size_t len = 0;

    out[0] = '\0';
    for (unsigned i = 0; i < EHLO_KEYWORD_COUNT; i++)
        if ((set >> i & 1) != 0 && len < size)
            len +=
                (size_t)snprintf(out + len, size - len, "%s%s", len > 0 ? " " : "", words[i]);
    if (len == 0)
        snprintf(out, size, "nothing");
}

static void tell_drift(const struct look *k, ehlo_set before, ehlo_set now)
{
    struct hint h = detect_hint(SV_19);
    char gone[120], came[120];

    list_keywords(gone, sizeof gone, before & ~now);
    list_keywords(came, sizeof came, now & ~before);
    h.confidence = CONFIDENCE_LOW;
    h.field = "reply";
    detect_tell(k, &h,
                "The reply to EHLO is not what this server said before: %s went, %s came.",
                gone, came);
}

static void look_for_drift(const struct look *k, struct known *u, ehlo_set now)
{
    unsigned leg = k->d->secure;

    now &= ~personal;
    if (u->samples[leg] > 0 && u->offered[leg] == now) {
        u->samples[leg] =
            (uint8_t)(u->samples[leg] < COUNT_MAX ? u->samples[leg] + 1 : COUNT_MAX);
        return;
    }
    if (u->samples[leg] >= SAMPLES_MIN && u->drifts < DRIFTS_MAX &&
        !detect_is_told(k->d, SV_02)) {
        u->drifts++;
        tell_drift(k, u->offered[leg], now);
    }
    u->offered[leg] = now;
    u->samples[leg] = 1;
}

void memory_look_ehlo(const struct look *k, ehlo_set offered)
{
    struct known *u = history_get(k->env->memory, k->d->upstream);

    if (u == NULL)
        return;
    look_for_tls(k, u, offered);
    look_for_drift(k, u, offered);
}
