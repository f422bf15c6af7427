/*
 * detect_private - what the detectors share: detect*.c only.
 *
 * A detector is a function over one record. It sees the session's block and the memory of
 * many sessions, and reports. Peer-controlled text in what it reports is escaped, and holds no
 * address and no argument of a command: findings are kept where addresses may be redacted.
 */
#ifndef ANALYSIS_DETECT_PRIVATE_H
#define ANALYSIS_DETECT_PRIVATE_H

#include "analysis/detect.h"
#include "smtp/ehlo.h"

enum detector {
#define DETECTOR(number, id, name, severity, looks, next) SV_##number,
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
    uint32_t reported; /* set of detectors */
    uint32_t banner_hash;
    uint32_t mask_n;        /* record of a greeting with few stars, not yet reported */
    unsigned char mask[24]; /* its octets */
    uint8_t mask_len, mask_at;
    uint8_t enhanced; /* replies with an enhanced code, up to 255 */
    bool greeted : 1, commanded : 1, said_x : 1, turned_away : 1, secure : 1, encoded : 1;
    bool in_content : 1, content_cut : 1, last_answered : 1, is_product : 1;
    bool tail_split : 1;  /* CRLF . CRLF came in more than one read */
    bool after_chunk : 1; /* what was answered last is BDAT */
};
_Static_assert(sizeof(struct detect) <= 256, "every live session holds one");

/* How a session ended; unanswered->n == 0: every command had its reply. */
struct ending {
    const struct record_close *close;
    const struct unanswered *unanswered;
    uint64_t waited_us; /* for the reply to it */
    bool timed_out;     /* that was as long as this proxy waits */
    bool by_server;     /* it ended first */
};

/* One record, for all detectors. */
struct detect_ctx {
    struct detect *d;
    const struct detect_env *env;
    const struct record_view *s;
    const struct event *e; /* s->event; NULL: this kind of record has none */
    unsigned code;         /* of e->reply; 0: it has none */
    struct span line;      /* a command without its line ending, and without secrets */
    struct span keywords;  /* reply to EHLO: its lines from the first uncommon keyword on */
    const struct ending *ending;
};

/* Each function that a row of the table names. */
#define DETECTOR(number, id, name, severity, looks, next) looks
#define ON(occasion, function)                            void function(const struct detect_ctx *k);
#include "analysis/detectors.def"
#undef ON
#undef DETECTOR

/* ---- reporting: detect_draft.c ---- */

struct finding_draft {
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
struct finding_draft detect_draft(enum detector id);
/* bytes lie in `whole`, which is the field. */
void draft_show(struct finding_draft *h, const char *field, struct span whole,
                struct span bytes);
/* bytes lie in the reply of this record; `line` is what products are looked up with. */
struct finding_draft draft_of_reply(const struct detect_ctx *k, enum detector id,
                                    enum catalogue_place place, struct span line,
                                    struct span bytes);
bool detect_is_reported(const struct detect *d, enum detector id);
/* The entry explains what this detector finds. */
bool detect_names(const struct catalogue_entry *e, enum detector id);
/* Each detector once in a session, but for those of content: once for each message. */
void detect_report(const struct detect_ctx *k, const struct finding_draft *h, const char *fmt,
                   ...) PRINTF_LIKE(3, 4);

struct shown {
    char text[72];
};
/* Text of a peer for a sentence. */
struct shown detect_show(struct span text);

/* ---- replies, line by line: detect_lines.c ---- */

/* Its first line. */
struct span detect_first_line(struct span reply);

struct reply_line {
    struct span whole; /* without its ending */
    struct span text;  /* after the code and its separator */
};
/* Takes the next line from *rest; false: no more. */
bool detect_next_line(struct span *rest, struct reply_line *line);
/* The keyword of a line of the reply to EHLO. */
struct span detect_keyword(struct span text);
bool detect_is_common_keyword(struct span word);
struct span detect_first_word(struct span text);
/* The text after an enhanced status code. */
struct span detect_plain_text(struct span text);
/* The digits at the front. */
uint64_t detect_number(struct span text);
bool detect_has_word(struct span text, const char *word); /* anywhere, in any case */
unsigned detect_code(struct span reply);
/* The first run of at least `least` X; empty: there is none. */
struct span detect_find_x(struct span text, size_t least);
/* An entry that fits and names the finding, remembering texts that fit nothing. */
const struct catalogue_entry *detect_match(const struct detect_ctx *k,
                                           enum catalogue_place place, struct span line,
                                           enum detector id);
uint64_t detect_hash(const void *text, size_t len);

/* ---- the memory of many sessions: detect_memory.c ---- */

/* One upstream, or one client. */
struct peer_history {
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
struct peer_history *history_find(struct detect_memory *m, uint64_t key);
/* Makes room by forgetting the oldest; NULL for key 0. */
struct peer_history *history_get(struct detect_memory *m, uint64_t key);
/* Is it remembered that this text fits no pattern? */
bool is_known_unmatched(const struct detect_memory *m, uint64_t text);
void remember_unmatched(struct detect_memory *m, uint64_t text);

#endif
