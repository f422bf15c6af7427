#include "transport/listener.h"

#include "base/log.h"
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
#define RETRY_MS        100
#define WARN_EVERY_MS   10000
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

static void on_retry(uv_timer_t *timer);

static void listener_offer(struct listener *l)
{
    /* Not accepting makes libuv stop listening until the parked one is accepted. */
    if (!l->on_connection(l) && !l->closing)
        uv_timer_start(&l->retry, on_retry, RETRY_MS, 0);
}

static void on_retry(uv_timer_t *timer)
{
    listener_offer(CONTAINER_OF(timer, struct listener, retry));
}

static void on_connection(uv_stream_t *s, int status)
{
    struct listener *l = CONTAINER_OF(s, struct listener, uv);
    uint64_t now_ms = uv_now(s->loop);

    if (status == 0) {
        listener_offer(l);
        return;
    }
    l->refused++;
    if (l->warned_ms == 0 || now_ms - l->warned_ms > WARN_EVERY_MS) {
        l->warned_ms = now_ms;
        log_error("cannot accept connections: %s (%llu lost so far)", uv_strerror(status),
                  (unsigned long long)l->refused);
    }
}

int listener_open(struct listener *l, uv_loop_t *loop, int fd)
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof ss;

    l->closing = false;
    int error = uv_tcp_init(loop, &l->uv);
    assert(error == 0);
    error = uv_timer_init(loop, &l->retry);
    assert(error == 0);
    listener_tune(fd);
    if (getsockname(fd, (struct sockaddr *)&ss, &len) == 0)
        addr_from_sockaddr(&l->bound, (struct sockaddr *)&ss);
    l->any_address = addr_is_any(&l->bound);
    error = uv_tcp_open(&l->uv, fd);
    if (error != 0) {
        close(fd);
        return error;
    }
    return uv_listen((uv_stream_t *)&l->uv, BACKLOG, on_connection);
}

void listener_close(struct listener *l)
{
    if (l->closing)
        return;
    l->closing = true;
    uv_close((uv_handle_t *)&l->uv, NULL);
    uv_close((uv_handle_t *)&l->retry, NULL);
}
