/* import - a packet capture becomes a transcript: smtpscope-import. */
#include "options.h"

#include "analysis/catalogue.h"
#include "base/attributes.h"
#include "base/clock.h"
#include "base/number.h"
#include "base/status.h"
#include "capture/capture.h"
#include "transcript/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "Usage: smtpscope import [OPTION]... CAPTURE\n"
    "Makes a transcript from a packet capture (pcap, pcapng); CAPTURE \"-\" is standard "
    "input.\n"
    "\n"
    "  -o, --output FILE    file for the records; default \"-\", standard output\n"
    "      --port N         a server port; may be repeated. Default: 25, 465, 587, 2525,\n"
    "                       and any connection whose server sends an SMTP greeting\n"
    "      --vantage NAME   name of the observation point; default: name of the file\n"
    "      --content WHAT   of mail data record digest (default), headers or full (--spool)\n"
    "      --spool DIR      folder for mail data, one file per message\n"
    "      --no-findings    do not look for signs of middleboxes on the path\n"
    "  -h, --help           this text\n"
    "\n"
    "What was not captured is never guessed: a session is not parsed beyond a gap.\n"
    "Passwords in records are masked; mail data in --spool is exactly as it was sent.\n"
    "\n"
    "    tcpdump -i any -s 0 -w x.pcap tcp port 25\n"
    "    smtpscope import x.pcap | smtpscope show -\n"
    "\n"
    "Exit status: 0 success, 1 something could not be read or written (what came before it\n"
    "is kept), 2 incorrect usage.\n";

enum { IMPORT_PORTS_MAX = 64 };

struct import_options {
    const char *capture;
    const char *output; /* "-": standard output */
    const char *vantage;
    const char *spool;
    enum content_level content;
    bool no_findings;
    uint16_t ports[IMPORT_PORTS_MAX];
    unsigned port_count;
};

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
        snprintf(missing, sizeof missing, " (%llu bytes were not captured)",
                 (unsigned long long)r->missing);
    if (r->differing > 0)
        snprintf(differing, sizeof differing,
                 ", %llu segments came again with other bytes (the first ones count)",
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

/* ---- the command line ---- */

static bool complain(const char *what)
{
    fprintf(stderr, "smtpscope import: %s\n", what);
    return false;
}

static bool take_port(void *arg, const char *text)
{
    struct import_options *o = arg;
    uint16_t port;

    if (!number_port(span_str(text), &port) || port == 0)
        return complain("--port takes a number from 1 to 65535");
    if (o->port_count == IMPORT_PORTS_MAX)
        return complain("--port: at most 64 of them");
    o->ports[o->port_count++] = port;
    return true;
}

static bool take_content(void *arg, const char *text)
{
    struct import_options *o = arg;
    static const struct {
        const char *name;
        enum content_level level;
    } levels[] = {
        { "digest", CONTENT_LEVEL_DIGEST },
        { "headers", CONTENT_LEVEL_HEADERS },
        { "full", CONTENT_LEVEL_FULL },
    };

    for (unsigned i = 0; i < ARRAY_LEN(levels); i++) {
        if (strcmp(text, levels[i].name) == 0) {
            o->content = levels[i].level;
            return true;
        }
    }
    return complain("--content takes digest, headers or full");
}

static bool is_complete(struct import_options *o, int argc, char **argv)
{
    if (optind + 1 != argc)
        return complain(optind == argc ? "which CAPTURE? \"-\" is standard input"
                                       : "one CAPTURE at a time");
    o->capture = argv[optind];
    if (o->content == CONTENT_LEVEL_FULL && o->spool == NULL)
        return complain("--content full needs --spool DIR, a folder for the mail data");
    if (o->content != CONTENT_LEVEL_FULL && o->spool != NULL)
        return complain("--spool is for --content full");
    if (o->vantage == NULL) {
        const char *slash = strrchr(o->capture, '/');
        o->vantage = slash != NULL ? slash + 1 : o->capture;
    }
    return true;
}

/* 0: go on; else the exit status + 1. */
static int parse_options(struct import_options *o, int argc, char **argv)
{
    const struct option_row rows[] = {
        { "output", 'o', .text = &o->output }, { "port", .take = take_port },
        { "vantage", .text = &o->vantage },    { "content", .take = take_content },
        { "spool", .text = &o->spool },        { "no-findings", .flag = &o->no_findings },
    };

    *o = (struct import_options){ .output = "-", .content = CONTENT_LEVEL_DIGEST };
    int status = options_parse("import", help, rows, ARRAY_LEN(rows), o, argc, argv);
    if (status == 0 && !is_complete(o, argc, argv))
        status = options_wrong("import", NULL);
    return status;
}

int main(int argc, char **argv)
{
    struct import im = { .fd = -1 };
    int status = parse_options(&im.o, argc, argv);

    if (status != 0)
        return status - 1;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    sem_init(&im.room, 0, 0);
    status = run(&im);
    sem_destroy(&im.room);
    return status;
}
