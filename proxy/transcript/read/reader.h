/*
 * reader - records back from a transcript, line by line, strictly.
 *
 * A line that is no JSON object, of an unknown kind or version, with a field that
 * is missing, unknown or of another type than records.def says is an error with
 * its file and line; the next line can be read all the same. A last line without
 * its newline is "cut short": not an error, it may still be growing.
 *
 * Texts of the wire are decoded: code point U+00bb is the octet b, anything above
 * U+00FF is an error.
 *
 * Owns:   descriptor and line buffer; a record is its caller's until record_free().
 * Limits: a line of 4 MiB; 65536 open sessions are watched for gaps in `n`.
 */
#ifndef TRANSCRIPT_READ_READER_H
#define TRANSCRIPT_READ_READER_H

#include "base/attributes.h"
#include "base/span.h"
#include "transcript/record_table.h"

#include <jansson.h>
#include <stdint.h>

enum { READER_LINE_MAX = 4 << 20, READER_ERROR_MAX = 512 };

/* One record; its fields have the types of records.def. */
struct record {
    enum record_kind kind;
    json_t *root;
    const char *sid, *t, *vantage;
    uint64_t n;
    uint64_t missing; /* records of this session that are not there before this one */
};

void record_free(struct record *r);

/* 0, false, "", empty when the field is absent. `of`: the record's root or an object in it. */
uint64_t record_count(const json_t *of, const char *name);
bool record_flag(const json_t *of, const char *name);
const char *record_text(const json_t *of, const char *name);
/* Octets of the wire, of memory that the caller frees; NULL when absent or memory is out. */
unsigned char *record_wire(const json_t *of, const char *name, size_t *len);

/*
 * One line without its newline. False: `error` says what is wrong with it. The
 * line need not end in NUL. `missing` is not known here.
 */
MUST_CHECK bool record_parse(struct span line, struct record *out,
                             char error[READER_ERROR_MAX]);

enum reader_result {
    READER_RECORD, /* *out is filled */
    READER_BAD,    /* reader_error() says what; go on with the next line */
    READER_END,    /* nothing more now; asking again reads what was added since */
    READER_FAILED, /* reading itself failed; reader_error() */
};

struct reader;

/* "-" is standard input. NULL: `error` says why. */
MUST_CHECK struct reader *reader_open(const char *path, char error[READER_ERROR_MAX]);
void reader_close(struct reader **r);
enum reader_result reader_next(struct reader *r, struct record *out);
/* "file:line: what" */
const char *reader_error(const struct reader *r);
const char *reader_name(const struct reader *r);
/* Another line is there without reading. */
bool reader_has_line(const struct reader *r);
/* No pipe or terminal. */
bool reader_is_regular(const struct reader *r);
/* Number of the line read last. */
uint64_t reader_line(const struct reader *r);
/* At READER_END: octets of a last line without newline. */
size_t reader_cut(const struct reader *r);
/*
 * At READER_END of a file that is followed: when the name is another file by now, or
 * the file has become shorter, reads that from its beginning. True: something changed.
 */
bool reader_follow(struct reader *r);

#endif
