/*
 * session_private - what the parts of the session share; nobody else includes it.
 *
 *   session.c          input, the order of actions, questions
 *   session_input.c    input not yet used, the FIFO of exchanges
 *   session_end.c      how a session ends
 *   session_client.c   the client's lines: framing, AUTH dialogue, overlong lines
 *   session_judge.c    what form, order and policy say of one command
 *   session_judge_*.c  parts of that: the line's octets, paths
 *   session_command.c  what follows from that: sent on, answered here, a chunk eaten
 *   session_content.c  mail data and BDAT chunks
 *   session_opaque.c   the stream when it is not ours to read
 *   session_server.c   the upstream's replies, and what they change
 *   session_early.c    replies that come before what they answer is complete
 *   session_preamble.c what this proxy says to the upstream before the greeting
 *   session_upgrade.c  STARTTLS, handshakes
 *   exchange.c         a command and its reply, the FIFO
 */
#ifndef SMTP_SESSION_PRIVATE_H
#define SMTP_SESSION_PRIVATE_H

#include "smtp/exchange.h"
#include "smtp/line.h"
#include "smtp/local_reply.h"
#include "smtp/reply.h"
#include "smtp/session.h"

#define SESSION_STATES(X)                                                                      \
    X(GREETING, "greeting") /* waiting for the upstream's greeting; the client is held */      \
    X(COMMAND, "command")   /* the client may speak; replies are paired by the FIFO */         \
    X(SYNC, "sync")         /* what follows cannot be understood before the last reply */      \
    X(AUTH, "auth")         /* the next client line belongs to the AUTH dialogue */            \
    X(OVERLONG, "overlong") /* throwing away the rest of an overlong line */                   \
    X(DATA, "data")         /* between 354 and the end of data */                              \
    X(CHUNK, "chunk")       /* inside a BDAT chunk */                                          \
    X(GONE, "gone")         /* the upstream was dropped; QUIT is awaited */                    \
    X(TLS, "tls")           /* a handshake: nothing is answered before its end */              \
    X(OPAQUE, "opaque")     /* not ours to read */                                             \
    X(STOPPED, "stopped")   /* the client is not listened to any more */

enum session_state {
#define X(id, name) STATE_##id,
    SESSION_STATES(X)
#undef X
};

/* Before the greeting is relayed: which command of our own waits for its reply. */
enum preamble {
    PREAMBLE_NONE,
    PREAMBLE_EHLO,
    PREAMBLE_STARTTLS,
    PREAMBLE_XCLIENT,
    PREAMBLE_READY, /* all is said: the greeting is next */
};

enum step {
    STEP_IDLE,   /* nothing to do with what is there */
    STEP_WAIT,   /* what is there is not enough to know */
    STEP_AGAIN,  /* something changed, look again */
    STEP_ACTION, /* *action is filled */
};

/* Mail data under way: from 354 or the first BDAT to its end. */
struct content {
    struct data data;
    struct event event;
    struct data_piece rest; /* a rewritten piece: its `sent` follows its `received` */
    uint64_t read_at[DATA_READS_MAX];
    struct data_piece cut;    /* undecided octets when the data was cut off */
    bool cut_off;             /* `cut` holds octets for the digest */
    struct exchange *verdict; /* the end of data, answered before it came; or NULL */
    uint8_t lf_marker;        /* octets of an end at a bare LF that are held back; lf_end.h */
    bool lf_taken;            /* and that they are one is known */
    bool ended;               /* the event is to be reported */
    bool reported;
    bool upstream_dropped; /* the content is refused */
};

/* The only place that assigns session->state. */
void session_enter(struct session *s, enum session_state next);
/* The first reason wins. Nothing is parsed any more; records, then ACTION_CLOSE follow. */
void session_close(struct session *s, enum close_reason why);

/* All unused input of a side, in one piece. Valid until the next call for that side. */
struct span input_view(struct session *s, enum side side);
void input_use(struct session *s, enum side side, size_t n);

static inline void session_set_time(struct session *s, uint64_t now_us)
{
    if (now_us > s->now_us)
        s->now_us = now_us;
}
/* Is there input of that side that nobody has looked at? */
bool input_is_empty(const struct session *s, enum side side);
/* The input is over: what is not used up is kept, what is used up in the end given back. */
void input_keep(struct session *s, enum side side);
void input_release(struct session *s, enum side side);
bool session_is_lasting(const struct session *s, struct span bytes);

/* More octets than the upstream said it takes. */
static inline bool session_exceeds_size(const struct session *s, uint64_t octets)
{
    return s->offer.size > 0 && octets > s->offer.size;
}

/* Commands may be sent on without waiting for replies. */
bool session_pipelines(const struct session *s);

/*
 * Answers with a closing reply made here, in place of what the client waits for. In
 * observe mode nothing is answered: the session just ends.
 */
void session_abort_with(struct session *s, enum local_reply id, enum note_id note);
/* Appends a command to the FIFO. */
void session_push(struct session *s, struct exchange *ex);
/* Takes the head of the FIFO away. */
struct exchange *session_pop(struct session *s);
bool session_has_pending(const struct session *s, enum verb verb);
/* No more commands are taken before there are replies. */
bool session_queue_is_full(const struct session *s);
/* The exchange's event is reported, after those that wait for it already. */
void session_report(struct session *s, struct exchange *ex);
/* The exchange is complete: its event is reported next. */
void session_finish(struct session *s, struct exchange *ex);

/* The client ends: what that means is decided by what it waits for then. */
void end_note_client(struct session *s, enum close_kind how);
/* Why the session ends, the client having ended. */
enum close_reason end_of_client(const struct session *s);
/* Nothing that an upstream does to a client that did not wait for it is the reason. */
enum close_reason end_blamed(const struct session *s, enum close_reason why);
/* The client's end where the session decides what it means. */
void end_client(struct session *s, enum close_kind how);
/* The upstream's: the client hears 421. */
void end_upstream(struct session *s, enum close_kind how);
/* An end where ends are passed on: over when both sides have ended or one was reset. */
void end_mirrored(struct session *s, enum side from, enum close_kind how);
/* While closing: everything unfinished is written down, then ACTION_CLOSE. */
enum step end_step(struct session *s, struct action *action);
/* Nothing to do: is the session over? */
enum step end_idle_step(struct session *s);

enum step client_step(struct session *s, struct action *action);
enum step server_step(struct session *s, struct action *action);
/* Is mail data there already, at the reply to DATA, and may it not be? Behind a refusal it
 * would be read as commands. Notes it. */
bool session_refuses_early_data(struct session *s, struct exchange *ex);
/* What the upstream offers itself, from its reply to an EHLO. */
void session_note_upstream(struct session *s, struct span ehlo);
void session_merge_notes(struct exchange *ex, const struct notes *notes);
enum step content_step(struct session *s, struct action *action);
/* The content has ended: what is left of it, then its event. */
enum step content_tell(struct session *s, struct action *action);
enum step chunk_step(struct session *s, struct action *action);
/* Begins a chunk that is eaten before the exchange is answered. */
void chunk_eat(struct session *s, struct exchange *ex, uint64_t octets);
/* A chunk was refused, and every earlier command has its reply: the upstream is dropped. */
bool chunk_drops_upstream(struct session *s);

/*
 * Judges the command line of the exchange (already stored) and puts it into the FIFO
 * or starts its chunk; fills *action when it is to be forwarded.
 */
enum step command_take(struct session *s, struct exchange *ex, const struct line *l,
                       struct span raw, struct action *action);
/* Forwards raw or, when the exchange has a rewritten form, that. */
enum step command_forward(struct session *s, struct exchange *ex, struct span raw,
                          struct action *action);

/* One more refused command: at the limit its reply becomes 421 and the session ends. */
void command_count_error(struct session *s, struct exchange *ex);
/* Ends the AUTH dialogue with "*"; the client hears `id` when the upstream has answered. */
enum step auth_cancel(struct session *s, struct exchange *ex, enum local_reply id,
                      struct action *action);

/* NULL when memory is out: the session is then closing. */
struct exchange *session_new_exchange(struct session *s);
/* Starts content; false when memory is out (the session is then closing). */
bool content_begin(struct session *s, bool bdat);
/* The content's end: complete, or cut off. Its event is reported next. */
void content_end(struct session *s, bool complete);
/* Chunks that began before this offset of the client's stream and had no LAST are no message
 * any more. True: their content ended now, and is to be reported first. */
bool content_abandon(struct session *s, uint64_t before);
void content_free(struct session *s);
/* No transaction is open but what commands still unanswered begin: after RSET, EHLO. */
void session_reset_transaction(struct session *s);

/* While closing: octets held back are content, for its digest. STEP_IDLE: there are none. */
enum step content_release(struct session *s, struct action *action);
/* Mail data that seems to end at a bare LF is held back: nothing came behind it yet. */
bool content_waits_at_lf(const struct session *s);
/* ---- session_early.c ---- */
/*
 * A reply that comes before what it answers is complete: to mail data before its end, to a
 * chunk before its last octet. STEP_IDLE: it does not.
 */
enum step early_reply(struct session *s, struct exchange *ex, const struct reply *r,
                      struct notes *notes);
/* The exchange at the head of the FIFO has had its reply: now the client hears it. */
enum step early_give(struct session *s, struct action *action);
/* The session cannot go on behind this reply: 421 in its place; observe: it is only noted. */
enum step session_protocol_error(struct session *s, struct span received, struct notes *notes,
                                 enum note_id note);
/* The client's form of the reply into ex->event.replied, when it is not that received. */
MUST_CHECK bool session_make_sent(struct session *s, struct exchange *ex,
                                  const struct reply *r);

/* ---- session_upgrade.c ---- */
/* TLS with clients ends here: STARTTLS is never passed through. */
bool session_ends_tls(const struct session *s);
/* TLS is required, and the upstream's leg has none: no mail passes. */
bool session_lacks_tls(const struct session *s);
/* The upstream's leg is to have TLS by STARTTLS, and has none yet. */
bool upstream_wants_tls(const struct session *s);
/* The client's STARTTLS will begin a new session with the upstream, too. */
bool upgrade_renews_upstream(const struct session *s);
/* A handshake is next: nothing of that side may be left. */
void upgrade_begin(struct session *s, enum side side);
enum step upgrade_action(struct session *s, struct action *action);
/* STARTTLS at the head of the FIFO, where TLS ends here. */
enum step upgrade_step(struct session *s, struct action *action);
/* The upstream's reply to STARTTLS; STEP_IDLE: relay it as any other. */
enum step upgrade_reply(struct session *s, struct exchange *ex, const struct reply *r);
/* The upstream has a new session: what it offers, and whether it was told a name. */
void upgrade_forget_upstream(struct session *s);
/* A side ended while a handshake is under way. */
void upgrade_eof(struct session *s, enum side from);

/* ---- session_preamble.c ---- */
bool preamble_is_wanted(const struct session *s);
/* The upstream is to be told by XCLIENT who the client is, and was not yet. */
bool preamble_names_client(const struct session *s);
/* Keeps the greeting and goes on with an EHLO. */
enum step preamble_begin(struct session *s, struct exchange *greeting, const struct reply *r);
enum step preamble_step(struct session *s, struct action *action);
enum step preamble_reply(struct session *s, const struct reply *r, struct notes *notes);
/* The upstream's reply cannot be followed. */
enum step preamble_lost(struct session *s, struct span received, struct notes *notes,
                        enum note_id note);
void preamble_tls(struct session *s, bool ok);
void preamble_free(struct session *s);

/* ---- session_opaque.c ---- */
void session_become_opaque(struct session *s, const char *why);
/* Observe: the stream cannot be followed any more. */
void session_lose_track(struct session *s);
enum step opaque_step(struct session *s, enum side from, struct action *action);
/*
 * The first octet of a side after 235: is it that of a SASL security layer (RFC 4422 3.7)?
 * Then nothing more can be read, and in enforce mode the session ends.
 */
bool opaque_layer_begins(struct session *s, enum side from);
/* Why the session ends, when the stream that is not read does. */
enum close_reason opaque_close(const struct session *s);
/* A capture does not show all of the session. */
bool session_lost_octets(const struct session *s);
/* At the end: what passed, unless that was reported. */
enum step opaque_tell(struct session *s);

#endif
