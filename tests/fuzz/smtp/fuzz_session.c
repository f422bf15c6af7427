/*
 * fuzz_session - whole sessions from arbitrary facts, each played twice.
 *
 * Input: one octet of flags, with FLAG_TLS another one, then operations: a kind octet and,
 * for bytes, a length octet and that many octets. A handshake that was wished for is over with
 * the next bytes of its side (a NUL first: it failed) or when time is up. Always true:
 *
 *   - ACTION_CLOSE is the last action; nothing is sent to an upstream that was dropped
 *   - observe mode: what is forwarded is what came in, per side
 *   - cut anywhere, the input gives the same octets and the same events
 *   - what is held stays within its limits; no secret line is told as open
 *   - with the default policy no line but CRLF-ended ones goes upstream
 *   - no octet received before a handshake is used after it; nothing is sent while it is under
 *     way, nor after it failed
 *   - where TLS is required, nothing but NOOP, EHLO, STARTTLS, QUIT and our own XCLIENT goes
 *     upstream in the clear
 */
#include "smtp/secret.h"
#include "smtp/session_private.h"

#include <stdio.h>
#include <stdlib.h>

#define ALWAYS(x)                                                                              \
    ((x) ? (void)0 : (fprintf(stderr, "not so: %s, line %d\n", #x, __LINE__), abort()))

enum { FLAG_OBSERVE = 1, FLAG_STRICT = 2, FLAG_LENIENT = 4, FLAG_LIMIT = 8, FLAG_GREETED = 16 };
enum { FLAG_TLS = 32 }; /* TLS ends here, and more flags follow: */
/* What one command, or a greeting that is kept, may be over the limit of the queue. */
enum { OVER = 3 * REPLY_MAX };
enum { TLS_UPSTREAM = 3, TLS_IMPLICIT = 4, TLS_XCLIENT = 8, TLS_TRUSTED = 16 };

struct log {
    char *ptr;
    size_t len, size;
};

struct play {
    struct pool exchanges, contents;
    struct policy policy;
    struct session_env env;
    struct session s;
    struct log in[2], out[2], events;
    bool closed, dropped, observe;
    bool handshake[2], mute[2]; /* by side: under way; failed */
    uint64_t clear[2];          /* octets received before the handshake */
    uint64_t now;
};

static void put(struct log *l, const void *p, size_t n)
{
    if (l->len + n > l->size) {
        l->size = (l->len + n) * 2;
        l->ptr = realloc(l->ptr, l->size);
        ALWAYS(l->ptr != NULL);
    }
    if (n > 0)
        memcpy(l->ptr + l->len, p, n);
    l->len += n;
}

/* What an event says, but for times and read boundaries. */
static void log_event(struct log *l, const struct event *e)
{
    char head[256];
    int n;

    if (e->disposition == DISPOSITION_SWALLOWED && e->kind == EVENT_COMMAND)
        return; /* what nobody looked at depends on how much had arrived */
    n = snprintf(head, sizeof head, "%d at=%llu %s o%d a%d code=%u octets=%llu secret=%zu %d ",
                 e->kind, (unsigned long long)e->at, verb_name(e->verb), e->origin,
                 e->disposition, e->code, (unsigned long long)e->received_octets, e->secret.len,
                 e->auth_line);
    put(l, head, (size_t)n);
    put(l, e->received.ptr, e->received.len);
    put(l, e->forwarded.ptr, e->forwarded.len);
    put(l, e->reply.ptr, e->reply.len);
    put(l, e->replied.ptr, e->replied.len);
    for (unsigned i = 0; i < e->notes.len; i++) {
        if (e->notes.list[i].id == NOTE_STARTTLS_RESPONSE_INJECTION)
            continue; /* in the same read as the 220, or nobody can tell */
        n = snprintf(head, sizeof head, " %s@%llu",
                     note_name((enum note_id)e->notes.list[i].id),
                     (unsigned long long)e->notes.list[i].at);
        put(l, head, (size_t)n);
    }
    if (e->kind == EVENT_CONTENT) {
        const struct data_stats *st = &e->data->stats;
        n = snprintf(head, sizeof head, " %llu/%llu lines=%llu lf=%llu cr=%llu nul=%llu %d%d",
                     (unsigned long long)st->octets,
                     (unsigned long long)(e->data->refused ? 0 : st->octets_sent),
                     (unsigned long long)st->lines, (unsigned long long)st->bare_lf,
                     (unsigned long long)st->bare_cr, (unsigned long long)st->nul,
                     !e->data->refused && st->altered, e->complete);
        put(l, head, (size_t)n);
    }
    for (int side = CLIENT; e->opaque_sample != NULL && side <= SERVER; side++) {
        n = snprintf(head, sizeof head, " sample=%zu secret=%zu ", e->opaque_sample->len[side],
                     e->opaque_sample->secret[side].len);
        put(l, head, (size_t)n);
        put(l, e->opaque_sample->octets[side], e->opaque_sample->len[side]);
    }
    put(l, "\n", 1);
}

/* All of a stream, up to what is kept of it. */
static void check_sample(const struct opaque_sample *sample, const uint64_t octets[2])
{
    for (int side = CLIENT; side <= SERVER; side++) {
        struct span secret = sample->secret[side];
        const unsigned char *start = sample->octets[side];

        ALWAYS(sample->len[side] ==
               (octets[side] < OPAQUE_SAMPLE_MAX ? octets[side] : OPAQUE_SAMPLE_MAX));
        ALWAYS(secret.len == 0 ||
               (secret.ptr >= start && secret.ptr + secret.len <= start + sample->len[side]));
    }
}

static void check_event(const struct play *p, const struct event *e)
{
    ALWAYS(e->kind != EVENT_COMMAND || e->received_octets == 0 || e->at >= p->clear[CLIENT] ||
           e->verb == VERB_STARTTLS);
    ALWAYS(e->received.len <= e->received_octets || e->kind != EVENT_COMMAND);
    ALWAYS(e->secret.len == 0 ||
           (e->secret.ptr >= e->received.ptr &&
            e->secret.ptr + e->secret.len <= e->received.ptr + e->received.len));
    if (e->opaque_sample != NULL)
        check_sample(e->opaque_sample, e->opaque_octets);
    ALWAYS(!e->auth_line || e->secret.len == secret_without_ending(e->received).len);
    ALWAYS(e->replied.len == 0 || e->code != 0 || e->origin == ORIGIN_UPSTREAM);
    ALWAYS(e->origin != ORIGIN_PROXY ||
           (e->replied.len > 5 && e->replied.len <= LOCAL_REPLY_MAX));
}

static void check_sent(const struct play *p, enum side side, struct span bytes)
{
    static const char *const clear[] = { "NOOP", "EHLO", "STARTTLS", "QUIT", "XCLIENT" };
    bool found = false;

    ALWAYS(!p->handshake[side] && !p->mute[side]);
    if (side == CLIENT || p->observe || p->env.upstream_tls != UPSTREAM_TLS_REQUIRE ||
        p->s.upstream.secure)
        return;
    for (unsigned i = 0; i < ARRAY_LEN(clear); i++)
        found = found || span_starts_with_nocase(bytes, span_str(clear[i]));
    ALWAYS(found);
}

static void start_tls(struct play *p, enum side side)
{
    ALWAYS(!p->observe && !p->handshake[CLIENT] && !p->handshake[SERVER]);
    ALWAYS(input_is_empty(&p->s, side) && p->s.at[side] == p->s.received[side]);
    p->handshake[side] = true;
    p->clear[side] = p->s.received[side];
    put(&p->events, side == CLIENT ? "tls c\n" : "tls s\n", 6);
}

static void pump(struct play *p)
{
    struct action action;

    while (session_next(&p->s, &action)) {
        ALWAYS(!p->closed);
        switch (action.kind) {
        case ACTION_FORWARD:
            ALWAYS(!(action.side == SERVER && p->dropped));
            check_sent(p, action.side, action.bytes);
            put(&p->out[action.side], action.bytes.ptr, action.bytes.len);
            break;
        case ACTION_ANSWER:
            ALWAYS(!p->observe);
            check_sent(p, CLIENT, action.bytes);
            put(&p->out[CLIENT], action.bytes.ptr, action.bytes.len);
            break;
        case ACTION_CONTENT:
            break;
        case ACTION_START_TLS:
            start_tls(p, action.side);
            break;
        case ACTION_RECORD:
            check_event(p, action.event);
            log_event(&p->events, action.event);
            break;
        case ACTION_DROP_UPSTREAM:
            ALWAYS(!p->observe && !p->dropped);
            p->dropped = true;
            break;
        case ACTION_CLOSE:
            p->closed = true;
            break;
        }
    }
    ALWAYS(p->s.exchange_octets <=
           (p->observe ? SESSION_TRACKED_MAX : SESSION_QUEUE_MAX) + OVER);
}

static void handshake_over(struct play *p, enum side side, bool ok)
{
    p->handshake[side] = false;
    p->mute[side] = !ok;
    session_tls(&p->s, side, ok, p->now);
    if (ok && side == CLIENT && !p->closed)
        ALWAYS(!p->s.client.greeted && !p->s.transaction.open && !p->s.client.authenticated &&
               p->s.offer.offered == 0 && p->s.first == NULL);
    pump(p);
}

static bool has_word(const char *text, size_t len, const char *word)
{
    size_t n = strlen(word);

    for (size_t i = 0; i + n <= len; i++)
        if (strncasecmp(text + i, word, n) == 0)
            return true;
    return false;
}

/*
 * Where reads matter on purpose: replies that come in one read before a command was sent on
 * are one too many, in two reads nobody can tell. So the server's octets are cut only where
 * no client waits, nor a command of our own, and not after the client's end, when the last
 * reply is the end of all. Plaintext behind STARTTLS in one read is refused at once.
 */
static bool may_cut(const struct play *p, enum side from, const uint8_t *bytes, size_t len)
{
    const struct session *s = &p->s;
    const struct log *in = &p->in[CLIENT];
    char line[2048];
    size_t n = 0;

    if (from == SERVER)
        return input_is_empty(s, CLIENT) && !s->ended[CLIENT] && s->state != STATE_TLS &&
               s->preamble == PREAMBLE_NONE && !session_has_pending(s, VERB_STARTTLS) &&
               !(s->state == STATE_GREETING && preamble_is_wanted(s));
    if (p->observe || !session_ends_tls(s))
        return true;
    for (size_t at = in->len; at > 0 && in->ptr[at - 1] != '\n' && n < 1024; at--)
        n++;
    if (n == 1024)
        return false;
    if (n > 0)
        memcpy(line, in->ptr + in->len - n, n);
    memcpy(line + n, bytes, len);
    return !has_word(line, n + len, "STARTTLS");
}

static void give(struct play *p, enum side from, const uint8_t *bytes, size_t len, size_t cut)
{
    if (len > 0 && p->handshake[from]) {
        handshake_over(p, from, bytes[0] != '\0');
        if (p->mute[from])
            return;
    }
    if (!may_cut(p, from, bytes, len))
        cut = 0;
    while (len > 0) {
        size_t n = cut > 0 && cut < len ? cut : len;
        unsigned char *copy = malloc(n);
        ALWAYS(copy != NULL);
        memcpy(copy, bytes, n);
        if (!p->closed)
            put(&p->in[from], bytes, n);
        session_bytes(&p->s, from, span_of(copy, n), p->now);
        pump(p);
        free(copy);
        bytes += n;
        len -= n;
        if (cut > 1)
            cut = cut % 7 + 1;
    }
}

static void set_up(struct play *p, uint8_t flags, uint8_t more)
{
    memset(p, 0, sizeof *p);
    policy_init(&p->policy, flags & FLAG_STRICT    ? PRESET_STRICT
                            : flags & FLAG_LENIENT ? PRESET_OBSERVE
                                                   : PRESET_DEFAULT);
    p->observe = (flags & FLAG_OBSERVE) != 0;
    ALWAYS(policy_set(&p->policy, RULE_STARTTLS,
                      flags & FLAG_TLS && !p->observe ? SPAN_LIT("terminate")
                                                      : SPAN_LIT("refuse")));
    pool_init(&p->exchanges, session_exchange_size(), 0);
    pool_init(&p->contents, session_content_size(), 0);
    p->env = (struct session_env){
        .policy = &p->policy,
        .observe = p->observe,
        .error_limit = flags & FLAG_LIMIT ? 3 : 0,
        .upstream_tls = more & TLS_UPSTREAM,
        .helo_name = "proxy.test",
        .exchanges = &p->exchanges,
        .contents = &p->contents,
    };
    p->now = 1;
    session_init(&p->s, &p->env);
    if (more & TLS_TRUSTED)
        session_trust_client(&p->s);
    if (more & TLS_XCLIENT)
        ALWAYS(session_send_xclient(&p->s, SPAN_LIT("NAME=c ADDR=192.0.2.1 PORT=1")));
    if (more & TLS_IMPLICIT)
        session_tls(&p->s, CLIENT, true, p->now);
    if ((more & TLS_UPSTREAM) == UPSTREAM_TLS_IMPLICIT)
        session_tls(&p->s, SERVER, true, p->now);
}

static void say(struct play *p, enum side from, const char *text)
{
    give(p, from, (const uint8_t *)text, strlen(text), 0);
}

/* Up to the reply to the client's EHLO. */
static void greet(struct play *p)
{
    static const char *const replies[] = {
        [PREAMBLE_EHLO] = "250-mx\r\n250-STARTTLS\r\n250 XCLIENT NAME ADDR\r\n",
        [PREAMBLE_STARTTLS] = "220 go\r\n",
        [PREAMBLE_XCLIENT] = "220 mx again\r\n",
    };

    say(p, SERVER, "220 mx ESMTP\r\n");
    while (p->s.preamble != PREAMBLE_NONE) {
        if (p->handshake[SERVER])
            handshake_over(p, SERVER, true);
        say(p, SERVER, replies[p->s.preamble]);
    }
    say(p, CLIENT, "EHLO c\r\n");
    say(p, SERVER,
        session_ends_tls(&p->s)
            ? "250-mx\r\n250-PIPELINING\r\n250-CHUNKING\r\n250-AUTH PLAIN "
              "GSSAPI\r\n250-PRDR\r\n250-STARTTLS\r\n250-XCLIENT NAME\r\n250 8BITMIME\r\n"
            : "250-mx\r\n250-PIPELINING\r\n250-CHUNKING\r\n250-AUTH PLAIN "
              "GSSAPI\r\n250-PRDR\r\n250-SMTPUTF8\r\n250 8BITMIME\r\n");
}

static void play_fact(struct play *p, uint8_t kind)
{
    enum side side = p->handshake[CLIENT] ? CLIENT : SERVER;

    if (kind == 12 || kind == 13) {
        session_eof(&p->s, kind == 12 ? CLIENT : SERVER, END_FIN, p->now);
        p->handshake[kind == 12 ? CLIENT : SERVER] = false; /* it cannot go on */
    } else if (kind == 14 && p->handshake[side]) {
        handshake_over(p, side, false);
    } else if (kind == 14) {
        session_timeout(&p->s, p->now);
    } else if (!p->observe) { /* there it closes in the middle of what is forwarded ahead */
        session_end(&p->s, CLOSE_SHUTDOWN, p->now);
    }
}

static void play(struct play *p, const uint8_t *data, size_t size, size_t cut)
{
    bool more = (data[0] & FLAG_TLS) != 0;

    set_up(p, data[0], more ? data[1] : 0);
    if (data[0] & FLAG_GREETED)
        greet(p);
    for (size_t i = more ? 2 : 1; i < size;) {
        uint8_t kind = data[i++] % 16;
        size_t len = kind < 12 && i < size ? data[i++] : 0;

        if (len > size - i)
            len = size - i;
        if (kind < 7)
            give(p, CLIENT, data + i, len, cut);
        else if (kind < 12)
            give(p, SERVER, data + i, len, cut);
        else
            play_fact(p, kind);
        i += len;
        pump(p);
    }
    session_end(&p->s, CLOSE_INTERNAL, p->now);
    pump(p);
    ALWAYS(p->closed);
}

static void play_free(struct play *p)
{
    session_deinit(&p->s);
    for (int i = 0; i < 2; i++) {
        free(p->in[i].ptr);
        free(p->out[i].ptr);
    }
    free(p->events.ptr);
}

static void check_lines(const struct play *p, uint8_t flags)
{
    const struct log *l = &p->out[SERVER];

    if (flags & (FLAG_OBSERVE | FLAG_LENIENT | FLAG_STRICT) || p->s.content != NULL ||
        has_word(l->ptr, l->len, "BDAT"))
        return; /* chunks are opaque */
    for (size_t i = 0; i < l->len; i++)
        if (l->ptr[i] == '\n')
            ALWAYS(i > 0 && l->ptr[i - 1] == '\r');
}

static bool same(const struct log *a, const struct log *b)
{
    return a->len == b->len && (a->len == 0 || memcmp(a->ptr, b->ptr, a->len) == 0);
}

/* Of a refused message, what left before it was refused depends on how much had arrived. */
static bool same_start(const struct log *a, const struct log *b)
{
    size_t n = a->len < b->len ? a->len : b->len;

    return n == 0 || memcmp(a->ptr, b->ptr, n) == 0;
}

static void show_log(const char *title, const struct log *l)
{
    fprintf(stderr, "---- %s\n", title);
    for (size_t i = 0; i < l->len; i++) {
        unsigned char c = (unsigned char)l->ptr[i];
        fprintf(stderr, c == '\n' || (c >= 32 && c < 127) ? "%c" : "\\%03o", c);
    }
}

static void show(const struct log *a, const struct log *b)
{
    show_log("whole", a);
    show_log("cut", b);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct play whole, cut;

    if (size < 2)
        return 0;
    play(&whole, data, size, 0);
    play(&cut, data, size, 1 + data[0] % 5);
    for (int side = CLIENT; side <= SERVER; side++) {
        if (side == SERVER && whole.dropped && cut.dropped
                ? !same_start(&whole.out[side], &cut.out[side])
                : !same(&whole.out[side], &cut.out[side]))
            show(&whole.out[side], &cut.out[side]);
        if (whole.observe)
            ALWAYS(same(&whole.out[side], &whole.in[side == CLIENT ? SERVER : CLIENT]));
    }
    if (!same(&whole.events, &cut.events))
        show(&whole.events, &cut.events);
    check_lines(&whole, data[0]);
    play_free(&whole);
    play_free(&cut);
    return 0;
}
