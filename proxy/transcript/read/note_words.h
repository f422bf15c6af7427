/* note_words - what the names of notes mean, in plain words. */
#ifndef TRANSCRIPT_READ_NOTE_WORDS_H
#define TRANSCRIPT_READ_NOTE_WORDS_H

/* NULL for a name that is not known. */
const char *note_words(const char *name);

#endif
