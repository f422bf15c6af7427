/*
 * detect_private - what the detectors share: detect*.c only.
 *
 * A detector is a function over one record. It sees the session's block and the memory of
 * many sessions, and tells. Peer-controlled text in what it tells is escaped, and holds no
 * address and no argument of a command: findings are kept where addresses may be redacted.
 */
#ifndef ANALYSIS_DETECT_PRIVATE_H
#define ANALYSIS_DETECT_PRIVATE_H

#include "analysis/detect.h"
#include "smtp/ehlo.h"

enum detector {
#define DETECTOR(number, id, name, severity, next) SV_##number,
#include "analysis/detectors.def"
#undef DETECTOR
    DETECTOR_COUNT
};

enum {
    SILENCE_US = 10000000, /* so long without an octet is more than slow */
    PATIENCE_US = 1000000, /* a time limit of this proxy that is shorter says nothing */
};

/*
 * What may be ended by a box: a verb, the greeting, or mail data; by itself or with a line
 * longer than 512 octets. A bit of a 64-bit set.
 */
enum { ACT_GREETING = VERB_COUNT, ACT_CONTENT, ACT_COUNT };
_Static_assert(2 * ACT_COUNT <= 64, "acts are bits of a set");

/* A command that had no reply when the session ended: the first of them. */
struct unanswered {
    uint64_t t_us;
    uint64_t idle_us; /* silence before it */
    uint32_t n;       /* its record; 0: none */
    uint8_t verb, act;
    bool batched; /* came in one read with the one before it */
    bool split;   /* an end of data that came in more than one read */
};

/* One session. Every live session holds one: keep it small. */
struct detect {
    uint64_t upstream, client;                       /* keys of the memory; 0: not known */
    uint64_t offered;                                /* ehlo_set of the last reply to EHLO */
    uint64_t size_offered;                           /* SIZE n; 0: none or no limit */
    uint64_t size_declared;                          /* MAIL ... SIZE=n; 0: none */
    uint64_t answered;                               /* set of acts */
    uint64_t heard_us;                               /* end of the last record */
    uint64_t server_octets;                          /* in the replies so far */
    uint64_t content_at, content_octets, content_us; /* of the last message */
    struct unanswered unanswered;
    uint32_t told; /* set of detectors */
    uint32_t banner_hash;
    uint32_t mask_n;        /* record of a greeting with few stars, not yet told */
    unsigned char mask[24]; /* its octets */
    uint8_t mask_len, mask_at;
    uint8_t enhanced; /* replies with an enhanced code, up to 255 */
    bool greeted : 1, commanded : 1, said_x : 1, turned_away : 1, secure : 1, encoded : 1;
    bool in_content : 1, content_cut : 1, last_answered : 1, is_product : 1;
    bool tail_split : 1;   /* CRLF . CRLF came in more than one read */
    bool behind_chunk : 1; /* what was answered last is BDAT */
};
_Static_assert(sizeof(struct detect) <= 256, "every live session holds one");

/* One record under the eyes of all detectors. */
struct look {
    struct detect *d;
    const struct detect_env *env;
    const struct seen *s;
    const struct event *e; /* s->event; NULL: this kind of record has none */
};

/* ---- telling: detect_tell.c ---- */

struct hint {
    enum detector id;
    enum severity severity;
    enum confidence confidence;
    enum blame side;
    uint32_t record;   /* 0: the one looked at */
    const char *field; /* constant; NULL: no place */
    uint64_t at;
    struct span bytes;          /* cut to FINDING_BYTES_MAX, and in front of addresses */
    enum catalogue_place place; /* what `line` is, for products */
    struct span line;           /* empty: nothing to match with */
};

/* With the severity of the table, confidence medium, and the server's side. */
struct hint detect_hint(enum detector id);
/* bytes lie in `whole`, which is the field. */
void hint_show(struct hint *h, const char *field, struct span whole, struct span bytes);
bool detect_is_told(const struct detect *d, enum detector id);
/* The entry explains what this detector finds. */
bool detect_names(const struct catalogue_entry *e, enum detector id);
/* Each detector once in a session, but for those of content: once for each message. */
void detect_tell(const struct look *k, const struct hint *h, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

struct shown {
    char text[72];
};
/* Text of a peer for a sentence. */
struct shown detect_show(struct span text);

/* ---- replies, line by line: detect_lines.c ---- */

struct reply_line {
    struct span whole; /* without its ending */
    struct span text;  /* behind the code and its separator */
};
/* Takes the next line from *rest; false: no more. */
bool detect_next_line(struct span *rest, struct reply_line *line);
struct span detect_first_word(struct span text);
/* The text behind an enhanced status code. */
struct span detect_plain_text(struct span text);
/* The digits at the front. */
uint64_t detect_number(struct span text);
bool detect_has_word(struct span text, const char *word); /* anywhere, in any case */
unsigned detect_code(struct span reply);
/* The first run of at least `least` X; empty: there is none. */
struct span detect_find_x(struct span text, size_t least);
/* An entry that fits and names the finding, remembering texts that fit nothing. */
const struct catalogue_entry *detect_match(const struct look *k, enum catalogue_place place,
                                           struct span line, enum detector id);
uint64_t detect_hash(const void *text, size_t len);

/* ---- the memory of many sessions: detect_memory.c ---- */

/* One upstream, or one client. */
struct known {
    uint64_t key;
    uint64_t killed;     /* acts with kills > 0 */
    uint64_t offered[2]; /* ehlo_set, in the clear and with TLS */
    uint64_t stall_at;   /* octets of mail data that were acknowledged when it stalled */
    uint64_t eod;        /* client and size of a mail whose end was not answered */
    int64_t size_delta;
    uint32_t idle_least_ms;
    uint16_t newer, older, chain; /* links */
    uint8_t kills[2 * ACT_COUNT];
    uint8_t samples[2], drifts;
    uint8_t tls_seen, tls_failed;
    uint8_t stalls, eods, size_same;
};

/* NULL: not known. */
struct known *memory_find(struct detect_memory *m, uint64_t key);
/* Makes room by forgetting the oldest; NULL for key 0. */
struct known *history_get(struct detect_memory *m, uint64_t key);
/* Is it remembered that this text fits no pattern? */
bool is_known_unmatched(const struct detect_memory *m, uint64_t text);
void memory_set_quiet(struct detect_memory *m, uint64_t text);

/* ---- the detectors, by topic ---- */

void greeting_look(const struct look *k);
/* The few stars of a greeting are told when it is known what else is masked. */
void greeting_settle(const struct look *k);
void ehlo_look(const struct look *k);
void memory_look_ehlo(const struct look *k, ehlo_set offered);
void command_look(const struct look *k);
void reply_look(const struct look *k);
void promise_look(const struct look *k);
void tls_look(const struct look *k);
void starttls_look(const struct look *k);
void content_look(const struct look *k);
void close_look(const struct look *k);

#endif
