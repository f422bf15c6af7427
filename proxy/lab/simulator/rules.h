/*
 * rules - what a box does to a conversation, as data; all zero is a wire.
 *
 * A preset (preset.h) is a set of rules with a name. Rules are about the greeting, the reply to
 * EHLO, other replies, commands, mail data, chunks, TLS, and the connection; a box may have
 * several at once. They are written as the products are described: what a box looks at (each
 * read alone, or whole lines) and what it does then.
 */
#ifndef LAB_SIMULATOR_RULES_H
#define LAB_SIMULATOR_RULES_H

#include "smtp/verb.h"

#include <stdbool.h>
#include <stdint.h>

enum { RULE_TEXT_MAX = 128, RULE_ANSWERS_MAX = 2 };

/* How the octets of a direction are looked at. */
enum scope {
    SCOPE_AFTER,    /* passed on as they come, then read for what they mean */
    SCOPE_PER_READ, /* altered in place, in each read alone: a box that reassembles nothing */
    SCOPE_PER_LINE, /* kept until a command or a whole reply is there */
};

enum banner_rule {
    BANNER_KEPT,
    BANNER_MASKED, /* all but 2, 0, CR, LF and a blank behind a 0 becomes an asterisk */
    BANNER_STARS,  /* all but the code becomes an asterisk */
    BANNER_CMAP,   /* "SMTP/cmap ready" and underscores, of the same length */
    BANNER_TEXT,   /* `banner` in its place */
};

/* What happens to a verb that is not in `verbs`. */
enum unknown_rule {
    UNKNOWN_PASSED,
    UNKNOWN_X_VERB, /* the letters of the verb become X */
    UNKNOWN_X_LINE, /* all of the line does */
    UNKNOWN_NOOP,   /* NOOP, and blanks for the rest of the line */
    UNKNOWN_KILLED,
};

/* How a box ends a connection. */
enum kill_rule {
    KILL_RESET,        /* both sides are reset */
    KILL_CLOSE,        /* both sides see a FIN */
    KILL_RESET_CLIENT, /* the server hears nothing: no data, no end */
};

/* What happens to commands behind the first of one read. */
enum pipelined_rule { PIPELINED_PASSED, PIPELINED_LOST, PIPELINED_X, PIPELINED_KILLED };

enum starttls_rule {
    STARTTLS_PASSED,
    STARTTLS_INJECTED,      /* a command of the box's own leaves with it */
    STARTTLS_INTERCEPTED,   /* TLS ends here, on both sides */
    STARTTLS_MAY_INTERCEPT, /* so it does with a certificate, without one it passes */
};

enum data_rule {
    DATA_PASSED,
    DATA_STORED, /* 354 from here; the server hears of DATA when the message is complete */
    DATA_QUEUED, /* 250 from here, before the server has the message */
};

enum bdat_rule {
    BDAT_PASSED,
    BDAT_X,            /* the command becomes X, its chunk is lost */
    BDAT_LAST_LOST,    /* "BDAT 6 LAST" becomes "BDAT 6" */
    BDAT_SECOND_STALL, /* nothing but QUIT passes behind the first message */
    BDAT_LENGTH_OFF,   /* a chunk arrives one octet short: its first CR is lost */
};

/* What is done to each octet or line of mail data. */
enum transform {
    TRANSFORM_NONE,
    TRANSFORM_LF2CRLF,
    TRANSFORM_CR2CRLF,
    TRANSFORM_CRLF2LF,
    TRANSFORM_CRCRLF,
    TRANSFORM_STRAY2SPACE,
    TRANSFORM_UNSTUFF,
    TRANSFORM_STUFF,
    TRANSFORM_DROP_DOT_LINE,
    TRANSFORM_BUFFER_DOT, /* a dot that is the first octet of a read is lost */
    TRANSFORM_7BIT,
    TRANSFORM_NUL_DELETE,
    TRANSFORM_NUL_CUT,
    TRANSFORM_CONTROL_DELETE,
    TRANSFORM_1A_CUT,
    TRANSFORM_HIGH_QUESTION,
    TRANSFORM_LATIN1_UTF8,
    TRANSFORM_TAB_SPACE,
    TRANSFORM_FOLD, /* `fold` goes in at `column` */
    TRANSFORM_CUT,  /* what is behind `column` is lost */
    TRANSFORM_WS_STRIP,
    TRANSFORM_WS_COLLAPSE,
    TRANSFORM_WS_TAIL, /* empty lines at the end of the message are lost */
    TRANSFORM_COUNT
};

enum header_rule {
    HEADER_KEPT,
    HEADER_DELETED,   /* the field `header_name` */
    HEADER_REWRITTEN, /* what is behind `header_name` becomes `header_text` */
    HEADER_TAGGED,    /* `header_text` goes in behind `header_name` */
};

enum reply_rule {
    REPLY_KEPT,
    REPLY_FLATTENED, /* replies of several lines become one of RFC 821's texts */
    REPLY_STRIPPED,  /* of enhanced status codes */
    REPLY_CUT,       /* lines have 512 octets at most */
};

enum mutation {
    MUTATION_NONE,
    MUTATION_ANY, /* one of: */
    MUTATION_CHANGE,
    MUTATION_DELETE,
    MUTATION_INSERT,
};

/* What comes when a connection was idle for too long. */
enum idle_rule { IDLE_421, IDLE_RESET, IDLE_SILENT };

struct ehlo_rules {
    const char *name; /* the first line is this, "" nothing; NULL: kept */
    const char *keep; /* keywords between blanks; all others are deleted */
    const char *drop;
    const char *drop_middle; /* only where it is not in the last line */
    const char *star;        /* their fourth letter becomes an asterisk */
    const char *clear;       /* masked with X and a running letter, all but these */
    const char *add;         /* lines at the end: "OK" */
    const char *add_missing; /* a line at the end, where there is none of its keyword */
    uint64_t size_most;      /* of the SIZE keyword; 0: as it is */
    bool drop_last;          /* whatever it is */
    bool dangling;           /* the line before a deleted last one is not repaired */
};

struct limit_rules { /* octets without CRLF; 0: none */
    uint32_t command, mail_line, rcpt_line, auth_line, header_line, body_line;
    uint32_t sender, file_name, recipients;
    uint64_t content; /* of one message */
};

struct local_answer {
    enum verb verb;
    const char *text; /* with CRLF */
};

struct rules {
    enum scope commands, replies;
    enum kill_rule kill;

    enum banner_rule banner;
    const char *banner_text; /* with CRLF; %h: the name the server gave itself */
    struct ehlo_rules ehlo;
    enum reply_rule reply;

    uint32_t verbs; /* bits by enum verb */
    enum unknown_rule unknown;
    struct local_answer answers[RULE_ANSWERS_MAX]; /* text NULL: none */
    struct limit_rules limits;
    const char *limit_answer;       /* in place of a command beyond its limit; NULL: killed */
    const char *mail_syntax_answer; /* to MAIL that does not go on with FROM:<; NULL: passed */
    const char *mail_parameters;    /* keywords; MAIL with any other is refused; NULL: all */
    bool normalise;                 /* case, blanks and brackets of commands */
    bool pipe_to_blank;             /* | in the address of MAIL and RCPT */
    uint32_t rcpt_keep;             /* recipients beyond get 250 and are lost; 0: all pass */
    enum pipelined_rule pipelined;
    enum bdat_rule bdat;

    enum data_rule data;
    const char *data_answer; /* the 354 of DATA_STORED */
    bool eod_split;          /* the end of data is swallowed when it is cut by a read */
    bool header_in_header;   /* killed for "content-type" in a signature's field */
    const char *insert_top, *insert_end; /* header lines with CRLF */
    enum header_rule header;
    const char *header_name, *header_text;
    const char *part_notice; /* in place of what is attached */
    enum transform transform;
    uint32_t column;
    const char *fold;
    const char *footer; /* with CRLF */
    bool virus;         /* killed for EICAR's test file, after `virus_answer` */
    const char *virus_answer;
    const char *line_answer; /* to a line beyond limits.body_line, before the end */

    enum starttls_rule starttls;
    bool hello_drop;      /* the client's TLS hello is lost: */
    uint32_t hello_most;  /* when it has more octets than this */
    const char *refused;  /* said to the client when there is no server; NULL: a reset */
    const char *keyword;  /* in what the client sends: killed; NULL: none */
    const char *own_name; /* the box is a server of this name; no other is asked */

    uint32_t idle_s; /* 0: for ever */
    enum idle_rule idle;
    uint32_t tarpit_ms;     /* between octets for the client */
    bool killed_greeting;   /* behind the greeting */
    bool read_start_failed; /* connections are refused */
    bool resegment;

    enum mutation mutation;
    uint8_t mutated;          /* bits: 1 << enum side */
    uint32_t mutation_within; /* octets of the stream */

    char text[RULE_TEXT_MAX]; /* of a parameter; pointers above may show here */
};

#endif
