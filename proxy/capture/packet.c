#include "capture/packet.h"

#include "base/octets.h"

enum {
    TCP_HEAD = 20,
    V4_HEAD = 20,
    V4_MORE = 0x2000,
    V4_OFFSET = 0x1fff,
    V6_HEAD = 40,
    V6_EXTENSIONS_MAX = 16,
    V6_FRAGMENT_HEAD = 8,
};

/* The packet says it is `octets` long, at least `head`; what of that is there? */
static void set_payload(struct ip_packet *p, struct span in, size_t head, size_t octets)
{
    size_t there = in.len < octets ? in.len : octets;

    p->cut = octets - there;
    p->payload = span_drop(span_first(in, there), head);
}

static bool parse_v4(struct span in, size_t frame_octets, struct ip_packet *out)
{
    if (in.len < V4_HEAD)
        return false;
    size_t head = (size_t)(in.ptr[0] & 15) * 4, octets = octets_u16(in.ptr + 2);
    unsigned part = octets_u16(in.ptr + 6);

    if (octets == 0)
        octets = frame_octets;
    if (head < V4_HEAD || head > in.len || octets < head)
        return false;
    out->from = addr_from_octets(AF_INET, in.ptr + 12, 0);
    out->to = addr_from_octets(AF_INET, in.ptr + 16, 0);
    out->protocol = in.ptr[9];
    out->id = octets_u16(in.ptr + 4);
    out->offset = (part & V4_OFFSET) * 8;
    out->more = (part & V4_MORE) != 0;
    out->fragment = out->more || out->offset != 0;
    set_payload(out, in, head, octets);
    return true;
}

static void take_fragment(struct ip_packet *out, const unsigned char *head)
{
    unsigned part = octets_u16(head + 2);

    out->offset = part & 0xfff8u;
    out->more = (part & 1) != 0;
    out->fragment = out->more || out->offset != 0; /* an atomic one is whole (RFC 6946) */
    out->id = octets_u32(head + 4);
}

/* Octets of the extension header at the start of `in`, 0: it is none. */
static size_t extension_length(unsigned type, struct span in)
{
    if (in.len < 8)
        return 0;
    switch (type) {
    case IPPROTO_HOPOPTS:
    case IPPROTO_ROUTING:
    case IPPROTO_DSTOPTS:
        return ((size_t)in.ptr[1] + 1) * 8;
    case IPPROTO_AH:
        return ((size_t)in.ptr[1] + 2) * 4;
    case IPPROTO_FRAGMENT:
        return V6_FRAGMENT_HEAD;
    default:
        return 0;
    }
}

/* Up to the first header that is no extension, or to the fragment's part. */
static void skip_extensions(struct ip_packet *out)
{
    size_t n;

    for (unsigned i = 0; i < V6_EXTENSIONS_MAX && !out->fragment; i++) {
        n = extension_length(out->protocol, out->payload);
        if (n == 0 || n > out->payload.len)
            return;
        if (out->protocol == IPPROTO_FRAGMENT)
            take_fragment(out, out->payload.ptr);
        out->protocol = out->payload.ptr[0];
        out->payload = span_drop(out->payload, n);
    }
}

static bool parse_v6(struct span in, size_t frame_octets, struct ip_packet *out)
{
    if (in.len < V6_HEAD)
        return false;
    size_t octets = octets_u16(in.ptr + 4);

    octets = octets == 0 ? frame_octets : octets + V6_HEAD;
    if (octets < V6_HEAD)
        return false;
    out->from = addr_from_octets(AF_INET6, in.ptr + 8, 0);
    out->to = addr_from_octets(AF_INET6, in.ptr + 24, 0);
    out->protocol = in.ptr[6];
    set_payload(out, in, V6_HEAD, octets);
    skip_extensions(out);
    return true;
}

bool ip_parse(struct span in, size_t frame_octets, struct ip_packet *out)
{
    *out = (struct ip_packet){ .fragment = false };
    if (in.len == 0)
        return false;
    switch (in.ptr[0] >> 4) {
    case 4:
        return parse_v4(in, frame_octets, out);
    case 6:
        return parse_v6(in, frame_octets, out);
    default:
        return false;
    }
}

bool segment_parse(const struct ip_packet *p, struct segment *out)
{
    const unsigned char *h = p->payload.ptr;

    if (p->protocol != IPPROTO_TCP || p->payload.len < TCP_HEAD)
        return false;
    size_t head = (size_t)(h[12] >> 4) * 4;
    if (head < TCP_HEAD || head > p->payload.len + p->cut)
        return false;
    *out = (struct segment){ .from = p->from, .to = p->to };
    out->from.port = octets_u16(h);
    out->to.port = octets_u16(h + 2);
    out->flags = h[13];
    out->seq = octets_u32(h + 4) + ((out->flags & SEGMENT_SYN) != 0);
    out->ack = octets_u32(h + 8);
    out->options = span_drop(span_first(p->payload, head), TCP_HEAD);
    out->payload = span_drop(p->payload, head);
    out->cut = p->cut;
    if (head > p->payload.len) /* the options themselves were cut */
        out->cut -= head - p->payload.len;
    return true;
}
