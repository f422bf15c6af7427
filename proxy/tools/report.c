#include "options.h"

#include "analysis/report/report.h"
#include "transcript/read/reader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "Usage: smtpscope report [OPTION]... FILE...\n"
    "Summarizes what was found in transcripts; with --html, writes a page for the firewall\n"
    "administrators. FILE \"-\" is standard input.\n"
    "\n"
    "      --html OUT         write one self-contained HTML page; \"-\" is standard output\n"
    "      --title TEXT       title of the page\n"
    "      --session ID       show in detail only the session whose ID begins or ends with ID\n"
    "      --catalogue FILE   catalogue of products to use instead of the installed file\n"
    "  -h, --help             this text\n"
    "\n"
    "Exit status: 0 nothing of severity low or above was found, 1 something was, 2\n"
    "incorrect usage, or a file could not be read or written.\n";

enum { EXIT_CLEAN, EXIT_DAMAGE, EXIT_TROUBLE };

struct options {
    const char *html, *catalogue;
    struct report_options report;
    char **files;
    int file_count;
};

/* ---- options -------------------------------------------------------------------------- */

/* 0: go on; else the exit code + 1. */
static int parse_options(struct options *o, int argc, char **argv)
{
    const struct option_row rows[] = {
        { "html", .text = &o->html },
        { "title", .text = &o->report.title },
        { "session", .text = &o->report.session },
        { "catalogue", .text = &o->catalogue },
    };
    int status = options_parse("report", help, rows, ARRAY_LEN(rows), o, argc, argv);

    o->files = argv + optind;
    o->file_count = argc - optind;
    if (status == 0 && o->file_count == 0)
        return options_wrong("report", "which FILE? \"-\" is standard input");
    return status;
}

/* ---- catalogue ------------------------------------------------------------------------ */

/* False: it said why. The installed file may be missing: products are called by their ids then. */
static bool load_catalogue(const struct options *o, struct catalogue **out)
{
    char error[512];

    if (!catalogue_open(out, o->catalogue, error, sizeof error)) {
        fprintf(stderr, "smtpscope report: %s\n", error);
        return false;
    }
    if (*out == NULL)
        fputs("smtpscope report: no catalogue of products is installed; name one with "
              "--catalogue FILE\n",
              stderr);
    return true;
}

/* ---- reading -------------------------------------------------------------------------- */

static bool read_records(struct report *r, struct reader *reader)
{
    struct record one;
    bool good = true;

    for (;;) {
        switch (reader_next(reader, &one)) {
        case READER_RECORD:
            report_see(r, &one);
            record_free(&one);
            break;
        case READER_BAD:
            fprintf(stderr, "%s\n", reader_error(reader));
            report_bad_line(r);
            good = false;
            break;
        case READER_END:
            return good;
        case READER_FAILED:
            fprintf(stderr, "%s\n", reader_error(reader));
            return false;
        }
    }
}

/* False: told. */
static bool read_file(struct report *r, const char *path, unsigned *opened)
{
    char error[READER_ERROR_MAX];
    struct reader *reader = reader_open(path, error);
    bool good;

    if (reader == NULL) {
        fprintf(stderr, "%s\n", error);
        return false;
    }
    (*opened)++;
    report_source(r, strcmp(path, "-") == 0 ? "standard input" : path);
    good = read_records(r, reader);
    if (reader_cut(reader) > 0)
        fprintf(stderr, "%s:%llu: the last line is cut short (%zu bytes without a newline)\n",
                reader_name(reader), (unsigned long long)reader_line(reader) + 1,
                reader_cut(reader));
    reader_close(&reader);
    return good;
}

/* ---- writing -------------------------------------------------------------------------- */

static bool finish(FILE *out, const char *name)
{
    bool bad = fflush(out) != 0 || ferror(out);

    if (out != stdout && fclose(out) != 0)
        bad = true;
    if (bad)
        fprintf(stderr, "smtpscope report: %s: cannot write: %s\n", name, strerror(errno));
    return !bad;
}

static bool write_report(struct report *r, const char *html)
{
    bool to_stdout = html == NULL || strcmp(html, "-") == 0;
    FILE *out = to_stdout ? stdout : fopen(html, "w");

    if (out == NULL) {
        fprintf(stderr, "smtpscope report: %s: cannot write: %s\n", html, strerror(errno));
        return false;
    }
    if (html != NULL)
        report_write_html(r, out);
    else
        report_write_text(r, out);
    return finish(out, to_stdout ? "standard output" : html);
}

int main(int argc, char **argv)
{
    struct options o = { .html = NULL };
    struct catalogue *catalogue = NULL;
    struct report *r;
    int wrong = parse_options(&o, argc, argv), code;
    bool good = true;
    unsigned opened = 0;

    if (wrong != 0)
        return wrong - 1;
    if (!load_catalogue(&o, &catalogue))
        return EXIT_TROUBLE;
    o.report.catalogue = catalogue;
    r = report_new(&o.report);
    if (r == NULL) {
        fputs("smtpscope report: out of memory\n", stderr);
        catalogue_free(&catalogue);
        return EXIT_TROUBLE;
    }
    for (int i = 0; i < o.file_count; i++)
        good &= read_file(r, o.files[i], &opened);
    report_end(r);
    code = report_is_damaged(r) ? EXIT_DAMAGE : good ? EXIT_CLEAN : EXIT_TROUBLE;
    if (opened == 0 || !write_report(r, o.html)) /* of nothing nothing is said */
        code = EXIT_TROUBLE;
    report_free(&r);
    catalogue_free(&catalogue);
    return code;
}
