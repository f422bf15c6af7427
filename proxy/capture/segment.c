#include "capture/segment.h"

#include "base/octets.h"

enum { TCP_HEAD = 20 };

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
