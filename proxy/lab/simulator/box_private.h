/*
 * box_private - what the parts of a box share. Private to lab/simulator.
 *
 * Calls go down only:
 *
 *   box.c                        input, time, and what had to wait
 *   box_client.c   box_server.c  a side's stream
 *   box_data.c     box_reply.c   mail data and chunks; replies
 *   box_mutate.c   box_command.c
 *   box_core.c                   what leaves, ends, waits for a reply
 */
#ifndef LAB_SIMULATOR_BOX_PRIVATE_H
#define LAB_SIMULATOR_BOX_PRIVATE_H

#include "base/buf.h"
#include "lab/responder.h"
#include "lab/simulator/box.h"
#include "lab/simulator/content.h"

/* What the next octets of the client are. */
enum client_state {
    CLIENT_COMMAND,
    CLIENT_RESPONSE, /* a line of an AUTH dialogue */
    CLIENT_DATA,
    CLIENT_CHUNK,
    CLIENT_OPAQUE,
    CLIENT_STALLED, /* lost */
};

enum { VERB_GREETING = VERB_COUNT }; /* what the server says first */

/* A command that waits for its reply, in the order of replies. */
struct expected {
    const char *answer; /* from here; NULL: from the server */
    uint32_t verb;
    bool swallowed; /* the client never hears of it */
};

struct command {
    enum verb verb;
    struct span text; /* without its ending */
    struct span word, rest;
    struct span ending;
};

struct box {
    const struct rules *rules;
    uint64_t random;
    uint64_t now, last_ms;

    struct buf actions; /* of struct queued */
    struct buf bytes;   /* theirs */
    size_t action_at;
    struct buf out[2];   /* of the input under way, by destination */
    struct buf later[2]; /* what waits for its time */
    uint64_t later_ms[2];
    bool fin_due[2], fin_sent[2], gone[2]; /* by destination */
    bool dead;                             /* no octets pass any more */
    bool mute;                             /* and no end does */
    unsigned lost; /* sides to be reset, because an action could not be kept */

    /* The client's stream. */
    enum client_state state;
    struct buf line; /* of the command under way, as it was sent on or is to be judged */
    uint64_t line_octets;
    bool line_passing; /* too long to be judged */
    unsigned commands; /* of this read */
    uint32_t recipients;
    uint64_t chunk_left;
    bool chunk_last, chunk_lost, chunk_short, chunk_cr;
    bool stall_due; /* with the next command but QUIT */
    bool hello_seen;
    bool storing; /* mail data goes to `message` */
    struct buf message;
    struct content content;
    uint64_t content_octets;
    struct match keyword;

    /* The server's stream. */
    struct buf expected; /* of struct expected */
    struct buf reply;
    unsigned char head[4]; /* of its line */
    uint8_t head_len;
    uint32_t reply_lines;
    bool reply_passing; /* too long to be judged */
    bool opaque;
    unsigned char banner_last;
    unsigned masked; /* keywords of this reply */

    /* Octets of a side that must wait. */
    struct buf waiting[2];
    bool waits[2], end_waits[2], handshake[2];

    uint64_t mutate_at[2], seen[2];
    struct responder *own;
};

/* ---- box_core.c ---- */

void box_action(struct box *b, enum box_action_kind kind, enum side side, struct span bytes);
uint64_t box_random(struct box *b, uint64_t below);
void box_emit(struct box *b, enum side to, struct span bytes);
/* The copy that leaves with this input, to be altered; NULL: nothing leaves any more. */
unsigned char *box_emit_copy(struct box *b, enum side to, struct span bytes);
void box_emit_text(struct box *b, enum side to, const char *text);
void box_log(struct box *b, const char *text);
void box_fin(struct box *b, enum side to);
void box_reset(struct box *b, enum side side);
/* The side is gone: nothing is sent to it any more. */
void box_leave(struct box *b, enum side side);
/* Ends the connection as the rules say; what was emitted so far leaves first. */
void box_kill(struct box *b, enum kill_rule how, const char *why);
/* The same; what this input emitted for the server is lost: the packet is dropped. */
void box_kill_packet(struct box *b, enum kill_rule how, const char *why);
/* Nothing more passes, and no end does. */
void box_stall(struct box *b, const char *why);
void box_flush(struct box *b);
/* What waited for its time. */
void box_release(struct box *b, enum side to);
/* From here on bytes are passed and not parsed. */
void box_become_opaque(struct box *b);
/* The command at the head of those that wait for a reply; NULL: none. */
const struct expected *box_expected(const struct box *b);
/* False: too many; the box is killed or a wire. */
bool box_expect(struct box *b, unsigned verb, const char *answer, bool swallowed);
/* A reply of the box's own, in its turn. */
void box_answer(struct box *b, enum verb verb, const char *text);

/* ---- box_command.c ---- */

struct command command_split(struct span line);
/* The address of MAIL and RCPT, between its brackets. */
struct span command_address(struct span text);
/* Case, blanks and brackets as a strict program would have written them. */
bool command_normalise(const struct command *c, struct buf *out);
bool command_parameters_known(const struct command *c, const char *known);
/* A word of a list, case ignored. */
bool list_has(const char *list, struct span word);

/* ---- box_mutate.c ---- */

void mutate_init(struct box *b);
void mutate_bytes(struct box *b, enum side from, struct span in);

/* ---- box_data.c ---- */

void data_begin(struct box *b);
size_t data_take(struct box *b, struct span in);
void data_finish(struct box *b);
void chunk_begin(struct box *b, const struct command *c);
size_t chunk_take(struct box *b, struct span in);
/* The server answered the DATA of a stored message. */
void data_answered(struct box *b, unsigned code);

/* ---- box_client.c, box_server.c: a stream; how much was used ---- */

size_t client_take(struct box *b, struct span in);
void client_finish(struct box *b);
size_t server_take(struct box *b, struct span in);
void server_finish(struct box *b);

/* ---- box_reply.c ---- */

/* A piece of a line, in place. */
void reply_judge_read(struct box *b, unsigned char *piece, size_t len);
/* A whole reply, kept until now. */
void reply_judge(struct box *b, unsigned verb, struct span reply);

#endif
