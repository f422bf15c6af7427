#include "diff.h"
#include "options.h"

#include "base/number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "Usage: smtpscope diff [OPTION]... NEAR FAR\n"
    "       smtpscope diff [OPTION]... --near FILE... --far FILE...\n"
    "Compares two transcripts of the same sessions, one recorded near the client (NEAR), the\n"
    "other near the server (FAR), and reports what was changed in between. Packet captures\n"
    "(pcap, pcapng) are accepted, too; \"-\" is standard input.\n"
    "\n"
    "      --near FILE      a file of NEAR; may be repeated, in chronological order\n"
    "      --far FILE       a file of FAR\n"
    "      --near-spool DIR spool folder of NEAR (content = \"full\")\n"
    "      --far-spool DIR  spool folder of FAR\n"
    "      --session ID     only the session whose ID begins or ends with ID\n"
    "      --all            print every difference of every session, not only the first ones\n"
    "      --examples N     how many differences of each kind to show; default 1, at most 8\n"
    "      --json           print one JSON object\n"
    "      --html FILE      also write a page for the firewall administrators\n"
    "      --catalogue FILE catalogue of products to use instead of the installed file\n"
    "      --progress       show progress even when standard error is not a terminal\n"
    "      --color WHEN     auto, always or never; auto heeds NO_COLOR\n"
    "  -h, --help           this text\n"
    "\n"
    "Exit status: 0 nothing was damaged, 1 something was, 2 incorrect usage or unreadable "
    "files.\n";

static bool take_color(void *arg, const char *when)
{
    struct diff_command *c = arg;

    return options_color("diff", when, &c->color);
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

static bool take_near(void *arg, const char *file)
{
    return add_file(arg, NEAR, file);
}

static bool take_far(void *arg, const char *file)
{
    return add_file(arg, FAR, file);
}

static bool take_examples(void *arg, const char *text)
{
    struct diff_command *c = arg;
    uint64_t n;

    if (!number_decimal(span_str(text), DIFF_EXAMPLES_MAX, &n) || n < 1) {
        fprintf(stderr, "smtpscope diff: --examples takes 1 to %d\n", DIFF_EXAMPLES_MAX);
        return false;
    }
    c->examples = (int)n;
    return true;
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
    const struct option_row rows[] = {
        { "near", .take = take_near },
        { "far", .take = take_far },
        { "near-spool", .text = &c->run.spool[NEAR] },
        { "far-spool", .text = &c->run.spool[FAR] },
        { "session", .text = &c->run.session },
        { "all", .flag = &c->all },
        { "examples", .take = take_examples },
        { "json", .flag = &c->json },
        { "html", .text = &c->html },
        { "catalogue", .text = &c->catalogue_file },
        { "progress", .flag = &c->progress },
        { "color", .take = take_color },
    };

    *c = (struct diff_command){ .color = options_terminal_has_color(),
                                .progress = isatty(STDERR_FILENO) != 0,
                                .examples = 1 };
    int status = options_parse("diff", help, rows, ARRAY_LEN(rows), c, argc, argv);
    if (status != 0)
        return status;
    const char *what = take_files(c, argv + optind, argc - optind);
    if (what != NULL)
        return options_wrong("diff", what);
    c->run.files[NEAR] = c->files[NEAR];
    c->run.files[FAR] = c->files[FAR];
    c->run.examples = (unsigned)c->examples > 3 ? (unsigned)c->examples : 3;
    return 0;
}
