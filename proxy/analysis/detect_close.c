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

/* What the functions below look at, too. */
struct ending {
    const struct look *k;
    const struct record_close *c;
    const struct unanswered *u; /* u->n == 0: every command had its reply */
    uint64_t waited_us;         /* for the reply to *u */
    bool timed_out;             /* that was as long as this proxy waits */
    bool by_server;             /* it ended first */
};

static bool waited(const struct ending *e, uint64_t least_us)
{
    return e->waited_us >= (e->timed_out ? PATIENCE_US : least_us);
}

static unsigned seconds(uint64_t us)
{
    return (unsigned)(us / 1000000);
}

static struct hint hint_of_unanswered(const struct ending *e, enum detector id)
{
    struct hint h = detect_hint(id);

    h.record = e->u->n;
    h.field = "received";
    return h;
}

/* ---- a reply without an end ---------------------------------------------------------------
 */

static void look_for_dangling(const struct ending *e)
{
    const struct detect *d = e->k->d;
    uint64_t in = e->c->octets_in[SERVER];
    struct hint h = hint_of_unanswered(e, SV_07);

    if (e->u->verb != VERB_EHLO || d->encoded || e->by_server || in <= d->server_octets ||
        !waited(e, SILENCE_US))
        return;
    detect_tell(
        e->k, &h,
        "EHLO had a reply of %llu octets without a last line, and nothing more in %u s: "
        "its last line was removed.",
        (unsigned long long)(in - d->server_octets), seconds(e->waited_us));
}

/* ---- commands without replies ---------------------------------------------------------------
 */

static void look_for_lost(const struct ending *e)
{
    const struct look *k = e->k;
    bool offered = ehlo_offers(k->d->offered, EHLO_PIPELINING);
    struct hint h = hint_of_unanswered(e, SV_17);

    if (!e->u->batched || !k->d->last_answered || e->u->verb == VERB_QUIT ||
        e->u->verb == VERB_DOT || e->u->verb == VERB_BDAT)
        return; /* the last two come behind mail data */
    if (!e->by_server && waited(e, SILENCE_US))
        detect_tell(k, &h,
                    "%s came together with the command before it; that one had its reply, and "
                    "nothing came in %u s after it.",
                    verb_name((enum verb)e->u->verb), seconds(e->waited_us));
    h.id = SV_20;
    if (offered && (e->by_server || waited(e, SILENCE_US)))
        detect_tell(k, &h,
                    "PIPELINING is offered, and of commands sent together only those before %s "
                    "were answered.",
                    verb_name((enum verb)e->u->verb));
}

/* Some boxes follow one message in chunks: then it is the next MAIL that gets no reply. */
static void look_for_chunk(const struct ending *e)
{
    const struct detect *d = e->k->d;
    struct hint h = hint_of_unanswered(e, SV_20);
    bool chunk = e->u->verb == VERB_BDAT;
    bool behind = d->behind_chunk && e->u->verb == VERB_MAIL;

    if ((!chunk && !behind) || !ehlo_offers(d->offered, EHLO_CHUNKING) || !waited(e, EOD_US))
        return;
    h.confidence = CONFIDENCE_LOW;
    detect_tell(e->k, &h, "CHUNKING is offered, and %s had no reply in %u s.",
                chunk ? "BDAT" : "MAIL behind a message in chunks", seconds(e->waited_us));
}

/* ---- the end of data
 * ------------------------------------------------------------------------- */

static void count_same_mail(const struct ending *e)
{
    struct detect *d = e->k->d;
    struct known *u = history_get(e->k->env->memory, d->upstream);
    uint64_t key[] = { d->client, d->content_octets };
    uint64_t mail = detect_hash(key, sizeof key);
    struct hint h = hint_of_unanswered(e, SV_25);

    if (u == NULL)
        return;
    u->eods = (uint8_t)(u->eod != mail ? 1 : u->eods < REPEAT_MIN ? u->eods + 1 : REPEAT_MIN);
    u->eod = mail;
    if (u->eods >= REPEAT_MIN)
        detect_tell(e->k, &h,
                    "A mail of %llu octets was sent again and again, and its end was never "
                    "answered: the receiver may have got it each time.",
                    (unsigned long long)d->content_octets);
}

static void look_for_eod(const struct ending *e)
{
    const struct record_tcp *tcp = &e->c->tcp[SERVER];
    struct hint h = hint_of_unanswered(e, SV_15);
    bool split = e->u->split;

    if (e->u->verb != VERB_DOT || (tcp->valid && tcp->unacked > 0) ||
        !waited(e, split ? SILENCE_US : EOD_US))
        return;
    h.confidence = split ? CONFIDENCE_HIGH : CONFIDENCE_MEDIUM;
    h.severity = split || e->waited_us >= EOD_LONG_US ? SEVERITY_HIGH : SEVERITY_MEDIUM;
    h.bytes = SPAN_LIT(".\r\n");
    detect_tell(
        e->k, &h,
        "The end of the mail data%s had no reply in %u s: it was swallowed, or the server "
        "is slow%s.",
        tcp->valid ? " was acknowledged and" : "", seconds(e->waited_us),
        split ? "; it came in more than one read, which some firewalls cannot follow" : "");
    count_same_mail(e);
}

/* ---- mail data that got stuck
 * ----------------------------------------------------------------- */

static void look_for_stall(const struct ending *e)
{
    const struct detect *d = e->k->d;
    const struct record_tcp *tcp = &e->c->tcp[SERVER];
    bool in_data = d->content_cut || (e->u->n != 0 && e->u->verb == VERB_DOT);
    struct hint h = detect_hint(SV_14);

    if (!in_data || !tcp->valid || tcp->unacked == 0 || tcp->retransmits < RETRANSMITS_MIN ||
        e->c->t_us < d->content_us + STALL_US || tcp->acked < d->content_at)
        return;
    struct known *u = history_get(e->k->env->memory, d->upstream);
    if (u == NULL)
        return;
    uint64_t at = tcp->acked - d->content_at;
    u->stalls = (uint8_t)(u->stalls == 0 || u->stall_at != at ? 1 : STALLS_MIN);
    u->stall_at = at;
    if (u->stalls < STALLS_MIN) /* lost packets do not stop twice at the same octet */
        return;
    h.field = "tcp.server";
    h.confidence = CONFIDENCE_HIGH;
    detect_tell(e->k, &h,
                "The mail data got stuck again behind its octet %llu: %u segments are not "
                "acknowledged after %u retransmissions; big packets are lost on the path.",
                (unsigned long long)at, tcp->unacked, tcp->retransmits);
}

/* ---- what kills
 * ---------------------------------------------------------------------------------- */

/* What was under way when the server's side ended it; ACT_COUNT * 2: nothing we can name. */
static unsigned killed_act(const struct ending *e)
{
    const struct detect *d = e->k->d;
    uint64_t soon = e->c->tcp[SERVER].rtt_us * UINT64_C(3) / 2 + KILL_SLACK_US;

    if (!e->by_server || d->turned_away || d->encoded)
        return 2 * ACT_COUNT;
    if (d->content_cut)
        return 2 * ACT_CONTENT;
    if (e->u->n != 0 && e->u->verb != VERB_QUIT && e->waited_us <= soon)
        return e->u->act;
    if (d->greeted && !d->commanded && e->c->t_us <= d->heard_us + soon)
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

static void forgive(struct known *u, uint64_t answered)
{
    for (uint64_t set = u->killed & answered; set != 0; set &= set - 1)
        u->kills[__builtin_ctzll(set)] = 0;
    u->killed &= ~answered;
}

static void look_for_kill(const struct ending *e)
{
    struct detect *d = e->k->d;
    unsigned act = killed_act(e);
    struct detect_memory *m = e->k->env->memory;
    struct known *u = act < 2 * ACT_COUNT ? history_get(m, d->upstream) : NULL;
    struct hint h = detect_hint(SV_16);

    if (u == NULL) {
        u = memory_find(m, d->upstream);
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
        h.record = e->u->n;
        h.field = "received";
    }
    detect_tell(
        e->k, &h,
        "The connection was %s by the server's side right behind %s%s, %u times out of %u.",
        e->c->how == HOW_RESET ? "reset" : "closed", act_name(act),
        act % 2 != 0 ? " of more than 512 octets" : "", (unsigned)u->kills[act],
        (unsigned)u->kills[act]);
}

/* The state was dropped without a word. Other commands may take a server that long. */
static bool is_ignored(const struct ending *e)
{
    return !e->by_server && (e->u->verb == VERB_NOOP || e->u->verb == VERB_RSET) &&
           waited(e, SILENCE_US);
}

static void look_for_idle_death(const struct ending *e)
{
    const struct unanswered *u = e->u;
    struct hint h = hint_of_unanswered(e, SV_21);
    bool ended = e->by_server && e->waited_us <= SILENCE_US;
    struct known *x;

    if ((!ended && !is_ignored(e)) || u->idle_us < IDLE_MIN_US || u->idle_us >= IDLE_MAX_US ||
        (x = history_get(e->k->env->memory, e->k->d->upstream)) == NULL)
        return;
    uint32_t ms = (uint32_t)(u->idle_us / 1000);
    if (x->idle_least_ms == 0 || ms < x->idle_least_ms)
        x->idle_least_ms = ms;
    detect_tell(
        e->k, &h,
        "After %u s of silence %s %s (the shortest silence that did that: %u s): the server or "
        "the path forgets sessions.",
        seconds(u->idle_us), verb_name((enum verb)u->verb),
        ended ? "was answered by the end of the connection" : "had no answer any more",
        x->idle_least_ms / 1000);
}

void close_look(const struct look *k)
{
    const struct record_close *c = k->s->close;
    const struct unanswered *u = &k->d->unanswered;
    struct ending e = {
        .k = k,
        .c = c,
        .u = u,
        .waited_us = u->n != 0 && c->t_us > u->t_us ? c->t_us - u->t_us : 0,
        .timed_out = c->reason == CLOSE_UPSTREAM_TIMEOUT || c->reason == CLOSE_NO_GREETING,
        .by_server = c->first == SERVER && (c->how == HOW_RESET || c->how == HOW_FIN),
    };

    greeting_settle(k);
    if (u->n != 0) {
        look_for_dangling(&e);
        look_for_lost(&e);
        look_for_chunk(&e);
        look_for_eod(&e);
        look_for_idle_death(&e);
    }
    look_for_stall(&e);
    look_for_kill(&e);
}
