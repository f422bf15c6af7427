/* relay_memory - what a relay holds, who waits while too much is held, and memory that goes
 * back to the system. */
#include "relay/relay_private.h"

#include <assert.h>
#include <malloc.h>

enum {
    READ_LEAST = 1024,    /* octets: who is read at all gets on */
    TRIM_LEAST = 2 << 20, /* octets given back that are worth a walk through the heap, */
    TRIM_PART = 4,        /* when no more than this part of the peak is still held */
    TRIM_DELAY_MS = 200,  /* what is given back in one go goes on in one go */
};

/* ---- what is held ---- */

static size_t relay_holds(const struct relay *r)
{
    size_t octets = session_memory(&r->session);

    octets += r->leg[CLIENT].tcp.queue_memory + r->leg[SERVER].tcp.queue_memory;
    if (r->early != NULL)
        octets += sizeof *r->early + r->early->len;
    return octets;
}

static bool is_past_its_peak(const struct relay_loop *l)
{
    size_t used = l->memory.used, peak = l->memory_peak;

    return peak - used >= TRIM_LEAST && used <= peak / TRIM_PART;
}

static void on_trim(uv_timer_t *timer)
{
    struct relay_loop *l = CONTAINER_OF(timer, struct relay_loop, trim);

    if (!is_past_its_peak(l))
        return; /* it is needed again */
    l->memory_peak = l->memory.used;
    malloc_trim(0); /* glibc keeps what is freed, and does not give it back by itself */
}

static void relay_count(struct relay *r, size_t octets)
{
    struct relay_loop *l = relay_shared(r);

    if (octets == r->held)
        return;
    memory_count(&l->memory, &r->held, octets);
    if (l->memory.used > l->memory_peak)
        l->memory_peak = l->memory.used;
    else if (is_past_its_peak(l) && !uv_is_active((uv_handle_t *)&l->trim))
        uv_timer_start(&l->trim, on_trim, TRIM_DELAY_MS, 0);
}

static size_t room_beside(const struct relay_loop *l, size_t held)
{
    size_t allowed = memory_allowed(&l->memory);

    if (allowed == SIZE_MAX)
        return SIZE_MAX;
    return allowed > held + READ_LEAST ? allowed - held : READ_LEAST;
}

void relay_memory_count(struct relay *r)
{
    struct relay_loop *l = relay_shared(r);

    relay_count(r, relay_holds(r));
    /* Those who were silent since there was plenty must not all read as much as then. */
    l->conn.tcp.read_most = room_beside(l, 0);
}

void relay_memory_forget(struct relay *r)
{
    relay_count(r, 0);
}

/* ---- who waits ---- */

/* Octets that go out free memory, and so do replies: without another octet of the client. */
static bool others_free_it(const struct relay *r)
{
    if (r->leg[CLIENT].tcp.queue_memory + r->leg[SERVER].tcp.queue_memory > 0)
        return true;
    return r->phase >= RELAY_CONNECTING &&
           relay_waits_for(session_wait(&r->session)) == 1u << SERVER;
}

bool relay_memory_holds(struct relay *r, enum side side)
{
    struct memory_share *memory = &relay_shared(r)->memory;

    if (r->held <= memory_allowed(memory))
        return false;
    /* The upstream's replies free memory, as long as the client takes them. */
    if (side == SERVER ? r->leg[CLIENT].tcp.queue_memory == 0 : !others_free_it(r))
        return false;
    return !memory_allows(memory, r->held);
}

size_t relay_memory_room(const struct relay *r)
{
    return room_beside(relay_shared(r), r->held);
}

bool relay_memory_is_short(const struct relay *r)
{
    return memory_allowed(&relay_shared(r)->memory) < SESSION_QUEUE_MAX;
}

static bool waits_for_memory(const struct relay *r)
{
    return ((r->leg[CLIENT].tcp.holds | r->leg[SERVER].tcp.holds) & HOLD_MEMORY) != 0;
}

static void on_room_here(uv_async_t *async)
{
    struct relay_loop *l = CONTAINER_OF(async, struct relay_loop, memory_room);

    /* A relay leaves the list only when its handles are closed: never inside this walk. */
    LIST_EACH (r, &l->relays_live, struct relay, in_loop)
        if (r->phase < RELAY_ENDING && waits_for_memory(r))
            relay_work(r, -1);
}

/* Any worker's thread: only this call may cross. */
static void on_room(void *arg)
{
    struct relay_loop *l = arg;

    uv_async_send(&l->memory_room);
}

/* ---- the loop ---- */

bool relay_memory_start(struct relay_loop *l)
{
    memory_join(&l->memory, NULL, on_room, l);
    int error = uv_timer_init(l->uv, &l->trim);
    assert(error == 0);
    (void)error;
    return uv_async_init(l->uv, &l->memory_room, on_room_here) == 0;
}

void relay_loop_share_memory(struct relay_loop *l, struct memory *memory)
{
    memory_join(&l->memory, memory, on_room, l);
}

void relay_memory_close(struct relay_loop *l)
{
    memory_leave(&l->memory);
    uv_close((uv_handle_t *)&l->trim, NULL);
    uv_close((uv_handle_t *)&l->memory_room, NULL);
}
