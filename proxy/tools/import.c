/* import - a packet capture becomes a transcript: smtpscope-import. */
#include "import_options.h"

#include "analysis/catalogue.h"
#include "base/clock.h"
#include "base/status.h"
#include "capture/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { STOP_MS = 2000 };

struct import {
    struct import_options o;
    struct writer *writer;
    struct stream *stream;
    struct catalogue *catalogue;
    sem_t room;
    int fd;
};

static void on_room(void *arg)
{
    sem_post(arg);
}

/* The records wait for the disk; a disk that does not take them is told by the writer. */
static bool wait_for_room(void *arg)
{
    struct import *im = arg;
    struct writer_stats stats;
    struct timespec until = clock_in_ms(1000);

    (void)sem_clockwait(&im->room, CLOCK_MONOTONIC, &until);
    writer_get_stats(im->writer, &stats);
    return stats.write_errors == 0;
}

static bool open_output(struct import *im)
{
    bool standard = strcmp(im->o.output, "-") == 0;

    im->fd = standard ? STDOUT_FILENO
                      : open(im->o.output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (im->fd < 0)
        fprintf(stderr, "smtpscope import: cannot write %s: %s\n", im->o.output,
                strerror(errno));
    return im->fd >= 0;
}

static bool start(struct import *im)
{
    struct writer_config config = {
        .fd = im->fd,
        .file = im->o.output,
        .vantage = im->o.vantage,
        .content = im->o.content,
        .redact = REDACT_SECRETS,
        .dkim = DKIM_LEVEL_CHECK,
        .spool = im->o.spool,
        .flush_ms = UINT32_MAX, /* a full chunk at a time */
        .on_full = ON_FULL_PAUSE,
    };
    char error[512];

    im->writer = writer_start(&config, error, sizeof error);
    if (im->writer == NULL) {
        fprintf(stderr, "smtpscope import: %s\n", error);
        return false;
    }
    im->stream = stream_new(im->writer, on_room, &im->room);
    if (im->stream == NULL)
        fputs("smtpscope import: out of memory\n", stderr);
    return im->stream != NULL;
}

/* In one piece: the log of the writer goes there, too. */
static void tell(const struct capture_result *r)
{
    char missing[80] = "", differing[120] = "", skipped[80] = "";

    if (r->missing > 0)
        snprintf(missing, sizeof missing, " (%llu octets were not captured)",
                 (unsigned long long)r->missing);
    if (r->differing > 0)
        snprintf(differing, sizeof differing,
                 ", %llu segments came again with other octets (the first ones count)",
                 (unsigned long long)r->differing);
    if (r->skipped > 0)
        snprintf(skipped, sizeof skipped, ", %llu packets without TCP",
                 (unsigned long long)r->skipped);
    fprintf(stderr, "%llu packets, %llu sessions, %llu gaps%s%s%s\n",
            (unsigned long long)r->packets, (unsigned long long)r->sessions,
            (unsigned long long)r->gaps, missing, differing, skipped);
}

/* Findings are told without it, too. */
static void load_catalogue(struct import *im)
{
    char file[PATH_MAX], error[512] = "its name is too long";

    if (catalogue_default_file(file, sizeof file))
        im->catalogue = catalogue_load(file, error, sizeof error);
    if (im->catalogue == NULL)
        fprintf(stderr, "smtpscope import: findings will name no products: %s\n", error);
}

static bool import(struct import *im)
{
    const struct capture_config config = {
        .file = im->o.capture,
        .ports = im->o.ports,
        .port_count = im->o.port_count,
        .records = im->stream,
        .findings = !im->o.no_findings,
        .catalogue = im->catalogue,
        .wait = wait_for_room,
        .wait_arg = im,
    };
    struct capture_result result;
    struct writer_stats stats;
    char error[512];
    bool whole = capture_import(&config, &result, error, sizeof error);

    stream_flush(im->stream);
    writer_get_stats(im->writer, &stats);
    if (!whole)
        fprintf(stderr, "smtpscope import: %s\n", error);
    tell(&result);
    return whole && stats.write_errors == 0;
}

static int run(struct import *im)
{
    bool fine = open_output(im) && start(im);

    if (fine && !im->o.no_findings)
        load_catalogue(im);
    fine = fine && import(im);
    catalogue_free(&im->catalogue);

    stream_free(&im->stream);
    if (writer_stop(&im->writer, STOP_MS) > 0)
        fine = false; /* the writer has told why */
    if (im->fd > STDERR_FILENO && close(im->fd) != 0) {
        fprintf(stderr, "smtpscope import: %s: %s\n", im->o.output, strerror(errno));
        fine = false;
    }
    return fine ? STATUS_OK : STATUS_WRONG;
}

int main(int argc, char **argv)
{
    struct import im = { .fd = -1 };
    int status = import_options_parse(&im.o, argc, argv);

    if (status != 0)
        return status == 1 ? STATUS_OK : STATUS_USAGE;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    sem_init(&im.room, 0, 0);
    status = run(&im);
    sem_destroy(&im.room);
    return status;
}
