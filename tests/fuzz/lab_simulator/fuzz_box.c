/*
 * fuzz_box - a preset's index and a seed, then facts: a kind octet and, for reads, a length
 * octet and that many octets. Always true, for every preset:
 *
 *   - nothing is sent to a side behind its FIN or reset
 *   - what leaves is bounded by what came; what is held is let go when its time has come
 *   - clean: what leaves is what came, octet for octet and read for read
 *   - where the borders of reads mean nothing to the box, they change nothing
 */
#include "fuzz/always.h"

#include "base/attributes.h"
#include "base/buf.h"
#include "lab/simulator/box.h"
#include "lab/simulator/preset.h"

enum fact { FACT_CLIENT, FACT_SERVER, FACT_TIME, FACT_TLS, FACT_END, FACT_RESET, FACT_COUNT };

enum { OUT_MAX = 1 << 24, TICKS_MAX = 1 << 20 };

struct game {
    struct box *box;
    struct buf out[2];
    uint64_t in, writes[2], reads[2], now;
    bool over[2], ended[2], handshake[2];
};

static void collect(struct game *g)
{
    struct box_action w;

    while (box_next(g->box, &w)) {
        ALWAYS(w.kind == BOX_LOG || w.kind == BOX_RESET || !g->over[w.side]);
        switch (w.kind) {
        case BOX_SEND:
            ALWAYS(w.bytes.len > 0);
            ALWAYS(buf_append(&g->out[w.side], w.bytes));
            g->writes[w.side]++;
            break;
        case BOX_FIN:
        case BOX_RESET:
            g->over[w.side] = true;
            break;
        case BOX_START_TLS:
            ALWAYS(!g->handshake[w.side]);
            g->handshake[w.side] = true;
            break;
        case BOX_LOG:
            break;
        }
    }
    ALWAYS(g->out[CLIENT].len + g->out[SERVER].len <= 256 * g->in + (1 << 16));
}

static void read_of(struct game *g, enum side from, struct span octets)
{
    if (g->ended[from] || octets.len == 0 || !box_has_room(g->box, from))
        return;
    g->in += octets.len;
    g->reads[from]++;
    box_bytes(g->box, from, octets);
    collect(g);
}

/* In one read, or in two. */
static void bytes_of(struct game *g, enum side from, struct span octets, bool cut)
{
    if (cut)
        read_of(g, from, span_first(octets, octets.len / 2));
    read_of(g, from, span_drop(octets, cut ? octets.len / 2 : 0));
}

static void handshakes_over(struct game *g, bool ok)
{
    for (unsigned i = 0; i < 2; i++) {
        if (!g->handshake[i])
            continue;
        g->handshake[i] = false;
        box_tls(g->box, (enum side)i, ok);
        collect(g);
    }
}

static void pass_time(struct game *g, uint64_t ms)
{
    g->now += ms;
    box_time(g->box, g->now);
    collect(g);
}

/* All that waits leaves in the end. */
static void wait_for_all(struct game *g)
{
    unsigned ticks = 0;

    while (box_wake_ms(g->box) != UINT64_MAX) {
        ALWAYS(++ticks < TICKS_MAX);
        g->now = box_wake_ms(g->box) > g->now ? box_wake_ms(g->box) : g->now;
        pass_time(g, 0);
    }
}

static void play(struct game *g, const struct rules *rules, struct span in, bool cut)
{
    *g = (struct game){ .now = 1000 };
    buf_init(&g->out[CLIENT], OUT_MAX);
    buf_init(&g->out[SERVER], OUT_MAX);
    g->box = box_new(rules, 7);
    ALWAYS(g->box != NULL);
    pass_time(g, 0);
    box_connected(g->box);
    collect(g);
    while (in.len > 1) {
        unsigned kind = in.ptr[0] % FACT_COUNT, n = in.ptr[1];
        enum side side = n & 1 ? SERVER : CLIENT;
        struct span octets = span_first(span_drop(in, 2), n);

        in = span_drop(in, 2);
        if (kind == FACT_CLIENT || kind == FACT_SERVER) {
            bytes_of(g, kind == FACT_CLIENT ? CLIENT : SERVER, octets, cut);
            in = span_drop(in, n);
        } else if (kind == FACT_TIME) {
            pass_time(g, (uint64_t)n * 200);
        } else if (kind == FACT_TLS) {
            handshakes_over(g, n > 0);
        } else if (!g->ended[side]) {
            g->ended[side] = true;
            g->over[side] = g->over[side] || kind == FACT_RESET;
            box_end(g->box, side, kind == FACT_RESET);
            collect(g);
        }
    }
    wait_for_all(g);
    box_free(&g->box);
}

static void game_over(struct game *g)
{
    buf_release(&g->out[CLIENT]);
    buf_release(&g->out[SERVER]);
}

/* What the box does depends on what came together. */
static bool reads_matter(const struct rules *r)
{
    return r->commands == SCOPE_PER_READ || r->eod_split ||
           r->transform == TRANSFORM_BUFFER_DOT || r->pipelined != PIPELINED_PASSED ||
           r->hello_drop || r->resegment || r->virus || r->keyword != NULL ||
           r->header_in_header || r->limits.body_line > 0 || r->unknown == UNKNOWN_KILLED ||
           r->idle_s > 0 || r->tarpit_ms > 0 || r->data != DATA_PASSED ||
           r->starttls != STARTTLS_PASSED || r->own_name != NULL || r->killed_greeting;
}

/* What came from the client, until it ended. */
static void check_wire(const struct game *g, struct span in)
{
    size_t at[2] = { 0 };
    bool over = false;

    while (in.len > 1 && !over) {
        unsigned kind = in.ptr[0] % FACT_COUNT, n = in.ptr[1];
        enum side to = kind == FACT_CLIENT ? SERVER : CLIENT;
        struct span octets = span_first(span_drop(in, 2), n);

        in = span_drop(in, kind <= FACT_SERVER ? 2 + n : 2);
        over = kind == FACT_END || kind == FACT_RESET;
        if (kind > FACT_SERVER)
            continue;
        ALWAYS(span_equal(span_first(span_drop(buf_span(&g->out[to]), at[to]), octets.len),
                          octets));
        at[to] += octets.len;
    }
    ALWAYS(over || (at[CLIENT] == g->out[CLIENT].len && at[SERVER] == g->out[SERVER].len));
    ALWAYS(g->writes[SERVER] == g->reads[CLIENT] || g->over[SERVER]);
    ALWAYS(g->writes[CLIENT] == g->reads[SERVER] || g->over[CLIENT]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct game whole, cut;

    if (size == 0)
        return 0;
    const struct preset *p = &presets[data[0] % preset_count];
    struct span facts = span_of(data + 1, size - 1);
    play(&whole, &p->rules, facts, false);
    play(&cut, &p->rules, facts, true);
    if (p == &presets[0])
        check_wire(&whole, facts);
    if (!reads_matter(&p->rules)) {
        ALWAYS(span_equal(buf_span(&whole.out[CLIENT]), buf_span(&cut.out[CLIENT])));
        ALWAYS(span_equal(buf_span(&whole.out[SERVER]), buf_span(&cut.out[SERVER])));
    }
    game_over(&whole);
    game_over(&cut);
    return 0;
}
