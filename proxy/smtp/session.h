/*
 * session - one SMTP conversation between a client and an upstream, judged and
 * written down: input in, actions out.
 *
 *   input   bytes from a side, end of a side, TLS done, upstream lost, time is up
 *   actions forward, answer, start TLS, record, drop the upstream, close
 *
 * It does no I/O, owns no clock and opens no file, so that whole sessions run in
 * unit tests and fuzzers. Two promises hold whatever comes in:
 *
 *   transparency        in observe mode the octets forwarded are the octets
 *                       received, per side, in order, one read one write
 *   chunk independence  however the input is cut into reads, events and forwarded
 *                       octets are equal (but for the read boundaries recorded)
 *
 * Order of replies is a FIFO of exchanges: a reply made here waits until every
 * earlier command has its reply (RFC 5321 4.2, RFC 2920 3.2).
 *
 *   client sends    MAIL  VRFY  RCPT          exchanges  [MAIL up][VRFY 252][RCPT up]
 *   upstream sends  250   250                 client     250  252  250
 *
 * Use: give one input, then call session_next() until it returns false; only then
 * the next input. Bytes of an input are borrowed until then. ACTION_CLOSE is the last
 * action there is.
 *
 * Owns:   the unfinished input of both sides, the exchanges (from a pool), the secrets that
 *         replies may repeat.
 * Memory: one budget for each session, in bytes allocated: of client input not yet understood
 *         SESSION_HELD_MAX, of commands without a reply SESSION_QUEUE_MAX and the one command
 *         that reached it, of an unfinished reply REPLY_MAX. session_room() says how much may
 *         be read: what is read must not be more, then nothing is ever discarded. After an
 *         end of mail data one read may bring more than that, once. Without anybody to make
 *         wait (observe mode) a session that passes a limit loses track and only relays.
 */
#ifndef SMTP_SESSION_H
#define SMTP_SESSION_H

#include "base/buf.h"
#include "base/close_kind.h"
#include "base/pool.h"
#include "base/span.h"
#include "smtp/close_reason.h"
#include "smtp/ehlo.h"
#include "smtp/event.h"
#include "smtp/policy.h"
#include "smtp/secrecy.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    SESSION_HELD_MAX = 65536,     /* client input not yet understood, in octets */
    SESSION_QUEUE_MAX = 32768,    /* commands without a reply, in octets of memory */
    SESSION_TRACKED_MAX = 196608, /* the same in observe mode, where no client waits */
    SESSION_DISCARD_MAX = 65536,  /* octets of an overlong line before the session ends */
};

/*
 * The upstream's leg and TLS, where this proxy ends TLS itself (terminate, implicit):
 *
 *   NO        never
 *   MAY       with STARTTLS when the client's leg has TLS and the upstream offers it
 *   REQUIRE   the same, and nothing of a mail leaves in the clear: 530 before, 454 when it fails
 *   IMPLICIT  from the first byte; the relay sees to it before the session hears anything
 */
enum upstream_tls {
    UPSTREAM_TLS_NO,
    UPSTREAM_TLS_MAY,
    UPSTREAM_TLS_REQUIRE,
    UPSTREAM_TLS_IMPLICIT,
};

/* What all sessions of a listener and worker share; must outlive them. */
struct session_env {
    const struct policy *policy;
    bool observe;           /* observe mode: nothing altered, delayed or refused */
    unsigned error_limit;   /* refused commands before 421 4.7.0; 0: no limit */
    uint8_t upstream_tls;   /* enum upstream_tls */
    const char *helo_name;  /* what this proxy calls itself in an EHLO of its own */
    struct pool *exchanges; /* of session_exchange_size() blocks */
    struct pool *contents;  /* of session_content_size() blocks */
};

size_t session_exchange_size(void);
size_t session_content_size(void);

/* What the session waits for; the relay knows how long that may take. */
enum wait {
    WAIT_NONE, /* observe mode, or the session is closed */
    WAIT_GREETING,
    WAIT_COMMAND,    /* the client's next command */
    WAIT_REPLY,      /* the upstream's reply to EHLO, MAIL, RCPT, ... */
    WAIT_DATA_START, /* its reply to DATA */
    WAIT_DATA_BLOCK, /* the client's mail data */
    WAIT_DATA_END,   /* the upstream's reply to the end of data */
    WAIT_LOOKALIKE,  /* the client went silent after something like an end of data */
    WAIT_OPAQUE,     /* either side, after STARTTLS */
    WAIT_TLS,        /* a handshake asked for */
};

enum action_kind {
    ACTION_FORWARD,       /* these octets of the other side, to `side` */
    ACTION_ANSWER,        /* octets made here, to the client */
    ACTION_CONTENT,       /* content octets for the digest that are not forwarded as they are */
    ACTION_START_TLS,     /* handshake on `side`, once everything before is written */
    ACTION_RECORD,        /* hand `event` to the transcript */
    ACTION_DROP_UPSTREAM, /* close the upstream connection now, whatever it is in the middle of */
    ACTION_CLOSE,         /* flush, then close both sides: `reason` */
};

/* Which digest the octets of an action belong to. */
enum content_mark {
    CONTENT_NONE,
    CONTENT_SAME,     /* content received, forwarded as it is */
    CONTENT_RECEIVED, /* content received and not forwarded (rewritten, refused) */
    CONTENT_SENT,     /* content forwarded, not received like this */
};

struct action {
    enum action_kind kind;
    enum side side; /* FORWARD: to which side */
    bool lasting;   /* `bytes` stay valid until the input is used up; else until
                       the next session_next() */
    enum content_mark content;
    bool bdat; /* content of a chunk: its dots are not stuffed */
    struct span bytes;
    const struct event *event;
    enum close_reason reason;
};

struct exchange;
struct content;
struct tls_watch;
struct xclient;

/* Where reads of the client began, for the records: low bits of the stream offset. */
struct session_reads {
    uint64_t last;
    uint32_t at[EVENT_READS_MAX];
    uint8_t len;
    bool more;  /* than `at` has room for */
    bool fresh; /* content has not counted the last one yet */
};

struct session_client {
    uint8_t end;  /* enum close_reason: what it means that the client has ended */
    bool secure;  /* the leg has TLS that ends here */
    bool greeted; /* its EHLO or HELO was accepted */
    bool authenticated;
    bool trusted;          /* it may say who it speaks for */
    bool trusted_newlines; /* its mail may end in LF.LF */
    bool quit_only;        /* its last mail did: nothing but QUIT may follow */
    bool early_talker;     /* it spoke before the greeting, and that is not noted yet */
    bool first_command;    /* is still to come */
    bool rejected;         /* session_reject() */
};

struct session_upstream {
    uint8_t parting; /* observe: enum close_reason its last reply gave, or CLOSE_NONE */
    bool secure;     /* the leg has TLS that ends here */
    bool gone;       /* it was dropped, or will be with the next action */
    bool drop_due;   /* ACTION_DROP_UPSTREAM is to be asked for */
    bool greeted;    /* it was told a name by EHLO or HELO */
    bool starttls;   /* it offers that, whatever the client hears of it */
    bool xclient;
    bool tls_declined; /* it answered STARTTLS otherwise than 220 */
    bool tls_failed;   /* the handshake with it did */
};

/* What is sent of a transaction, whether answered or not (RFC 5321 3.3). */
struct transaction {
    bool open; /* MAIL was accepted */
    bool rcpt_sent;
    bool bdat;
    bool chunk_refused; /* here: what is left is no message */
};

/* What the last MAIL declared; it may be one that is not answered yet. */
struct session_body {
    bool binary_mime;
    bool eight_bit;
};

/* The BDAT chunk that is under way. */
struct session_chunk {
    uint64_t left; /* bytes still to come */
    bool forward;  /* else they are discarded */
    bool last;
    bool refused; /* for its content: the upstream is to be dropped */
};

/* The stream from where it is not ours to read. */
struct session_opaque {
    const char *why;              /* NULL: all is read */
    uint64_t at[2];               /* stream offsets where it began, by side */
    uint64_t us;                  /* and when */
    uint64_t missing[2];          /* bytes that session_gap() reported */
    struct opaque_sample *sample; /* of another protocol, else NULL */
    bool reported;
};

struct session_auth {
    bool may_have_layer; /* the mechanism of the last AUTH */
    bool overlong;       /* the line being discarded is one of its dialogue */
    uint8_t layer_due;   /* 1 << side: its next byte may begin a SASL security layer */
};

struct session_handshake {
    uint8_t side; /* enum side: on whose leg */
    bool due;     /* ACTION_START_TLS is to be asked for */
};

/* Private to session_*.c; here because it lives inside the relay. */
struct session {
    const struct session_env *env;
    struct span input;             /* the bytes of this input, whole */
    struct span in[2];             /* what of them is not yet used, by side */
    struct buf held[2];            /* earlier input, not yet used, by side */
    uint32_t held_used[2];         /* bytes at its front that are used up */
    uint64_t at[2];                /* stream offset of the next byte to use, by side */
    uint64_t received[2];          /* bytes received, by side */
    struct exchange *first, *last; /* FIFO of commands without a reply */
    struct exchange *completed;    /* a list: their events are to be reported */
    struct exchange *reported;     /* its event was: to be given back */
    struct exchange *discarding;   /* of a line or chunk that is still being discarded */
    struct exchange *own_command;  /* of the preamble, without its reply */
    size_t exchange_octets;        /* memory of all these */
    struct content *content;       /* while mail data is under way */
    struct buf out;                /* a reply made canonical or filtered */
    struct xclient *xclient;       /* what the upstream is still to be told */
    struct tls_watch *watch;       /* while a handshake passes through, else NULL */
    struct secrecy secrecy;        /* what must not be written down */
    struct ehlo_offer offer;       /* what the client may use */
    struct session_client client;
    struct session_upstream upstream;
    struct transaction transaction;
    struct session_body body;
    struct session_chunk chunk;
    struct session_reads reads;
    struct session_opaque opaque;
    struct session_auth auth;
    struct session_handshake handshake;
    uint64_t now_us;
    uint64_t replied_at; /* client bytes received when the upstream's last reply came */
    uint32_t good[TALLY_COUNT], all[TALLY_COUNT]; /* commands answered 2xx or 3xx; all */
    uint32_t errors;                              /* commands refused here */
    uint8_t state;                                /* enum session_state */
    uint8_t preamble;                             /* enum preamble */
    uint8_t reason;                               /* enum close_reason, once closing */
    uint8_t ended[2];                             /* by side: enum close_kind */
    uint8_t last_verb;                            /* of the last command sent on */
    bool closing;                                 /* nothing is parsed any more */
    bool close_reported;                          /* ACTION_CLOSE was the last action */
    bool quit_answered;
    bool shutdown;    /* to be ended as soon as no message is in transfer */
    bool raw_pending; /* observe: the input is still to be forwarded */
    bool saving_memory;
};

/* The greeting of the upstream is the first thing expected. */
void session_init(struct session *s, const struct session_env *env);
/* Gives back all it holds. */
void session_deinit(struct session *s);

/*
 * Before the first input, where they apply.
 * The client comes from a network trusted to say who it speaks for: XCLIENT and XFORWARD pass.
 */
void session_trust_client(struct session *s);
/*
 * The client may end its mail in LF.LF, LF.CRLF or CRLF.LF: as data.lf_end = "accept" says of
 * all clients.
 */
void session_trust_newlines(struct session *s);
/*
 * Tell the upstream by XCLIENT who the client is. attributes: "NAME=... ADDR=... PORT=...",
 * separated by blanks; those the upstream names are sent. When it takes no address so, the
 * client hears 421 and the session ends: CLOSE_UPSTREAM_XCLIENT. False: no memory.
 */
MUST_CHECK bool session_send_xclient(struct session *s, struct span attributes);

/* Inputs. now_us: microseconds since 1970, of a clock that never goes back (base/clock.h); a
 * time before that of the last input counts as that. */
void session_bytes(struct session *s, enum side from, struct span bytes, uint64_t now_us);
void session_eof(struct session *s, enum side from, enum close_kind how, uint64_t now_us);
/*
 * The handshake of ACTION_START_TLS is over; or, before any other input of that side, one that
 * came with the connection (implicit TLS). A failed one of the client ends the session.
 */
void session_tls(struct session *s, enum side side, bool ok, uint64_t now_us);
/* No upstream took the connection: 421 4.4.1 instead of a greeting. */
void session_upstream_down(struct session *s, uint64_t now_us);
/* The time for what session_wait() says is over. */
void session_timeout(struct session *s, uint64_t now_us);
/*
 * For captures, in observe mode. From here on the stream is not to be read: `why` is constant,
 * "implicit-tls" has the handshake watched. Or octets of a side are not known: the same,
 * "capture-gap", and they count as received.
 */
void session_opaque(struct session *s, const char *why, uint64_t now_us);
void session_gap(struct session *s, enum side from, uint64_t octets, uint64_t now_us);
/*
 * Ends the session from outside: CLOSE_SHUTDOWN answers 421 4.3.2 as soon as no
 * message is in transfer (nothing happens before that), CLOSE_SESSION_LIMIT,
 * CLOSE_CLIENT_LIMIT and CLOSE_DIRECT answer 421 as a greeting, CLOSE_UPSTREAM_TLS in place of
 * what the client waits for, CLOSE_CAPTURE_END is CLOSE_QUIT once that was answered; any other
 * reason closes at once.
 */
void session_end(struct session *s, enum close_reason why, uint64_t now_us);

/*
 * The client is not let in: what it sent is written down, nothing of it is read or passed on,
 * and the session closes. In place of the first input.
 */
void session_reject(struct session *s, struct span bytes, enum close_reason why,
                    uint64_t now_us);

/* The next action, or false when the input is used up. */
bool session_next(struct session *s, struct action *action);

/*
 * Stops in the middle of an input: what is not used yet is kept, session_next() goes on
 * with it when asked again. For when records cannot be taken at the moment.
 */
void session_hold(struct session *s);

enum wait session_wait(const struct session *s);
/* Octets that may be read of this side, SIZE_MAX: as many as come. 0: stop reading it until it
 * turns positive again. */
size_t session_room(const struct session *s, enum side from);
/* Memory is short, or not any more: from now on one command at a time is sent on, whatever is
 * pipelined. */
void session_save_memory(struct session *s, bool on);
/* Octets of memory the session holds besides the block that it is. */
size_t session_memory(const struct session *s);
/* The end of one side is passed on to the other as it is, FIN as FIN, RST as RST: observe
 * mode, and after STARTTLS. Otherwise the session decides. */
bool session_mirrors_ends(const struct session *s);
/* A message is being transferred: a drain lets it finish. */
bool session_in_transfer(const struct session *s);
/* Over, though not all actions may have been asked for yet. */
bool session_is_closing(const struct session *s);

/* Lower case, for logs and dumps: "greeting", "command", "data", ... */
const char *session_state_name(const struct session *s);

#endif
