#include "options.h"

#include <assert.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LONG_FIRST = 256 };

static bool has_value(const struct option_row *row)
{
    return row->text != NULL || row->take != NULL;
}

static bool take(const struct option_row *row, void *arg)
{
    if (row->take != NULL)
        return row->take(arg, optarg);
    if (row->text != NULL)
        *row->text = optarg;
    else if (row->flag != NULL)
        *row->flag = true;
    else
        *row->set = row->to;
    return true;
}

/* For getopt_long(): letters[] as "o:fh". */
static void list_options(struct option *names, char *letters, const struct option_row *rows,
                         size_t count)
{
    assert(count < OPTIONS_MAX);
    for (size_t i = 0; i < count; i++) {
        bool value = has_value(&rows[i]);
        names[i] = (struct option){ rows[i].name, value ? required_argument : no_argument, NULL,
                                    LONG_FIRST + (int)i };
        if (rows[i].letter != 0)
            *letters++ = rows[i].letter;
        if (rows[i].letter != 0 && value)
            *letters++ = ':';
    }
    names[count] = (struct option){ "help", no_argument, NULL, 'h' };
    *letters++ = 'h';
    *letters = '\0';
}

static const struct option_row *row_of(int c, const struct option_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (c == LONG_FIRST + (int)i || (rows[i].letter != 0 && c == rows[i].letter))
            return &rows[i];
    return NULL;
}

int options_parse(const char *program, const char *help, const struct option_row *rows,
                  size_t count, void *arg, int argc, char **argv)
{
    struct option names[OPTIONS_MAX + 1] = { { NULL, 0, NULL, 0 } };
    char letters[2 * OPTIONS_MAX + 2];
    int c;

    list_options(names, letters, rows, count);
    while ((c = getopt_long(argc, argv, letters, names, NULL)) != -1) {
        const struct option_row *row = row_of(c, rows, count);
        if (c == 'h') {
            fputs(help, stdout);
            return 1;
        }
        if (row == NULL || !take(row, arg))
            return options_wrong(program, NULL);
    }
    return 0;
}

int options_wrong(const char *program, const char *what)
{
    if (what != NULL)
        fprintf(stderr, "smtpscope %s: %s\n", program, what);
    fprintf(stderr, "Try 'smtpscope %s --help'.\n", program);
    return 3;
}

bool options_terminal_has_color(void)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

    return isatty(STDOUT_FILENO) && (no == NULL || no[0] == '\0') &&
           (term == NULL || strcmp(term, "dumb") != 0);
}

bool options_color(const char *program, const char *when, bool *color)
{
    bool known = strcmp(when, "always") == 0 || strcmp(when, "never") == 0;

    if (known || strcmp(when, "auto") == 0) {
        *color = known ? when[0] == 'a' : options_terminal_has_color();
        return true;
    }
    fprintf(stderr, "smtpscope %s: --color takes auto, always or never\n", program);
    return false;
}
