/*
 * report - errors and warnings about a configuration, one a line.
 *
 * "file:line: text", "file: text" or "--option: text". Text that comes from a file is
 * to be escaped before.
 */
#ifndef CONFIG_REPORT_H
#define CONFIG_REPORT_H

#include "base/attributes.h"

#include <stdbool.h>
#include <stdio.h>

struct config_report {
    FILE *out;
    unsigned errors;
};

/* Where something was said. */
struct config_place {
    const char *file; /* or the option */
    unsigned line;    /* 0: none */
};

/* Whoever reads a listener knows where its keys stand. */
struct config_where {
    /* The index-th value of the key; the listener itself when the key is not given. NULL: the
     * listener. Good until the next call. */
    struct config_place (*find)(const struct config_where *w, const char *path, unsigned index);
};

void config_error(struct config_report *r, struct config_place at, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
/* Does not count. */
void config_warn(struct config_report *r, struct config_place at, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

#endif
