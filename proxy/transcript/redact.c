#include "transcript/redact.h"

#include "smtp/reply.h"
#include "smtp/secrecy.h"

#include <stdlib.h>

enum { CODE_OCTETS = 4 };

static void cut_add(struct cuts *c, size_t at, size_t end, size_t text_len)
{
    if (at >= end)
        return;
    if (c->len == CUTS_MAX) {
        struct cut *last = &c->list[CUTS_MAX - 1];
        last->octets = text_len - last->at;
        return;
    }
    c->list[c->len++] = (struct cut){ at, end - at };
}

/* What cannot belong to an unquoted local part, and so begins one behind it. */
static bool is_border(unsigned char c)
{
    return c <= ' ' || c == 0x7f || memchr("<>()[]:;,=\"'", c, 12) != NULL;
}

/* Every "local@": the local part. */
static void cut_addresses(struct cuts *c, struct span text, size_t from)
{
    for (size_t at = from; at < text.len; at++) {
        size_t begin;

        at += span_find(span_drop(text, at), '@');
        if (at >= text.len)
            return;
        for (begin = at; begin > from && !is_border(text.ptr[begin - 1]); begin--)
            continue;
        cut_add(c, begin, at, text.len);
        from = at + 1;
    }
}

static size_t find_last(struct span s, unsigned char c)
{
    const unsigned char *p = s.len ? memrchr(s.ptr, c, s.len) : NULL;

    return p ? (size_t)(p - s.ptr) : s.len;
}

/* Length of the path that begins the text: to ">" outside quotes, or to a blank. */
static size_t path_len(struct span s, bool brackets)
{
    bool quoted = false;
    size_t i;

    for (i = 0; i < s.len && s.ptr[i] != '\r' && s.ptr[i] != '\n'; i++) {
        unsigned char c = s.ptr[i];
        if (c == '\\' && quoted && i + 1 < s.len)
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (brackets ? c == '>' : span_is_blank_char(c)))
            break;
    }
    return i < s.len ? i : s.len;
}

/* MAIL and RCPT: the local part of the path, whatever it is made of; a source route stays.
 * Returns where the path ends. */
static size_t cut_path(struct cuts *c, struct span line)
{
    size_t colon = span_find(line, ':'), open = span_find(line, '<');
    bool brackets = open < line.len;
    size_t begin = brackets ? open + 1 : colon + 1;

    if (begin >= line.len)
        return 0;
    while (begin < line.len && span_is_blank_char(line.ptr[begin]))
        begin++;
    struct span path = span_drop(line, begin);
    path.len = path_len(path, brackets);
    size_t end = begin + path.len;
    if (path.len > 0 && path.ptr[0] == '@') {
        size_t route = span_find(path, ':');
        begin += route < path.len ? route + 1 : 0;
        path = span_of(line.ptr + begin, end - begin);
    }
    size_t at = find_last(path, '@');
    cut_add(c, begin, begin + at, line.len);
    return end;
}

static void cut_argument(struct cuts *c, const struct event *e, struct span line)
{
    size_t begin = e->word.len, end = line.len;

    while (begin < line.len && span_is_blank_char(line.ptr[begin]))
        begin++;
    while (end > begin && (line.ptr[end - 1] == '\n' || line.ptr[end - 1] == '\r'))
        end--;
    cut_add(c, begin, end, line.len);
}

/* A line as it was sent on holds the same secret at another place. */
static struct span secret_in(const struct event *e, struct span line)
{
    struct span secret = span_trim(e->secret);
    const unsigned char *p;

    if (e->secret.len == 0 || line.ptr == e->received.ptr)
        return e->secret;
    p = memmem(line.ptr, line.len, secret.ptr, secret.len);
    return p != NULL ? span_of(p, secret.len) : line;
}

void redact_line(struct cuts *c, const struct event *e, enum redact_level level,
                 struct span line)
{
    c->len = 0;
    if (level == REDACT_NONE || line.len == 0)
        return;
    struct span secret = secret_in(e, line);
    if (secret.len > 0) {
        size_t at = (size_t)(secret.ptr - line.ptr);
        cut_add(c, at, at + secret.len, line.len);
        return;
    }
    if (level != REDACT_ALL || e->verb == VERB_EHLO || e->verb == VERB_HELO)
        return;
    if (e->verb == VERB_VRFY || e->verb == VERB_EXPN)
        cut_argument(c, e, line);
    else
        cut_addresses(c, line,
                      e->verb == VERB_MAIL || e->verb == VERB_RCPT ? cut_path(c, line) : 0);
}

/* Marks of one line that follow each other are one cut, with the blanks between them. */
static void cut_marks(struct cuts *c, struct span reply, const bool *marks)
{
    for (size_t at = 0; at < reply.len; at++) {
        size_t end = at;

        if (!marks[at])
            continue;
        for (size_t i = at; i < reply.len && (marks[i] || span_is_blank_char(reply.ptr[i]));
             i++)
            end = marks[i] ? i + 1 : end;
        cut_add(c, at, end, reply.len);
        at = end;
    }
}

/* A server that repeats the line it did not understand repeats its secret. */
static void cut_echo(struct cuts *c, const struct event *e, struct span reply)
{
    bool *marks;

    if (e->secrecy == NULL)
        return;
    marks = calloc(reply.len, sizeof *marks);
    if (marks == NULL) {
        cut_add(c, CODE_OCTETS, reply.len, reply.len);
        return;
    }
    secrecy_mark(e->secrecy, reply, marks);
    cut_marks(c, reply, marks);
    free(marks);
}

/* All addresses of a text in which secrets are cut. */
static void cut_names_too(struct cuts *c, struct span text)
{
    struct cuts secrets = *c, names;
    unsigned i = 0, k = 0;

    names.len = 0;
    cut_addresses(&names, text, 0);
    c->len = 0;
    while (i < secrets.len || k < names.len) {
        bool secret =
            k == names.len || (i < secrets.len && secrets.list[i].at <= names.list[k].at);
        struct cut one = secret ? secrets.list[i++] : names.list[k++];
        cut_add(c, one.at, one.at + one.octets, text.len);
    }
}

void redact_reply(struct cuts *c, const struct event *e, enum redact_level level,
                  struct span reply)
{
    c->len = 0;
    if (level == REDACT_NONE || reply.len == 0)
        return;
    cut_echo(c, e, reply);
    if (level == REDACT_ALL)
        cut_names_too(c, reply);
}

void redact_sample(struct cuts *c, const struct event *e, enum redact_level level,
                   enum side side)
{
    const struct opaque_sample *sample = e->opaque_sample;
    struct span text = span_of(sample->octets[side], sample->len[side]);
    struct span secret = sample->secret[side], front = text;

    c->len = 0;
    if (level == REDACT_NONE)
        return;
    if (secret.len > 0)
        front = span_first(text, (size_t)(secret.ptr - text.ptr));
    if (side == SERVER && front.len > 0)
        cut_echo(c, e, front);
    if (level == REDACT_ALL)
        cut_names_too(c, front);
    cut_add(c, front.len, front.len + secret.len, text.len);
}

void redact_text(struct json *j, const struct cuts *c, struct span s, size_t from)
{
    size_t at = 0;

    *j->p++ = '"';
    for (unsigned i = 0; i < c->len; i++) {
        size_t begin = c->list[i].at, end = begin + c->list[i].octets;
        if (end <= from + at || begin >= from + s.len)
            continue;
        begin = begin > from + at ? begin - from : at;
        json_octets(j, span_of(s.ptr + at, begin - at));
        JSON_LIT(j, "***");
        at = end - from < s.len ? end - from : s.len;
    }
    json_octets(j, span_drop(s, at));
    *j->p++ = '"';
}

bool redact_reply_copy(const struct event *e, enum redact_level level, struct buf *copy)
{
    struct cuts cuts;
    size_t at = 0;

    buf_init(copy, REPLY_MAX + CUTS_MAX * 3);
    if (level == REDACT_NONE || e->reply.len == 0 || e->secrecy == NULL)
        return false;
    redact_reply(&cuts, e, REDACT_SECRETS, e->reply);
    if (cuts.len == 0)
        return false;
    for (unsigned i = 0; i < cuts.len; i++) {
        struct cut cut = cuts.list[i];
        if (!buf_append(copy, span_of(e->reply.ptr + at, cut.at - at)) ||
            !buf_append(copy, SPAN_LIT("***")))
            goto no_memory;
        at = cut.at + cut.octets;
    }
    if (buf_append(copy, span_drop(e->reply, at)))
        return true;
no_memory:
    buf_release(copy);
    return true;
}
