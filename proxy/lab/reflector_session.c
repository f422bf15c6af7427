#include "lab/reflector_session.h"

#include <assert.h>
#include <stdlib.h>

#include "base/escape.h"
#include "base/log.h"
#include "lab/reflector.h"
#include "lab/responder.h"

#define SESSION_MAGIC 0x5ef1ec70u
#define LINGER_MS     2000

/* What the timer waits for. */
enum waiting { WAITS_IDLE, WAITS_DELAY, WAITS_GAP };

struct reflector_session {
    unsigned magic;
    struct reflector_sessions *all;
    struct list in_all;
    uv_tcp_t tcp;
    uv_timer_t timer;
    uv_write_t write;
    size_t write_octets; /* of the write under way */
    uv_shutdown_t shutdown;
    unsigned number; /* in the log */
    unsigned open_handles;
    enum waiting waiting;
    bool writing, reading, ended, shutting, closing;
    struct responder responder;
    struct buf held; /* input that waits; nothing is read while there is any */
    size_t sent;     /* octets at the front of the responder's output */
};

static void session_advance(struct reflector_session *s);

static struct reflector_session *session_of(void *data)
{
    struct reflector_session *s = data;

    assert(s != NULL && s->magic == SESSION_MAGIC);
    return s;
}

void reflector_sessions_init(struct reflector_sessions *all, uv_loop_t *loop,
                             const char *hostname, const struct script *script, bool verbose)
{
    all->loop = loop;
    all->hostname = hostname;
    all->script = script;
    all->verbose = verbose;
    all->sessions = (struct list){ NULL, NULL };
    all->count = 0;
    all->accepted = 0;
}

static void on_closed(uv_handle_t *h)
{
    struct reflector_session *s = session_of(h->data);

    if (--s->open_handles > 0)
        return;
    responder_deinit(&s->responder);
    buf_release(&s->held);
    s->magic = 0;
    free(s);
}

/* Out of the list; the handles are closed by the caller. */
static bool session_leave(struct reflector_session *s)
{
    if (s->closing)
        return false;
    s->closing = true;
    s->all->count--;
    list_remove(&s->in_all);
    return true;
}

static void session_close(struct reflector_session *s)
{
    if (!session_leave(s))
        return;
    uv_close((uv_handle_t *)&s->tcp, on_closed);
    uv_close((uv_handle_t *)&s->timer, on_closed);
}

static void session_reset(struct reflector_session *s)
{
    if (!session_leave(s))
        return;
    if (uv_tcp_close_reset(&s->tcp, on_closed) != 0)
        uv_close((uv_handle_t *)&s->tcp, on_closed);
    uv_close((uv_handle_t *)&s->timer, on_closed);
}

void reflector_sessions_close(struct reflector_sessions *all)
{
    for (struct reflector_session *s;
         (s = LIST_FIRST(&all->sessions, struct reflector_session, in_all)) != NULL;)
        session_close(s);
}

static void on_timer(uv_timer_t *t)
{
    struct reflector_session *s = session_of(t->data);
    enum waiting waited = s->waiting;

    s->waiting = WAITS_IDLE;
    if (waited == WAITS_DELAY)
        responder_go_on(&s->responder);
    else if (waited == WAITS_IDLE && (s->writing || s->shutting))
        session_close(s);
    else if (waited == WAITS_IDLE)
        responder_time_out(&s->responder);
    session_advance(s);
}

static void session_wait(struct reflector_session *s, enum waiting what, uint32_t ms)
{
    s->waiting = what;
    uv_timer_start(&s->timer, on_timer, ms, 0);
}

/* n more octets of the output are with the kernel. */
static void session_sent(struct reflector_session *s, size_t n)
{
    const struct script *script = s->all->script;

    s->sent += n;
    if (s->sent == s->responder.out.len) {
        s->sent = 0;
        buf_release(&s->responder.out);
    } else if (script != NULL && script->piece_ms > 0) {
        session_wait(s, WAITS_GAP, script->piece_ms);
    }
}

static void on_written(uv_write_t *req, int status)
{
    struct reflector_session *s = session_of(req->data);

    s->writing = false;
    if (s->closing)
        return;
    if (status < 0) {
        session_close(s);
        return;
    }
    session_wait(s, WAITS_IDLE, REFLECTOR_IDLE_MS);
    session_sent(s, s->write_octets);
    session_advance(s);
}

/* Writes the output or its next piece, at once when the kernel takes it. */
static void session_write(struct reflector_session *s)
{
    const struct script *script = s->all->script;
    struct span rest = span_drop(buf_span(&s->responder.out), s->sent);

    if (script != NULL && script->piece_octets > 0)
        rest = span_first(rest, script->piece_octets);
    uv_buf_t bytes = uv_buf_init((char *)rest.ptr, (unsigned)rest.len);
    int n = uv_try_write((uv_stream_t *)&s->tcp, &bytes, 1);
    if (n > 0) {
        session_sent(s, (size_t)n);
        return;
    }
    if (n != UV_EAGAIN && n != 0) {
        session_close(s);
        return;
    }
    s->write.data = s;
    s->write_octets = rest.len;
    s->writing = uv_write(&s->write, (uv_stream_t *)&s->tcp, &bytes, 1, on_written) == 0;
    if (!s->writing)
        session_close(s);
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *out)
{
    struct reflector_session *s = session_of(h->data);

    (void)suggested;
    *out = uv_buf_init(s->all->input, sizeof s->all->input);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *bytes)
{
    struct reflector_session *s = session_of(stream->data);

    if (n == 0)
        return;
    if (n < 0 && (n != UV_EOF || s->shutting)) {
        session_close(s);
        return;
    }
    if (s->shutting)
        return;
    session_wait(s, WAITS_IDLE, REFLECTOR_IDLE_MS);
    if (n == UV_EOF) {
        s->ended = true;
    } else {
        struct span in = span_of(bytes->base, (size_t)n);
        size_t used = responder_take(&s->responder, in);
        if (!buf_append(&s->held, span_drop(in, used))) {
            session_close(s);
            return;
        }
    }
    session_advance(s);
}

static void session_listen(struct reflector_session *s, bool on)
{
    uv_stream_t *stream = (uv_stream_t *)&s->tcp;

    if (s->reading == on)
        return;
    s->reading = on;
    if (!on)
        uv_read_stop(stream);
    else if (uv_read_start(stream, on_alloc, on_read) != 0)
        session_close(s);
}

static void on_shutdown(uv_shutdown_t *req, int status)
{
    struct reflector_session *s = session_of(req->data);

    if (status < 0 || s->ended)
        session_close(s);
}

/* Sends FIN, then reads the client's rest away: closing on unread input would send a
 * reset and could cost the client our last reply. */
static void session_finish(struct reflector_session *s)
{
    s->shutting = true;
    s->shutdown.data = s;
    session_wait(s, WAITS_IDLE, LINGER_MS);
    buf_release(&s->held);
    if (uv_shutdown(&s->shutdown, (uv_stream_t *)&s->tcp, on_shutdown) != 0)
        session_close(s);
    else if (!s->ended)
        session_listen(s, true);
}

/* One step towards the moment when only the client or the clock can go on; false there. */
static bool session_step(struct reflector_session *s)
{
    if (s->closing || s->writing || s->shutting || s->waiting != WAITS_IDLE)
        return false;
    if (s->responder.out.len > 0) {
        session_write(s);
        return true;
    }
    switch (s->responder.mood) {
    case RESPONDER_WAITING:
        session_wait(s, WAITS_DELAY, s->responder.delay_ms);
        return false;
    case RESPONDER_CLOSING:
        session_finish(s);
        return false;
    case RESPONDER_RESETTING:
        session_reset(s);
        return false;
    case RESPONDER_LISTENING:
        break;
    }
    if (s->held.len > 0)
        buf_drop(&s->held, responder_take(&s->responder, buf_span(&s->held)));
    else if (s->ended)
        s->responder.mood = RESPONDER_CLOSING;
    else
        return false;
    return true;
}

static void session_advance(struct reflector_session *s)
{
    while (session_step(s))
        continue;
    if (!s->closing && !s->shutting)
        session_listen(s, !s->writing && s->waiting == WAITS_IDLE && !s->ended);
}

static void on_line(void *owner, bool received, struct span text)
{
    const struct reflector_session *s = session_of(owner);
    char line[1024];

    escape(line, sizeof line, text);
    log_info("reflect: %u %s %s", s->number, received ? "->" : "<-", line);
}

static struct reflector_session *session_new(struct reflector_sessions *all)
{
    struct reflector_session *s = calloc(1, sizeof *s);

    if (s == NULL)
        return NULL;
    *s = (struct reflector_session){ .magic = SESSION_MAGIC, .all = all, .open_handles = 2 };
    int err = uv_tcp_init(all->loop, &s->tcp) | uv_timer_init(all->loop, &s->timer);
    assert(err == 0); /* neither can fail */
    (void)err;
    s->tcp.data = s;
    s->timer.data = s;
    buf_init(&s->held, sizeof all->input);
    responder_init(&s->responder, all->hostname, all->script);
    if (all->verbose)
        s->responder.trace = (struct responder_trace){ on_line, s };
    list_prepend(&all->sessions, &s->in_all);
    all->count++;
    s->number = ++all->accepted;
    return s;
}

void reflector_session_accept(struct reflector_sessions *all, uv_stream_t *listener)
{
    struct reflector_session *s = session_new(all);

    if (s == NULL) {
        log_error("reflect: out of memory, not accepting");
        return;
    }
    if (uv_accept(listener, (uv_stream_t *)&s->tcp) != 0) {
        session_close(s);
        return;
    }
    uv_tcp_nodelay(&s->tcp, 1);
    session_wait(s, WAITS_IDLE, REFLECTOR_IDLE_MS);
    if (all->count > REFLECTOR_SESSIONS_MAX)
        responder_refuse(&s->responder);
    else
        responder_start(&s->responder);
    session_advance(s);
}
