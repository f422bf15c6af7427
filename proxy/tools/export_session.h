/*
 * export_session - the records of one session as what was said on its two legs.
 *
 * The client's leg has what the client sent and got, the server's what was sent on and
 * answered. Where both have the same ends (an imported capture) there is one leg.
 *
 * Owns: what was said, until it is written; that is when the session ends, or at
 * EXPORT_SESSION_MAX octets.
 */
#ifndef TOOLS_EXPORT_SESSION_H
#define TOOLS_EXPORT_SESSION_H

#include "export_talk.h"

#include "transcript/read/reader.h"

enum { EXPORT_SESSION_MAX = 4 << 20 };

struct export_session {
    struct export_session *next;
    char sid[27];
    struct leg leg[2]; /* by enum side: whose */
    struct talk talk;
    const char *spool;
    bool upstream; /* the server's leg is there */
    bool single;   /* and is the client's */
    bool tls[2];   /* the leg's octets were counted as ciphertext */
    bool ended;    /* the close record was seen */
    bool out_of_memory;
    char client[80], server[80];
    uint64_t client_us; /* when the client last said something */
    /* Of the last BDAT content: what no chunk has got yet, by leg. */
    uint64_t chunks_left[2], chunks_at[2];
    char chunks_file[TALK_FILE_MAX];
};

void export_session_init(struct export_session *s, const char *sid, FILE *out,
                         const char *spool);
/* Writes what was not written yet. */
void export_session_deinit(struct export_session *s);
/* False: memory is out. */
MUST_CHECK bool export_session_take(struct export_session *s, const struct record *r);
void export_session_flush(struct export_session *s);

#endif
