#include "export_leg.h"

#include "export_pcapng.h"

#include <string.h>

enum {
    FIN = 1,
    SYN = 2,
    RST = 4,
    PSH = 8,
    ACK = 16,
    TCP_HEAD = 20,
    V4_HEAD = 20,
    V6_HEAD = 40,
    HEAD_MAX = V6_HEAD + TCP_HEAD,
    WINDOW = 65535,
    HOPS = 64,
};

static enum side other(enum side side)
{
    return side == CLIENT ? SERVER : CLIENT;
}

void leg_init(struct leg *l, FILE *out, uint32_t seed)
{
    *l = (struct leg){ .out = out };
    l->first[CLIENT] = seed | 1;
    l->first[SERVER] = (seed ^ 0x5bd1e995) | 1;
}

void leg_set_ends(struct leg *l, const char *client, const char *server)
{
    static const char *const unknown[2][2] = {
        { "192.0.2.1:1025", "192.0.2.2:25" },
        { "[2001:db8::1]:1025", "[2001:db8::2]:25" },
    };
    const char *text[2] = { client, server }, *why;
    bool known[2];

    for (int side = CLIENT; side <= SERVER; side++)
        known[side] = addr_parse(&l->addr[side], text[side], &why);
    for (int side = CLIENT; side <= SERVER; side++) {
        const struct addr *peer = &l->addr[other((enum side)side)];
        bool six = known[other((enum side)side)] && peer->family == AF_INET6;

        if (known[side] &&
            (!known[other((enum side)side)] || l->addr[side].family == peer->family))
            continue;
        l->guessed = true;
        if (!addr_parse(&l->addr[side], unknown[six][side], &why))
            l->addr[side].family = 0;
        known[side] = true;
    }
}

void leg_remark(struct leg *l, const char *text)
{
    size_t used = strlen(l->pending);

    snprintf(l->pending + used, sizeof l->pending - used, "%s%s", used > 0 ? "\n" : "", text);
}

/* ---- packets ---------------------------------------------------------------------- */

static void put_u16(unsigned char *p, uint32_t n)
{
    p[0] = (unsigned char)(n >> 8);
    p[1] = (unsigned char)n;
}

static void put_u32(unsigned char *p, uint32_t n)
{
    put_u16(p, n >> 16);
    put_u16(p + 2, n);
}

/* RFC 1071; `odd` octets may only come last. */
static uint64_t sum_of(uint64_t sum, struct span s)
{
    for (size_t i = 0; i + 1 < s.len; i += 2)
        sum += (uint64_t)s.ptr[i] << 8 | s.ptr[i + 1];
    if (s.len % 2 != 0)
        sum += (uint64_t)s.ptr[s.len - 1] << 8;
    return sum;
}

static uint32_t checksum(uint64_t sum)
{
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint32_t)~sum & 0xffff;
}

static size_t address_octets(const struct addr *a)
{
    return a->family == AF_INET6 ? 16 : 4;
}

/* The IP header in front of a segment of `octets`. Returns its length. */
static size_t put_ip(unsigned char *p, const struct addr *from, const struct addr *to,
                     size_t octets)
{
    if (from->family == AF_INET6) {
        memset(p, 0, V6_HEAD);
        p[0] = 0x60;
        put_u16(p + 4, (uint32_t)octets);
        p[6] = IPPROTO_TCP;
        p[7] = HOPS;
        memcpy(p + 8, from->ip, 16);
        memcpy(p + 24, to->ip, 16);
        return V6_HEAD;
    }
    memset(p, 0, V4_HEAD);
    p[0] = 0x45;
    put_u16(p + 2, (uint32_t)(V4_HEAD + octets));
    p[6] = 0x40; /* don't fragment */
    p[8] = HOPS;
    p[9] = IPPROTO_TCP;
    memcpy(p + 12, from->ip, 4);
    memcpy(p + 16, to->ip, 4);
    put_u16(p + 10, checksum(sum_of(0, span_of(p, V4_HEAD))));
    return V4_HEAD;
}

static void put_tcp(unsigned char *p, const struct leg *l, enum side from, unsigned flags,
                    struct span payload)
{
    const struct addr *a = &l->addr[from], *b = &l->addr[other(from)];
    bool syn = (flags & SYN) != 0;
    uint64_t sum;

    memset(p, 0, TCP_HEAD);
    put_u16(p, a->port);
    put_u16(p + 2, b->port);
    put_u32(p + 4, l->first[from] + (uint32_t)l->octets[from] + l->closed[from] - syn);
    if ((flags & ACK) != 0)
        put_u32(p + 8, l->first[other(from)] + (uint32_t)l->octets[other(from)] +
                           l->closed[other(from)]);
    p[12] = TCP_HEAD / 4 << 4;
    p[13] = (unsigned char)flags;
    put_u16(p + 14, WINDOW);
    sum = sum_of(0, span_of(a->ip, address_octets(a)));
    sum = sum_of(sum, span_of(b->ip, address_octets(b)));
    sum += IPPROTO_TCP + TCP_HEAD + payload.len;
    sum = sum_of(sum_of(sum, span_of(p, TCP_HEAD)), payload);
    put_u16(p + 16, checksum(sum));
}

static void put_segment(struct leg *l, enum side from, uint64_t t_us, unsigned flags,
                        struct span payload)
{
    unsigned char head[HEAD_MAX];
    size_t ip;

    if (t_us > l->t_us)
        l->t_us = t_us;
    ip = put_ip(head, &l->addr[from], &l->addr[other(from)], TCP_HEAD + payload.len);
    put_tcp(head + ip, l, from, flags, payload);
    pcapng_packet(l->out, l->t_us, span_of(head, ip + TCP_HEAD), payload,
                  l->pending[0] != '\0' ? l->pending : NULL);
    l->pending[0] = '\0';
    l->octets[from] += payload.len;
}

/* ---- a connection ----------------------------------------------------------------- */

void leg_open(struct leg *l, uint64_t t_us)
{
    if (l->open)
        return;
    l->open = true;
    if (l->guessed)
        leg_remark(l, "an address is not in the transcript: one for documentation is used");
    put_segment(l, CLIENT, t_us, SYN, SPAN_LIT(""));
    put_segment(l, SERVER, t_us, SYN | ACK, SPAN_LIT(""));
    put_segment(l, CLIENT, t_us, ACK, SPAN_LIT(""));
}

void leg_refused(struct leg *l, uint64_t t_us, const char *error)
{
    char text[256];

    snprintf(text, sizeof text, "not connected: %s", error);
    leg_remark(l, text);
    put_segment(l, CLIENT, t_us, SYN, SPAN_LIT(""));
    l->first[CLIENT] += 0x10000; /* the next attempt is another connection */
}

void leg_say(struct leg *l, enum side from, uint64_t t_us, struct span octets)
{
    leg_open(l, t_us);
    while (octets.len > 0) {
        struct span part = span_first(octets, LEG_SEGMENT_MAX);

        octets = span_drop(octets, part.len);
        put_segment(l, from, t_us, octets.len == 0 ? ACK | PSH : ACK, part);
    }
}

void leg_skip(struct leg *l, enum side from, uint64_t octets, const char *what)
{
    char text[256];

    if (octets == 0)
        return;
    snprintf(text, sizeof text, "%llu bytes %s", (unsigned long long)octets, what);
    leg_remark(l, text);
    leg_tell(l, l->t_us);
    l->octets[from] += octets;
}

void leg_tell(struct leg *l, uint64_t t_us)
{
    leg_open(l, t_us);
    put_segment(l, CLIENT, t_us, ACK, SPAN_LIT(""));
}

void leg_close(struct leg *l, enum side first, bool reset, uint64_t t_us)
{
    leg_open(l, t_us);
    if (reset) {
        put_segment(l, first, t_us, RST | ACK, SPAN_LIT(""));
        return;
    }
    put_segment(l, first, t_us, FIN | ACK, SPAN_LIT(""));
    l->closed[first] = true;
    put_segment(l, other(first), t_us, FIN | ACK, SPAN_LIT(""));
    l->closed[other(first)] = true;
    put_segment(l, first, t_us, ACK, SPAN_LIT(""));
}
