/*
 * What a box does to every octet or line of mail data.
 *
 * A machine in front tells apart text, CRLF, and CR and LF that stand alone; each transform is
 * a function of these four. What it holds is put out by content_transform_end().
 */
#include "lab/simulator/content.h"

enum token { TEXT, CRLF, CR, LF };

void content_put(struct content *c, unsigned char octet)
{
    c->out_line = octet == '\n' && c->out_cr;
    c->out_cr = octet == '\r';
    if (!buf_append(c->out, span_of(&octet, 1)))
        c->verdict = CONTENT_FULL;
}

void content_put_text(struct content *c, const char *text)
{
    for (; *text != '\0'; text++)
        content_put(c, (unsigned char)*text);
}

static void put(struct content *c, enum token t, unsigned char octet)
{
    if (t != LF && t != TEXT)
        content_put(c, '\r');
    if (t == CRLF || t == LF)
        content_put(c, '\n');
    if (t == TEXT)
        content_put(c, octet);
}

static bool is_blank(enum token t, unsigned char octet)
{
    return t == TEXT && (octet == ' ' || octet == '\t');
}

/* ---- line endings ---- */

static void lf_to_crlf(struct content *c, enum token t, unsigned char octet)
{
    put(c, t == LF ? CRLF : t, octet);
}

static void cr_to_crlf(struct content *c, enum token t, unsigned char octet)
{
    put(c, t == CR ? CRLF : t, octet);
}

/* The CRLF of the end marker stays one: it is held until it is known to be another. */
static void line_end(struct content *c, enum token t, unsigned char octet, const char *end)
{
    struct content_line *l = &c->line;

    if (l->empty > 0)
        content_put_text(c, end);
    l->empty = t == CRLF;
    if (t != CRLF)
        put(c, t, octet);
}

static void crlf_to_lf(struct content *c, enum token t, unsigned char octet)
{
    line_end(c, t, octet, "\n");
}

static void crlf_to_crcrlf(struct content *c, enum token t, unsigned char octet)
{
    line_end(c, t, octet, "\r\r\n");
}

static void stray_to_space(struct content *c, enum token t, unsigned char octet)
{
    if (t == CR || t == LF)
        put(c, TEXT, ' ');
    else
        put(c, t, octet);
}

/* ---- dots ---- */

static bool is_leading_dot(const struct content *c, enum token t, unsigned char octet)
{
    return t == TEXT && octet == '.' && !c->line.begun;
}

static void dot_unstuff(struct content *c, enum token t, unsigned char octet)
{
    if (!is_leading_dot(c, t, octet))
        put(c, t, octet);
}

static void dot_stuff(struct content *c, enum token t, unsigned char octet)
{
    if (is_leading_dot(c, t, octet))
        content_put(c, '.');
    put(c, t, octet);
}

/* A line that is a stuffed dot and nothing else is lost. */
static void dot_drop_line(struct content *c, enum token t, unsigned char octet)
{
    struct content_line *l = &c->line;

    if (is_leading_dot(c, t, octet) || (l->dots == 1 && t == TEXT && octet == '.')) {
        l->dots++;
        return;
    }
    if (l->dots == 2 && t == CRLF) {
        l->dots = 0;
        return;
    }
    for (; l->dots > 0; l->dots--)
        content_put(c, '.');
    put(c, t, octet);
}

/* ---- octets ---- */

static void seven_bit(struct content *c, enum token t, unsigned char octet)
{
    put(c, t, octet & 0x7f);
}

static void nul_delete(struct content *c, enum token t, unsigned char octet)
{
    if (t != TEXT || octet != 0)
        put(c, t, octet);
}

/* Text behind the octet is lost, to the end of the line or of the message. */
static void cut_behind(struct content *c, enum token t, unsigned char octet, unsigned char at)
{
    struct content_line *l = &c->line;

    if (t == CRLF && at == 0)
        l->dropping = false;
    if (t == TEXT && octet == at)
        l->dropping = true;
    if (!l->dropping)
        put(c, t, octet);
}

static void nul_cut(struct content *c, enum token t, unsigned char octet)
{
    cut_behind(c, t, octet, 0);
}

static void control_z_cut(struct content *c, enum token t, unsigned char octet)
{
    cut_behind(c, t, octet, 0x1a);
}

static void control_delete(struct content *c, enum token t, unsigned char octet)
{
    bool control = octet != 0 && octet != '\t' && (octet < 0x20 || octet == 0x7f);

    if (t != TEXT || !control)
        put(c, t, octet);
}

static void high_to_question(struct content *c, enum token t, unsigned char octet)
{
    put(c, t, octet >= 0x80 ? '?' : octet);
}

static void latin1_to_utf8(struct content *c, enum token t, unsigned char octet)
{
    if (t == TEXT && octet >= 0x80) {
        content_put(c, (unsigned char)(0xc0 | octet >> 6));
        octet = (unsigned char)(0x80 | (octet & 0x3f));
    }
    put(c, t, octet);
}

static void tab_to_space(struct content *c, enum token t, unsigned char octet)
{
    put(c, t, octet == '\t' ? ' ' : octet);
}

/* ---- columns ---- */

static void fold(struct content *c, enum token t, unsigned char octet)
{
    struct content_line *l = &c->line;

    if (t == TEXT && l->column == c->rules->column) {
        content_put_text(c, c->rules->fold);
        l->column = c->out_line ? 0 : 1; /* the mark may begin the next line */
    }
    put(c, t, octet);
}

static void cut(struct content *c, enum token t, unsigned char octet)
{
    if (t == CRLF || c->line.column < c->rules->column)
        put(c, t, octet);
}

/* ---- white space ---- */

static void put_blanks(struct content *c)
{
    struct content_line *l = &c->line;

    for (size_t i = 0; i < l->blanks_len; i++)
        content_put(c, l->blanks[i]);
    l->blanks_len = 0;
}

static void strip_blanks(struct content *c, enum token t, unsigned char octet)
{
    struct content_line *l = &c->line;

    if (is_blank(t, octet) && l->blanks_len < sizeof l->blanks) {
        l->blanks[l->blanks_len++] = octet;
        return;
    }
    if (t == CRLF)
        l->blanks_len = 0;
    put_blanks(c);
    put(c, t, octet);
}

static void collapse_blanks(struct content *c, enum token t, unsigned char octet)
{
    bool blank = is_blank(t, octet);

    if (!blank || !c->line.blank)
        put(c, t, blank ? ' ' : octet);
    c->line.blank = blank;
}

static void drop_tail(struct content *c, enum token t, unsigned char octet)
{
    struct content_line *l = &c->line;

    if (t == CRLF && !l->begun && l->in_body) {
        l->empty++;
        return;
    }
    if (t == CRLF && !l->begun)
        l->in_body = true;
    for (; l->empty > 0; l->empty--)
        put(c, CRLF, 0);
    put(c, t, octet);
}

static void (*const transforms[TRANSFORM_COUNT])(struct content *, enum token,
                                                 unsigned char) = {
    [TRANSFORM_NONE] = put,
    [TRANSFORM_LF2CRLF] = lf_to_crlf,
    [TRANSFORM_CR2CRLF] = cr_to_crlf,
    [TRANSFORM_CRLF2LF] = crlf_to_lf,
    [TRANSFORM_CRCRLF] = crlf_to_crcrlf,
    [TRANSFORM_STRAY2SPACE] = stray_to_space,
    [TRANSFORM_UNSTUFF] = dot_unstuff,
    [TRANSFORM_STUFF] = dot_stuff,
    [TRANSFORM_DROP_DOT_LINE] = dot_drop_line,
    [TRANSFORM_BUFFER_DOT] = put, /* content.c */
    [TRANSFORM_7BIT] = seven_bit,
    [TRANSFORM_NUL_DELETE] = nul_delete,
    [TRANSFORM_NUL_CUT] = nul_cut,
    [TRANSFORM_CONTROL_DELETE] = control_delete,
    [TRANSFORM_1A_CUT] = control_z_cut,
    [TRANSFORM_HIGH_QUESTION] = high_to_question,
    [TRANSFORM_LATIN1_UTF8] = latin1_to_utf8,
    [TRANSFORM_TAB_SPACE] = tab_to_space,
    [TRANSFORM_FOLD] = fold,
    [TRANSFORM_CUT] = cut,
    [TRANSFORM_WS_STRIP] = strip_blanks,
    [TRANSFORM_WS_COLLAPSE] = collapse_blanks,
    [TRANSFORM_WS_TAIL] = drop_tail,
};

static void line_token(struct content *c, enum token t, unsigned char octet)
{
    transforms[c->rules->transform](c, t, octet);
    c->line.begun = t != CRLF;
    c->line.column = t == CRLF ? 0 : c->line.column + 1;
}

void content_transform(struct content *c, unsigned char octet)
{
    struct content_line *l = &c->line;

    if (c->rules->transform == TRANSFORM_NONE) {
        content_put(c, octet);
        return;
    }
    if (l->cr) {
        l->cr = false;
        line_token(c, octet == '\n' ? CRLF : CR, 0);
        if (octet == '\n')
            return;
    }
    if (octet == '\r')
        l->cr = true;
    else
        line_token(c, octet == '\n' ? LF : TEXT, octet);
}

void content_transform_end(struct content *c)
{
    struct content_line *l = &c->line;

    if (l->cr)
        line_token(c, CR, 0);
    l->cr = false;
    put_blanks(c);
    for (; l->dots > 0; l->dots--)
        content_put(c, '.');
    if (l->empty > 0 && c->rules->transform != TRANSFORM_WS_TAIL)
        put(c, CRLF, 0);
    l->empty = 0;
}
