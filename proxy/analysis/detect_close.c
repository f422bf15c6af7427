/*
 * detect_close - what the end of a session says.
 *
 * SV-07 a reply that never ended, SV-14 mail data that got stuck, SV-15 an end of data without
 * an answer, SV-16 a command that ends connections, SV-17 commands without replies, SV-20 a
 * batch or a BDAT that gets none, SV-21 silence that ends a session, SV-25 the same mail again.
 */
#include "analysis/detect_private.h"

enum {
    KILLS_MIN = 3,
    KILL_SLACK_US = 50000, /* of a server that has to write its log first */
    RETRANSMITS_MIN = 3,
    STALL_US = 15000000,
    EOD_US = 60000000,       /* a scanner may take so long */
    EOD_LONG_US = 600000000, /* and a server no longer (RFC 5321 4.5.3.2.6) */
    REPEAT_MIN = 3,
    STALLS_MIN = 2,
    IDLE_MIN_US = 5000000,
    IDLE_MAX_US = 300000000,
};

static bool waited(const struct detect_ctx *k, uint64_t least_us)
{
    return k->ending->waited_us >= (k->ending->timed_out ? PATIENCE_US : least_us);
}

static unsigned seconds(uint64_t us)
{
    return (unsigned)(us / 1000000);
}

static struct finding_draft draft_of_unanswered(const struct detect_ctx *k, enum detector id)
{
    struct finding_draft h = detect_draft(id);

    h.record = k->ending->unanswered->n;
    h.field = "received";
    return h;
}

/* ---- a reply without an end ---- */

void ehlo_dangling(const struct detect_ctx *k)
{
    const struct detect *d = k->d;
    uint64_t in = k->ending->close->octets_in[SERVER];
    struct finding_draft h = draft_of_unanswered(k, SV_07);

    if (k->ending->unanswered->verb != VERB_EHLO || d->encoded || k->ending->by_server ||
        in <= d->server_octets || !waited(k, SILENCE_US))
        return;
    detect_report(
        k, &h,
        "EHLO had a reply of %llu bytes without a last line, and nothing more in %u s: "
        "its last line was removed.",
        (unsigned long long)(in - d->server_octets), seconds(k->ending->waited_us));
}

/* ---- commands without replies ---- */

/* One that came together with a command that was answered; after mail data it is another matter. */
static bool is_lost(const struct detect_ctx *k)
{
    const struct unanswered *u = k->ending->unanswered;

    return u->batched && k->d->last_answered && u->verb != VERB_QUIT && u->verb != VERB_DOT &&
           u->verb != VERB_BDAT;
}

void desync_lost(const struct detect_ctx *k)
{
    const struct ending *e = k->ending;
    struct finding_draft h = draft_of_unanswered(k, SV_17);

    if (is_lost(k) && !e->by_server && waited(k, SILENCE_US))
        detect_report(
            k, &h,
            "%s came together with the command before it; that one had its reply, and "
            "nothing came in %u s after it.",
            verb_name((enum verb)e->unanswered->verb), seconds(e->waited_us));
}

void lost_in_batch(const struct detect_ctx *k)
{
    const struct ending *e = k->ending;
    struct finding_draft h = draft_of_unanswered(k, SV_20);

    if (is_lost(k) && ehlo_offers(k->d->offered, EHLO_PIPELINING) &&
        (e->by_server || waited(k, SILENCE_US)))
        detect_report(
            k, &h,
            "PIPELINING is offered, and of commands sent together only those before %s "
            "were answered.",
            verb_name((enum verb)e->unanswered->verb));
}

/* Some boxes follow one message in chunks: then it is the next MAIL that gets no reply. */
void lost_chunk(const struct detect_ctx *k)
{
    const struct detect *d = k->d;
    struct finding_draft h = draft_of_unanswered(k, SV_20);
    bool chunk = k->ending->unanswered->verb == VERB_BDAT;
    bool behind = d->after_chunk && k->ending->unanswered->verb == VERB_MAIL;

    if ((!chunk && !behind) || !ehlo_offers(d->offered, EHLO_CHUNKING) || !waited(k, EOD_US))
        return;
    h.confidence = CONFIDENCE_LOW;
    detect_report(k, &h, "CHUNKING is offered, and %s had no reply in %u s.",
                  chunk ? "BDAT" : "MAIL after a message in chunks",
                  seconds(k->ending->waited_us));
}

/* ---- the end of data ---- */

static bool is_stalled_at_end(const struct detect_ctx *k)
{
    const struct record_tcp *tcp = &k->ending->close->tcp[SERVER];
    const struct unanswered *u = k->ending->unanswered;

    return u->verb == VERB_DOT && (!tcp->valid || tcp->unacked == 0) &&
           waited(k, u->split ? SILENCE_US : EOD_US);
}

void eod_stall(const struct detect_ctx *k)
{
    const struct ending *e = k->ending;
    struct finding_draft h = draft_of_unanswered(k, SV_15);
    bool split = e->unanswered->split;

    if (!is_stalled_at_end(k))
        return;
    h.confidence = split ? CONFIDENCE_HIGH : CONFIDENCE_MEDIUM;
    h.severity = split || e->waited_us >= EOD_LONG_US ? SEVERITY_HIGH : SEVERITY_MEDIUM;
    h.bytes = SPAN_LIT(".\r\n");
    detect_report(
        k, &h,
        "The end of the mail data%s had no reply in %u s: it was swallowed, or the server "
        "is slow%s.",
        e->close->tcp[SERVER].valid ? " was acknowledged and" : "", seconds(e->waited_us),
        split ? "; it came in more than one read, which some firewalls cannot follow" : "");
}

void eod_repeated(const struct detect_ctx *k)
{
    struct detect *d = k->d;
    struct peer_history *u = history_get(k->env->memory, d->upstream);
    uint64_t key[] = { d->client, d->content_octets };
    uint64_t mail = detect_hash(key, sizeof key);
    struct finding_draft h = draft_of_unanswered(k, SV_25);

    if (u == NULL || !is_stalled_at_end(k))
        return;
    u->eods = (uint8_t)(u->eod != mail ? 1 : u->eods < REPEAT_MIN ? u->eods + 1 : REPEAT_MIN);
    u->eod = mail;
    if (u->eods >= REPEAT_MIN)
        detect_report(k, &h,
                      "A mail of %llu bytes was sent again and again, and its end was never "
                      "answered: the receiver may have got it each time.",
                      (unsigned long long)d->content_octets);
}

/* ---- mail data that got stuck ---- */

void data_stall(const struct detect_ctx *k)
{
    const struct detect *d = k->d;
    const struct record_tcp *tcp = &k->ending->close->tcp[SERVER];
    bool in_data = d->content_cut ||
                   (k->ending->unanswered->n != 0 && k->ending->unanswered->verb == VERB_DOT);
    struct finding_draft h = detect_draft(SV_14);

    if (!in_data || !tcp->valid || tcp->unacked == 0 || tcp->retransmits < RETRANSMITS_MIN ||
        k->ending->close->t_us < d->content_us + STALL_US || tcp->acked < d->content_at)
        return;
    struct peer_history *u = history_get(k->env->memory, d->upstream);
    if (u == NULL)
        return;
    uint64_t at = tcp->acked - d->content_at;
    u->stalls = (uint8_t)(u->stalls == 0 || u->stall_at != at ? 1 : STALLS_MIN);
    u->stall_at = at;
    if (u->stalls < STALLS_MIN) /* lost packets do not stop twice at the same octet */
        return;
    h.field = "tcp.server";
    h.confidence = CONFIDENCE_HIGH;
    detect_report(k, &h,
                  "The mail data got stuck again after its byte %llu: %u segments are not "
                  "acknowledged after %u retransmissions; big packets are lost on the path.",
                  (unsigned long long)at, tcp->unacked, tcp->retransmits);
}

/* ---- what kills ---- */

/* What was under way when the server's side ended it; ACT_COUNT * 2: nothing we can name. */
static unsigned killed_act(const struct detect_ctx *k)
{
    const struct detect *d = k->d;
    uint64_t soon = k->ending->close->tcp[SERVER].rtt_us * UINT64_C(3) / 2 + KILL_SLACK_US;

    if (!k->ending->by_server || d->turned_away || d->encoded)
        return 2 * ACT_COUNT;
    if (d->content_cut)
        return 2 * ACT_CONTENT;
    if (k->ending->unanswered->n != 0 && k->ending->unanswered->verb != VERB_QUIT &&
        k->ending->waited_us <= soon)
        return k->ending->unanswered->act;
    if (d->greeted && !d->commanded && k->ending->close->t_us <= d->heard_us + soon)
        return 2 * ACT_GREETING;
    return 2 * ACT_COUNT;
}

static const char *act_name(unsigned act)
{
    if (act / 2 == ACT_GREETING)
        return "the greeting";
    if (act / 2 == ACT_CONTENT)
        return "mail data";
    return act / 2 == VERB_UNKNOWN ? "an unknown command"
           : act / 2 == VERB_DOT   ? "the end of mail data"
                                   : verb_name((enum verb)(act / 2));
}

static void forgive(struct peer_history *u, uint64_t answered)
{
    for (uint64_t set = u->killed & answered; set != 0; set &= set - 1)
        u->kills[__builtin_ctzll(set)] = 0;
    u->killed &= ~answered;
}

void kill_after(const struct detect_ctx *k)
{
    struct detect *d = k->d;
    unsigned act = killed_act(k);
    struct detect_memory *m = k->env->memory;
    struct peer_history *u = act < 2 * ACT_COUNT ? history_get(m, d->upstream) : NULL;
    struct finding_draft h = detect_draft(SV_16);

    if (u == NULL) {
        u = history_find(m, d->upstream);
        if (u != NULL)
            forgive(u, d->answered);
        return;
    }
    forgive(u, d->answered);
    u->killed |= UINT64_C(1) << act;
    u->kills[act] = (uint8_t)(u->kills[act] < 255 ? u->kills[act] + 1 : 255);
    if (u->kills[act] < KILLS_MIN)
        return;
    if (act / 2 < ACT_GREETING) {
        h.record = k->ending->unanswered->n;
        h.field = "received";
    }
    detect_report(
        k, &h,
        "The connection was %s by the server's side right after %s%s, %u times out of %u.",
        k->ending->close->how == END_RESET ? "reset" : "closed", act_name(act),
        act % 2 != 0 ? " of more than 512 bytes" : "", (unsigned)u->kills[act],
        (unsigned)u->kills[act]);
}

/* The state was dropped without a word. Other commands may take a server that long. */
static bool is_ignored(const struct detect_ctx *k)
{
    return !k->ending->by_server &&
           (k->ending->unanswered->verb == VERB_NOOP ||
            k->ending->unanswered->verb == VERB_RSET) &&
           waited(k, SILENCE_US);
}

void idle_death_close(const struct detect_ctx *k)
{
    const struct unanswered *u = k->ending->unanswered;
    struct finding_draft h = draft_of_unanswered(k, SV_21);
    bool ended = k->ending->by_server && k->ending->waited_us <= SILENCE_US;
    struct peer_history *x;

    if ((!ended && !is_ignored(k)) || u->idle_us < IDLE_MIN_US || u->idle_us >= IDLE_MAX_US ||
        (x = history_get(k->env->memory, k->d->upstream)) == NULL)
        return;
    uint32_t ms = (uint32_t)(u->idle_us / 1000);
    if (x->idle_least_ms == 0 || ms < x->idle_least_ms)
        x->idle_least_ms = ms;
    detect_report(
        k, &h,
        "After %u s of silence %s %s (the shortest silence that did that: %u s): the server or "
        "the path forgets sessions.",
        seconds(u->idle_us), verb_name((enum verb)u->verb),
        ended ? "was answered by the end of the connection" : "had no answer any more",
        x->idle_least_ms / 1000);
}
