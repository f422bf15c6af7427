/*
 * script - tells the reflector where to answer otherwise than an MTA would.
 *
 * A statement a line; "#" begins a comment; words in any case.
 *
 *   offer "KEYWORD PARAMETERS"   EHLO lists this too; "AUTH PLAIN LOGIN" makes AUTH work
 *   without KEYWORD              EHLO does not list this, and it is not served
 *   pieces N [every TIME]        what is sent leaves in writes of N octets
 *   on EVENT [N] ACTION...       what happens at every EVENT of a session, or at the Nth
 *
 *   EVENT   greeting, a verb (MAIL), end-of-data, unknown (a verb we do not know),
 *           any (every command)
 *
 *   ACTION  answer               the usual answer
 *           reply "BYTES"        these octets instead
 *           challenge "BYTES"    these octets, then a line of the client is taken as its
 *                                response; "*" gives up (RFC 4954 4)
 *           delay TIME           nothing is read or sent for so long
 *           close                what was sent is delivered, then the connection closed
 *           reset                the connection is reset
 *           silence              all else that comes is read and not answered
 *
 * BYTES is written as in C: \r \n \t \0 \\ \" \x0d \015; "x"*9000 repeats a string, and
 * strings side by side are one. Nothing is added: a reply without \r\n has none, so bare
 * LF, NUL, overlong and half replies can be made. TIME is 100ms, 2s, 5m, or seconds.
 *
 * The first statement that fits an event acts. One that neither replies nor ends the
 * conversation ends in the usual answer. A command has its effect when what is replied
 * begins with the digit that says so (2; for DATA 3): after
 *
 *   on MAIL 2 reply "451 4.3.0 later\r\n"
 *
 * no transaction is open. Further examples:
 *
 *   on greeting reply "554 no service\r\n" close
 *   on RCPT 3 delay 2s
 *   on end-of-data close
 *   on EHLO reply "250-mx.test\r\n250-SIZE\n250 HELP\r\n"
 *   on AUTH challenge "334 VXNlcjo=\r\n" reply "535 5.7.8 no\r\n"
 *
 * Owns:   all it holds; immutable once parsed, so threads may share it.
 * Limits: below.
 */
#ifndef LAB_SCRIPT_H
#define LAB_SCRIPT_H

#include "base/attributes.h"
#include "base/buf.h"
#include "base/span.h"
#include "smtp/verb.h"

#include <stdint.h>

enum {
    SCRIPT_OCTETS_MAX = 1 << 20,
    SCRIPT_RULES_MAX = 1000,
    SCRIPT_ACTIONS_MAX = 8,
    SCRIPT_OFFERS_MAX = 16,
    SCRIPT_OFFER_MAX = 500,       /* octets of one; a line has 512 (RFC 5321 4.5.3.1.5) */
    SCRIPT_REPLY_MAX = 1 << 16,   /* octets of all strings of one rule */
    SCRIPT_STRINGS_MAX = 1 << 24, /* octets of all strings, repeated ones as often */
    SCRIPT_DELAY_MAX = 3600000,   /* ms */
};

/* Events are the verbs, VERB_DOT and VERB_UNKNOWN among them, and these. */
enum { SCRIPT_GREETING = VERB_COUNT, SCRIPT_ANY, SCRIPT_EVENTS };

/* What EHLO offers without a script: X(name, line). */
#define EXTENSIONS(X)                                                                          \
    X(PIPELINING, "PIPELINING")                                                                \
    X(SIZE, "SIZE 52428800")                                                                   \
    X(8BITMIME, "8BITMIME")                                                                    \
    X(SMTPUTF8, "SMTPUTF8")                                                                    \
    X(ENHANCEDSTATUSCODES, "ENHANCEDSTATUSCODES")                                              \
    X(CHUNKING, "CHUNKING")                                                                    \
    X(DSN, "DSN")                                                                              \
    X(HELP, "HELP")

enum extension {
#define X(name, line) EXTENSION_##name,
    EXTENSIONS(X)
#undef X
        EXTENSION_COUNT
};

enum script_action_kind {
    SCRIPT_ANSWER,
    SCRIPT_REPLY,
    SCRIPT_CHALLENGE,
    SCRIPT_DELAY,
    SCRIPT_CLOSE,
    SCRIPT_RESET,
    SCRIPT_SILENCE,
};

struct script_action {
    uint8_t kind;        /* enum script_action_kind */
    uint32_t ms;         /* of a delay */
    uint32_t at, octets; /* of a string: see script_bytes() */
};

struct script_rule {
    unsigned event;
    uint32_t nth; /* 0: every one */
    unsigned count;
    struct script_action actions[SCRIPT_ACTIONS_MAX + 1]; /* one more for the implied answer */
};

struct script_offer {
    uint32_t at, octets;
};

struct script {
    struct script_rule *rules;
    unsigned rule_count;
    struct script_offer offers[SCRIPT_OFFERS_MAX];
    unsigned offer_count;
    unsigned without;      /* bits of enum extension */
    uint32_t piece_octets; /* 0: as much as fits */
    uint32_t piece_ms;
    struct buf bytes; /* all strings */
};

/* NULL: `error` says "name:line: what was expected". */
MUST_CHECK struct script *script_parse(struct span text, const char *name, char *error,
                                       size_t size);
MUST_CHECK struct script *script_load(const char *file, char *error, size_t size);
void script_free(struct script **sp);

/* The rule for the `any`th command that is the `nth` of this event, or NULL. */
const struct script_rule *script_find(const struct script *s, unsigned event, uint32_t nth,
                                      uint32_t any);
/* A string of the script; valid as long as the script. */
struct span script_bytes(const struct script *s, uint32_t at, uint32_t octets);

#endif
