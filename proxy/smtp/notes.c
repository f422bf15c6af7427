#include "smtp/notes.h"

#include "base/attributes.h"

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
