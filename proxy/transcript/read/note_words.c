#include "transcript/read/note_words.h"

#include "smtp/notes.h"

#include <string.h>

static const char *const words[NOTE_COUNT] = {
#define WORDS(id, text) [NOTE_##id] = text,
#include "transcript/read/note_words.def"
#undef WORDS
};

const char *note_words(const char *name)
{
    for (unsigned id = 0; id < NOTE_COUNT; id++)
        if (strcmp(note_name((enum note_id)id), name) == 0)
            return words[id];
    return NULL;
}
