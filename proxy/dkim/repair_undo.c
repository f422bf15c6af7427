#include "dkim/repair_undo.h"

/* What damages are undone by, everywhere in a body. */

void undone_put(struct undone *u, struct span s)
{
    u->puts++;
    u->failed |= !buf_append(&u->body, s);
}

void undone_release(struct undone *u)
{
    buf_release(&u->body);
}

struct text_line text_line_take(struct span *rest)
{
    size_t n = span_find(*rest, '\n');
    size_t text = n;

    if (n < rest->len && n > 0 && rest->ptr[n - 1] == '\r')
        text--;
    if (n < rest->len)
        n++;
    struct text_line line = { span_first(*rest, text),
                              span_first(span_drop(*rest, text), n - text) };
    *rest = span_drop(*rest, n);
    return line;
}

static void put_line(struct undone *u, struct text_line line)
{
    undone_put(u, line.text);
    undone_put(u, line.end);
}

/* Newlines. Everything else goes over in runs. */

enum newline { NEWLINE_CRLF = 1, NEWLINE_LF = 2, NEWLINE_CRCRLF = 4, NEWLINE_CR = 8 };

/* What the text begins with, a CR or LF: one newline, or a run of bare CRs. */
static enum newline take_newline(struct span *rest, struct span *newline)
{
    size_t crs = 0;

    while (crs < rest->len && rest->ptr[crs] == '\r')
        crs++;
    bool lf = crs < rest->len && rest->ptr[crs] == '\n';
    *newline = span_first(*rest, crs + lf);
    *rest = span_drop(*rest, crs + lf);
    if (!lf)
        return NEWLINE_CR;
    return crs == 0 ? NEWLINE_LF : crs == 1 ? NEWLINE_CRLF : NEWLINE_CRCRLF;
}

static size_t plain_run(struct span in)
{
    size_t lf = span_find(in, '\n');

    return span_find(span_first(in, lf), '\r');
}

/* Every newline of the classes becomes CRLF. */
static void undo_newlines(struct span in, const struct undo *u, struct undone *out)
{
    while (in.len > 0) {
        size_t run = plain_run(in);
        struct span newline;
        undone_put(out, span_first(in, run));
        in = span_drop(in, run);
        if (in.len == 0)
            return;
        enum newline class = take_newline(&in, &newline);
        if (!(u->n & class)) {
            undone_put(out, newline);
            continue;
        }
        for (size_t i = class == NEWLINE_CR ? newline.len : 1; i > 0; i--) {
            undone_put(out, SPAN_LIT("\r\n"));
            out->changes++;
        }
    }
}

/* The same of LF, where dots behind LF alone were not taken for stuffed ones. */
static void undo_lf_and_dots(struct span in, const struct undo *u, struct undone *out)
{
    (void)u;
    while (in.len > 0) {
        struct text_line line = text_line_take(&in);
        bool bare = line.end.len == 1;
        undone_put(out, line.text);
        undone_put(out, line.end.len > 0 ? SPAN_LIT("\r\n") : line.end);
        out->changes += bare;
        if (bare && in.len > 0 && in.ptr[0] == '.')
            in = span_drop(in, 1);
    }
}

static void undo_crlf(struct span in, const struct undo *u, struct undone *out)
{
    (void)u;
    while (in.len > 0) {
        struct text_line line = text_line_take(&in);
        undone_put(out, line.text);
        undone_put(out, line.end.len == 2 ? SPAN_LIT("\n") : line.end);
        out->changes += line.end.len == 2;
    }
}

static void undo_doubled(struct span in, const struct undo *u, struct undone *out)
{
    (void)u;
    while (in.len > 0) {
        put_line(out, text_line_take(&in));
        if (in.len < 2 || in.ptr[0] != '\r' || in.ptr[1] != '\n')
            continue;
        in = span_drop(in, 2);
        out->changes++;
    }
}

/* Starts of lines. */

static void undo_dots(struct span in, const struct undo *u, struct undone *out)
{
    (void)u;
    while (in.len > 0) {
        bool dot = in.ptr[0] == '.';
        in = span_drop(in, dot);
        out->changes += dot;
        put_line(out, text_line_take(&in));
    }
}

/* Lines that begin with a dot still: the others are lost. */
static void undo_lost_dots(struct span in, const struct undo *u, struct undone *out)
{
    (void)u;
    while (in.len > 0) {
        if (in.ptr[0] == '.') {
            undone_put(out, SPAN_LIT("."));
            out->changes++;
        }
        put_line(out, text_line_take(&in));
    }
}

static void undo_from(struct span in, const struct undo *u, struct undone *out)
{
    (void)u;
    while (in.len > 0) {
        size_t marks = 0;
        while (marks < in.len && in.ptr[marks] == '>')
            marks++;
        if (marks > 0 && span_starts_with(span_drop(in, marks), SPAN_LIT("From "))) {
            in = span_drop(in, 1);
            out->changes++;
        }
        put_line(out, text_line_take(&in));
    }
}

static void undo_lost_first_line(struct span in, const struct undo *u, struct undone *out)
{
    (void)u;
    undone_put(out, SPAN_LIT("\r\n"));
    undone_put(out, in);
    out->changes = 1;
}

/* Blanks. */

static void undo_blanks(struct span in, const struct undo *u, struct undone *out)
{
    (void)u;
    while (in.len > 0) {
        struct text_line line = text_line_take(&in);
        struct span text = span_trim_right(line.text);
        out->changes += text.len < line.text.len;
        undone_put(out, text);
        undone_put(out, line.end);
    }
}

/* The mark of a signature, "-- ", is where a blank at a line's end is known to have been. */
static void undo_lost_blanks(struct span in, const struct undo *u, struct undone *out)
{
    (void)u;
    while (in.len > 0) {
        struct text_line line = text_line_take(&in);
        undone_put(out, line.text);
        if (span_equal(line.text, SPAN_LIT("--"))) {
            undone_put(out, SPAN_LIT(" "));
            out->changes++;
        }
        undone_put(out, line.end);
    }
}

static size_t spaces(struct span in)
{
    size_t n = 0;

    while (n < in.len && in.ptr[n] == ' ')
        n++;
    return n;
}

/* Each u->n spaces of a run become a tab; of one space, only at the start of a line. */
static void undo_tabs(struct span in, const struct undo *u, struct undone *out)
{
    bool line_start = true;

    while (in.len > 0) {
        size_t run = span_find(in, ' ');
        undone_put(out, span_first(in, run));
        if (run > 0)
            line_start = in.ptr[run - 1] == '\n';
        in = span_drop(in, run);
        size_t blanks = spaces(in), tabs = blanks / u->n;
        if (u->n == 1 && !line_start)
            tabs = 0;
        for (size_t i = 0; i < tabs; i++)
            undone_put(out, SPAN_LIT("\t"));
        undone_put(out, span_first(in, blanks - tabs * u->n));
        out->changes += (unsigned)tabs;
        in = span_drop(in, blanks);
    }
}

/* quoted-printable, of a body that is one part. */

static int hex_digit(unsigned char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static void undo_quoted_printable(struct span in, const struct undo *u, struct undone *out)
{
    (void)u;
    while (in.len > 0) {
        size_t run = span_find(in, '=');
        undone_put(out, span_first(in, run));
        in = span_drop(in, run);
        if (in.len < 3) {
            undone_put(out, in);
            return;
        }
        int high = hex_digit(in.ptr[1]), low = hex_digit(in.ptr[2]);
        bool soft = in.ptr[1] == '\r' && in.ptr[2] == '\n';
        bool coded = high >= 0 && low >= 0;
        unsigned char octet = (unsigned char)(coded ? high * 16 + low : '=');
        if (!soft)
            undone_put(out, span_of(&octet, 1));
        out->changes += soft || coded;
        in = span_drop(in, soft || coded ? 3 : 1);
    }
}

#define CLASSES(set) .apply = undo_newlines, .n = (set), .first = true

static const struct undo table[] = {
    { "crlf-to-lf", "CRs before LF were removed", CLASSES(NEWLINE_LF) },
    { "crlf-to-lf", "CRs before LF were removed", undo_lf_and_dots, .first = true },
    { "crcrlf-double", "CRs were added before CR LF", CLASSES(NEWLINE_CRCRLF) },
    { "crlf-to-cr", "LFs after CR were removed", CLASSES(NEWLINE_CR) },
    { "newlines-changed", "line ends were changed in several ways",
      CLASSES(NEWLINE_LF | NEWLINE_CRCRLF | NEWLINE_CR) },
    { "dot-restuffed-twice", "lines that begin with a dot got one more", undo_dots,
      .first = true },
    { "dot-unstuffed-once-more", "lines that begin with dots lost one", undo_lost_dots,
      .first = true },
    { "from-escaped", "\">\" was put before lines that begin with \"From \"", undo_from,
      .first = true },
    { "trailing-ws-added", "blanks were added at the end of lines", undo_blanks,
      .first = true },
    { "trailing-ws-stripped", "blanks at the end of lines were removed", undo_lost_blanks,
      .first = true },
    { "lines-doubled", "an empty line was put after each line", undo_doubled, .first = true },
    { "tab-to-space", "tabs became spaces, each", undo_tabs, .n = 8, .told = true },
    { "tab-to-space", "tabs became spaces, each", undo_tabs, .n = 4, .told = true },
    { "tab-to-space", "tabs at the start of lines became spaces, each", undo_tabs, .n = 1,
      .told = true },
    { "bare-lf-to-crlf", "LFs became CR LF", undo_crlf, .n = 0 },
    { "leading-line-removed", "an empty line at the start was removed", undo_lost_first_line,
      .n = 0 },
    { "mime-recoded", "the body was coded as quoted-printable", undo_quoted_printable, .n = 0 },
};

const struct undo *undo_at(unsigned i)
{
    return i < ARRAY_LEN(table) ? &table[i] : NULL;
}

/* ---- folds ---- */

static const struct {
    struct span mark, lead; /* before the line's end, and behind it */
    const char *words;
} folds[FOLD_KINDS] = {
    [FOLD_BANG] = { { (const unsigned char *)"!", 1 },
                    { NULL, 0 },
                    "lines were folded by \"!\" CR LF after byte" },
    [FOLD_BANG_SPACE] = { { (const unsigned char *)"!", 1 },
                          { (const unsigned char *)" ", 1 },
                          "lines were folded by \"!\" CR LF SP after byte" },
    [FOLD_SPACE] = { { NULL, 0 },
                     { (const unsigned char *)" ", 1 },
                     "lines were folded by CR LF SP after byte" },
    [FOLD_TAB] = { { NULL, 0 },
                   { (const unsigned char *)"\t", 1 },
                   "lines were folded by CR LF TAB after byte" },
    [FOLD_NOTHING] = { { NULL, 0 }, { NULL, 0 }, "lines were folded by CR LF after byte" },
};

static bool ends_with(struct span s, struct span end)
{
    return s.len >= end.len && span_equal(span_drop(s, s.len - end.len), end);
}

/* A part behind a fold may be longer by what leads it. */
static void undo_folds(struct span in, const struct undo *u, struct undone *out)
{
    struct span mark = folds[u->fold].mark, lead = folds[u->fold].lead;
    size_t behind = 0; /* octets of the fold before this part */

    while (in.len > 0) {
        struct text_line line = text_line_take(&in);
        size_t len = line.text.len;
        bool full = len == u->n + mark.len || len == u->n + mark.len + behind;
        bool folded = full && line.end.len == 2 && in.len > 0 && ends_with(line.text, mark) &&
                      (lead.len == 0 || in.ptr[0] == lead.ptr[0]);
        struct span text = span_drop(line.text, behind);
        if (folded)
            text.len -= mark.len;
        undone_put(out, text);
        if (!folded)
            undone_put(out, line.end);
        out->changes += folded;
        behind = folded ? lead.len : 0;
    }
}

struct undo undo_fold(enum fold f, unsigned column)
{
    return (struct undo){ .damage = "long-line-folded",
                          .words = folds[f].words,
                          .apply = undo_folds,
                          .n = column,
                          .told = true,
                          .fold = f };
}

/* Keeps the longest different ones. */
static unsigned keep_column(unsigned columns[COLUMNS_MAX], unsigned count, unsigned column)
{
    unsigned at = 0;

    while (at < count && columns[at] > column)
        at++;
    if (at == COLUMNS_MAX || (at < count && columns[at] == column))
        return count;
    if (count < COLUMNS_MAX)
        count++;
    memmove(columns + at + 1, columns + at, (count - at - 1) * sizeof *columns);
    columns[at] = column;
    return count;
}

unsigned undo_columns(struct span body, unsigned columns[COLUMNS_MAX])
{
    unsigned count = 0;

    while (body.len > 0) {
        struct text_line line = text_line_take(&body);
        if (line.text.len >= COLUMN_LEAST)
            count = keep_column(columns, count, (unsigned)line.text.len);
    }
    return count;
}
