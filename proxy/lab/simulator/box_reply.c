/* What a box does to replies: in place, or to a whole one. */
#include "lab/simulator/box_private.h"

#include <stdio.h>

enum { REPLY_LINES_MAX = 128 };

/* ---- in place ---- */

static bool banner_keeps(unsigned char c, unsigned char last)
{
    return c == '2' || c == '0' || (c == ' ' && last == '0');
}

static void mask_banner(struct box *b, unsigned char *p, size_t len)
{
    static const char cmap[] = "SMTP/cmap ready";
    unsigned skip = 4u - b->head_len;

    for (size_t i = 0; i < len; i++) {
        unsigned char c = p[i], last = b->banner_last;

        b->banner_last = c;
        if (i < skip || c == '\r' || c == '\n')
            continue;
        if (b->rules->banner == BANNER_MASKED && !banner_keeps(c, last))
            p[i] = '*';
        else if (b->rules->banner == BANNER_STARS)
            p[i] = '*';
        else if (b->rules->banner == BANNER_CMAP)
            p[i] = i - skip < sizeof cmap - 1 ? (unsigned char)cmap[i - skip] : '_';
    }
}

/* XXXXXXXA, XXXB: the last letter counts. */
static void mask_keyword(struct box *b, unsigned char *p, size_t len)
{
    size_t n = 4;

    while (n < len && p[n] != ' ' && p[n] != '\r' && p[n] != '\n')
        n++;
    if (b->head_len > 0 || b->reply_lines == 0 || n == 4 ||
        list_has(b->rules->ehlo.clear, span_of(p + 4, n - 4)))
        return;
    memset(p + 4, 'X', n - 4);
    p[n - 1] = (unsigned char)('A' + b->masked++ % 26);
}

void reply_judge_read(struct box *b, unsigned char *piece, size_t len)
{
    const struct expected *e = box_expected(b);

    if (e != NULL && e->verb == VERB_GREETING && b->rules->banner != BANNER_KEPT)
        mask_banner(b, piece, len);
    else if (e != NULL && e->verb == VERB_EHLO && b->rules->ehlo.clear != NULL && len > 4 &&
             memcmp(piece, "250", 3) == 0)
        mask_keyword(b, piece, len);
}

/* ---- whole replies ---- */

struct reply {
    struct span lines[REPLY_LINES_MAX]; /* without ending */
    unsigned count;
};

/* False: too many lines to look at. */
static bool reply_split(struct reply *r, struct span text)
{
    for (r->count = 0; text.len > 0; r->count++) {
        size_t n = span_find(text, '\n');

        if (r->count == REPLY_LINES_MAX)
            return false;
        r->lines[r->count] = command_split(span_first(text, n + 1)).text;
        text = span_drop(text, n + 1);
    }
    return r->count > 0;
}

static struct span line_text(struct span line)
{
    return span_drop(line, 4);
}

static struct span line_keyword(struct span line)
{
    struct span text = line_text(line);

    return span_first(text, span_find(text, ' '));
}

static void emit_line(struct box *b, struct span code, char mark, struct span text)
{
    box_emit(b, CLIENT, code);
    box_emit(b, CLIENT, span_of(&mark, 1));
    box_emit(b, CLIENT, text);
    box_emit_text(b, CLIENT, "\r\n");
}

/* The first word that the server greets with goes in for %h. */
static void emit_banner(struct box *b, struct span reply)
{
    struct span name = line_text(span_first(reply, span_find(reply, '\r')));
    const char *text = b->rules->banner_text, *at = strstr(text, "%h");

    if (at == NULL) {
        box_emit_text(b, CLIENT, text);
        return;
    }
    box_emit(b, CLIENT, span_of(text, (size_t)(at - text)));
    box_emit(b, CLIENT, span_first(name, span_find(name, ' ')));
    box_emit_text(b, CLIENT, at + 2);
}

static bool ehlo_drops(const struct ehlo_rules *r, struct span line, bool last)
{
    struct span keyword = line_keyword(line);

    return (r->keep != NULL && !list_has(r->keep, keyword)) ||
           (r->drop != NULL && list_has(r->drop, keyword)) ||
           (r->drop_middle != NULL && !last && list_has(r->drop_middle, keyword)) ||
           (r->drop_last && last);
}

static bool ehlo_has(const struct reply *r, struct span keyword)
{
    for (unsigned i = 1; i < r->count; i++)
        if (span_equal_nocase(line_keyword(r->lines[i]), keyword))
            return true;
    return false;
}

static void ehlo_line(struct box *b, char mark, struct span line)
{
    const struct ehlo_rules *r = &b->rules->ehlo;
    struct span text = line_text(line), word = line_keyword(line);
    char size[32], star[BOX_COMMAND_MAX];

    if (r->size_most > 0 && span_equal_nocase(word, SPAN_LIT("SIZE"))) {
        uint64_t n = 0;
        for (size_t i = 5; i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9'; i++)
            n = n < UINT64_MAX / 16 ? n * 10 + (text.ptr[i] - '0') : n;
        n = n == 0 || n > r->size_most ? r->size_most : n;
        text = span_of(size, (size_t)snprintf(size, sizeof size, "SIZE %ju", (uintmax_t)n));
    }
    if (r->star != NULL && list_has(r->star, word) && word.len > 3 && text.len < sizeof star) {
        memcpy(star, text.ptr, text.len);
        star[3] = '*';
        text = span_of(star, text.len);
    }
    emit_line(b, SPAN_LIT("250"), mark, text);
}

/* What is left of the keywords. */
static void ehlo_select(const struct ehlo_rules *rules, const struct reply *all,
                        struct reply *out)
{
    out->count = 1;
    out->lines[0] = all->lines[0];
    for (unsigned i = 1; i < all->count; i++)
        if (!ehlo_drops(rules, all->lines[i], i == all->count - 1))
            out->lines[out->count++] = all->lines[i];
    if (rules->add_missing != NULL && out->count < REPLY_LINES_MAX) {
        struct span line = span_str(rules->add_missing);
        if (!ehlo_has(out, line_keyword(line)))
            out->lines[out->count++] = line;
    }
    if (rules->add != NULL && out->count < REPLY_LINES_MAX)
        out->lines[out->count++] = span_str(rules->add);
}

static void reply_ehlo(struct box *b, const struct reply *all)
{
    const struct ehlo_rules *rules = &b->rules->ehlo;
    struct reply left;

    ehlo_select(rules, all, &left);
    if (rules->name != NULL)
        emit_line(b, SPAN_LIT("250"), left.count > 1 ? '-' : ' ', span_str(rules->name));
    for (unsigned i = rules->name != NULL; i < left.count; i++) {
        bool last = i == left.count - 1;
        bool same = left.lines[i].ptr == all->lines[all->count - 1].ptr;
        ehlo_line(b, last && (!rules->dangling || same) ? ' ' : '-', left.lines[i]);
    }
}

/* RFC 821's texts, by their code. */
static const char *template_of(unsigned code)
{
    static const struct {
        unsigned code;
        const char *text;
    } texts[] = {
        { 211, "System status, or system help reply" },
        { 214, "Help message" },
        { 220, "Service ready" },
        { 221, "Service closing transmission channel" },
        { 250, "Requested mail action okay, completed" },
        { 354, "Start mail input; end with <CRLF>.<CRLF>" },
        { 421, "Service not available, closing transmission channel" },
        { 450, "Requested mail action not taken: mailbox unavailable" },
        { 451, "Requested action aborted: local error in processing" },
        { 452, "Requested action not taken: insufficient system storage" },
        { 500, "Syntax error, command unrecognized" },
        { 501, "Syntax error in parameters or arguments" },
        { 502, "Command not implemented" },
        { 503, "Bad sequence of commands" },
        { 550, "Requested action not taken: mailbox unavailable" },
        { 552, "Requested mail action aborted: exceeded storage allocation" },
        { 554, "Transaction failed" },
    };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (texts[i].code == code)
            return texts[i].text;
    return "OK";
}

/* "5.7.1 " at the front is left out. */
static struct span without_status(struct span text)
{
    unsigned dots = 0;
    size_t i = 1;

    if (text.len < 5 || (text.ptr[0] != '2' && text.ptr[0] != '4' && text.ptr[0] != '5'))
        return text;
    for (; i < text.len && (text.ptr[i] == '.' || (text.ptr[i] >= '0' && text.ptr[i] <= '9'));
         i++)
        dots += text.ptr[i] == '.';
    return dots == 2 && i < text.len && text.ptr[i] == ' ' ? span_drop(text, i + 1) : text;
}

static void reply_line(struct box *b, struct span line)
{
    struct span code = span_first(line, 3), text = line_text(line);
    char mark = line.len > 3 ? (char)line.ptr[3] : ' ';

    if (b->rules->reply == REPLY_STRIPPED)
        text = without_status(text);
    if (b->rules->reply == REPLY_CUT)
        text = span_first(text, 508); /* 512 with the code */
    emit_line(b, code, mark, text);
}

static unsigned code_of(struct span line)
{
    unsigned code = 0;

    for (size_t i = 0; i < 3 && i < line.len; i++)
        code = code * 10 + (line.ptr[i] - (unsigned)'0');
    return code;
}

static bool ehlo_is_judged(const struct ehlo_rules *r)
{
    return r->name != NULL || r->keep != NULL || r->drop != NULL || r->drop_middle != NULL ||
           r->star != NULL || r->add != NULL || r->add_missing != NULL || r->size_most > 0 ||
           r->drop_last;
}

void reply_judge(struct box *b, unsigned verb, struct span text)
{
    const struct rules *r = b->rules;
    struct reply reply;

    if (text.len == 0)
        return;
    bool ok = text.ptr[0] == '2' && reply_split(&reply, text);
    if (verb == VERB_GREETING && ok && r->banner == BANNER_TEXT) {
        emit_banner(b, text);
    } else if (verb == VERB_EHLO && ok && code_of(text) == 250 && ehlo_is_judged(&r->ehlo)) {
        reply_ehlo(b, &reply);
    } else if (r->reply == REPLY_KEPT || verb == VERB_GREETING || verb == VERB_EHLO ||
               verb >= VERB_COUNT || !reply_split(&reply, text)) {
        box_emit(b, CLIENT, text);
    } else if (r->reply == REPLY_FLATTENED && reply.count > 1) {
        emit_line(b, span_first(reply.lines[0], 3), ' ',
                  span_str(template_of(code_of(reply.lines[0]))));
    } else {
        for (unsigned i = 0; i < reply.count; i++)
            reply_line(b, reply.lines[i]);
    }
}
