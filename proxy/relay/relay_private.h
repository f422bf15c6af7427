/* relay_private - what the files of relay share; nobody else includes this. */
#ifndef RELAY_RELAY_PRIVATE_H
#define RELAY_RELAY_PRIVATE_H

#include "analysis/observer.h"
#include "base/clock.h"
#include "relay/batch.h"
#include "relay/memory.h"
#include "relay/relay.h"
#include "smtp/session.h"
#include "transcript/record.h"
#include "transcript/writer.h"
#include "transport/conn.h"
#include "transport/resolve.h"
#include "transport/wheel.h"

struct relay_loop {
    struct conn_loop conn;
    struct wheel wheel;
    struct batch batch[2]; /* by side; empty between inputs */
    struct pool relays, dials, exchanges, contents;
    struct resolver_loop names;
    struct stream *stream;
    struct observer_env observer_env;
    uv_loop_t *uv;
    uv_timer_t flush;
    uv_async_t room;            /* the transcript has room again */
    struct memory_share memory; /* what the relays hold */
    uv_async_t memory_room;     /* somebody gave memory back */
    uv_timer_t trim;            /* memory given back is to go on to the system */
    size_t memory_peak;         /* of memory.used, since that was done */
    uint32_t flush_ms;
    struct list relays_live;
    unsigned live;
    unsigned refused;       /* of them: without a session, and the client has not closed yet */
    uint64_t health_checks; /* balancers that connected and left: no sessions */
    bool
        blocked; /* the transcript is full: clients and deadlines wait until `room` is called */
    void (*on_empty)(void *);
    void *on_empty_arg;
};

/* A line for the operator that comes once a minute. */
struct warning {
    uint64_t due_ms;   /* not before that, the next one */
    unsigned sessions; /* it is about, since the last */
};

struct service {
    struct session_env env;
    struct relay_settings *settings;
    struct admission *admission;
    struct relay_loop *loop;
    unsigned references;
    struct warning xclient, per_client;
};

/* Reasons not to read a leg. */
enum {
    HOLD_SESSION = 1, /* the session has enough of this side */
    HOLD_FULL = 2,    /* where its octets go is full */
    HOLD_TRANSCRIPT = 4,
    HOLD_MEMORY = 16, /* the process holds enough, and this session more than others */
    HOLD_DIAL = 8,    /* observe mode: nothing may be held back while there is no upstream */
};

enum relay_phase {
    RELAY_PREFACE,    /* a trusted balancer is to say who the client is */
    RELAY_HANDSHAKE,  /* the client began with TLS */
    RELAY_CONNECTING, /* the upstream is being dialled; the client may talk already */
    RELAY_PASSING,
    RELAY_ENDING, /* the session is over; what was said is being delivered */
    RELAY_CLOSED, /* record written, handles on their way out */
};

enum ending {
    ENDING_NOW,
    ENDING_FLUSH,  /* until both queues are empty */
    ENDING_QUIT,   /* and until one side closes */
    ENDING_LINGER, /* until the client closes */
};

/* Can a leg be written to? */
enum leg_state {
    LEG_FINE,
    LEG_WRITE_FAILED, /* writing failed; what its peer sent before may still be read */
    LEG_LOST,         /* and reading will not tell: the session must be told */
    LEG_REPORTED,
};

enum { FIRST_UNKNOWN = -2, FIRST_PROXY = -1 };

/* Octets a leg's queue gave away when last looked at, for the stall timer. */
struct stall {
    uint64_t delivered;
    uint64_t since_ms;
    bool watched;
};

/* What the client has in hand while mail data is waited for: see relay_pace.c. */
struct pace {
    uint64_t octets, since_ms; /* of the client, at the last look; when that was */
    uint64_t left_ms;
    bool runs, held; /* held: the client was not read since the last look */
};

struct dial;

/* Octets of the client that come before their time. */
struct early {
    size_t len;
    unsigned char bytes[];
};

struct relay {
    struct conn leg[2]; /* by enum side */
    struct session session;
    struct recorder recorder;
    struct observer observer; /* of what the recorder writes */
    struct wheel_entry timer;
    struct service *service;
    const struct listener *listener; /* outlives its sessions */
    struct list in_loop;
    struct dial *dial;        /* while connecting */
    struct early *early;      /* an unfinished PROXY header, or what no upstream can take yet */
    struct addr *destination; /* the PROXY header's, or NULL */
    size_t held;              /* octets counted in the loop's share of memory */
    struct clock clock;
    uint64_t opened_us;
    uint64_t first_us; /* when `first` closed, since then */
    uint64_t wait_since_ms;
    uint64_t tls_us;     /* when the handshake under way began */
    uint64_t end_due_ms; /* PREFACE, HANDSHAKE, ENDING */
    struct stall stall[2];
    struct pace pace;
    struct addr client; /* the PROXY header's, where there is one */
    int8_t first;       /* who closed first: enum side or FIRST_ */
    uint8_t how;        /* enum close_kind, of that */
    uint8_t phase, ending, wait, reason;
    uint8_t leg_state[2];
    uint8_t open;  /* handles not yet closed */
    bool admitted; /* counted by admission */
    bool refused;  /* counted by the loop, while it lingers */
    bool close_requested, no_memory;
    bool broken;         /* octets could not be sent that always can */
    bool suspended;      /* in the middle of an input, until the transcript has room */
    bool moved;          /* an action was carried out for this input */
    bool unrecorded;     /* no record is written: a health check that left */
    bool local;          /* the balancer speaks for itself */
    bool upgraded;       /* the handshake under way came by STARTTLS */
    uint8_t upstream;    /* index of the one connected to */
    uint8_t descriptors; /* taken */
};

static inline struct relay_loop *relay_shared(const struct relay *r)
{
    return r->service->loop;
}

static inline uint64_t relay_now_ms(const struct relay *r)
{
    return uv_now(relay_shared(r)->uv);
}

/* Microseconds since 1970, for inputs and records: see base/clock.h. */
static inline uint64_t relay_now_us(const struct relay *r)
{
    return clock_now_us(&r->clock);
}

/* ---- relay_loop.c ---- */

/* Is the transcript full? Who hears "yes" and waits is woken: all that wait for room are served
 * when it comes, which may be before this returns. */
MUST_CHECK bool relay_loop_is_blocked(struct relay_loop *l);
/* Records leave the worker each flush interval, while there are any. */
void relay_loop_start_flush(struct relay_loop *l);

/* ---- relay.c ---- */

void relay_leg_closed(struct relay *r, enum side side);
/* The client is known: records, limits, then TLS or the upstream. `header`: of its balancer,
 * or NULL; `rest`: what came behind that. */
void relay_begin(struct relay *r, const struct proxy_header *header, struct span rest);
/* above: its network has more sessions than per_client. */
void relay_record_open(struct relay *r, const struct proxy_header *header, bool above);
/* No upstream is asked: the client hears why, where it can. */
void relay_refuse(struct relay *r, enum close_reason why);
/* One more session to warn of. True: now; then the count begins anew behind the line. */
MUST_CHECK bool relay_may_warn(const struct relay *r, struct warning *w);
/* Where the client was going to: before the interception, or here. False: not known. */
bool relay_destination(const struct relay *r, struct addr *out);

/* ---- relay_proxy_header.c ---- */

void relay_proxy_header(struct relay *r);
void relay_proxy_header_bytes(struct relay *r, struct span bytes);
void relay_proxy_header_end(struct relay *r, enum close_kind how);
void relay_proxy_header_due(struct relay *r);
/* Keeps octets of the client for later; false: no memory. */
MUST_CHECK bool relay_keep_early(struct relay *r, struct span bytes);

/* ---- relay_tls.c ---- */

/* The client's handshake, before anything else; `rest` belongs to it. */
void relay_handshake(struct relay *r, struct span rest);
/* 0 or libuv's error. */
MUST_CHECK int relay_start_tls(struct relay *r, enum side side);
void relay_on_handshake(struct conn *c);
/* The handshake asked for took too long. */
void relay_handshake_due(struct relay *r);
/* TLS of this side failed, in the handshake or later: its record. */
void relay_record_handshake(struct relay *r, enum side side);

/* ---- relay_work.c: actions ---- */

/* Carries out the actions of the input just given, of `from` (-1: of no side). */
void relay_work(struct relay *r, int from);
/* A write to this leg failed; relay_work() tells the session. */
void relay_write_failed(struct relay *r, enum side side, int error);

/* ---- relay_io.c: events of connections ---- */

extern const struct conn_events relay_conn_events;

static inline struct relay *relay_of(const struct conn *c)
{
    return conn_owner(c);
}

static inline enum side relay_side(const struct relay *r, const struct conn *c)
{
    return c == &r->leg[CLIENT] ? CLIENT : SERVER;
}

/* ---- relay_time.c: when to read, how long to wait ---- */

/* Whose octets end the wait: bit 1 << enum side. */
unsigned relay_waits_for(enum wait wait);
/* Holds and deadline as they have to be now. */
void relay_update(struct relay *r);
void relay_update_wait(struct relay *r, int from);
void relay_on_due(struct wheel_entry *e);

/* ---- relay_memory.c: what is held, and who waits for it ---- */

MUST_CHECK bool relay_memory_start(struct relay_loop *l);
void relay_memory_close(struct relay_loop *l);
/* Counts what the relay holds now; 0 when it is freed. */
void relay_memory_count(struct relay *r);
void relay_memory_forget(struct relay *r);
/* Is a side not to be read, because too much is held? */
bool relay_memory_holds(struct relay *r, enum side side);
/* Octets one read of a side may bring. */
size_t relay_memory_room(const struct relay *r);
/* Too short for a queue of commands without a reply. */
bool relay_memory_is_short(const struct relay *r);

/* ---- relay_pace.c: the lowest rate of mail data ---- */

/* After each input, when the holds are as they have to be. */
void relay_pace_update(struct relay *r);
/* 0: never. */
uint64_t relay_pace_due_ms(const struct relay *r);
bool relay_pace_is_over(const struct relay *r);

/* ---- relay_dial.c ---- */

/* Tries the upstreams one after the other. */
void relay_dial(struct relay *r);
/* The last attempt's handle is closed: the next one. */
void relay_dial_again(struct relay *r);
uint64_t relay_dial_due_ms(const struct relay *r);
void relay_dial_timeout(struct relay *r);
/* The connection, and its implicit TLS, are ready. */
void relay_dial_done(struct relay *r);
/* Its implicit TLS failed: the next upstream. */
void relay_dial_refused(struct relay *r);
/* What the upstream is called, for its certificate; NULL: nothing is known. */
const char *relay_upstream_name(const struct relay *r, char out[ADDR_TEXT_MAX]);
/* No answer is waited for any more; the memory stays until the leg is closed. */
void relay_dial_cancel(struct relay *r);
void relay_dial_free(struct relay *r);
size_t relay_dial_size(void);

/* ---- relay_end.c ---- */

/* Says who closed first, unless that is known. */
void relay_note_first(struct relay *r, int first, enum close_kind how);
/* The session is over: r->reason. */
void relay_end(struct relay *r);
/* Something happened while ENDING: is it done? */
void relay_end_step(struct relay *r);
/* What was queued for the leg is delivered. */
void relay_end_flushed(struct relay *r, enum side side);
void relay_end_due(struct relay *r);
void relay_drop_leg(struct relay *r, enum side side);
/* Writes the close record and closes both legs now. */
void relay_close(struct relay *r);

#endif
