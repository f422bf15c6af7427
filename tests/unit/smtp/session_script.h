/*
 * session_script - whole sessions as tables: facts in, actions out.
 *
 * A script is played whole, octet by octet, and cut at every position of its facts; the actions
 * must be the same each time. They are written down like this, CR LF as "|":
 *
 *   >NOOP|               to the upstream            [tls client]   ACTION_START_TLS
 *   <250 ok|             to the client              [drop]         ACTION_DROP_UPSTREAM
 *   =502 5.5.1 no|       to the client, made here   [close quit]   ACTION_CLOSE
 *   {NOOP 250 note}      the record of a command: action unless relayed, code; "up 454" when
 *                        the upstream's reply was another than the one the client heard;
 *                        "secret" when all of its line is
 *
 * Whenever a handshake is wished for, nothing received of that side may be left.
 */
#ifndef UNIT_SMTP_SESSION_SCRIPT_H
#define UNIT_SMTP_SESSION_SCRIPT_H

#include "unit/check.h"

#include "smtp/session_private.h"

enum { SCRIPT_STEPS = 40, SCRIPT_LOG = 8192 };

enum input {
    FACT_NONE,
    FACT_BYTES,
    FACT_READ,
    FACT_TLS,
    FACT_END,
    FACT_TIMEOUT,
    FACT_CLOSE,
    FACT_WAIT
};

struct fact_step {
    enum input input;
    enum side side;
    int how; /* of TLS: ok; END: enum close_kind; CLOSE: reason; WAIT: enum wait */
    const char *text;
};

#define C(bytes)                                                                               \
    {                                                                                          \
        FACT_BYTES, CLIENT, 0, bytes                                                           \
    }
#define S(bytes)                                                                               \
    {                                                                                          \
        FACT_BYTES, SERVER, 0, bytes                                                           \
    }
#define C_READ(bytes)                                                                          \
    {                                                                                          \
        FACT_READ, CLIENT, 0, bytes                                                            \
    } /* in one read: what is told depends on it */
#define S_READ(bytes)                                                                          \
    {                                                                                          \
        FACT_READ, SERVER, 0, bytes                                                            \
    }
#define TLS(side)                                                                              \
    {                                                                                          \
        FACT_TLS, side, 1, ""                                                                  \
    }
#define NO_TLS(side)                                                                           \
    {                                                                                          \
        FACT_TLS, side, 0, ""                                                                  \
    }
#define FIN(side)                                                                              \
    {                                                                                          \
        FACT_END, side, END_FIN, ""                                                            \
    }
#define RST(side)                                                                              \
    {                                                                                          \
        FACT_END, side, END_RESET, ""                                                          \
    }
#define TIMEOUT                                                                                \
    {                                                                                          \
        FACT_TIMEOUT, CLIENT, 0, ""                                                            \
    }
#define END(reason)                                                                            \
    {                                                                                          \
        FACT_CLOSE, CLIENT, reason, ""                                                         \
    }
#define WAITS(wait)                                                                            \
    {                                                                                          \
        FACT_WAIT, CLIENT, wait, ""                                                            \
    }

struct script {
    const char *name;
    const char *starttls; /* the policy's word; NULL: terminate */
    enum upstream_tls upstream;
    bool observe, trusted, lenient, strict;
    bool newlines;       /* trusted to end mail in LF.LF */
    bool joined;         /* octets to one side in a row are written down as one piece */
    unsigned errors;     /* error_limit */
    const char *xclient; /* attributes */
    const struct fact_step steps[SCRIPT_STEPS];
    const char *log;
};

struct player {
    const struct script *script;
    struct pool exchanges, contents;
    struct policy policy;
    struct session_env env;
    struct session s;
    uint64_t now;
    bool closed;
    char log[SCRIPT_LOG];
    size_t len;
    char mark; /* of the octets written down last; 0: something else came behind them */
};

static inline void player_add(struct player *p, const char *text)
{
    size_t n = strlen(text);

    assert_true(p->len + n < sizeof p->log);
    memcpy(p->log + p->len, text, n + 1);
    p->len += n;
    p->mark = 0;
    if (p->script->joined && p->len >= 8 && strcmp(p->log + p->len - 8, "\\015\\012") == 0)
        strcpy(p->log + (p->len -= 7) - 1, "|"); /* cut apart */
}

static inline void player_add_bytes(struct player *p, const char *mark, struct span bytes)
{
    if (!p->script->joined || p->mark != mark[0])
        player_add(p, mark);
    for (size_t i = 0; i < bytes.len; i++) {
        char c[8] = { (char)bytes.ptr[i], '\0' };

        if (c[0] == '\r' && i + 1 < bytes.len && bytes.ptr[i + 1] == '\n') {
            c[0] = '|';
            i++;
        } else if (bytes.ptr[i] < ' ' || bytes.ptr[i] > '~') {
            snprintf(c, sizeof c, "\\%03o", bytes.ptr[i]);
        }
        player_add(p, c);
    }
    p->mark = mark[0];
}

static inline void player_add_event(struct player *p, const struct event *e)
{
    static const char *const actions[] = { "",          " rewritten", " refused",
                                           " stripped", " swallowed", " added" };
    char text[64];

    player_add(p, "{");
    player_add(p, e->kind == EVENT_GREETING  ? "greeting"
                  : e->kind == EVENT_OPAQUE  ? "opaque"
                  : e->kind == EVENT_CONTENT ? "content"
                  : e->kind == EVENT_TLS     ? "tls"
                  : e->verb == VERB_UNKNOWN  ? "?"
                                             : verb_name(e->verb));
    if (e->kind == EVENT_COMMAND)
        player_add(p, actions[e->disposition]);
    if (e->code > 0) {
        snprintf(text, sizeof text, " %u", e->code);
        player_add(p, text);
    }
    struct span reply = span_drop(e->reply, reply_blank_lines(e->reply));
    if (reply.len >= 3 && e->replied.len >= 3 && memcmp(reply.ptr, e->replied.ptr, 3) != 0) {
        snprintf(text, sizeof text, " up %.3s", (const char *)reply.ptr);
        player_add(p, text);
    }
    for (unsigned i = 0; i < e->notes.len; i++) {
        player_add(p, " ");
        player_add(p, note_name((enum note_id)e->notes.list[i].id));
    }
    for (int side = CLIENT; e->opaque_sample != NULL && side <= SERVER; side++) {
        const struct opaque_sample *sample = e->opaque_sample;
        struct span octets = { sample->octets[side], sample->len[side] };
        if (sample->secret[side].len > 0)
            octets.len = (size_t)(sample->secret[side].ptr - octets.ptr);
        player_add(p, side == CLIENT ? " " : " / ");
        player_add_bytes(p, "", octets);
    }
    if (e->secret.len > 0 && e->secret.ptr == e->received.ptr)
        player_add(p, " secret");
    player_add(p, "}");
}

static inline void player_pump(struct player *p)
{
    struct action action;

    while (session_next(&p->s, &action)) {
        assert_false(p->closed);
        switch (action.kind) {
        case ACTION_FORWARD:
            player_add_bytes(p, action.side == SERVER ? ">" : "<", action.bytes);
            break;
        case ACTION_ANSWER:
            player_add_bytes(p, "=", action.bytes);
            break;
        case ACTION_CONTENT:
            break;
        case ACTION_START_TLS:
            assert_true(input_is_empty(&p->s, action.side));
            player_add(p, action.side == CLIENT ? "[tls client]" : "[tls server]");
            break;
        case ACTION_RECORD:
            player_add_event(p, action.event);
            break;
        case ACTION_DROP_UPSTREAM:
            player_add(p, "[drop]");
            break;
        case ACTION_CLOSE:
            p->closed = true;
            player_add(p, "[close ");
            player_add(p, close_name(action.reason));
            player_add(p, "]");
            break;
        }
    }
}

/* From a block of exact size that is gone afterwards. */
static inline void player_read(struct player *p, enum side side, struct span bytes)
{
    unsigned char *copy = malloc(bytes.len);

    assert_non_null(copy);
    memcpy(copy, bytes.ptr, bytes.len);
    session_bytes(&p->s, side, span_of(copy, bytes.len), ++p->now);
    player_pump(p);
    free(copy);
}

/* cut 0: whole; 1: octet by octet; else the first read has cut - 1 octets. */
static inline void player_bytes(struct player *p, const struct fact_step *f, size_t cut)
{
    struct span in = span_str(f->text);
    size_t first = cut == 0 || f->input == FACT_READ ? in.len : cut == 1 ? 1 : cut - 1;

    while (in.len > 0) {
        struct span part = span_first(in, first);

        player_read(p, f->side, part);
        in = span_drop(in, part.len);
        first = cut == 1 ? 1 : in.len;
    }
}

static inline void player_step(struct player *p, const struct fact_step *f, size_t cut)
{
    switch (f->input) {
    case FACT_NONE:
        return;
    case FACT_BYTES:
    case FACT_READ:
        player_bytes(p, f, cut);
        return;
    case FACT_TLS:
        session_tls(&p->s, f->side, f->how != 0, ++p->now);
        break;
    case FACT_END:
        session_eof(&p->s, f->side, (enum close_kind)f->how, ++p->now);
        break;
    case FACT_TIMEOUT:
        session_timeout(&p->s, ++p->now);
        break;
    case FACT_CLOSE:
        session_end(&p->s, (enum close_reason)f->how, ++p->now);
        break;
    case FACT_WAIT:
        check_number(session_wait(&p->s), (unsigned)f->how, p->script->name);
        return;
    }
    player_pump(p);
}

static inline void player_begin(struct player *p, const struct script *script)
{
    memset(p, 0, sizeof *p);
    p->script = script;
    policy_init(&p->policy, script->lenient  ? PRESET_OBSERVE
                            : script->strict ? PRESET_STRICT
                                             : PRESET_DEFAULT);
    assert_true(policy_set(&p->policy, RULE_STARTTLS,
                           span_str(script->starttls ? script->starttls : "terminate")));
    pool_init(&p->exchanges, session_exchange_size(), 0);
    pool_init(&p->contents, session_content_size(), 0);
    p->env = (struct session_env){
        .policy = &p->policy,
        .observe = script->observe,
        .error_limit = script->errors,
        .upstream_tls = (uint8_t)script->upstream,
        .helo_name = "proxy.test",
        .exchanges = &p->exchanges,
        .contents = &p->contents,
    };
    session_init(&p->s, &p->env);
    if (script->trusted)
        session_trust_client(&p->s);
    if (script->newlines)
        session_trust_newlines(&p->s);
    if (script->xclient != NULL)
        assert_true(session_send_xclient(&p->s, span_str(script->xclient)));
}

static inline void player_end(struct player *p)
{
    session_deinit(&p->s);
    pool_deinit(&p->exchanges);
    pool_deinit(&p->contents);
}

static inline bool player_play(const struct script *script, size_t cut)
{
    struct player p;
    bool same;

    player_begin(&p, script);
    for (size_t i = 0; i < SCRIPT_STEPS; i++)
        player_step(&p, &script->steps[i], cut);
    same = strcmp(p.log, script->log) == 0;
    if (!same)
        print_error("%s (cut %zu):\n got  %s\n want %s\n", script->name, cut, p.log,
                    script->log);
    player_end(&p);
    return same;
}

static inline bool script_play(const struct script *script)
{
    size_t longest = 0;
    bool same = true;

    for (size_t i = 0; i < SCRIPT_STEPS; i++)
        if (script->steps[i].text != NULL && strlen(script->steps[i].text) > longest)
            longest = strlen(script->steps[i].text);
    for (size_t cut = 0; cut <= longest && same; cut++)
        same = player_play(script, cut);
    return same;
}

static inline void scripts_play(const struct script *scripts, size_t count)
{
    size_t failed = 0;

    for (size_t i = 0; i < count; i++)
        failed += script_play(&scripts[i]) ? 0 : 1;
    assert_int_equal(failed, 0);
}

#endif
