#include "transport/origin.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <unistd.h>

enum { ORIGINAL_DESTINATION = 80 }; /* SO_ORIGINAL_DST and IP6T_SO_ORIGINAL_DST */

/* ---- where to ---- */

struct route_question {
    struct nlmsghdr header;
    struct rtmsg route;
    struct rtattr attribute;
    uint8_t ip[16];
};

struct route_answer {
    struct nlmsghdr header;
    struct rtmsg route;
    char attributes[1024];
};

/* As `ip route get` does: interfaces do not tell of all addresses that are this machine's,
 * such as 127.0.0.2 or what a route of type local leads here. */
static bool ask_route(int fd, const struct addr *a, unsigned char *type)
{
    size_t size = a->family == AF_INET ? 4 : 16;
    struct route_answer answer;
    struct route_question q = {
        .header = { .nlmsg_len = (uint32_t)(offsetof(struct route_question, ip) + size),
                    .nlmsg_type = RTM_GETROUTE,
                    .nlmsg_flags = NLM_F_REQUEST },
        .route = { .rtm_family = a->family, .rtm_dst_len = (unsigned char)(8 * size) },
        .attribute = { .rta_type = RTA_DST, .rta_len = (unsigned short)RTA_LENGTH(size) },
    };

    memcpy(q.ip, a->ip, size);
    if (send(fd, &q, q.header.nlmsg_len, 0) < 0)
        return false;
    if (recv(fd, &answer, sizeof answer, 0) <
        (ssize_t)offsetof(struct route_answer, attributes))
        return false;
    *type = answer.header.nlmsg_type == RTM_NEWROUTE ? answer.route.rtm_type : RTN_UNREACHABLE;
    return true;
}

static bool is_own_address(const struct addr *a)
{
    unsigned char type = RTN_LOCAL; /* a connection refused does less harm than a loop */
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

    if (fd >= 0) {
        (void)ask_route(fd, a, &type);
        close(fd);
    }
    return type == RTN_LOCAL;
}

/* Would a connection to `original` come back to the listener? */
static bool is_listener(const struct addr *original, const struct addr *bound)
{
    if (original->port != bound->port || original->family != bound->family)
        return false;
    return addr_equal(original, bound) || (addr_is_any(bound) && is_own_address(original));
}

static bool ask_tracking(const struct tcp *t, int family, struct addr *out)
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof ss;
    uv_os_fd_t fd;

    if (uv_fileno((const uv_handle_t *)&t->uv, &fd) != 0 ||
        getsockopt(fd, family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6, ORIGINAL_DESTINATION, &ss,
                   &len) != 0)
        return false;
    addr_from_sockaddr(out, (struct sockaddr *)&ss);
    return out->family != 0;
}

enum origin_result origin_find(const struct tcp *t, enum intercept how,
                               const struct addr *bound, struct addr *out)
{
    struct addr local;

    *out = (struct addr){ 0 };
    if (!tcp_local(t, &local))
        return ORIGIN_LOST;
    if (how == INTERCEPT_TPROXY)
        *out = local;
    else if (!ask_tracking(t, local.family, out))
        return ORIGIN_LOST;
    if (bound == NULL)
        return ORIGIN_FOUND;
    return is_listener(out, bound) ? ORIGIN_DIRECT : ORIGIN_FOUND;
}

/* ---- in the name of others ---- */

bool origin_make_transparent(int fd, int family)
{
    int on = 1;

    if (family == AF_INET6)
        return setsockopt(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, &on, sizeof on) == 0;
    return setsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &on, sizeof on) == 0;
}

bool origin_allowed(void)
{
    static const int families[] = { AF_INET, AF_INET6 };

    for (unsigned i = 0; i < ARRAY_LEN(families); i++) {
        int fd = socket(families[i], SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
            continue;
        bool allowed = origin_make_transparent(fd, families[i]);
        close(fd);
        return allowed;
    }
    return false;
}

/* Binds to port 0 without taking one: connect() chooses it, and may then share it among
 * connections to different servers. */
static bool bind_to(int fd, const struct addr *source)
{
    struct sockaddr_storage ss;
    socklen_t len = addr_to_sockaddr(source, &ss);
    int on = source->port == 0;

    (void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    return bind(fd, (struct sockaddr *)&ss, len) == 0;
}

/* A socket that speaks as `source`, or -1 with errno. */
static int socket_as(const struct addr *source)
{
    struct addr any_port = *source;
    int fd = socket(source->family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    any_port.port = 0;
    /* Without SO_REUSEADDR a port that is not free is told by bind(), not by connect(). */
    if (origin_make_transparent(fd, source->family) &&
        (bind_to(fd, source) || (errno == EADDRINUSE && bind_to(fd, &any_port))))
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

int origin_connect(struct tcp *t, uv_connect_t *req, const struct addr *source,
                   const struct addr *to, uv_connect_cb done)
{
    if (source->family != to->family)
        return UV_EAFNOSUPPORT;
    int fd = socket_as(source);
    if (fd < 0)
        return uv_translate_sys_error(errno);
    return tcp_connect_socket(t, req, fd, to, done);
}
