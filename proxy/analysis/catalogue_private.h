/* catalogue_private - how a catalogue lies in memory: catalogue*.c only. */
#ifndef ANALYSIS_CATALOGUE_PRIVATE_H
#define ANALYSIS_CATALOGUE_PRIVATE_H

#include "analysis/catalogue.h"
#include "analysis/pattern.h"

#include <libconfig.h>

enum {
    CATALOGUE_ENTRIES_MAX = 1000,
    CATALOGUE_PATTERNS_MAX = 16, /* of an entry and a place */
    CATALOGUE_FINDINGS_MAX = 16,
};

struct catalogue_pattern {
    const struct catalogue_entry *entry;
    struct pattern pattern;
};

struct catalogue {
    config_t config; /* owns the texts of the entries */
    struct catalogue_entry *entries;
    unsigned count;
    const char **findings; /* all lists of ids, one behind the other */
    struct catalogue_pattern *patterns;
    unsigned first[PLACE_COUNT + 1]; /* of each place, in the order of the entries */
    uint64_t stamp;
};

/* A file on its way to a catalogue. */
struct loader {
    struct catalogue *c;
    const char *file;
    char *error; /* of `size` octets */
    size_t size;
    unsigned findings; /* stored so far, with the NULL that ends each list */
    unsigned patterns; /* compiled so far */
};

/* Text of the file, for an error. */
struct shown {
    char text[80];
};

struct shown catalogue_show(const char *text);

/* "file:line: ..."; false. at: where, NULL: nowhere in particular. */
bool catalogue_fail(const struct loader *l, const config_setting_t *at, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
/* The next entry; *patterns counts those it has. */
MUST_CHECK bool catalogue_take_entry(struct loader *l, config_setting_t *s, unsigned *patterns);
/* Compiles those of one place. */
MUST_CHECK bool catalogue_take_patterns(struct loader *l, config_setting_t *entry,
                                        unsigned place, const struct catalogue_entry *e);

#endif
