/*
 * talk - one session of one vantage point, read back: what passed between it and the other
 * one, unit by unit.
 *
 * Of NEAR that is its upstream leg (what it sent on, what came back), of FAR its client's leg.
 * Everything lives in the scratch given.
 */
#ifndef ANALYSIS_DIFF_TALK_H
#define ANALYSIS_DIFF_TALK_H

#include "analysis/diff/index.h"
#include "analysis/diff/text.h"
#include "smtp/event.h"

enum unit_kind { UNIT_GREETING, UNIT_COMMAND, UNIT_CONTENT };

struct content_facts {
    bool via_bdat, complete, altered, refused, digest;
    bool blocks_exact; /* blocks are of what passed between the two */
    uint64_t octets, lines, longest_line, header_octets;
    uint64_t crlf, bare_lf, crcrlf, bare_cr;
    uint64_t nul, eight_bit, leading_dots;
    uint64_t us;            /* from the first octet to the last */
    unsigned char hash[32]; /* as text */
    struct span blocks;     /* JSON */
    uint64_t blocks_omitted;
    struct text headers; /* empty: not kept */
    struct span spool;   /* name of the file, empty: none */
    uint64_t spool_octets;
};

struct unit {
    enum unit_kind kind;
    uint32_t n;
    uint64_t t_us;
    uint64_t stream;   /* offset in the client's stream (greeting: the server's) */
    uint64_t reply_us; /* from t to the reply, when there is one */
    uint64_t forward_us;
    struct span verb; /* "RCPT"; "" unknown */
    bool passed;      /* `line` went from NEAR to FAR (here or there) */
    bool added;       /* by the proxy itself */
    bool cut;         /* `line` is only the beginning */
    uint64_t line_octets;
    const char *line_field, *reply_field;
    struct text line;
    struct text reply; /* that went from FAR to NEAR; empty: none did */
    bool has_reply;
    unsigned code;
    unsigned reads;   /* that began inside the line, behind its first octet */
    uint32_t read_at; /* the first of them */
    bool fresh;       /* a read began with the line */
    struct content_facts *content;
};

struct tls_seen {
    bool there, ok, through;
    uint32_t n;
    struct span version, cipher, server_name, alpn, alpn_offered; /* as written */
    struct span certificate; /* its SHA-256; of the server */
    struct span issuer;
};

struct talk {
    enum diff_vantage side;
    uint32_t open_n;
    struct span syn[2]; /* TCP options of the first segments, by enum side; empty: not known */
    struct unit *units;
    size_t len;
    bool observe;
    bool missing;        /* records of it are not there, or were too many */
    struct tls_seen tls; /* the leg between NEAR and FAR */
    uint32_t opaque_n;
    bool opaque;
    uint64_t opaque_client, opaque_server; /* octets */
    bool closed;
    uint32_t close_n;
    struct span close_reason, close_first, close_how; /* as written */
    uint64_t close_us;                                /* wall clock */
    uint64_t to_far, to_near;                         /* octets that passed between the two */
};

/* False: no memory, or a record is gone (then it `missing`). */
MUST_CHECK bool talk_read(struct talk *t, struct scratch *mem, const struct index *x,
                          const struct entry *e, struct source *s);

#endif
