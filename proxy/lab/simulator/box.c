#include "lab/simulator/box_private.h"

#include <assert.h>
#include <stdlib.h>

static enum side other(enum side side)
{
    return side == CLIENT ? SERVER : CLIENT;
}

/* splitmix64 */
uint64_t box_random(struct box *b, uint64_t below)
{
    uint64_t z = b->random += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (z ^ z >> 31) % below;
}

static void init_buffers(struct box *b)
{
    buf_init(&b->actions, BOX_HELD_MAX);
    buf_init(&b->bytes, 4 * BOX_HELD_MAX);
    for (unsigned i = 0; i < 2; i++) {
        buf_init(&b->out[i], 2 * BOX_HELD_MAX);
        buf_init(&b->later[i], BOX_HELD_MAX);
        buf_init(&b->waiting[i], BOX_HELD_MAX);
    }
    buf_init(&b->line, BOX_COMMAND_MAX);
    buf_init(&b->message, BOX_HELD_MAX);
    buf_init(&b->expected, BOX_OUTSTANDING_MAX * sizeof(struct expected));
    buf_init(&b->reply, BOX_REPLY_MAX);
}

static bool own_init(struct box *b)
{
    if (b->rules->own_name == NULL)
        return true;
    b->own = malloc(sizeof *b->own);
    if (b->own != NULL)
        responder_init(b->own, b->rules->own_name, NULL);
    return b->own != NULL;
}

struct box *box_new(const struct rules *rules, uint64_t seed)
{
    struct box *b = calloc(1, sizeof *b);

    if (b == NULL)
        return NULL;
    b->rules = rules;
    b->random = seed;
    init_buffers(b);
    if (rules->keyword != NULL)
        match_init(&b->keyword, rules->keyword);
    mutate_init(b);
    if (own_init(b) && client_expects(b, VERB_GREETING, NULL, false))
        return b;
    box_free(&b);
    return NULL;
}

void box_free(struct box **bp)
{
    struct box *b = *bp;

    *bp = NULL;
    if (b == NULL)
        return;
    buf_release(&b->actions);
    buf_release(&b->bytes);
    for (unsigned i = 0; i < 2; i++) {
        buf_release(&b->out[i]);
        buf_release(&b->later[i]);
        buf_release(&b->waiting[i]);
    }
    buf_release(&b->line);
    buf_release(&b->message);
    buf_release(&b->expected);
    buf_release(&b->reply);
    if (b->own != NULL)
        responder_deinit(b->own);
    free(b->own);
    free(b);
}

bool box_needs_server(const struct rules *rules)
{
    return rules->own_name == NULL;
}

/* ---- what leaves ---- */

void box_emit(struct box *b, enum side to, struct span bytes)
{
    if (b->dead || b->fin_due[to] || b->gone[to])
        return;
    if (!buf_append(&b->out[to], bytes))
        box_kill_packet(b, KILL_RESET, "more is held than a box may hold");
}

unsigned char *box_emit_copy(struct box *b, enum side to, struct span bytes)
{
    uint32_t at = b->out[to].len;

    box_emit(b, to, bytes);
    return b->out[to].len == at + bytes.len ? b->out[to].ptr + at : NULL;
}

void box_emit_text(struct box *b, enum side to, const char *text)
{
    box_emit(b, to, span_str(text));
}

void box_tell(struct box *b, const char *text)
{
    box_action(b, BOX_TELL, CLIENT, span_str(text));
}

static void box_fin(struct box *b, enum side to)
{
    b->fin_due[to] = true;
}

static void leave(struct box *b, enum side side)
{
    b->gone[side] = true;
    buf_release(&b->later[side]);
}

static void box_reset(struct box *b, enum side side)
{
    if (b->gone[side])
        return;
    leave(b, side);
    box_action(b, BOX_RESET, side, span_of(NULL, 0));
}

void box_kill(struct box *b, enum kill_rule how, const char *why)
{
    if (b->dead)
        return;
    box_flush(b);
    box_tell(b, why);
    b->dead = true;
    switch (how) {
    case KILL_RESET:
        box_reset(b, CLIENT);
        box_reset(b, SERVER);
        break;
    case KILL_CLOSE:
        box_fin(b, CLIENT);
        box_fin(b, SERVER);
        break;
    case KILL_RESET_CLIENT:
        b->mute = true;
        box_reset(b, CLIENT);
        break;
    }
}

void box_kill_packet(struct box *b, enum kill_rule how, const char *why)
{
    buf_release(&b->out[SERVER]);
    box_kill(b, how, why);
}

void box_stall(struct box *b, const char *why)
{
    box_tell(b, why);
    b->state = CLIENT_STALLED;
}

static void flush_side(struct box *b, enum side to)
{
    if (b->out[to].len > 0 && box_is_late(b, to))
        box_postpone(b, to);
    else if (b->out[to].len > 0)
        box_action(b, BOX_SEND, to, buf_span(&b->out[to]));
    buf_release(&b->out[to]);
    if (!b->fin_due[to] || b->fin_told[to] || b->gone[to] || b->later[to].len > 0)
        return;
    b->fin_told[to] = true;
    box_action(b, BOX_FIN, to, span_of(NULL, 0));
}

/* The client first: what a box says early, it says before it does the rest. */
void box_flush(struct box *b)
{
    flush_side(b, CLIENT);
    flush_side(b, SERVER);
}

/* ---- input ---- */

static void take(struct box *b, enum side from, struct span in)
{
    if (b->dead)
        return;
    if (b->waits[from]) {
        if (!buf_append(&b->waiting[from], in))
            box_kill_packet(b, KILL_RESET, "more is held than a box may hold");
    } else if (from == CLIENT) {
        client_bytes(b, in);
    } else {
        server_bytes(b, in);
    }
}

static void end(struct box *b, enum side from)
{
    if (b->waits[from]) {
        b->end_waits[from] = true;
        return;
    }
    if (!b->dead && from == CLIENT)
        client_finish(b);
    else if (!b->dead)
        server_finish(b);
    box_fin(b, other(from));
}

void box_resume(struct box *b, enum side from)
{
    struct buf in = b->waiting[from];

    b->waits[from] = false;
    buf_init(&b->waiting[from], BOX_HELD_MAX);
    if (in.len > 0)
        take(b, from, buf_span(&in));
    buf_release(&in);
    if (b->end_waits[from] && !b->waits[from])
        end(b, from);
}

/* The responder is the server: hotels and others who redirect port 25. */
static void own_bytes(struct box *b, struct span in)
{
    while (b->own->mood == RESPONDER_LISTENING) {
        size_t used = responder_take(b->own, in);

        in = span_drop(in, used);
        box_emit(b, CLIENT, buf_span(&b->own->out));
        buf_release(&b->own->out);
        if (used == 0)
            break;
    }
    if (b->own->mood != RESPONDER_LISTENING)
        box_fin(b, CLIENT);
}

void box_connected(struct box *b)
{
    b->last_ms = b->now;
    if (b->own == NULL)
        return;
    responder_start(b->own);
    own_bytes(b, span_of(NULL, 0));
    box_flush(b);
}

void box_refused(struct box *b)
{
    if (b->rules->refused == NULL) {
        box_reset(b, CLIENT);
    } else {
        box_emit_text(b, CLIENT, b->rules->refused);
        box_fin(b, CLIENT);
    }
    box_flush(b);
    b->dead = true;
}

/* The state of the connection was forgotten. */
static void idle_over(struct box *b)
{
    static const char why[] = "idle for too long";

    if (b->rules->idle == IDLE_421)
        box_emit_text(b, CLIENT, "421 4.4.2 service timed out\r\n");
    if (b->rules->idle == IDLE_SILENT) {
        box_tell(b, why);
        b->dead = b->mute = true;
    } else {
        box_kill(b, b->rules->idle == IDLE_421 ? KILL_CLOSE : KILL_RESET, why);
    }
}

static bool has_keyword(struct box *b, enum side from, struct span in)
{
    bool found = false;

    if (b->rules->keyword == NULL || from != CLIENT)
        return false;
    for (size_t i = 0; i < in.len; i++)
        found |= match_octet(&b->keyword, in.ptr[i]);
    return found;
}

void box_bytes(struct box *b, enum side from, struct span bytes)
{
    assert(bytes.len <= BOX_READ_MAX);
    if (b->dead)
        return;
    if (b->rules->idle_s > 0 && b->now - b->last_ms > b->rules->idle_s * 1000ull)
        idle_over(b);
    else if (has_keyword(b, from, bytes))
        box_kill_packet(b, b->rules->kill, "the keyword");
    else if (b->own != NULL)
        own_bytes(b, from == CLIENT ? bytes : span_of(NULL, 0));
    else if (b->rules->mutation != MUTATION_NONE)
        mutate_bytes(b, from, bytes);
    else
        take(b, from, bytes);
    b->last_ms = b->now;
    box_flush(b);
}

void box_end(struct box *b, enum side from, bool reset)
{
    if (b->mute)
        return;
    if (reset) {
        b->dead = true;
        leave(b, from);
        box_reset(b, other(from));
    } else if (b->own != NULL) {
        box_fin(b, CLIENT);
    } else {
        end(b, from);
    }
    box_flush(b);
}

void box_tls(struct box *b, enum side side, bool ok)
{
    b->handshake[side] = false;
    if (!ok)
        box_kill(b, KILL_RESET, "TLS failed");
    else if (!b->handshake[other(side)]) {
        box_resume(b, CLIENT);
        box_resume(b, SERVER);
    }
    box_flush(b);
}

bool box_is_mute(const struct box *b)
{
    return b->mute;
}

bool box_has_room(const struct box *b, enum side from)
{
    size_t held = b->waiting[from].len + b->later[other(from)].len;

    return held + 4 * BOX_READ_MAX <= BOX_HELD_MAX;
}
