#include "smtp/reply.h"

#include "smtp/line.h"

enum { HEAD_OCTETS = 4 }; /* code and separator */

/* Code and separator of a line, seen as the canonical line shows them. */
struct head {
    unsigned code;
    unsigned char separator; /* SP, "-" or 0: nothing follows the code */
};

struct scan {
    struct reply *reply;
    struct notes notes;
    uint64_t at;   /* of the reply in its stream */
    size_t pos;    /* of the line in the reply */
    unsigned code; /* of the first line, 0 before it */
};

static bool is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

static bool head_parse(struct span text, struct head *head)
{
    unsigned char h[HEAD_OCTETS] = { 0 };
    unsigned n = 0;

    for (size_t i = 0; i < text.len && n < HEAD_OCTETS; i++)
        if (text.ptr[i] != '\0')
            h[n++] = text.ptr[i] == '\r' ? ' ' : text.ptr[i];
    if (h[0] < '2' || h[0] > '5' || !is_digit(h[1]) || !is_digit(h[2]))
        return false;
    head->code = (h[0] - '0') * 100u + (h[1] - '0') * 10u + (h[2] - '0');
    head->separator = h[3];
    return h[3] == ' ' || h[3] == '-' || n < HEAD_OCTETS;
}

static size_t first_high(struct span s)
{
    size_t i = 0;

    while (i < s.len && s.ptr[i] < 0x80)
        i++;
    return i;
}

static size_t count_octet(struct span s, unsigned char c)
{
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++)
        n += s.ptr[i] == c;
    return n;
}

static void note_found(struct scan *s, enum note_id id, size_t pos, size_t end)
{
    if (pos < end)
        notes_add(&s->notes, id, s->at + s->pos + pos);
}

static void scan_octets(struct scan *s, struct line l)
{
    struct span t = l.text;
    size_t cr = span_find(t, '\r'); /* t.len is the first of CR CR LF */
    size_t nul = span_find(t, '\0');
    size_t length = t.len + 2 - (nul < t.len ? count_octet(t, '\0') : 0);

    if (l.end == LINE_LF)
        note_found(s, NOTE_REPLY_BARE_LF, l.used - 1, l.used);
    note_found(s, NOTE_REPLY_BARE_CR, cr, l.end == LINE_CRCRLF ? l.used : t.len);
    note_found(s, NOTE_REPLY_NUL, nul, t.len);
    note_found(s, NOTE_REPLY_8BIT, first_high(t), t.len);
    if (length > REPLY_LINE_OCTETS)
        note_found(s, NOTE_REPLY_OVERLONG, 0, 1);
    if (l.end != LINE_CRLF || cr < t.len || nul < t.len)
        s->reply->canonical = false;
}

/* Octets of "." 1*3DIGIT at the start of s, or 0. */
static size_t dotted_number(struct span s)
{
    size_t n = 1;

    if (s.len < 2 || s.ptr[0] != '.')
        return 0;
    while (n < s.len && n <= 3 && is_digit(s.ptr[n]))
        n++;
    return n > 1 ? n : 0;
}

/* "2.1.5" at the start of the text, or nothing (RFC 3463 2). */
static struct span find_enhanced(struct span text)
{
    struct span rest = span_drop(text, HEAD_OCTETS);
    struct span none = span_first(rest, 0);

    if (rest.len == 0 || (rest.ptr[0] != '2' && rest.ptr[0] != '4' && rest.ptr[0] != '5'))
        return none;
    size_t subject = dotted_number(span_drop(rest, 1));
    size_t detail = dotted_number(span_drop(rest, 1 + subject));
    size_t len = 1 + subject + detail;
    bool ends = len == rest.len || span_is_blank_char(rest.ptr[len]);
    return detail > 0 && ends ? span_first(rest, len) : none;
}

/* MORE for a continuation line, OK for the last one. */
static enum reply_result scan_line(struct scan *s, struct line l)
{
    struct head head;

    scan_octets(s, l);
    if (!head_parse(l.text, &head)) {
        note_found(s, NOTE_REPLY_BAD_CODE, 0, 1);
        return REPLY_BAD_CODE;
    }
    s->reply->code = head.code;
    if (s->code == 0) {
        s->code = head.code;
        s->reply->enhanced = find_enhanced(l.text);
    } else if (s->code != head.code) {
        note_found(s, NOTE_REPLY_CODE_MISMATCH, 0, 1);
        if (s->code / 100 != head.code / 100)
            return REPLY_MISMATCH;
    }
    if (head.separator == '-') {
        s->reply->more_than_one = true;
        return REPLY_MORE;
    }
    if (head.separator == 0)
        note_found(s, NOTE_REPLY_NO_TEXT, 0, 1);
    return REPLY_OK;
}

enum reply_result reply_parse(struct span in, struct reply *out, struct notes *notes,
                              uint64_t at)
{
    struct scan s = { .reply = out, .notes = *notes, .at = at };
    struct span window = span_first(in, REPLY_MAX);
    enum reply_result result = REPLY_MORE;

    *out = (struct reply){ .canonical = true };
    while (result == REPLY_MORE) {
        struct line l = line_next(span_drop(window, s.pos));
        size_t octets = l.end == LINE_MORE ? window.len - s.pos : l.used;

        if (octets > REPLY_LINE_MAX || (l.end == LINE_MORE && in.len > REPLY_MAX)) {
            s.pos += octets < REPLY_LINE_MAX ? octets : REPLY_LINE_MAX;
            result = REPLY_TOO_LONG;
        } else if (l.end == LINE_MORE) {
            return REPLY_MORE;
        } else {
            result = scan_line(&s, l);
            s.pos += l.used;
        }
    }
    out->received = span_first(in, s.pos);
    *notes = s.notes;
    return result;
}

size_t reply_blank_lines(struct span in)
{
    size_t octets = 0;

    for (;;) {
        struct line l = line_next(span_drop(in, octets));

        if (l.end == LINE_MORE || l.text.len > 0)
            return octets;
        octets += l.used;
    }
}

/* Where the last of these lines begins. */
static size_t last_line(struct span lines)
{
    size_t n = lines.len - 1;

    while (n > 0 && lines.ptr[n - 1] != '\n')
        n--;
    return n;
}

enum reply_result reply_parse_greeting(struct span in, struct reply *out, struct notes *notes,
                                       uint64_t at)
{
    struct notes before = *notes;
    enum reply_result result = reply_parse(in, out, notes, at);

    if (result != REPLY_MISMATCH || out->code / 100 < 4)
        return result;
    size_t teaser = last_line(out->received);
    result = reply_parse(span_drop(in, teaser), out, notes, at + teaser);
    if (result == REPLY_MORE)
        *notes = before;
    out->received = span_first(in, teaser + out->received.len);
    out->teaser = teaser;
    return result;
}

bool reply_canonical_text(struct span text, struct buf *out)
{
    while (text.len > 0) {
        size_t cr = span_find(text, '\r');
        size_t plain = span_find(span_first(text, cr), '\0');

        if (!buf_append(out, span_first(text, plain)))
            return false;
        if (plain == cr && cr < text.len && !buf_append(out, SPAN_LIT(" ")))
            return false;
        text = span_drop(text, plain + 1);
    }
    return true;
}

bool reply_canonical(struct span received, struct buf *out)
{
    uint32_t len = out->len;

    while (received.len > 0) {
        struct line l = line_next(received);
        struct span text = l.end == LINE_MORE ? received : l.text;

        if (!reply_canonical_text(text, out) || !buf_append(out, SPAN_LIT("\r\n"))) {
            out->len = len;
            return false;
        }
        received = span_drop(received, l.end == LINE_MORE ? received.len : l.used);
    }
    return true;
}

/* Stars where the text was; a PIX leaves its blanks, "0" and "2". */
static bool is_starred(struct span text)
{
    size_t stars = 0;

    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = text.ptr[i];

        if (c != '*' && c != ' ' && c != '0' && c != '2')
            return false;
        stars += c == '*';
    }
    return stars >= 3;
}

/* A keyword like XXXXXXXA: as long as what it hides, the last letter counts. */
static bool is_crossed_out(struct span text)
{
    struct span word = span_first(text, span_find(text, ' '));
    size_t crosses = 0;

    while (crosses < word.len && word.ptr[crosses] == 'X')
        crosses++;
    if (crosses < 3 || crosses + 1 < word.len)
        return false;
    return crosses == word.len || (word.ptr[crosses] >= 'A' && word.ptr[crosses] <= 'Z');
}

bool reply_looks_masked(struct span received)
{
    bool starred = false, other = false;

    while (received.len > 0) {
        struct line l = line_next(received);

        if (l.end == LINE_MORE)
            break;
        struct span text = span_drop(l.text, HEAD_OCTETS);
        if (span_starts_with(l.text, SPAN_LIT("250")) && is_crossed_out(text))
            return true;
        if (span_starts_with(l.text, SPAN_LIT("220")) && is_starred(text))
            starred = true;
        else
            other = true; /* a banner may have a frame of stars, but not only */
        received = span_drop(received, l.used);
    }
    return starred && !other;
}
