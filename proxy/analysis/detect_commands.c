/* detect_commands - commands as they came in: SV-04 and SV-05 seen from the far side of the box. */
#include "analysis/detect_private.h"

enum { RUN_MIN = 4, PAD_MIN = 4 };

static struct finding_draft draft_of_command(const struct detect_ctx *k, enum detector id,
                                             enum confidence confidence, struct span bytes)
{
    struct finding_draft h = detect_draft(id);

    h.side = BLAME_CLIENT;
    h.confidence = confidence;
    h.place = PLACE_COMMAND;
    h.line = k->line;
    draft_show(&h, "received", k->e->received, bytes);
    return h;
}

/* XXXX client.example: a verb that nobody sends. */
void x_echo_command(const struct detect_ctx *k)
{
    struct span word = detect_first_word(k->line);

    if (k->e->verb != VERB_UNKNOWN || word.len == 0 ||
        detect_find_x(word, RUN_MIN).len != word.len)
        return;
    struct finding_draft h = draft_of_command(k, SV_04, CONFIDENCE_HIGH, word);
    detect_report(
        k, &h, "A command arrived as \"%s\"%s: it was written over with X on its way here.",
        detect_show(h.bytes).text, word.len < k->line.len ? " with its arguments" : "");
}

/* NOOP and blanks, as long as what was there. */
void noop_padding(const struct detect_ctx *k)
{
    struct span pad = span_drop(k->line, 4);
    bool first = !k->d->commanded;

    if (k->e->verb != VERB_NOOP || pad.len < PAD_MIN || span_trim_left(pad).len > 0)
        return;
    struct finding_draft h =
        draft_of_command(k, SV_05, first ? CONFIDENCE_HIGH : CONFIDENCE_MEDIUM, k->line);
    detect_report(k, &h,
                  "NOOP arrived with %zu blanks after it%s: another command of that length was "
                  "probably written over.",
                  pad.len, first ? " where EHLO should be" : "");
}
