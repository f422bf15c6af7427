/* diff - two transcripts of the same sessions compared: smtpscope-diff. */
#include "diff.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/report/report.h"

enum { EXIT_CLEAN, EXIT_DAMAGE, EXIT_USAGE };

static void on_progress(void *arg, enum diff_phase phase, uint64_t done, uint64_t of)
{
    static const char *const what[] = { "reading NEAR", "reading FAR", "comparing" };
    static unsigned last = UINT32_MAX;
    unsigned now = (unsigned)phase * 1000 + (of > 0 ? (unsigned)(done * 100 / of) : 100);

    (void)arg;
    if (now == last)
        return;
    last = now;
    fprintf(stderr, "\r%s %3u%%%s", what[phase], now % 1000,
            phase == PHASE_COMPARE && done == of ? "\r               \r" : "");
    fflush(stderr);
}

static void on_trouble(void *arg, const char *what)
{
    const struct diff_command *c = arg;

    fprintf(stderr, "%s%s\n", c->progress ? "\r" : "", what);
}

static void on_compared(void *arg, const struct diff_pair *pair,
                        const struct diff_finding *list, size_t len)
{
    const struct diff_command *c = arg;

    if (c->json)
        diff_json_pair(pair, list, len);
    else
        diff_text_pair(c, pair, list, len);
}

/* Beside this program. */
static const char *importer(void)
{
    static char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    char *slash;

    path[n > 0 ? n : 0] = '\0';
    slash = strrchr(path, '/');
    if (slash == NULL)
        return NULL;
    snprintf(slash + 1, sizeof path - (size_t)(slash + 1 - path), "smtpscope-import");
    return access(path, X_OK) == 0 ? path : NULL;
}

static bool write_page(const struct diff_command *c, const struct diff_result *r)
{
    struct report_options o = { .catalogue = c->run.catalogue };
    FILE *out = fopen(c->html, "w");

    if (out == NULL) {
        fprintf(stderr, "smtpscope diff: %s: %s\n", c->html, strerror(errno));
        return false;
    }
    bool ok = report_write_diff(out, r, &o) && fflush(out) == 0 && !ferror(out);
    int error = errno;
    if (fclose(out) != 0 || !ok) {
        fprintf(stderr, "smtpscope diff: cannot write %s: %s\n", c->html, strerror(error));
        return false;
    }
    return true;
}

static int tell(const struct diff_command *c, const struct diff_result *r)
{
    if (c->json)
        diff_json_result(c, r);
    else
        diff_text_result(c, r);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "smtpscope diff: cannot write: %s\n", strerror(errno));
        return EXIT_USAGE;
    }
    if (c->html != NULL && !write_page(c, r))
        return EXIT_USAGE;
    return diff_is_damaged(r) ? EXIT_DAMAGE : EXIT_CLEAN;
}

int main(int argc, char **argv)
{
    static struct diff_command c;
    char error[DIFF_ERROR_MAX];
    struct catalogue *catalogue;
    int wrong = diff_options_parse(&c, argc, argv);

    if (wrong != 0)
        return wrong - 1;
    if (!catalogue_open(&catalogue, c.catalogue_file, error, sizeof error)) {
        fprintf(stderr, "smtpscope diff: %s\n", error);
        return EXIT_USAGE;
    }
    c.run.catalogue = catalogue;
    c.run.importer = importer();
    c.run.progress = c.progress ? on_progress : NULL;
    c.run.trouble = on_trouble;
    c.run.compared = c.all ? on_compared : NULL;
    c.run.arg = &c;
    if (c.json)
        diff_json_begin();
    struct diff_result *r = diff_run(&c.run, error);
    int code = EXIT_USAGE;
    if (r == NULL)
        fprintf(stderr, "smtpscope diff: %s\n", error);
    else
        code = tell(&c, r);
    diff_free(&r);
    catalogue_free(&catalogue);
    return code;
}
