#include "export_pcapng.h"

#include <string.h>

enum {
    BLOCK_SECTION = 0x0a0d0d0a,
    BLOCK_INTERFACE = 1,
    BLOCK_PACKET = 6,
    MAGIC = 0x1a2b3c4d,
    LINKTYPE_RAW = 101,
    OPTION_COMMENT = 1,
    OPTION_APPLICATION = 4,
    FRAME = 12, /* type, length, and the length again */
};

/* Numbers go in this machine's order: the section says which that is. */
static void put_u16(FILE *out, uint16_t n)
{
    fwrite(&n, sizeof n, 1, out);
}

static void put_u32(FILE *out, uint32_t n)
{
    fwrite(&n, sizeof n, 1, out);
}

static uint32_t padding(size_t octets)
{
    return (uint32_t)(-octets & 3);
}

static void put_padded(FILE *out, struct span octets)
{
    static const unsigned char zeros[4];

    if (octets.len > 0)
        fwrite(octets.ptr, 1, octets.len, out);
    fwrite(zeros, 1, padding(octets.len), out);
}

/* With the option that ends the list. */
static void put_option(FILE *out, uint16_t code, struct span text)
{
    put_u16(out, code);
    put_u16(out, (uint16_t)text.len);
    put_padded(out, text);
    put_u32(out, 0);
}

static uint32_t option_length(struct span text)
{
    return (uint32_t)(4 + text.len + padding(text.len) + 4);
}

void pcapng_begin(FILE *out)
{
    struct span application = SPAN_LIT("smtpscope export");
    uint32_t section = FRAME + 16 + option_length(application), interface = FRAME + 8;

    put_u32(out, BLOCK_SECTION);
    put_u32(out, section);
    put_u32(out, MAGIC);
    put_u16(out, 1); /* version 1.0 */
    put_u16(out, 0);
    put_u32(out, UINT32_MAX); /* length of the section: not said */
    put_u32(out, UINT32_MAX);
    put_option(out, OPTION_APPLICATION, application);
    put_u32(out, section);
    put_u32(out, BLOCK_INTERFACE);
    put_u32(out, interface);
    put_u16(out, LINKTYPE_RAW);
    put_u16(out, 0);
    put_u32(out, 0); /* packets of any length */
    put_u32(out, interface);
}

static struct span comment_text(const char *comment)
{
    struct span all = span_str(comment), text = span_first(all, PCAPNG_COMMENT_MAX);

    /* A character of UTF-8 is not cut in two. */
    while (text.len > 0 && text.len < all.len && (all.ptr[text.len] & 0xc0) == 0x80)
        text.len--;
    return text;
}

void pcapng_packet(FILE *out, uint64_t t_us, struct span head, struct span payload,
                   const char *comment)
{
    struct span text = comment != NULL ? comment_text(comment) : SPAN_LIT("");
    uint32_t octets = (uint32_t)(head.len + payload.len);
    uint32_t length = FRAME + 20 + octets + padding(octets);

    if (text.len > 0)
        length += option_length(text);
    put_u32(out, BLOCK_PACKET);
    put_u32(out, length);
    put_u32(out, 0); /* the interface */
    put_u32(out, (uint32_t)(t_us >> 32));
    put_u32(out, (uint32_t)t_us);
    put_u32(out, octets);
    put_u32(out, octets);
    fwrite(head.ptr, 1, head.len, out);
    if (payload.len > 0)
        fwrite(payload.ptr, 1, payload.len, out);
    for (uint32_t i = padding(octets); i > 0; i--)
        fputc(0, out);
    if (text.len > 0)
        put_option(out, OPTION_COMMENT, text);
    put_u32(out, length);
}
