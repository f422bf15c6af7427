/* diff - what the parts of smtpscope-diff share: options, and the two ways to tell. */
#ifndef TOOLS_DIFF_H
#define TOOLS_DIFF_H

#include "analysis/diff/diff.h"

enum { DIFF_FILES_MAX = 1024 };

struct diff_command {
    struct diff_options run;
    const char *files[2][DIFF_FILES_MAX];
    const char *catalogue_file; /* NULL: the installed one, if it is there */
    const char *html;           /* a page to be written; NULL: none */
    bool json, all, color, progress;
    int examples; /* shown of each group */
};

/* 0: go on; else the exit code + 1 (1: help was printed; 3: wrong usage). */
int diff_options_parse(struct diff_command *c, int argc, char **argv);

/* To standard output. */
void diff_text_pair(const struct diff_command *c, const struct diff_pair *pair,
                    const struct diff_finding *list, size_t len);
void diff_text_result(const struct diff_command *c, const struct diff_result *r);

void diff_json_begin(void);
void diff_json_pair(const struct diff_pair *pair, const struct diff_finding *list, size_t len);
void diff_json_result(const struct diff_command *c, const struct diff_result *r);

#endif
