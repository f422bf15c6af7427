/*
 * sessions - those of a file by id, while it is read: which are open, and which have ended a
 * short while ago.
 *
 * Both lists are in the order in which sessions came to them, so that the oldest can be given
 * up when there are too many: a reader of transcripts must not grow with them.
 *
 * Owns nothing: the caller's struct begins with a session_node, and is the caller's to free
 * once it was removed.
 */
#ifndef TRANSCRIPT_READ_SESSIONS_H
#define TRANSCRIPT_READ_SESSIONS_H

#include "base/list.h"
#include "base/sid.h"

#include <stdbool.h>

enum { SESSIONS_BUCKETS = 65536 };

struct session_node {
    struct session_node *chain; /* of its bucket */
    struct list by_age;
    bool ended;
    char sid[SID_TEXT + 1];
};

struct session_list {
    struct list oldest_first;
    unsigned len;
};

/* All zero: empty. */
struct sessions {
    struct session_list open, ended;
    struct session_node *bucket[SESSIONS_BUCKETS];
};

/* NULL: there is none. */
struct session_node *sessions_find(const struct sessions *all, const char *sid);
/* A new one, that is open. */
void sessions_add(struct sessions *all, struct session_node *s, const char *sid);
/* The oldest that is open, or of those that ended; NULL: there is none. */
struct session_node *sessions_oldest_of(const struct session_list *l);
/* From the open ones to those that ended. */
void sessions_end(struct sessions *all, struct session_node *s);
void sessions_remove(struct sessions *all, struct session_node *s);
/* The oldest of those that ended, then the oldest open one; NULL: none is left. */
struct session_node *sessions_oldest(const struct sessions *all);

#endif
