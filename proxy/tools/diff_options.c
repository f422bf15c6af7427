#include "diff.h"

#include "base/number.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "Usage: smtpscope diff [OPTION]... NEAR FAR\n"
    "       smtpscope diff [OPTION]... --near FILE... --far FILE...\n"
    "Compares two transcripts of the same sessions, one made next to the client (NEAR), one\n"
    "next to the server (FAR), and names what was changed on the way. Captures (pcap, pcapng)\n"
    "are read, too; \"-\" is standard input.\n"
    "\n"
    "      --near FILE      a file of NEAR; may be given again, in the order of time\n"
    "      --far FILE       a file of FAR\n"
    "      --near-spool DIR where NEAR keeps contents (content = \"full\")\n"
    "      --far-spool DIR  where FAR keeps them\n"
    "      --session ID     only sessions with this in their id\n"
    "      --all            every difference of every session, not only the first ones\n"
    "      --examples N     shown of each group of equal differences; default 1, at most 8\n"
    "      --json           one JSON object\n"
    "      --html FILE      also a page, for those who run the firewall\n"
    "      --catalogue FILE what is known of products\n"
    "      --progress       tell how far it is, also when standard error is no terminal\n"
    "      --color WHEN     auto, always or never; auto heeds NO_COLOR\n"
    "  -h, --help           this text\n"
    "\n"
    "Exit status: 0 nothing was damaged, 1 something was, 2 wrong usage or files.\n";

enum {
    LONG_NEAR = 256,
    LONG_FAR,
    LONG_NEAR_SPOOL,
    LONG_FAR_SPOOL,
    LONG_SESSION,
    LONG_ALL,
    LONG_EXAMPLES,
    LONG_JSON,
    LONG_HTML,
    LONG_CATALOGUE,
    LONG_PROGRESS,
    LONG_COLOR,
};

static const struct option options[] = {
    { "near", required_argument, NULL, LONG_NEAR },
    { "far", required_argument, NULL, LONG_FAR },
    { "near-spool", required_argument, NULL, LONG_NEAR_SPOOL },
    { "far-spool", required_argument, NULL, LONG_FAR_SPOOL },
    { "session", required_argument, NULL, LONG_SESSION },
    { "all", no_argument, NULL, LONG_ALL },
    { "examples", required_argument, NULL, LONG_EXAMPLES },
    { "json", no_argument, NULL, LONG_JSON },
    { "html", required_argument, NULL, LONG_HTML },
    { "catalogue", required_argument, NULL, LONG_CATALOGUE },
    { "progress", no_argument, NULL, LONG_PROGRESS },
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

static bool parse_color(struct diff_command *c, const char *when)
{
    bool known = strcmp(when, "always") == 0 || strcmp(when, "never") == 0;

    if (known)
        c->color = when[0] == 'a';
    if (known || strcmp(when, "auto") == 0)
        return true;
    fputs("smtpscope diff: --color takes auto, always or never\n", stderr);
    return false;
}

static bool add_file(struct diff_command *c, enum diff_vantage v, const char *file)
{
    if (c->run.file_count[v] < DIFF_FILES_MAX) {
        c->files[v][c->run.file_count[v]++] = file;
        return true;
    }
    fprintf(stderr, "smtpscope diff: more than %d files on one side\n", DIFF_FILES_MAX);
    return false;
}

static bool parse_examples(struct diff_command *c, const char *text)
{
    uint64_t n;

    if (!number_decimal(span_str(text), DIFF_EXAMPLES_MAX, &n) || n < 1) {
        fprintf(stderr, "smtpscope diff: --examples takes 1 to %d\n", DIFF_EXAMPLES_MAX);
        return false;
    }
    c->examples = (int)n;
    return true;
}

/* False: wrong. */
static bool take_option(struct diff_command *c, int option)
{
    switch (option) {
    case LONG_NEAR:
        return add_file(c, NEAR, optarg);
    case LONG_FAR:
        return add_file(c, FAR, optarg);
    case LONG_NEAR_SPOOL:
        c->run.spool[NEAR] = optarg;
        return true;
    case LONG_FAR_SPOOL:
        c->run.spool[FAR] = optarg;
        return true;
    case LONG_SESSION:
        c->run.session = optarg;
        return true;
    case LONG_ALL:
        c->all = true;
        return true;
    case LONG_EXAMPLES:
        return parse_examples(c, optarg);
    case LONG_JSON:
        c->json = true;
        return true;
    case LONG_HTML:
        c->html = optarg;
        return true;
    case LONG_CATALOGUE:
        c->catalogue_file = optarg;
        return true;
    case LONG_PROGRESS:
        c->progress = true;
        return true;
    case LONG_COLOR:
        return parse_color(c, optarg);
    default:
        return false;
    }
}

static int wrong_usage(const char *what)
{
    if (what != NULL)
        fprintf(stderr, "smtpscope diff: %s\n", what);
    fputs("Try 'smtpscope diff --help'.\n", stderr);
    return 3;
}

static unsigned count_standard_input(const struct diff_command *c)
{
    unsigned n = 0;

    for (unsigned v = NEAR; v <= FAR; v++)
        for (size_t i = 0; i < c->run.file_count[v]; i++)
            n += strcmp(c->files[v][i], "-") == 0;
    return n;
}

/* NEAR and FAR by their place, unless both were named. */
static const char *take_files(struct diff_command *c, char **rest, int count)
{
    bool named = c->run.file_count[NEAR] > 0 || c->run.file_count[FAR] > 0;

    if (named && count > 0)
        return "with --near and --far there is no file without an option";
    if (!named && count != 2)
        return "which NEAR and which FAR? Two files, or --near and --far";
    if (!named && (!add_file(c, NEAR, rest[0]) || !add_file(c, FAR, rest[1])))
        return "too many files";
    if (c->run.file_count[NEAR] == 0 || c->run.file_count[FAR] == 0)
        return "both --near and --far are needed";
    return count_standard_input(c) > 1 ? "standard input can be read once" : NULL;
}

int diff_options_parse(struct diff_command *c, int argc, char **argv)
{
    int option;

    *c = (struct diff_command){ .color = terminal_has_color(),
                                .progress = isatty(STDERR_FILENO) != 0,
                                .examples = 1 };
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (option == 'h') {
            fputs(help, stdout);
            return 1;
        }
        if (!take_option(c, option))
            return wrong_usage(NULL);
    }
    const char *what = take_files(c, argv + optind, argc - optind);
    if (what != NULL)
        return wrong_usage(what);
    c->run.files[NEAR] = c->files[NEAR];
    c->run.files[FAR] = c->files[FAR];
    c->run.examples = (unsigned)c->examples > 3 ? (unsigned)c->examples : 3;
    return 0;
}
