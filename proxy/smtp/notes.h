/*
 * notes - names for what is odd in a session: an id, where, how often.
 *
 * A set of notes holds each id once, with the offset of its first occurrence in
 * its stream and a count; repeats only raise the count. So its size is bounded
 * whatever a peer sends.
 */
#ifndef SMTP_NOTES_H
#define SMTP_NOTES_H

#include <stdbool.h>
#include <stdint.h>

enum note_id {
#define NOTE(id, name) NOTE_##id,
#include "smtp/notes.def"
#undef NOTE
    NOTE_COUNT,
    NOTE_NONE = NOTE_COUNT
};

const char *note_name(enum note_id id);
/* Why mail is refused for it, for the sender: what follows "Message refused: ". */
const char *note_refusal(enum note_id id);

struct note {
    uint64_t at; /* octet offset in the stream of the side it was seen on */
    uint32_t count;
    uint8_t id; /* enum note_id */
};

enum { NOTES_MAX = 8 };

struct notes {
    struct note list[NOTES_MAX];
    uint8_t len;
};

/* A ninth different id is dropped: no line earns so many. */
void notes_add(struct notes *n, enum note_id id, uint64_t at);
/* Takes it back. */
void notes_drop(struct notes *n, enum note_id id);
bool notes_has(const struct notes *n, enum note_id id);

#endif
