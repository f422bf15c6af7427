#include "transport/addr.h"

#include "base/number.h"

#include <arpa/inet.h>
#include <stdio.h>

static const uint8_t mapped_prefix[12] = { [10] = 0xff, [11] = 0xff };

/* IPv4-mapped becomes IPv4. */
static void set_ip6(struct addr *a, const uint8_t ip[16])
{
    if (memcmp(ip, mapped_prefix, sizeof mapped_prefix) == 0) {
        a->family = AF_INET;
        memcpy(a->ip, ip + sizeof mapped_prefix, 4);
    } else {
        a->family = AF_INET6;
        memcpy(a->ip, ip, 16);
    }
}

struct addr addr_from_octets(int family, const void *ip, uint16_t port)
{
    struct addr a = { .port = port };

    if (family == AF_INET) {
        a.family = AF_INET;
        memcpy(a.ip, ip, 4);
    } else {
        set_ip6(&a, ip);
    }
    return a;
}

void addr_from_sockaddr(struct addr *a, const struct sockaddr *sa)
{
    struct sockaddr_in in4;
    struct sockaddr_in6 in6;

    *a = (struct addr){ 0 };
    if (sa->sa_family == AF_INET) {
        memcpy(&in4, sa, sizeof in4);
        *a = addr_from_octets(AF_INET, &in4.sin_addr, ntohs(in4.sin_port));
    } else if (sa->sa_family == AF_INET6) {
        memcpy(&in6, sa, sizeof in6);
        *a = addr_from_octets(AF_INET6, &in6.sin6_addr, ntohs(in6.sin6_port));
    }
}

socklen_t addr_to_sockaddr(const struct addr *a, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof *out);
    if (a->family == AF_INET) {
        struct sockaddr_in in4 = { .sin_family = AF_INET, .sin_port = htons(a->port) };

        memcpy(&in4.sin_addr, a->ip, 4);
        memcpy(out, &in4, sizeof in4);
        return sizeof in4;
    }
    if (a->family == AF_INET6) {
        struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(a->port) };

        memcpy(&in6.sin6_addr, a->ip, 16);
        memcpy(out, &in6, sizeof in6);
        return sizeof in6;
    }
    return 0;
}

static bool fail(const char **why, const char *text)
{
    *why = text;
    return false;
}

bool addr_parse_ip(struct addr *a, int family, struct span ip)
{
    char text[INET6_ADDRSTRLEN];
    uint8_t octets[16];

    if (ip.len == 0 || ip.len >= sizeof text || memchr(ip.ptr, '\0', ip.len) != NULL)
        return false;
    memcpy(text, ip.ptr, ip.len);
    text[ip.len] = '\0';
    if (inet_pton(family, text, octets) != 1)
        return false;
    *a = addr_from_octets(family, octets, 0);
    return true;
}

/* Splits "[ip]:port" and "ip:port"; *port is NULL when there is none. */
static bool split(const char *text, struct span *ip, const char **port, const char **why)
{
    bool bracketed = text[0] == '[';
    const char *begin = bracketed ? text + 1 : text;
    const char *end = strchr(begin, bracketed ? ']' : ':');

    *port = NULL;
    if (bracketed && end == NULL)
        return fail(why, "the closing ] is missing");
    *ip = end != NULL ? span_of(begin, (size_t)(end - begin)) : span_str(begin);
    if (end != NULL && bracketed)
        end++;
    if (end == NULL || *end == '\0')
        return true;
    if (*end != ':')
        return fail(why, "a port belongs after the ], as in [::1]:25");
    *port = end + 1;
    if (!bracketed && strchr(*port, ':') != NULL)
        return fail(why, "an IPv6 address stands in brackets, as in [::1]:25");
    return true;
}

bool addr_parse(struct addr *a, const char *text, const char **why)
{
    struct addr got = { 0 };
    struct span ip;
    const char *port;

    if (!split(text, &ip, &port, why))
        return false;
    if (ip.len == 0)
        return fail(why, "the address is missing, as in 127.0.0.1:25");
    if (span_find(ip, '%') < ip.len)
        return fail(why, "an address with a zone is not supported");
    if (!addr_parse_ip(&got, text[0] == '[' ? AF_INET6 : AF_INET, ip))
        return fail(why, text[0] == '[' ? "not an IPv6 address" : "not an IPv4 address");
    if (port == NULL)
        return fail(why, "the port is missing, as in 127.0.0.1:25");
    if (!number_port(span_str(port), &got.port))
        return fail(why, "the port is not a number from 0 to 65535");
    *a = got;
    return true;
}

/* Three times in each session, so without printf. */
static size_t put_number(char *out, unsigned n)
{
    char digits[5]; /* at most 65535 */
    size_t len = 0;

    do
        digits[len++] = (char)('0' + n % 10);
    while ((n /= 10) > 0);
    for (size_t i = 0; i < len; i++)
        out[i] = digits[len - 1 - i];
    return len;
}

static size_t put_ipv4(char *out, const uint8_t ip[4])
{
    size_t len = 0;

    for (unsigned i = 0; i < 4; i++) {
        len += put_number(out + len, ip[i]);
        out[len++] = '.';
    }
    return len - 1;
}

size_t addr_ip_text(const struct addr *a, char out[ADDR_TEXT_MAX])
{
    size_t len = 0;

    if (a->family == AF_INET)
        len = put_ipv4(out, a->ip);
    else if (a->family == AF_INET6 && inet_ntop(AF_INET6, a->ip, out, ADDR_TEXT_MAX) != NULL)
        len = strlen(out);
    out[len] = '\0';
    return len;
}

size_t addr_text(const struct addr *a, char out[ADDR_TEXT_MAX])
{
    bool brackets = a->family == AF_INET6;
    char ip[ADDR_TEXT_MAX];
    size_t n = addr_ip_text(a, ip), len = 0;

    if (n > 0) {
        _Static_assert(ADDR_TEXT_MAX >= INET6_ADDRSTRLEN + 2 + 6, "an address fits");
        if (brackets)
            out[len++] = '[';
        memcpy(out + len, ip, n);
        len += n;
        if (brackets)
            out[len++] = ']';
        out[len++] = ':';
        len += put_number(out + len, a->port);
    }
    out[len] = '\0';
    return len;
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
    return a->family == b->family && a->port == b->port && memcmp(a->ip, b->ip, 16) == 0;
}

bool addr_equal_ip(const struct addr *a, const struct addr *b)
{
    return a->family == b->family && memcmp(a->ip, b->ip, 16) == 0;
}

bool addr_is_any(const struct addr *a)
{
    static const uint8_t zero[16];

    return a->family != 0 && memcmp(a->ip, zero, 16) == 0;
}

bool addr_is_loopback(const struct addr *a)
{
    static const uint8_t one[16] = { [15] = 1 };

    return a->family == AF_INET ? a->ip[0] == 127
                                : a->family == AF_INET6 && memcmp(a->ip, one, sizeof one) == 0;
}

struct addr addr_network(const struct addr *a, unsigned bits4, unsigned bits6)
{
    struct addr network = { .family = a->family };
    unsigned bits = a->family == AF_INET ? bits4 : bits6;
    unsigned size = a->family == AF_INET ? 32 : 128;

    if (a->family == 0)
        return network;
    if (bits > size)
        bits = size;
    memcpy(network.ip, a->ip, bits / 8);
    if (bits % 8 != 0)
        network.ip[bits / 8] = (uint8_t)(a->ip[bits / 8] & (0xff00 >> bits % 8));
    return network;
}
