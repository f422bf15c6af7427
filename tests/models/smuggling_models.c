#include "models/smuggling_models.h"

#include "base/attributes.h"

enum ends { END_CRLF, END_LF, END_ANY }; /* ANY: CR, LF or CRLF end a line */
enum strip { STRIP_NONE, STRIP_ONE, STRIP_ALL };
enum nuls { NUL_KEEP, NUL_SKIP, NUL_ENDS };

struct line_model {
    enum ends ends;
    enum strip strip; /* CRs before the end of the line */
    enum nuls nuls;
    bool trim; /* blanks before the end of the line */
};

/* Where a line would end that has an end at `at`: octets of the ending, or 0. */
static size_t ending(const struct line_model *m, struct span in, size_t at)
{
    bool lf_next = at + 1 < in.len && in.ptr[at + 1] == '\n';

    if (in.ptr[at] == '\r' && m->ends != END_LF)
        return lf_next ? 2 : m->ends == END_ANY;
    return in.ptr[at] == '\n' && m->ends != END_CRLF;
}

static bool is_dot(const struct line_model *m, struct span line)
{
    while (m->strip != STRIP_NONE && line.len > 0 && line.ptr[line.len - 1] == '\r') {
        line.len--;
        if (m->strip == STRIP_ONE)
            break;
    }
    if (m->nuls == NUL_ENDS)
        line.len = span_find(line, '\0');
    if (m->trim)
        line = span_trim_right(line);
    return line.len == 1 && line.ptr[0] == '.';
}

static long find_in_lines(const struct line_model *m, struct span in)
{
    size_t start = 0;

    for (size_t i = 0; i < in.len;) {
        size_t n = ending(m, in, i);
        if (n > 0 && is_dot(m, span_of(in.ptr + start, i - start)))
            return (long)(i + n);
        i += n > 0 ? n : 1;
        if (n > 0)
            start = i;
    }
    return MODEL_NO_END;
}

/* Lines are looked at without any NUL; the end is counted with them. */
static long find_without_nuls(const struct line_model *m, struct span in)
{
    static unsigned char kept[1 << 16];
    size_t len = 0;

    for (size_t i = 0; i < in.len && len < sizeof kept; i++)
        if (in.ptr[i] != '\0')
            kept[len++] = in.ptr[i];
    long end = find_in_lines(m, span_of(kept, len));
    if (end == MODEL_NO_END)
        return end;
    for (size_t i = 0, seen = 0; i < in.len; i++) {
        seen += in.ptr[i] != '\0';
        if (seen == (size_t)end)
            return (long)i + 1;
    }
    return MODEL_NO_END;
}

enum machine_state { BOL, DOT, DOT_CR, CR, OTHER };

/* Sendmail up to 8.17: CRLF and LF end lines; ". CR x" is forgotten. */
static long sendmail_lax(struct span in)
{
    enum machine_state s = BOL;

    for (size_t i = 0; i < in.len; i++) {
        unsigned char c = in.ptr[i];
        if ((s == DOT || s == DOT_CR) && c == '\n')
            return (long)i + 1;
        if (s == BOL && c == '.')
            s = DOT;
        else if (s == DOT && c == '\r')
            s = DOT_CR;
        else if (s == CR)
            s = c == '\n' ? BOL : c == '\r' ? CR : OTHER;
        else
            s = c == '\r' ? CR : c == '\n' ? BOL : OTHER;
    }
    return MODEL_NO_END;
}

/* Exim: in CRLF mode when the first line ended in CRLF, in LF mode otherwise. */
static long exim(struct span in, bool crlf_mode)
{
    enum machine_state s = BOL;

    for (size_t i = 0; i < in.len; i++) {
        unsigned char c = in.ptr[i];
        bool lf = c == '\n';
        if (lf && (s == DOT_CR || (s == DOT && !crlf_mode)))
            return (long)i + 1;
        if (s == BOL && c == '.')
            s = DOT;
        else if (s == DOT)
            s = c == '\r' ? DOT_CR : OTHER;
        else if (s == DOT_CR)
            s = c == '\r' ? CR : OTHER;
        else if (s == CR)
            s = lf ? BOL : c == '\r' ? CR : OTHER;
        else
            s = c == '\r' ? CR : lf && !crlf_mode ? BOL : OTHER;
    }
    return MODEL_NO_END;
}

static const struct {
    const char *name;
    struct line_model lines;
} models[] = {
    { "strict", { END_CRLF, STRIP_NONE, NUL_KEEP, false } },
    { "lf-strip1", { END_LF, STRIP_ONE, NUL_KEEP, false } },
    { "lf-stripall", { END_LF, STRIP_ALL, NUL_KEEP, false } },
    { "any", { END_ANY, STRIP_NONE, NUL_KEEP, false } },
    { "strict-nulskip", { END_CRLF, STRIP_NONE, NUL_SKIP, false } },
    { "lf-nulskip", { END_LF, STRIP_ALL, NUL_SKIP, false } },
    { "any-nulskip", { END_ANY, STRIP_NONE, NUL_SKIP, false } },
    { "strict-cstr", { END_CRLF, STRIP_NONE, NUL_ENDS, false } },
    { "lf-cstr", { END_LF, STRIP_ONE, NUL_ENDS, false } },
    { "any-cstr", { END_ANY, STRIP_NONE, NUL_ENDS, false } },
    { "strict-rtrim", { END_CRLF, STRIP_NONE, NUL_KEEP, true } },
    { "lf-rtrim", { END_LF, STRIP_ALL, NUL_KEEP, true } },
    { "any-rtrim", { END_ANY, STRIP_NONE, NUL_KEEP, true } },
};

enum { LINE_MODELS = ARRAY_LEN(models), SENDMAIL_LAX = LINE_MODELS, EXIM_CRLF, EXIM_LF };

_Static_assert(EXIM_LF + 1 == SMUGGLING_MODELS, "the header counts the models");

const char *smuggling_model_name(unsigned model)
{
    if (model < LINE_MODELS)
        return models[model].name;
    return model == SENDMAIL_LAX ? "sendmail-lax"
           : model == EXIM_CRLF  ? "exim-crlf"
                                 : "exim-lf";
}

long smuggling_model_end(unsigned model, struct span octets)
{
    if (model == SENDMAIL_LAX)
        return sendmail_lax(octets);
    if (model >= LINE_MODELS)
        return exim(octets, model == EXIM_CRLF);
    if (models[model].lines.nuls == NUL_SKIP)
        return find_without_nuls(&models[model].lines, octets);
    return find_in_lines(&models[model].lines, octets);
}
