#include "transport/listener.h"

#include "base/log.h"
#include "base/no_descriptors.h"
#include "transport/origin.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG         4096
#define AT_ONCE         64 /* connections, then others of the loop have their turn */
#define RETRY_MS        100
#define TOLD_EVERY_MS   10000
#define KEEPALIVE_IDLE  60 /* seconds of silence before the first probe */
#define KEEPALIVE_EVERY 15
#define KEEPALIVE_COUNT 8

static bool set_int(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

static void listener_tune(int fd)
{
    (void)set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    (void)set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    (void)set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE);
    (void)set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_EVERY);
    (void)set_int(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_COUNT);
}

/* A bound socket, or -1 with errno. */
static int bind_socket(const struct addr *a, unsigned how)
{
    struct sockaddr_storage ss;
    socklen_t len = addr_to_sockaddr(a, &ss);
    int fd = socket(a->family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    if (set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1) &&
        (!(how & LISTENER_SHARED) || set_int(fd, SOL_SOCKET, SO_REUSEPORT, 1)) &&
        (!(how & LISTENER_TRANSPARENT) || origin_make_transparent(fd, a->family)) &&
        (a->family != AF_INET6 || set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1)) &&
        bind(fd, (struct sockaddr *)&ss, len) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static void bind_failed(const struct addr *a, char *error, size_t size)
{
    const char *hint = "";
    char text[ADDR_TEXT_MAX];

    if (errno == EACCES)
        hint = " (ports below 1024 need root or CAP_NET_BIND_SERVICE)";
    else if (errno == EPERM)
        hint = " (transparent sockets need root, CAP_NET_RAW or CAP_NET_ADMIN)";
    else if (errno == EADDRINUSE)
        hint = " (another process listens there; `ss -ltnp` shows it)";
    else if (errno == EADDRNOTAVAIL)
        hint = " (not an address of this machine)";
    (void)addr_text(a, text);
    snprintf(error, size, "cannot listen on %s: %s%s", text, strerror(errno), hint);
}

int listener_bind(const struct addr *a, unsigned how, struct addr *bound, char *error,
                  size_t size)
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof ss;
    /* SO_REUSEPORT would let a second proxy of the same user share the port unnoticed:
     * bind without it first, which fails when anybody listens there. */
    int alone = bind_socket(a, how & ~(unsigned)LISTENER_SHARED);

    if (alone < 0) {
        bind_failed(a, error, size);
        return -1;
    }
    if (getsockname(alone, (struct sockaddr *)&ss, &len) != 0) {
        bind_failed(a, error, size);
        close(alone);
        return -1;
    }
    addr_from_sockaddr(bound, (struct sockaddr *)&ss);
    if (!(how & LISTENER_SHARED))
        return alone;
    close(alone);
    return listener_bind_again(bound, how, error, size);
}

int listener_bind_again(const struct addr *bound, unsigned how, char *error, size_t size)
{
    int fd = bind_socket(bound, how);

    if (fd < 0)
        bind_failed(bound, error, size);
    return fd;
}

/* ---- connections ---- */

static void on_ready(uv_poll_t *poll, int status, int events);

static void on_retry(uv_timer_t *timer);

static void listener_wait(struct listener *l)
{
    if (l->closing)
        return;
    uv_poll_stop(&l->poll);
    uv_timer_start(&l->retry, on_retry, RETRY_MS, 0);
}

static bool listener_offer(struct listener *l)
{
    if (l->on_connection(l))
        return !l->closing;
    listener_wait(l);
    return false;
}

static void on_retry(uv_timer_t *timer)
{
    struct listener *l = CONTAINER_OF(timer, struct listener, retry);

    if (l->parked < 0 || listener_offer(l))
        uv_poll_start(&l->poll, UV_READABLE, on_ready);
}

static void accept_failed(struct listener *l, int error)
{
    if (no_descriptors_is(error)) {
        no_descriptors_tell(error, "new connections wait");
    } else if (uv_now(l->poll.loop) >= l->told_ms + TOLD_EVERY_MS) {
        l->told_ms = uv_now(l->poll.loop);
        log_error("cannot accept connections, they are left waiting: %s", strerror(error));
    }
    listener_wait(l);
}

/* Errors of the one connection that was next (accept(2)). */
static bool is_of_connection(int error)
{
    return error == EINTR || error == ECONNABORTED || error == EPROTO || error == ENETDOWN ||
           error == ENETUNREACH || error == EHOSTDOWN || error == EHOSTUNREACH ||
           error == ENONET || error == ENOPROTOOPT || error == EOPNOTSUPP;
}

/* False: no more for now. */
static bool take_one(struct listener *l)
{
    int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd >= 0) {
        l->parked = fd;
        return listener_offer(l);
    }
    if (is_of_connection(errno))
        return true;
    if (errno != EAGAIN && errno != EWOULDBLOCK)
        accept_failed(l, errno);
    return false;
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct listener *l = CONTAINER_OF(poll, struct listener, poll);

    (void)status; /* accept4() says it better */
    (void)events;
    for (unsigned i = 0; i < AT_ONCE; i++)
        if (!take_one(l))
            return;
}

int listener_accept(struct listener *l, struct tcp *t)
{
    int fd = l->parked;

    assert(fd >= 0);
    l->parked = -1;
    return tcp_adopt(t, fd);
}

/* ---- opening and closing ---- */

int listener_open(struct listener *l, uv_loop_t *loop, int fd)
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof ss;

    l->closing = false;
    l->fd = l->parked = -1;
    int error = uv_timer_init(loop, &l->retry);
    assert(error == 0);
    listener_tune(fd);
    if (getsockname(fd, (struct sockaddr *)&ss, &len) == 0)
        addr_from_sockaddr(&l->bound, (struct sockaddr *)&ss);
    l->any_address = addr_is_any(&l->bound);
    error = uv_poll_init(loop, &l->poll, fd);
    if (error != 0) {
        close(fd);
        return error;
    }
    l->fd = fd;
    if (listen(fd, BACKLOG) != 0)
        return -errno;
    return uv_poll_start(&l->poll, UV_READABLE, on_ready);
}

void listener_close(struct listener *l)
{
    if (l->closing)
        return;
    l->closing = true;
    uv_close((uv_handle_t *)&l->retry, NULL);
    if (l->fd < 0)
        return;
    uv_close((uv_handle_t *)&l->poll, NULL);
    close(l->fd);
    if (l->parked >= 0)
        close(l->parked);
    l->fd = l->parked = -1;
}
