/*
 * detect_commands - commands as they came in: SV-04 and SV-05 seen from behind the box, and
 * what the other detectors must know of them.
 */
#include "analysis/detect_private.h"

enum { RUN_MIN = 4, PAD_MIN = 4 };

static struct span without_ending(struct span line)
{
    while (line.len > 0 && (line.ptr[line.len - 1] == '\n' || line.ptr[line.len - 1] == '\r'))
        line.len--;
    return line;
}

/* XXXX client.example: a verb that nobody sends. */
static void look_for_crossed_out(const struct look *k, struct span line)
{
    struct span word = detect_first_word(line), run = detect_find_x(word, RUN_MIN);
    struct hint h = detect_hint(SV_04);

    if (run.len == 0 || run.len != word.len)
        return;
    h.side = BLAME_CLIENT;
    h.confidence = CONFIDENCE_HIGH;
    h.place = PLACE_COMMAND;
    h.line = line;
    hint_show(&h, "received", k->e->received, word);
    detect_tell(k, &h,
                "A command arrived as \"%s\"%s: it was written over with X on its way here.",
                detect_show(h.bytes).text, word.len < line.len ? " with its arguments" : "");
}

/* NOOP and blanks, as long as what was there. */
static void look_for_padding(const struct look *k, struct span line)
{
    struct span pad = span_drop(line, 4);
    struct hint h = detect_hint(SV_05);

    if (k->e->verb != VERB_NOOP || pad.len < PAD_MIN || span_trim_left(pad).len > 0)
        return;
    h.side = BLAME_CLIENT;
    h.confidence = k->d->commanded ? CONFIDENCE_MEDIUM : CONFIDENCE_HIGH;
    h.place = PLACE_COMMAND;
    h.line = line;
    hint_show(&h, "received", k->e->received, line);
    detect_tell(k, &h,
                "NOOP arrived with %zu blanks behind it%s: another command of that length was "
                "probably written over.",
                pad.len, k->d->commanded ? "" : " where EHLO should be");
}

/* SIZE=n among the parameters (RFC 1870 6). */
static uint64_t declared_size(struct span arg)
{
    size_t i = span_find(arg, '>');

    for (i = i < arg.len ? i : 0; i + 5 < arg.len; i++)
        if (arg.ptr[i] == ' ' &&
            span_starts_with_nocase(span_drop(arg, i + 1), SPAN_LIT("SIZE=")))
            return detect_number(span_drop(arg, i + 6));
    return 0;
}

static void remember(const struct look *k, struct span line)
{
    struct detect *d = k->d;

    if (k->e->verb == VERB_MAIL)
        d->size_declared = declared_size(k->e->arg);
    /* What is an echo of it later must not be taken for a mask. */
    if (!d->said_x && detect_find_x(line, RUN_MIN).len > 0)
        d->said_x = true;
}

void command_look(const struct look *k)
{
    struct span line = without_ending(k->e->received);

    if (line.len == 0 || k->e->verb == VERB_DOT)
        return;
    if (!k->e->auth_line && k->e->secret.len == 0) {
        if (k->e->verb == VERB_UNKNOWN)
            look_for_crossed_out(k, line);
        look_for_padding(k, line);
        remember(k, line);
    }
    k->d->commanded = true;
}
