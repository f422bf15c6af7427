#include "smtp/notes.h"

#include "base/attributes.h"

#include <stddef.h>

static const char *const names[] = {
#define NOTE(id, name) name,
#include "smtp/notes.def"
#undef NOTE
};

_Static_assert(ARRAY_LEN(names) == NOTE_COUNT, "a note has no name");
_Static_assert(NOTE_COUNT <= 255, "note.id is one octet");

const char *note_name(enum note_id id)
{
    return names[id];
}

static const char *const refusals[NOTE_COUNT] = {
    [NOTE_DATA_BARE_LF] = "it contains LF without CR",
    [NOTE_DATA_BARE_CR] = "it contains CR without LF",
    [NOTE_DATA_CRCRLF] = "it contains a line that ends with CR CR LF",
    [NOTE_DATA_NUL] = "it contains a NUL character",
    [NOTE_DATA_DOT_UNSTUFFED] =
        "it contains a line that begins with a dot that was not doubled",
    [NOTE_DATA_EOD_LOOKALIKE] =
        "it contains a false end of data, a dot alone on a line that does "
        "not begin and end with CRLF",
    [NOTE_DATA_EOD_HIGHBIT] = "it contains a false end of data, written with 8-bit characters",
    [NOTE_BDAT_BARE_LF] = "a BDAT chunk contains NUL, or CR or LF not as CRLF",
};

const char *note_refusal(enum note_id id)
{
    return refusals[id] != NULL ? refusals[id] : "its content is not allowed here";
}

void notes_add(struct notes *n, enum note_id id, uint64_t at)
{
    for (unsigned i = 0; i < n->len; i++) {
        if (n->list[i].id == id) {
            n->list[i].count++;
            return;
        }
    }
    if (n->len < NOTES_MAX)
        n->list[n->len++] = (struct note){ .at = at, .count = 1, .id = (uint8_t)id };
}

void notes_drop(struct notes *n, enum note_id id)
{
    unsigned keep = 0;

    for (unsigned i = 0; i < n->len; i++)
        if (n->list[i].id != id)
            n->list[keep++] = n->list[i];
    n->len = (uint8_t)keep;
}

bool notes_has(const struct notes *n, enum note_id id)
{
    for (unsigned i = 0; i < n->len; i++)
        if (n->list[i].id == id)
            return true;
    return false;
}
