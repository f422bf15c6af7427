/*
 * data - the mail data between 354 and its end: find the end, repair the rest.
 *
 * End of data is CR LF . CR LF and nothing else (or . CR LF as the first line).
 * What leaves obeys three invariants under every rewriting policy:
 *
 *   I1  CR and LF occur only as the pair CR LF
 *   I2  no NUL
 *   I3  a line that starts with "." starts with "..", but for the end itself
 *
 * so that no receiver, however lax, can see an end of data that the sender did
 * not send (SMTP smuggling). The machine looks at one octet at a time, so where
 * the input is cut cannot matter; octets that are undecided at the end of the
 * input (".", ". CR", a run of CR) are kept back, never flushed.
 *
 * Clean input costs no copy: a piece is then a view of the input, up to all of it.
 *
 * The octet that completes a look-alike which policy refuses does not leave any
 * more, nor does anything undecided before it: not even a receiver that is fooled
 * by look-alikes can have seen an end.
 *
 * Sans-IO. Owns nothing; a piece is valid until the next call.
 * Limit: a run of CR longer than 998 is refused (data-bare-cr).
 */
#ifndef SMTP_DATA_H
#define SMTP_DATA_H

#include "base/span.h"
#include "smtp/header_watch.h"
#include "smtp/lookalike.h"
#include "smtp/notes.h"
#include "smtp/policy.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    TEXT_LINE_OCTETS = 1000, /* RFC 5321 4.5.3.1.6, with CRLF, without a stuffed dot */
    DATA_CR_RUN_MAX = 998,
    DATA_READS_MAX = 32, /* read boundaries remembered: the first, and the last of all */
    DATA_SCRATCH = 2048, /* holds what a CR run of full length may become */
};

/* What a message was made of, as received, its terminator left out. */
struct data_stats {
    uint64_t octets;
    uint64_t lines; /* lines ended by CRLF, LF or CRs LF */
    uint64_t crlf, bare_lf, crcrlf;
    uint64_t bare_cr; /* CRs that end no line */
    uint64_t nul, eight_bit;
    uint64_t eight_bit_at;  /* offset of the first, when there is one */
    uint64_t leading_dots;  /* lines that begin with a dot */
    uint64_t longest_line;  /* octets with its ending, without a stuffed dot */
    uint64_t header_octets; /* up to and with the first empty line; octets when there is none */
    uint64_t octets_sent;   /* octets that left, terminator left out */
    uint64_t altered_at;    /* offset of the first octet rewritten, when there is one */
    bool signed_headers; /* DKIM-Signature, ARC-Seal or multipart/signed seen in the header */
    bool altered;        /* octets sent differ from octets received */
};

/* One stretch of content: what came in and what leaves for it. */
struct data_piece {
    struct span received;
    struct span sent;
    bool same; /* the same octets, and `sent` is the same view as `received` */
};

enum data_result {
    DATA_MORE,  /* the input is used up */
    DATA_PIECE, /* *piece is filled */
    DATA_END,   /* the end of data was read; *piece.received is ".\r\n", sent the same
                   unless refused; the rest of the input belongs to the next command */
};

struct data {
    const struct policy *policy;
    struct data_stats stats;
    struct notes notes;  /* first offset in the content; a run of CR counts once */
    bool refused;        /* policy refuses the message; nothing is `sent` any more */
    uint8_t refused_by;  /* enum note_id, when refused */
    bool lookalike_open; /* the last octets look like an end of data and are none:
                            their sender may wait for a reply */
    /* private */
    uint8_t state; /* enum data_state */
    bool out_bol;  /* the output is at the start of a line */
    bool muted;    /* what the current octet makes does not leave */
    bool rewrote;  /* what left since last asked is not what came */
    uint64_t cr_run;
    uint64_t line_octets; /* of the unfinished line */
    size_t ahead;         /* octets at the front of the input that were taken already */
    struct lookalike look, look7;
    struct header_watch header;
    size_t scratch_len;
    unsigned char joint[4]; /* undecided octets of an earlier input, and what decided them */
    unsigned char scratch[DATA_SCRATCH];
};

/* policy must outlive d. */
void data_init(struct data *d, const struct policy *policy);

/*
 * Takes octets from the front of *in. Call until DATA_MORE or DATA_END, each time with
 * the same input less what was taken. After a fault that policy refuses, `refused` is
 * set, pieces have nothing `sent`, and reading goes on to the real end. After DATA_END
 * the figures are final and data_init() comes next.
 */
enum data_result data_next(struct data *d, struct span *in, struct data_piece *piece);

/* What came has left as it came, whatever policy says: nothing was refused or altered. */
void data_passed_on(struct data *d);

/*
 * The connection ended before the data did (note data-eof), after a DATA_MORE: undecided
 * octets are content after all, but nothing is sent for them. Closes the figures; true
 * when there is a piece.
 */
bool data_cut(struct data *d, struct data_piece *piece);

/*
 * Counts the octets of a BDAT chunk: opaque, never filtered (RFC 3030). The only note
 * is bdat-bare-lf.
 */
void data_opaque(struct data *d, struct span chunk);

/* End of the message by count: closes the last line's figures (BDAT LAST). */
void data_opaque_end(struct data *d);

#endif
