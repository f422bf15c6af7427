#include "smtp/foreign.h"

#include "base/attributes.h"

/*
 * No two signatures can match the same stream, and each matcher goes from MORE to
 * YES or NO once: so the answer does not depend on where the stream was cut.
 */

enum { REQUEST_LINE_MAX = 512, METHODS_MAX = 10 };

/* A range of octets for each position. */
struct signature {
    const char *low, *high;
    unsigned char len;
    unsigned char note; /* enum note_id */
};

/* clang-format off */
#define EXACT(text, id)      { text, text, sizeof(text) - 1, NOTE_NOT_SMTP_##id }
#define RANGE(low, high, id) { low, high, sizeof(low) - 1, NOTE_NOT_SMTP_##id }

static const struct signature signatures[] = {
    RANGE("\x16\x03\x00", "\x16\x03\x04", TLS),
    RANGE("SSH-1", "SSH-2", SSH),
    /* TPKT, then the X.224 connection request at one of two places */
    RANGE("\x03\x00\x00\x00\xe0", "\x03\x00\xff\xff\xe0", RDP),
    RANGE("\x03\x00\x00\x00\x00\xe0", "\x03\x00\xff\xff\xff\xe0", RDP),
    EXACT("PRI * HTTP/2", HTTP),
    EXACT("PROXY TCP4", PROXY),
    EXACT("PROXY TCP6", PROXY),
    EXACT("PROXY UNKNOWN", PROXY),
    RANGE("*0\n", "*9\n", REDIS),
    RANGE("*0\r\n", "*9\r\n", REDIS),
    RANGE("*00\n", "*99\n", REDIS),
    RANGE("*00\r\n", "*99\r\n", REDIS),
    RANGE("*000\n", "*999\n", REDIS),
    RANGE("*000\r\n", "*999\r\n", REDIS),
    RANGE("\0\0\0\0\xffSMB", "\0\0\xff\xff\xffSMB", SMB),
    RANGE("\0\0\0\0\xfeSMB", "\0\0\xff\xff\xfeSMB", SMB),
    RANGE("\0\0\0\0\xff\xfeSMB", "\0\0\xff\xff\xff\xfeSMB", SMB),
    RANGE("\xff\xfb", "\xff\xfe", TELNET),
    RANGE("\x04\x01", "\x04\x02", SOCKS),         /* version, connect or bind */
    RANGE("\x05\x01\x00", "\x05\x09\x09", SOCKS), /* version, count, first method */
};
/* clang-format on */

/* "METHOD target VERSION": RFC 9112 3, RFC 3261 7.1, RFC 2326 6.1. */
struct protocol {
    const char *methods[METHODS_MAX]; /* NULL ends */
    const char *schemes[2];           /* what the target begins with */
    struct signature version;
    bool target_has_port;
};

static const struct protocol protocols[] = {
    { { "GET", "POST", "PUT", "HEAD", "DELETE", "PATCH", "TRACE", "OPTIONS" },
      { "", "" },
      RANGE("HTTP/0", "HTTP/9", HTTP),
      false },
    { { "CONNECT" }, { "", "" }, RANGE("HTTP/0", "HTTP/9", HTTP), true },
    { { "OPTIONS", "REGISTER", "INVITE", "ACK", "BYE" },
      { "sip:", "sips:" },
      EXACT("SIP/2.0", SIP),
      false },
    { { "OPTIONS", "DESCRIBE", "SETUP" },
      { "rtsp://", "rtsp://" },
      EXACT("RTSP/1", RTSP),
      false },
};

static enum foreign_result match_signature(struct span in, const struct signature *s)
{
    for (size_t i = 0; i < in.len && i < s->len; i++)
        if (in.ptr[i] < (unsigned char)s->low[i] || in.ptr[i] > (unsigned char)s->high[i])
            return FOREIGN_NO;
    return in.len < s->len ? FOREIGN_MORE : FOREIGN_YES;
}

/* in: a whole word (ended) or the start of one. MORE only for a start. */
static enum foreign_result match_word(struct span in, const char *word, bool ended)
{
    struct span w = span_str(word);

    if (ended)
        return span_equal(in, w) ? FOREIGN_YES : FOREIGN_NO;
    return span_starts_with(w, in) ? FOREIGN_MORE : FOREIGN_NO;
}

static enum foreign_result match_method(struct span in, bool ended, const struct protocol *p)
{
    for (unsigned i = 0; i < METHODS_MAX && p->methods[i] != NULL; i++) {
        enum foreign_result r = match_word(in, p->methods[i], ended);

        if (r != FOREIGN_NO)
            return r;
    }
    return FOREIGN_NO;
}

static bool is_space(unsigned char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool has_port(struct span target)
{
    size_t digits = 0;

    while (digits < target.len && target.ptr[target.len - 1 - digits] >= '0' &&
           target.ptr[target.len - 1 - digits] <= '9')
        digits++;
    return digits > 0 && target.len > digits + 1 && target.ptr[target.len - 1 - digits] == ':';
}

static enum foreign_result match_target(struct span target, bool ended,
                                        const struct protocol *p)
{
    for (unsigned i = 0; i < ARRAY_LEN(p->schemes); i++) {
        struct span scheme = span_str(p->schemes[i]);

        if (!ended && target.len <= scheme.len && span_starts_with(scheme, target))
            return FOREIGN_MORE;
        if (target.len > scheme.len && span_starts_with(target, scheme)) {
            if (!ended)
                return FOREIGN_MORE;
            return !p->target_has_port || has_port(target) ? FOREIGN_YES : FOREIGN_NO;
        }
    }
    return FOREIGN_NO;
}

static enum foreign_result match_request(struct span start, const struct protocol *p)
{
    struct span in = span_first(start, REQUEST_LINE_MAX);
    size_t method = span_find(in, ' ');
    enum foreign_result r = match_method(span_first(in, method), method < in.len, p);
    size_t target = 0;

    if (r != FOREIGN_YES)
        return r;
    in = span_drop(in, method + 1);
    while (target < in.len && !is_space(in.ptr[target]))
        target++;
    bool ended = target < in.len;
    if (ended && in.ptr[target] != ' ')
        return FOREIGN_NO;
    r = match_target(span_first(in, target), ended, p);
    if (r == FOREIGN_YES)
        r = match_signature(span_drop(in, target + 1), &p->version);
    if (r == FOREIGN_MORE && start.len >= REQUEST_LINE_MAX)
        return FOREIGN_NO;
    return r;
}

/* TPKT, then within twelve octets the cookie of a Windows client. */
static enum foreign_result match_rdp_cookie(struct span in)
{
    static const struct signature tpkt = RANGE("\x03\x00\x00\x00", "\x03\x00\x00\xff", RDP);
    static const struct signature cookie = EXACT("Cookie: mstshash=", RDP);
    enum foreign_result best = match_signature(in, &tpkt);

    if (best != FOREIGN_YES)
        return best;
    best = FOREIGN_NO;
    for (size_t at = 4; at <= 12; at++) {
        enum foreign_result r = match_signature(span_drop(in, at), &cookie);

        if (r == FOREIGN_YES)
            return FOREIGN_YES;
        if (r == FOREIGN_MORE)
            best = FOREIGN_MORE;
    }
    return best;
}

static enum foreign_result found(enum note_id *which, unsigned note)
{
    *which = (enum note_id)note;
    return FOREIGN_YES;
}

/* "\r\n\r\n\0\r\nQUIT\n", without the empty lines. */
static enum foreign_result match_proxy_v2(struct span in)
{
    static const struct signature rest = EXACT("\0\r\n", PROXY);

    return match_signature(in, &rest);
}

enum foreign_result foreign_sniff(struct span start, bool behind_empty_lines,
                                  enum note_id *which)
{
    enum foreign_result v2 = behind_empty_lines ? match_proxy_v2(start) : FOREIGN_NO;
    bool more = v2 == FOREIGN_MORE;

    if (v2 == FOREIGN_YES)
        return found(which, NOTE_NOT_SMTP_PROXY);
    for (unsigned i = 0; i < ARRAY_LEN(signatures); i++) {
        enum foreign_result r = match_signature(start, &signatures[i]);

        if (r == FOREIGN_YES)
            return found(which, signatures[i].note);
        more = more || r == FOREIGN_MORE;
    }
    for (unsigned i = 0; i < ARRAY_LEN(protocols); i++) {
        enum foreign_result r = match_request(start, &protocols[i]);

        if (r == FOREIGN_YES)
            return found(which, protocols[i].version.note);
        more = more || r == FOREIGN_MORE;
    }
    enum foreign_result r = match_rdp_cookie(start);
    if (r == FOREIGN_YES)
        return found(which, NOTE_NOT_SMTP_RDP);
    return more || r == FOREIGN_MORE ? FOREIGN_MORE : FOREIGN_NO;
}
