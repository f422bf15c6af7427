#include "show.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char help[] =
    "Usage: smtpscope show [OPTION]... FILE...\n"
    "Shows transcripts as people read them; FILE \"-\" is standard input.\n"
    "\n"
    "      --session ID     only this session: the beginning or the end of its id\n"
    "      --client ADDR    only sessions of this client address\n"
    "      --verb VERB      only this command, such as RCPT; \".\" is the end of the mail\n"
    "      --note ID        only records with this note, such as cmd-bare-lf\n"
    "      --errors         only what was refused, repaired, noted or failed\n"
    "      --summary        one line for each session\n"
    "      --hex            a hexdump below every line of the wire\n"
    "      --interleaved    in the order of the file; default with --follow and \"-\"\n"
    "      --grouped        session by session, each when it has ended; default for files\n"
    "  -f, --follow         waits for more, also when the file is rotated\n"
    "      --color WHEN     auto, always or never; auto heeds NO_COLOR\n"
    "  -h, --help           this text\n"
    "\n"
    " ->  from the client      =>  sent on, when that differs\n"
    "<-   to the client       <=   what the upstream had said, when that differs\n"
    "<**  made by smtpscope   ***  what smtpscope did, or what went wrong    !  what is odd\n"
    " ~>  <~  <~*  inside TLS with the client      =~>  <~=  inside TLS with the upstream\n"
    "\n"
    "Exit status: 0 all was read, 1 something could not be read, 2 wrong usage.\n";

enum {
    LONG_SESSION = 256,
    LONG_CLIENT,
    LONG_VERB,
    LONG_NOTE,
    LONG_ERRORS,
    LONG_SUMMARY,
    LONG_HEX,
    LONG_INTERLEAVED,
    LONG_GROUPED,
    LONG_COLOR
};

static const struct option options[] = {
    { "session", required_argument, NULL, LONG_SESSION },
    { "client", required_argument, NULL, LONG_CLIENT },
    { "verb", required_argument, NULL, LONG_VERB },
    { "note", required_argument, NULL, LONG_NOTE },
    { "errors", no_argument, NULL, LONG_ERRORS },
    { "summary", no_argument, NULL, LONG_SUMMARY },
    { "hex", no_argument, NULL, LONG_HEX },
    { "interleaved", no_argument, NULL, LONG_INTERLEAVED },
    { "grouped", no_argument, NULL, LONG_GROUPED },
    { "follow", no_argument, NULL, 'f' },
    { "color", required_argument, NULL, LONG_COLOR },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static bool terminal_has_color(void)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

    return isatty(STDOUT_FILENO) && (no == NULL || no[0] == '\0') &&
           (term == NULL || strcmp(term, "dumb") != 0);
}

static bool parse_color(struct show_options *o, const char *when)
{
    if (strcmp(when, "auto") == 0)
        o->color = terminal_has_color();
    else if (strcmp(when, "always") == 0 || strcmp(when, "never") == 0)
        o->color = when[0] == 'a';
    else
        return false;
    return true;
}

/* False: wrong. */
static bool take_option(struct show_options *o, int c, int *order)
{
    switch (c) {
    case LONG_SESSION:
        o->session = optarg;
        return true;
    case LONG_CLIENT:
        o->client = optarg;
        return true;
    case LONG_VERB:
        o->verb = optarg;
        return true;
    case LONG_NOTE:
        o->note = optarg;
        return true;
    case LONG_ERRORS:
        o->errors = true;
        return true;
    case LONG_SUMMARY:
        o->summary = true;
        return true;
    case LONG_HEX:
        o->hex = true;
        return true;
    case LONG_INTERLEAVED:
        *order = ORDER_INTERLEAVED;
        return true;
    case LONG_GROUPED:
        *order = ORDER_GROUPED;
        return true;
    case 'f':
        o->follow = true;
        return true;
    case LONG_COLOR:
        return parse_color(o, optarg);
    default:
        return false;
    }
}

static bool reads_standard_input(const struct show_options *o)
{
    for (int i = 0; i < o->file_count; i++)
        if (strcmp(o->files[i], "-") == 0)
            return true;
    return false;
}

int show_options_parse(struct show_options *o, int argc, char **argv)
{
    int c, order = -1;

    *o = (struct show_options){ .color = terminal_has_color() };
    while ((c = getopt_long(argc, argv, "fh", options, NULL)) != -1) {
        if (c == 'h') {
            fputs(help, stdout);
            return 1;
        }
        if (!take_option(o, c, &order)) {
            if (c == LONG_COLOR)
                fputs("smtpscope show: --color takes auto, always or never\n", stderr);
            fputs("Try 'smtpscope show --help'.\n", stderr);
            return 3;
        }
    }
    o->files = argv + optind;
    o->file_count = argc - optind;
    if (o->file_count == 0) {
        fputs("smtpscope show: which FILE? \"-\" is standard input\n"
              "Try 'smtpscope show --help'.\n",
              stderr);
        return 3;
    }
    o->order = order >= 0                             ? (enum show_order)order
               : o->follow || reads_standard_input(o) ? ORDER_INTERLEAVED
                                                      : ORDER_GROUPED;
    return 0;
}
