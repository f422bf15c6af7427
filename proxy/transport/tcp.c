#include "transport/tcp.h"

#include <assert.h>
#include <stdlib.h>
#include <netinet/tcp.h>
#include <unistd.h>

struct queued {
    uv_write_t req;
    size_t size; /* of all of it */
    char bytes[];
};

static struct tcp *tcp_of(void *handle)
{
    return CONTAINER_OF(handle, struct tcp, uv);
}

static struct tcp_loop *shared(const struct tcp *t)
{
    return t->uv.loop->data;
}

static const struct tcp_events *events(const struct tcp *t)
{
    return shared(t)->events;
}

static uv_stream_t *stream(struct tcp *t)
{
    return (uv_stream_t *)&t->uv;
}

static int tcp_fd(const struct tcp *t)
{
    uv_os_fd_t fd;

    return uv_fileno((const uv_handle_t *)&t->uv, &fd) == 0 ? fd : -1;
}

bool tcp_loop_init(struct tcp_loop *s, uv_loop_t *loop, const struct tcp_events *ev,
                   size_t read_size)
{
    *s = (struct tcp_loop){ .events = ev, .read_size = read_size };
    s->read_buf = malloc(read_size);
    loop->data = s;
    return s->read_buf != NULL;
}

void tcp_loop_deinit(struct tcp_loop *s)
{
    free(s->read_buf);
    s->read_buf = NULL;
}

void tcp_init(struct tcp *t, uv_loop_t *loop, void *owner)
{
    *t = (struct tcp){ 0 };
    int error = uv_tcp_init(loop, &t->uv);
    assert(error == 0); /* without a family no socket is made: nothing can fail */
    (void)error;
    t->uv.data = owner;
}

int tcp_accept(struct tcp *t, uv_stream_t *listener)
{
    int error = uv_accept(listener, stream(t));

    t->open = error == 0;
    return error;
}

int tcp_adopt(struct tcp *t, int fd)
{
    int error = uv_tcp_open(&t->uv, fd);

    if (error != 0)
        close(fd);
    t->open = error == 0;
    return error;
}

int tcp_connect(struct tcp *t, uv_connect_t *req, const struct addr *to, uv_connect_cb done)
{
    struct sockaddr_storage ss;

    (void)addr_to_sockaddr(to, &ss);
    int error = uv_tcp_connect(req, &t->uv, (struct sockaddr *)&ss, done);
    t->open = error == 0;
    return error;
}

int tcp_connect_socket(struct tcp *t, uv_connect_t *req, int fd, const struct addr *to,
                       uv_connect_cb done)
{
    int error = uv_tcp_open(&t->uv, fd);

    if (error == 0)
        return tcp_connect(t, req, to, done);
    close(fd);
    return error;
}

void tcp_tune(struct tcp *t, bool keepalive)
{
    int on = 1, fd = tcp_fd(t);

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (keepalive)
        (void)uv_tcp_keepalive(&t->uv, 1, 60);
}

static bool tcp_address(int (*ask)(int, struct sockaddr *, socklen_t *), const struct tcp *t,
                        struct addr *out)
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof ss;

    *out = (struct addr){ 0 };
    if (ask(tcp_fd(t), (struct sockaddr *)&ss, &len) != 0)
        return false;
    addr_from_sockaddr(out, (struct sockaddr *)&ss);
    return true;
}

static int ask_local(int fd, struct sockaddr *sa, socklen_t *len)
{
    return getsockname(fd, sa, len);
}

static int ask_peer(int fd, struct sockaddr *sa, socklen_t *len)
{
    return getpeername(fd, sa, len);
}

bool tcp_local(const struct tcp *t, struct addr *out)
{
    return tcp_address(ask_local, t, out);
}

bool tcp_peer(const struct tcp *t, struct addr *out)
{
    return tcp_address(ask_peer, t, out);
}

/* ---- reading ---- */

/* most 0: no matter how much. */
static size_t at_most(size_t octets, size_t most)
{
    return most > 0 && most < octets ? most : octets;
}

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *buf)
{
    const struct tcp *t = tcp_of(h);
    struct tcp_loop *s = shared(t);

    (void)hint;
    assert(!s->read_busy);
    s->read_busy = true;
    buf->base = s->read_buf;
    buf->len = at_most(at_most(s->read_size, s->read_most), t->read_most);
}

static void tcp_ended(struct tcp *t, ssize_t error)
{
    enum close_kind how = END_RESET;

    t->reading = false; /* libuv stopped reading by itself */
    t->ended = true;
    tcp_look(t);
    if (error == UV_EOF && !tcp_facts_say_reset(&t->facts, tcp_fd(t), t->fin_sent))
        how = END_FIN;
    else if (error != UV_EOF && error != UV_ECONNRESET && error != UV_EPIPE)
        how = END_TIMEOUT;
    events(t)->on_end(t, how);
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    struct tcp *t = tcp_of(s);

    if (buf->base != NULL)
        shared(t)->read_busy = false;
    if (n == 0 || t->closing)
        return;
    if (n < 0) {
        tcp_ended(t, n);
        return;
    }
    t->received += (uint64_t)n;
    events(t)->on_bytes(t, span_of(buf->base, (size_t)n));
}

static void tcp_update_reading(struct tcp *t)
{
    bool read = t->want_read && t->holds == 0 && !t->ended && !t->closing && t->open;

    if (read == t->reading)
        return;
    t->reading = read;
    if (!read) {
        (void)uv_read_stop(stream(t));
    } else if (uv_read_start(stream(t), on_alloc, on_read) != 0) {
        t->reading = false;
        t->read_start_failed = true;
    }
}

void tcp_read(struct tcp *t)
{
    t->want_read = true;
    tcp_update_reading(t);
}

void tcp_hold(struct tcp *t, uint8_t reason)
{
    t->holds |= reason;
    tcp_update_reading(t);
}

void tcp_release(struct tcp *t, uint8_t reason)
{
    t->holds &= (uint8_t)~reason;
    tcp_update_reading(t);
}

/* ---- writing ---- */

static void tcp_tell_flushed(struct tcp *t)
{
    if (tcp_queued(t) == 0 && t->fin_asked == t->fin_sent)
        events(t)->on_flushed(t);
}

static void on_written(uv_write_t *req, int error)
{
    struct tcp *t = tcp_of(req->handle);
    struct queued *q = CONTAINER_OF(req, struct queued, req);

    t->queue_memory -= q->size;
    free(q);
    if (t->closing) /* UV_ECANCELED from uv_close lands here */
        return;
    if (error != 0) {
        events(t)->on_failed(t, error);
        return;
    }
    if (t->full && t->queue_memory <= TCP_LOW_WATER) {
        t->full = false;
        events(t)->on_room(t);
    }
    if (!t->closing)
        tcp_tell_flushed(t);
}

/* Copies what is left behind the first `done` octets and queues it. */
static int tcp_queue(struct tcp *t, const uv_buf_t *bufs, unsigned count, size_t done)
{
    size_t total = 0, at = 0;
    struct queued *q;

    for (unsigned i = 0; i < count; i++)
        total += bufs[i].len;
    size_t size = sizeof *q + (total - done);
    q = malloc(size);
    if (q == NULL)
        return UV_ENOMEM;
    q->size = size;
    for (unsigned i = 0; i < count; i++) {
        size_t skip = done < bufs[i].len ? done : bufs[i].len;
        size_t len = bufs[i].len - skip;

        done -= skip;
        if (len > 0)
            memcpy(q->bytes + at, bufs[i].base + skip, len);
        at += len;
    }
    uv_buf_t rest = { .base = q->bytes, .len = at };
    int error = uv_write(&q->req, stream(t), &rest, 1, on_written);
    if (error != 0) {
        free(q);
        return error;
    }
    t->queue_memory += size;
    t->full = t->full || t->queue_memory >= TCP_HIGH_WATER;
    return 0;
}

int tcp_write(struct tcp *t, uv_buf_t *bufs, unsigned count)
{
    size_t total = 0;
    int sent = 0;

    for (unsigned i = 0; i < count; i++)
        total += bufs[i].len;
    if (tcp_queued(t) == 0)
        sent = uv_try_write(stream(t), bufs, count);
    if (sent == UV_EAGAIN)
        sent = 0;
    if (sent < 0)
        return sent;
    t->written += total;
    t->facts.valid = false;
    if ((size_t)sent == total)
        return 0;
    return tcp_queue(t, bufs, count, (size_t)sent);
}

static void on_shutdown(uv_shutdown_t *req, int error)
{
    struct tcp *t = tcp_of(req->handle);

    free(req);
    if (t->closing)
        return;
    t->fin_sent = true; /* also when it failed: nothing can be sent any more */
    if (error != 0)
        events(t)->on_failed(t, error);
    else
        tcp_tell_flushed(t);
}

bool tcp_shutdown(struct tcp *t)
{
    if (t->fin_asked)
        return true;
    uv_shutdown_t *req = malloc(sizeof *req);
    if (req == NULL)
        return false;
    if (uv_shutdown(req, stream(t), on_shutdown) != 0) {
        free(req);
        return false;
    }
    t->fin_asked = true;
    return true;
}

void tcp_look(struct tcp *t)
{
    tcp_facts_read(&t->facts, tcp_fd(t));
}

/* ---- closing ---- */

static void on_close(uv_handle_t *h)
{
    struct tcp *t = tcp_of(h);

    events(t)->on_closed(t);
}

void tcp_close(struct tcp *t)
{
    if (t->closing)
        return;
    t->closing = true;
    t->reading = false;
    uv_close((uv_handle_t *)&t->uv, on_close);
}

void tcp_close_reset(struct tcp *t)
{
    if (t->closing)
        return;
    if (!t->open || t->fin_asked || uv_tcp_close_reset(&t->uv, on_close) != 0) {
        tcp_close(t);
        return;
    }
    t->closing = true;
    t->reading = false;
}
