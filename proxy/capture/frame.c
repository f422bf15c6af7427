#include "capture/frame.h"

#include "base/octets.h"

#include <pcap/dlt.h>

enum {
    TYPE_IPV4 = 0x0800,
    TYPE_IPV6 = 0x86dd,
    TYPE_8021Q = 0x8100,
    TYPE_8021AD = 0x88a8,
    TYPE_QINQ = 0x9100,
    TAGS_MAX = 8,
    ETHERNET_ADDRESSES = 12,
    TAG_OCTETS = 4,
    SLL_PROTOCOL = 14,  /* the last two octets of a cooked header */
    SLL2_OCTETS = 20,   /* which begins with the protocol */
    LOOPBACK_OCTETS = 4 /* the address family, in the byte order of who wrote it */
};

/* in begins with an EtherType: behind tags, is there IP? */
static bool behind_type(struct span in, struct span *packet)
{
    for (unsigned tags = 0; in.len >= 2 && tags <= TAGS_MAX; tags++) {
        switch (octets_u16(in.ptr)) {
        case TYPE_IPV4:
        case TYPE_IPV6:
            *packet = span_drop(in, 2);
            return true;
        case TYPE_8021Q:
        case TYPE_8021AD:
        case TYPE_QINQ:
            in = span_drop(in, TAG_OCTETS);
            break;
        default:
            return false;
        }
    }
    return false;
}

/* Of v2 the protocol comes first, and the header may be followed by tags. */
static bool behind_sll2(struct span in, struct span *packet)
{
    unsigned char type[2];

    if (in.len < SLL2_OCTETS)
        return false;
    memcpy(type, in.ptr, sizeof type);
    if (octets_u16(type) == TYPE_IPV4 || octets_u16(type) == TYPE_IPV6) {
        *packet = span_drop(in, SLL2_OCTETS);
        return true;
    }
    if (octets_u16(type) != TYPE_8021Q && octets_u16(type) != TYPE_8021AD)
        return false;
    return behind_type(span_drop(in, SLL2_OCTETS + 2), packet);
}

bool frame_is_known(int link_type)
{
    switch (link_type) {
    case DLT_EN10MB:
    case DLT_LINUX_SLL:
    case DLT_LINUX_SLL2:
    case DLT_RAW:
    case DLT_IPV4:
    case DLT_IPV6:
    case DLT_NULL:
    case DLT_LOOP:
        return true;
    default:
        return false;
    }
}

bool frame_packet(int link_type, struct span frame, struct span *packet)
{
    switch (link_type) {
    case DLT_EN10MB:
        return behind_type(span_drop(frame, ETHERNET_ADDRESSES), packet);
    case DLT_LINUX_SLL:
        return behind_type(span_drop(frame, SLL_PROTOCOL), packet);
    case DLT_LINUX_SLL2:
        return behind_sll2(frame, packet);
    case DLT_NULL:
    case DLT_LOOP: /* the family differs between systems; the packet tells its version */
        *packet = span_drop(frame, LOOPBACK_OCTETS);
        return packet->len > 0;
    case DLT_RAW:
    case DLT_IPV4:
    case DLT_IPV6:
        *packet = frame;
        return packet->len > 0;
    default:
        return false;
    }
}
