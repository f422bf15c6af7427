#include "smtp/lf_end.h"

#include "smtp/data_private.h"

enum { QUIT_LINE = 6, TAIL_MAX = LF_MARKER_MAX + QUIT_LINE };

/* How many octets of s match the line, of any ending; s.len: all of them, so far. */
static size_t match_line(struct span s, const char *line)
{
    size_t n = strlen(line);
    size_t same = 0;

    while (same < n && same < s.len && (s.ptr[same] & ~0x20) == (unsigned char)line[same])
        same++;
    if (same == n && same < s.len && s.ptr[same] == '\r')
        same++;
    return same < s.len && same >= n && s.ptr[same] == '\n' ? same + 1 : same;
}

static bool is_quit(struct span s)
{
    return match_line(s, "QUIT") == s.len;
}

/* The line that begins at `start` follows a line end; *crlf: one of CR LF, or the start. */
static bool follows_line(const struct data *d, struct span in, size_t start, bool *crlf)
{
    if (start == 0) {
        *crlf = !d->look.odd;
        return data_undecided(d) == 0 && d->look.state == LOOK_LINE && !d->look.after_cr;
    }
    *crlf = start > 1 ? in.ptr[start - 2] == '\r' : d->look.after_cr;
    return in.ptr[start - 1] == '\n';
}

/* Octets of the marker at the start of s, 0: not whole; *open: it may become one. */
static size_t marker_length(struct span s, bool crlf, bool *open)
{
    size_t n = s.len > 1 && s.ptr[1] == '\r' && !crlf ? 2 : 1;

    *open = s.len <= n;
    return s.len > n && s.ptr[n] == '\n' ? n + 1 : 0;
}

struct lf_end lf_end_find(const struct data *d, struct span in)
{
    size_t most = in.len < TAIL_MAX ? in.len : TAIL_MAX;
    struct lf_end none = { .tail = 0 };
    bool crlf, open;

    for (size_t n = 1; n <= most; n++) {
        struct span s = span_drop(in, in.len - n);
        if (s.ptr[0] != '.')
            continue;
        if (!follows_line(d, in, in.len - n, &crlf))
            return none;
        size_t marker = marker_length(s, crlf, &open);
        if (open || (marker > 0 && is_quit(span_drop(s, marker))))
            return (struct lf_end){ .tail = n, .marker = marker };
        return none;
    }
    return none;
}
