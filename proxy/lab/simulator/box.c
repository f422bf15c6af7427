#include "lab/simulator/box_private.h"

#include <assert.h>
#include <stdlib.h>

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
    if (own_init(b) && box_expect(b, VERB_GREETING, NULL, false))
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

/* ---- input ---- */

static void hold(struct box *b, enum side from, struct span in)
{
    if (!buf_append(&b->waiting[from], in))
        box_kill_packet(b, KILL_RESET, "more is held than a box may hold");
}

static void resume(struct box *b, enum side from);

/* Bytes of a side, until it has to wait. The server's reply may be what the client waits for. */
static void take(struct box *b, enum side from, struct span in)
{
    if (from == CLIENT)
        b->commands = 0;
    while (in.len > 0 && !b->dead && !b->waits[from]) {
        in = span_drop(in, from == CLIENT ? client_take(b, in) : server_take(b, in));
        if (from == SERVER)
            resume(b, CLIENT);
    }
    if (in.len > 0 && !b->dead)
        hold(b, from, in);
}

static void end(struct box *b, enum side from)
{
    b->end_waits[from] = b->waits[from];
    if (b->waits[from])
        return;
    if (!b->dead && from == CLIENT)
        client_finish(b);
    else if (!b->dead)
        server_finish(b);
    box_fin(b, side_other(from));
}

/* What had to wait, unless it still has to. */
static void resume(struct box *b, enum side from)
{
    struct buf in = b->waiting[from];

    if (b->waits[from])
        return;
    buf_init(&b->waiting[from], BOX_HELD_MAX);
    if (in.len > 0)
        take(b, from, buf_span(&in));
    buf_release(&in);
    if (b->end_waits[from])
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

void box_time(struct box *b, uint64_t now_ms)
{
    if (now_ms > b->now)
        b->now = now_ms;
    if (!b->gone[CLIENT])
        box_release(b, CLIENT);
    if (!b->gone[SERVER])
        box_release(b, SERVER);
    box_flush(b);
}

uint64_t box_wake_ms(const struct box *b)
{
    uint64_t due = UINT64_MAX;

    for (unsigned i = 0; i < 2; i++)
        if (b->later[i].len > 0 && b->later_ms[i] < due)
            due = b->later_ms[i];
    return due;
}

/* The state of the connection was forgotten. */
static void idle_over(struct box *b)
{
    static const char why[] = "idle for too long";

    if (b->rules->idle == IDLE_421)
        box_emit_text(b, CLIENT, "421 4.4.2 service timed out\r\n");
    if (b->rules->idle == IDLE_SILENT) {
        box_log(b, why);
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
        box_leave(b, from);
        box_reset(b, side_other(from));
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
    else if (!b->handshake[side_other(side)]) {
        b->waits[CLIENT] = b->waits[SERVER] = false;
        resume(b, CLIENT);
        resume(b, SERVER);
    }
    box_flush(b);
}

bool box_is_mute(const struct box *b)
{
    return b->mute;
}

bool box_has_room(const struct box *b, enum side from)
{
    size_t held = b->waiting[from].len + b->later[side_other(from)].len;

    return held + 4 * BOX_READ_MAX <= BOX_HELD_MAX;
}
