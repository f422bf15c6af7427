/*
 * export_talk - what was said on the legs of a session, put in order by time, then turned into
 * packets.
 *
 * Owns: the utterances and their octets, until talk_flush(). Mail data stays in its file.
 */
#ifndef TOOLS_EXPORT_TALK_H
#define TOOLS_EXPORT_TALK_H

#include "export_leg.h"

#include "base/attributes.h"

enum { TALK_HOLES_MAX = 17, TALK_REMARK_MAX = 1024, TALK_FILE_MAX = 64 };

enum talk_kind {
    TALK_OPEN,   /* the leg's handshake */
    TALK_SAY,    /* octets */
    TALK_TELL,   /* a remark, no octets */
    TALK_REFUSED /* the remark says why the leg was not connected */
};

/* Octets that are not kept, in front of utterance.octets[at]. */
struct hole {
    size_t at;
    uint64_t octets;
};

struct utterance {
    enum talk_kind kind;
    uint64_t t_us, lasts_us;
    uint32_t n;     /* of its record */
    uint32_t phase; /* in its record: what came first */
    enum side leg, from;
    bool placed; /* `at` is known: */
    uint64_t at; /* offset in the stream */
    unsigned char *octets;
    size_t len;
    struct hole holes[TALK_HOLES_MAX];
    unsigned hole_count;
    const char *why;          /* the holes */
    bool chunk;               /* of BDAT: the content's record is still to come */
    char file[TALK_FILE_MAX]; /* what fills hole 0, when not empty */
    uint64_t file_at;
    char remark[TALK_REMARK_MAX];
};

struct talk {
    struct utterance **list;
    size_t count, size;
    size_t memory;
};

/* A copy of it; the octets are the talk's from here on, also when this fails. */
MUST_CHECK bool talk_add(struct talk *t, const struct utterance *u);
void talk_remark(struct utterance *u, const char *text);
/* The last one of this record and phase on that leg, or NULL. */
struct utterance *talk_find(const struct talk *t, uint32_t n, uint32_t phase, enum side leg);
/* All of it as packets; `legs` by enum side, `spool`: the folder of mail data, or NULL. */
void talk_flush(struct talk *t, struct leg legs[2], const char *spool);
void talk_deinit(struct talk *t);

#endif
