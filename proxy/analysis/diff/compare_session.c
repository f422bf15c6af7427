/* compare_session - what is no unit of the dialogue: times, reads, TLS, the end. */
#include "analysis/diff/compare.h"

#include "analysis/diff/align.h"
#include "base/escape.h"

#include <stdlib.h>

enum {
    HELD_US = 50000,        /* a content slower than this can be seen to be held back */
    GAP_US = 20000,         /* between two reads, that no network closes by chance */
    ONE_SEGMENT = 512,      /* octets that no network splits */
    HALF_OPEN_US = 5000000, /* one end is gone and the other one does not know */
};

static struct diff_finding *session_found(struct compare *c, enum diff_class id,
                                          const char *sub, const char *subject)
{
    struct diff_finding *f = compare_found(c, id, sub, span_str(subject));

    f->way = WAY_SESSION;
    return f;
}

static void at_units(struct diff_finding *f, const struct unit *near, const struct unit *far)
{
    compare_show(&f->sent, near, near->line_field, near->line, 0, 0);
    compare_show(&f->received, far, far->line_field, far->line, 0, 0);
}

/* ---- times ---- */

static bool is_end_of_mail(const struct unit *u)
{
    return span_equal(u->verb, SPAN_LIT(".")) || span_equal(u->verb, SPAN_LIT("BDAT"));
}

/* 250 before the server had the end of the mail. */
static void see_early(struct compare *c, const struct unit *near, const struct unit *far)
{
    const struct diff_clock *k = c->clock;

    if (!k->known || !near->has_reply || near->code / 100 != 2 || !is_end_of_mail(near))
        return;
    int64_t heard = (int64_t)(near->t_us + near->reply_us) + k->ahead_us;
    if (heard + (int64_t)k->error_us >= (int64_t)far->t_us)
        return;
    struct diff_finding *f = session_found(c, CLASS_EARLY, "accepted", "content");
    at_units(f, near, far);
    f->f.confidence = CONFIDENCE_HIGH;
    compare_say(f,
                "the mail was accepted with %u %lld ms before its end reached the server: "
                "if the server refuses it, it is lost",
                near->code, (long long)((int64_t)far->t_us - heard) / 1000);
}

/* The content arrived when all of it had been sent, though that took long. */
static void see_held(struct compare *c, const struct unit *near, const struct unit *far)
{
    const struct diff_clock *k = c->clock;
    uint64_t took = near->content->us;

    if (!k->known || took < HELD_US || took < 4 * k->error_us || far->content->us > took / 4)
        return;
    int64_t sent = (int64_t)(near->t_us + took) + k->ahead_us;
    if ((int64_t)far->t_us + (int64_t)k->error_us < sent)
        return;
    struct diff_finding *f = session_found(c, CLASS_TIMING, "held", "content");
    at_units(f, near, far);
    f->sent.field = f->received.field = NULL;
    f->f.severity = SEVERITY_MEDIUM;
    f->f.confidence = CONFIDENCE_HIGH;
    compare_say(f,
                "the content was held back until its last byte had been sent, %llu ms "
                "after its first",
                (unsigned long long)took / 1000);
}

static void say_segments(struct compare *c, const struct unit *near, const struct unit *far,
                         bool split)
{
    char name[16];
    struct diff_finding *f = session_found(c, CLASS_TIMING, split ? "split" : "joined", "");

    escape(f->subject, sizeof f->subject, unit_name(near));
    escape(name, sizeof name, unit_name(near));
    at_units(f, near, far);
    f->sent.at = near->reads > 0 ? near->read_at : 0;
    f->received.at = far->reads > 0 ? far->read_at : 0;
    f->f.confidence = CONFIDENCE_MEDIUM;
    compare_say(f,
                split ? "%s was sent in one piece and arrived in %u"
                      : "%s was sent in %u pieces with pauses and arrived in one",
                name, 1 + (split ? far->reads : near->reads));
}

static void see_segments(struct compare *c, const struct unit *near, const struct unit *far)
{
    if (!c->near->observe || near->kind != UNIT_COMMAND || near->line.s.len > ONE_SEGMENT ||
        !near->fresh || !far->fresh)
        return;
    if (near->reads == 0 && far->reads > 0)
        say_segments(c, near, far, true);
    else if (near->reads > 0 && far->reads == 0 && near->forward_us > GAP_US * near->reads)
        say_segments(c, near, far, false);
}

static void see_times(struct compare *c)
{
    for (size_t i = 0; i < c->near->len; i++) {
        if (c->far_of[i] == ALIGN_NONE)
            continue;
        const struct unit *near = &c->near->units[i], *far = &c->far->units[c->far_of[i]];
        if (near->kind == UNIT_CONTENT)
            see_held(c, near, far);
        else
            see_early(c, near, far);
        see_segments(c, near, far);
    }
}

/* ---- TLS ---- */

static bool differ(struct span a, struct span b)
{
    return a.len > 0 && b.len > 0 && !span_equal(a, b);
}

static struct diff_finding *tls_found(struct compare *c, const char *sub)
{
    struct diff_finding *f = session_found(c, CLASS_TLS, sub, "TLS");

    f->sent.record = c->near->tls.there ? c->near->tls.n : c->near->opaque_n;
    f->received.record = c->far->tls.there ? c->far->tls.n : c->far->opaque_n;
    return f;
}

static void say_different(struct compare *c, const char *sub, struct span near, struct span far)
{
    char a[80], b[80];
    struct diff_finding *f = tls_found(c, sub);

    escape(a, sizeof a, near);
    escape(b, sizeof b, far);
    f->sent.octets = near;
    f->received.octets = far;
    f->sent.len = near.len;
    f->received.len = far.len;
    f->rule = compare_hash(0, near);
    compare_say(f, "two TLS sessions instead of one: the %s is %s at NEAR and %s at FAR", sub,
                a, b);
}

static void see_handshakes(struct compare *c)
{
    const struct tls_seen *a = &c->near->tls, *b = &c->far->tls;

    if (differ(a->certificate, b->certificate))
        say_different(c, "certificate", a->certificate, b->certificate);
    else if (differ(a->version, b->version) && a->ok && b->ok)
        say_different(c, "version", a->version, b->version);
    else if (differ(a->cipher, b->cipher) && a->ok && b->ok)
        say_different(c, "cipher", a->cipher, b->cipher);
    else if (differ(a->server_name, b->server_name))
        say_different(c, "server name", a->server_name, b->server_name);
    else if (differ(a->alpn_offered, b->alpn_offered))
        say_different(c, "protocol offered", a->alpn_offered, b->alpn_offered);
}

/* Sealed octets cannot be compared, only counted. */
static void see_sealed(struct compare *c)
{
    const struct talk *a = c->near, *b = c->far;
    struct diff_finding *f;

    if (!a->opaque || !b->opaque ||
        (a->opaque_client == b->opaque_client && a->opaque_server == b->opaque_server))
        return;
    f = session_found(c, CLASS_TLS, "octets", "TLS");
    f->sent.record = a->opaque_n;
    f->received.record = b->opaque_n;
    f->sent.len = a->opaque_client;
    f->received.len = b->opaque_client;
    bool cut = span_equal(a->close_how, SPAN_LIT("reset")) ||
               span_equal(b->close_how, SPAN_LIT("reset")) || !a->closed || !b->closed;
    f->f.severity = cut ? SEVERITY_INFO : SEVERITY_HIGH;
    f->f.confidence = CONFIDENCE_MEDIUM;
    compare_say(f,
                "what passed unread is of another length: %llu and %llu bytes at NEAR, %llu "
                "and %llu at FAR",
                (unsigned long long)a->opaque_client, (unsigned long long)a->opaque_server,
                (unsigned long long)b->opaque_client, (unsigned long long)b->opaque_server);
}

static bool is_readable(const struct talk *t)
{
    return t->closed && !t->opaque && !t->tls.there && t->len > 0;
}

static void see_tls(struct compare *c)
{
    const struct talk *a = c->near, *b = c->far;
    struct diff_finding *f;

    if (a->tls.there && b->tls.there)
        see_handshakes(c);
    see_sealed(c);
    if (a->tls.there && a->tls.ok && is_readable(b)) {
        f = tls_found(c, "ended");
        compare_say(f, "TLS was ended on the way: it is there at NEAR, and FAR received "
                       "plaintext");
    } else if (b->tls.there && b->tls.ok && is_readable(a)) {
        f = tls_found(c, "begun");
        f->f.severity = SEVERITY_LOW;
        compare_say(f, "TLS was begun on the way: NEAR sent plaintext, and it is there at FAR");
    }
}

/* ---- the end ---- */

static struct diff_finding *close_found(struct compare *c, const char *sub)
{
    struct diff_finding *f = session_found(c, CLASS_CLOSED, sub, "close");

    f->sent = (struct diff_excerpt){ .record = c->near->close_n, .field = "first" };
    f->received = (struct diff_excerpt){ .record = c->far->close_n, .field = "first" };
    f->sent.octets = c->near->close_how;
    f->received.octets = c->far->close_how;
    return f;
}

static bool is_how(struct span how, const char *what)
{
    return span_equal(how, span_str(what));
}

/* The way it ended was passed on otherwise. */
static void see_how(struct compare *c, struct span near, struct span far)
{
    struct diff_finding *f;

    if (!c->near->observe || !c->far->observe || span_equal(near, far) ||
        !(is_how(near, "fin") || is_how(near, "reset")) ||
        !(is_how(far, "fin") || is_how(far, "reset")))
        return;
    f = close_found(c, is_how(near, "fin") ? "fin-and-reset" : "reset-and-fin");
    f->f.severity = SEVERITY_INFO;
    f->f.confidence = CONFIDENCE_MEDIUM;
    compare_say(f, "the session ended with %.8s at NEAR and with %.8s at FAR",
                is_how(near, "fin") ? "FIN" : "RST", is_how(far, "fin") ? "FIN" : "RST");
}

static void see_close(struct compare *c)
{
    const struct talk *a = c->near, *b = c->far;
    struct diff_finding *f;

    if (!a->closed || !b->closed)
        return;
    bool near_by_server = span_equal(a->close_first, SPAN_LIT("server"));
    bool far_by_client = span_equal(b->close_first, SPAN_LIT("client"));
    if (near_by_server && far_by_client) {
        f = close_found(c, is_how(a->close_how, "reset") || is_how(b->close_how, "reset")
                               ? "reset-both"
                               : "closed-both");
        compare_say(f, "each end was told that the other one had closed the connection; "
                       "neither had");
        return;
    }
    if (near_by_server || far_by_client)
        see_how(c, a->close_how, b->close_how);
    if (near_by_server || far_by_client || !c->clock->known)
        return;
    int64_t apart = (int64_t)(b->close_us - a->close_us) - c->clock->ahead_us;
    if (llabs(apart) < HALF_OPEN_US)
        return;
    f = close_found(c, apart > 0 ? "server-left-open" : "client-left-open");
    f->f.confidence = CONFIDENCE_HIGH;
    compare_say(f,
                "the %s end stayed open for %lld s after the other one was gone: it was never "
                "told",
                apart > 0 ? "server's" : "client's", llabs(apart) / 1000000);
}

/* ---- totals: what no unit showed ---- */

static bool has_way(const struct compare *c, enum diff_way w, enum diff_way or_w)
{
    for (size_t i = 0; i < c->len; i++)
        if (c->list[i].way == w || c->list[i].way == or_w)
            return true;
    return false;
}

static void say_total(struct compare *c, enum diff_way w, uint64_t sent, uint64_t received)
{
    bool reply = w == WAY_REPLY, lost = sent > received;
    struct diff_finding *f = compare_found(
        c, CLASS_ALTERED, lost ? "octets-lost" : "octets-added", SPAN_LIT("stream"));

    f->way = WAY_SESSION;
    f->sent =
        (struct diff_excerpt){ .record = c->near->close_n, .field = "octets", .len = sent };
    f->received =
        (struct diff_excerpt){ .record = c->far->close_n, .field = "octets", .len = received };
    f->f.severity = SEVERITY_MEDIUM;
    f->f.confidence = CONFIDENCE_HIGH;
    compare_say(f, "%s sent %llu bytes and %llu arrived at %s, in no line that was complete",
                reply ? "FAR" : "NEAR", (unsigned long long)sent, (unsigned long long)received,
                reply ? "NEAR" : "FAR");
}

/* A command that never arrived is told, if only by the reply to it. */
static bool has_lost_lines(const struct compare *c)
{
    for (size_t i = 0; i < c->near->len; i++)
        if (c->near->units[i].passed && c->far_of[i] == ALIGN_NONE)
            return true;
    return false;
}

/* At the end of a session octets may be on their way that nobody waits for. */
static void see_totals(struct compare *c)
{
    const struct talk *a = c->near, *b = c->far;

    if (!a->closed || !b->closed || a->opaque || b->opaque || a->tls.there || b->tls.there ||
        a->missing || b->missing)
        return;
    if (a->to_far != b->to_far && !has_way(c, WAY_COMMAND, WAY_CONTENT) && !has_lost_lines(c) &&
        !is_how(a->close_how, "reset") && !is_how(b->close_how, "reset"))
        say_total(c, WAY_COMMAND, a->to_far, b->to_far);
    if (a->to_near != b->to_near && !has_way(c, WAY_REPLY, WAY_COMMAND) &&
        !is_how(a->close_how, "reset") && !is_how(b->close_how, "reset"))
        say_total(c, WAY_REPLY, b->to_near, a->to_near);
}

void compare_sessions(struct compare *c)
{
    see_times(c);
    see_tls(c);
    see_close(c);
    see_totals(c);
}
