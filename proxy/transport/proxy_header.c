#include "transport/proxy_header.h"

#include "base/number.h"

#include <stdio.h>

enum {
    V1_MAX = 107, /* octets of a line, CRLF included */
    V2_FIXED = 16,
    V2_TLV_FIXED = 3,
    V2_TLV_CRC32C = 3,
    V2_LOCAL = 0x20,
    V2_PROXY = 0x21,
};

static const unsigned char v2_signature[12] = "\r\n\r\n\0\r\nQUIT\n";

/* The second octet of the address part: family and transport. Datagrams are not for us. */
static const struct v2_family {
    uint8_t octet;
    uint8_t family;  /* 0: nothing a TCP client could have */
    uint16_t length; /* of both addresses with their ports */
} v2_families[] = {
    { 0x00, 0, 0 },                     /* AF_UNSPEC */
    { 0x11, AF_INET, 2 * 4 + 2 * 2 },   /* TCP over IPv4 */
    { 0x21, AF_INET6, 2 * 16 + 2 * 2 }, /* TCP over IPv6 */
    { 0x31, 0, 2 * 108 },               /* stream over AF_UNIX */
};

static enum proxy_result bad(struct proxy_header *h, const char *why)
{
    *h = (struct proxy_header){ .why = why };
    return PROXY_BAD;
}

static bool begins_like(struct span in, const void *start, size_t len)
{
    return memcmp(in.ptr, start, in.len < len ? in.len : len) == 0;
}

static enum proxy_result take(struct proxy_header *h, size_t used)
{
    if (h->source.family != h->destination.family)
        return bad(h, "the addresses are of different families");
    h->local = h->source.family == 0;
    h->used = used;
    return PROXY_OK;
}

/* ---- version 1: one line ---- */

/* What stands before the next blank, and takes both away; fields are parted by one blank. */
static struct span next_field(struct span *rest)
{
    struct span field = span_first(*rest, span_find(*rest, ' '));

    *rest = span_drop(*rest, field.len + 1);
    return field;
}

/* Without zeros in front. */
static bool v1_port(uint16_t *port, struct span digits)
{
    return number_port(digits, port) && (digits.len == 1 || digits.ptr[0] != '0');
}

/* The words behind "PROXY TCP4 " or "PROXY TCP6 ". */
static const char *v1_addresses(struct proxy_header *h, int family, struct span words)
{
    if (!addr_parse_ip(&h->source, family, next_field(&words)) ||
        !addr_parse_ip(&h->destination, family, next_field(&words)))
        return "not an address of the family said";
    if (!v1_port(&h->source.port, next_field(&words)) || !v1_port(&h->destination.port, words))
        return "not two port numbers";
    return NULL;
}

static enum proxy_result v1_line(struct proxy_header *h, struct span line)
{
    struct span words = span_drop(line, sizeof "PROXY " - 1), protocol = next_field(&words);
    const char *why = NULL;

    if (span_equal(protocol, SPAN_LIT("TCP4")))
        why = v1_addresses(h, AF_INET, words);
    else if (span_equal(protocol, SPAN_LIT("TCP6")))
        why = v1_addresses(h, AF_INET6, words);
    else if (!span_equal(protocol, SPAN_LIT("UNKNOWN"))) /* the rest of such a line is free */
        why = "neither TCP4, TCP6 nor UNKNOWN";
    return why != NULL ? bad(h, why) : take(h, line.len + 2);
}

static enum proxy_result v1_read(struct proxy_header *h, struct span in)
{
    struct span look = span_first(in, V1_MAX);
    size_t end = span_find(look, '\r');

    h->version = 1;
    if (!begins_like(in, "PROXY ", 6))
        return bad(h, "not a PROXY header");
    if (span_find(span_first(look, end), '\n') < end)
        return bad(h, "a line that does not end with CRLF");
    if (end + 1 < look.len)
        return look.ptr[end + 1] == '\n' ? v1_line(h, span_first(look, end))
                                         : bad(h, "a CR inside the line");
    return look.len < V1_MAX ? PROXY_MORE : bad(h, "a line of more than 107 octets");
}

/* ---- version 2: octets ---- */

static size_t u16(const unsigned char *p)
{
    return (size_t)p[0] << 8 | p[1];
}

/* CRC-32c (RFC 9260, appendix A) of the header, the checksum's own octets taken as 0. */
static uint32_t v2_checksum(struct span header, size_t at)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < header.len; i++) {
        crc ^= i >= at && i < at + 4 ? 0 : header.ptr[i];
        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0x82f63b78) : 0);
    }
    return ~crc;
}

static const char *v2_check_crc(struct span header, size_t at, size_t length)
{
    const unsigned char *p = header.ptr + at;

    if (length != 4)
        return "a checksum of a wrong length";
    if (v2_checksum(header, at) != ((uint32_t)u16(p) << 16 | (uint32_t)u16(p + 2)))
        return "the checksum is wrong";
    return NULL;
}

/* What follows the addresses: type, length, value. NULL: nothing is wrong. */
static const char *v2_check_tlvs(struct span header, size_t at)
{
    const char *why = NULL;

    while (at < header.len && why == NULL) {
        if (header.len - at < V2_TLV_FIXED)
            return "a cut TLV";
        size_t length = u16(header.ptr + at + 1);
        if (length > header.len - at - V2_TLV_FIXED)
            return "a TLV longer than the header";
        if (header.ptr[at] == V2_TLV_CRC32C)
            why = v2_check_crc(header, at + V2_TLV_FIXED, length);
        at += V2_TLV_FIXED + length;
    }
    return why;
}

static void v2_addresses(struct proxy_header *h, int family, const unsigned char *p)
{
    size_t size = family == AF_INET ? 4 : 16;

    h->source = addr_from_octets(family, p, (uint16_t)u16(p + 2 * size));
    h->destination = addr_from_octets(family, p + size, (uint16_t)u16(p + 2 * size + 2));
}

static const struct v2_family *v2_find_family(uint8_t octet)
{
    for (size_t i = 0; i < ARRAY_LEN(v2_families); i++) {
        if (v2_families[i].octet == octet)
            return &v2_families[i];
    }
    return NULL;
}

/* The whole header of a connection that is relayed. */
static enum proxy_result v2_proxied(struct proxy_header *h, struct span header)
{
    const struct v2_family *f = v2_find_family(header.ptr[13]);
    const char *why;

    if (V2_FIXED + (size_t)f->length > header.len)
        return bad(h, "too short for its addresses");
    why = v2_check_tlvs(header, V2_FIXED + f->length);
    if (why != NULL)
        return bad(h, why);
    if (f->family != 0)
        v2_addresses(h, f->family, header.ptr + V2_FIXED);
    return take(h, header.len);
}

static enum proxy_result v2_read(struct proxy_header *h, struct span in)
{
    h->version = 2;
    if (!begins_like(in, v2_signature, sizeof v2_signature))
        return bad(h, "not a PROXY header");
    if (in.len > 12 && in.ptr[12] != V2_LOCAL && in.ptr[12] != V2_PROXY)
        return bad(h, "neither a LOCAL nor a PROXY command of version 2");
    if (in.len > 13 && in.ptr[12] == V2_PROXY && v2_find_family(in.ptr[13]) == NULL)
        return bad(h, "an unknown family or transport");
    if (in.len < V2_FIXED)
        return PROXY_MORE;
    size_t length = V2_FIXED + u16(in.ptr + 14);
    if (length > PROXY_HEADER_MAX)
        return bad(h, "a header of more than 2064 octets");
    if (in.len < length)
        return PROXY_MORE;
    /* What comes with LOCAL must be skipped unread, the family too. */
    return in.ptr[12] == V2_LOCAL ? take(h, length) : v2_proxied(h, span_first(in, length));
}

enum proxy_result proxy_header_read(struct span in, enum proxy_versions allowed,
                                    struct proxy_header *out)
{
    *out = (struct proxy_header){ 0 };
    if (in.len == 0)
        return PROXY_MORE;
    if (in.ptr[0] == 'P' && (allowed & PROXY_V1))
        return v1_read(out, in);
    if (in.ptr[0] == v2_signature[0] && (allowed & PROXY_V2))
        return v2_read(out, in);
    return bad(out, "not a PROXY header of a version that is accepted");
}

/* ---- writing ---- */

static size_t v1_write(const struct addr *source, const struct addr *destination, char *out)
{
    char from[ADDR_TEXT_MAX], to[ADDR_TEXT_MAX];

    if (source == NULL)
        return (size_t)snprintf(out, PROXY_HEADER_ROOM, "PROXY UNKNOWN\r\n");
    (void)addr_ip_text(source, from);
    (void)addr_ip_text(destination, to);
    return (size_t)snprintf(out, PROXY_HEADER_ROOM, "PROXY TCP%c %s %s %u %u\r\n",
                            source->family == AF_INET ? '4' : '6', from, to, source->port,
                            destination->port);
}

static unsigned char *put_u16(unsigned char *p, unsigned n)
{
    *p++ = (unsigned char)(n >> 8);
    *p++ = (unsigned char)n;
    return p;
}

static size_t v2_write(const struct addr *source, const struct addr *destination,
                       unsigned char *out)
{
    size_t size = source == NULL ? 0 : source->family == AF_INET ? 4 : 16;
    unsigned char *p = out + sizeof v2_signature;

    memcpy(out, v2_signature, sizeof v2_signature);
    *p++ = size == 0 ? V2_LOCAL : V2_PROXY;
    *p++ = size == 0 ? 0x00 : size == 4 ? 0x11 : 0x21;
    p = put_u16(p, size == 0 ? 0 : (unsigned)(2 * size + 4));
    if (size > 0) {
        memcpy(p, source->ip, size);
        memcpy(p + size, destination->ip, size);
        p = put_u16(put_u16(p + 2 * size, source->port), destination->port);
    }
    return (size_t)(p - out);
}

size_t proxy_header_write(unsigned version, const struct addr *source,
                          const struct addr *destination, unsigned char out[PROXY_HEADER_ROOM])
{
    if (source->family == 0 || source->family != destination->family)
        source = destination = NULL;
    return version == 1 ? v1_write(source, destination, (char *)out)
                        : v2_write(source, destination, out);
}
