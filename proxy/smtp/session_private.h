/*
 * session_private - what the parts of the session share; nobody else includes it.
 *
 *   session.c          inputs, the order of actions, questions
 *   session_core.c     the ground of all others: state, unused input, the FIFO of exchanges
 *   session_client.c   the client's lines: framing, AUTH dialogue, overlong lines
 *   session_judge.c    what order and policy say of one command; _line, _path: of its parts
 *   session_command.c  what follows from that: sent on, answered here, a chunk discarded
 *   session_content.c  mail data and BDAT chunks
 *   session_server.c   the upstream's replies
 *   session_after.c    what a reply changes
 *   session_preamble.c what this proxy says to the upstream before the greeting
 *   session_upgrade.c  STARTTLS, handshakes
 *   session_opaque.c   the stream when it is not ours to read
 *   session_end.c      how a session ends
 *   exchange.c         a command and its reply
 *
 * A file calls those below it in this order, none that calls it: client, command, judge; server,
 * after; upgrade, preamble; opaque; content; core.
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

/* ---- session_core.c ---- */

/* The only place that assigns session->state. */
void session_enter(struct session *s, enum session_state next);
/* The first reason wins. Nothing is parsed any more; records, then ACTION_CLOSE follow. */
void session_close(struct session *s, enum close_reason why);
/* Why the session ends, the client having ended. */
enum close_reason session_client_end(const struct session *s);
/* A capture does not show all of the session. */
bool session_lost_octets(const struct session *s);
/* Commands may be sent on without waiting for replies. */
bool session_pipelines(const struct session *s);

/* All unused input of a side, in one piece. Valid until the next call for that side. */
struct span input_view(struct session *s, enum side side);
void input_use(struct session *s, enum side side, size_t n);
/* Is there input of that side that nobody has looked at? */
bool input_is_empty(const struct session *s, enum side side);
/* The input is over: what is not used up is kept, what is used up in the end given back. */
void input_keep(struct session *s, enum side side);
void input_release(struct session *s, enum side side);
bool session_is_lasting(const struct session *s, struct span bytes);

static inline void session_set_time(struct session *s, uint64_t now_us)
{
    if (now_us > s->now_us)
        s->now_us = now_us;
}

/* More bytes than the upstream said it takes. */
static inline bool session_exceeds_size(const struct session *s, uint64_t bytes)
{
    return s->offer.size > 0 && bytes > s->offer.size;
}

/* The session cannot go on: there is no memory. */
static inline enum step session_no_memory(struct session *s)
{
    session_close(s, CLOSE_NO_MEMORY);
    return STEP_AGAIN;
}

/* Fills the action: these bytes, to that side. */
static inline enum step session_send(const struct session *s, struct action *action,
                                     enum side to, struct span bytes)
{
    action->kind = ACTION_FORWARD;
    action->side = to;
    action->bytes = bytes;
    action->lasting = session_is_lasting(s, bytes);
    return STEP_ACTION;
}

/* The reply of the event, as the client is to hear it. */
static inline enum step session_send_reply(const struct session *s, struct action *action,
                                           const struct event *e)
{
    return session_send(s, action, CLIENT, e->replied.len > 0 ? e->replied : e->reply);
}

/* NULL when memory is out: the session is then closing. */
struct exchange *session_new_exchange(struct session *s);
/* Appends a command to the FIFO; takes its head away. */
void session_push(struct session *s, struct exchange *ex);
struct exchange *session_pop(struct session *s);
bool session_has_pending(const struct session *s, enum verb verb);
/* No more commands are taken before there are replies. */
bool session_queue_is_full(const struct session *s);
/* The exchange's event is reported, after those that wait for it already. */
void session_report(struct session *s, struct exchange *ex);
/* The exchange is complete: its event is reported next. */
void session_finish(struct session *s, struct exchange *ex);
void session_merge_notes(struct exchange *ex, const struct notes *notes);
/*
 * Answers with a closing reply made here, in place of what the client waits for. In
 * observe mode nothing is answered: the session just ends.
 */
void session_abort_with(struct session *s, enum local_reply id, enum note_id note);
/* Forwards raw or, when the exchange has a rewritten form, that. */
enum step session_forward(struct session *s, struct exchange *ex, struct span raw,
                          struct action *action);
/* One more refused command: at the limit its reply becomes 421 and the session ends. */
void session_count_error(struct session *s, struct exchange *ex);
/* Is mail data there already, at the reply to DATA, and may it not be? After a refusal it
 * would be read as commands. Notes it. */
bool session_refuses_early_data(struct session *s, struct exchange *ex);

/* No transaction is open but what commands still unanswered begin: after RSET, EHLO. */
void session_reset_transaction(struct session *s);
/* What the upstream offers itself, from its reply to an EHLO. */
void session_note_upstream(struct session *s, struct span ehlo);
/* The upstream has a new session: what it offers, and whether it was told a name. */
void session_forget_upstream(struct session *s);
/* TLS with clients ends here: STARTTLS is never passed through. */
bool session_ends_tls(const struct session *s);
/* TLS is required, and the upstream's leg has none: no mail passes. */
bool session_lacks_tls(const struct session *s);
/* The upstream's leg is to have TLS by STARTTLS, and has none yet. */
bool session_wants_upstream_tls(const struct session *s);
/* The client's STARTTLS will begin a new session with the upstream, too. */
bool session_renews_upstream(const struct session *s);
/* A handshake is next: nothing of that side may be left. */
void session_begin_tls(struct session *s, enum side side);

/* ---- session_client.c, session_command.c ---- */

enum step client_step(struct session *s, struct action *action);
/*
 * Judges the command line of the exchange (already stored) and puts it into the FIFO
 * or starts its chunk; fills *action when it is to be forwarded.
 */
enum step command_take(struct session *s, struct exchange *ex, const struct line *l,
                       struct span raw, struct action *action);

/* ---- session_content.c ---- */

/* Starts content; false when memory is out (the session is then closing). */
bool content_begin(struct session *s, bool bdat);
/* The content's end: complete, or cut off. Its event is reported next. */
void content_end(struct session *s, bool complete);
/* Chunks that began before this offset of the client's stream and had no LAST are no message
 * any more. True: their content ended now, and is to be reported first. */
bool content_abandon(struct session *s, uint64_t before);
void content_free(struct session *s);
enum step content_step(struct session *s, struct action *action);
/* The content has ended: what is left of it, then its event. */
enum step content_report(struct session *s, struct action *action);
/* While closing: bytes held back are content, for its digest. STEP_IDLE: there are none. */
enum step content_release(struct session *s, struct action *action);
/* Mail data that seems to end at a bare LF is held back: nothing came after it yet. */
bool content_waits_at_lf(const struct session *s);
enum step chunk_step(struct session *s, struct action *action);
/* Begins a chunk that is discarded before the exchange is answered. */
void chunk_discard(struct session *s, struct exchange *ex, uint64_t bytes);
/* A chunk was refused, and every earlier command has its reply: the upstream is dropped. */
bool chunk_drops_upstream(struct session *s);

/* ---- session_server.c, session_after.c ---- */

enum step server_step(struct session *s, struct action *action);
/* The exchange at the head of the FIFO had its reply before it was complete: now the client
 * hears it. */
enum step server_give_early(struct session *s, struct action *action);
/* The state after a reply that was relayed. RFC 5321 4.1.4, 4954, 3030, 3207. */
void after_reply(struct session *s, struct exchange *ex);
/* Does the reply make void what was sent of a message? */
bool after_reply_renews(const struct exchange *ex, const struct reply *r);

/* ---- session_upgrade.c ---- */

enum step upgrade_action(struct session *s, struct action *action);
/* STARTTLS at the head of the FIFO, where TLS ends here. */
enum step upgrade_step(struct session *s, struct action *action);
/* The upstream's reply to STARTTLS; STEP_IDLE: relay it as any other. */
enum step upgrade_reply(struct session *s, struct exchange *ex, const struct reply *r);
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
 * The first byte of a side after 235: is it that of a SASL security layer (RFC 4422 3.7)?
 * Then nothing more can be read, and in enforce mode the session ends.
 */
bool opaque_layer_begins(struct session *s, enum side from);
/* Why the session ends, when the stream that is not read does. */
enum close_reason opaque_close(const struct session *s);
/* At the end: what passed, unless that was reported. */
enum step opaque_report(struct session *s);

/* ---- session_end.c ---- */

/* The client ends: what that means is decided by what it waits for then. */
void end_note_client(struct session *s, enum close_kind how);
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

#endif
