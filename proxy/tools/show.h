/* show - what the parts of smtpscope-show share: options, and which records are wanted. */
#ifndef TOOLS_SHOW_H
#define TOOLS_SHOW_H

#include "transcript/read/reader.h"

enum show_order {
    ORDER_GROUPED,     /* session by session */
    ORDER_INTERLEAVED, /* as they come */
};

struct show_options {
    const char *session; /* beginning or end of a sid */
    const char *verb, *note, *client;
    bool errors, follow, hex, color, summary;
    enum show_order order;
    char **files;
    int file_count;
};

/* 0: go on; else the exit code + 1 (1: help was printed; 3: wrong usage). */
int show_options_parse(struct show_options *o, int argc, char **argv);

/* The session as a whole may be shown. */
bool show_wants_session(const struct show_options *o, const struct record *open_or_any);
/* This record is what was asked for. */
bool show_wants_record(const struct show_options *o, const struct record *r);
/* Records that are shown around those that were asked for: open, connect, tls, close. */
bool show_is_frame(const struct record *r);

#endif
