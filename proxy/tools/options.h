/* options - what the command lines of the programs have in common. */
#ifndef TOOLS_OPTIONS_H
#define TOOLS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

/* An option: its value goes to `text` or `take`, else it has none and sets `flag` or `set`. */
struct option_row {
    const char *name;
    char letter; /* 0: none */
    const char **text;
    bool (*take)(void *arg, const char *value); /* false: it said what is wrong */
    bool *flag;
    int *set, to;
};

enum { OPTIONS_MAX = 24 };

/*
 * Reads the options of "smtpscope `program`"; --help prints `help`. 0: operands begin at optind;
 * else the exit status + 1 (1: help was printed; 3: wrong usage).
 */
int options_parse(const char *program, const char *help, const struct option_row *rows,
                  size_t count, void *arg, int argc, char **argv);
/* Says what is wrong, unless that is NULL, and where help is; 3. */
int options_wrong(const char *program, const char *what);

/* auto, always or never; false: none of them, as it said. */
bool options_color(const char *program, const char *when, bool *color);
bool options_terminal_has_color(void);

#endif
