/*
 * export - a transcript becomes a packet capture: smtpscope-export.
 *
 * Sessions are written when they end, one after the other. Limits: what is waiting is written
 * early at 4 MiB a session and 256 MiB in all.
 */
#include "export_pcapng.h"
#include "export_session.h"
#include "options.h"

#include "base/attributes.h"
#include "base/status.h"
#include "base/sid.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "Usage: smtpscope export TRANSCRIPT --pcapng FILE [OPTION]...\n"
    "Makes a packet capture from a transcript, for Wireshark; TRANSCRIPT \"-\" is standard "
    "input.\n"
    "\n"
    "      --pcapng FILE    file for the packets; \"-\" is standard output\n"
    "      --session ID     only the session whose ID begins or ends with ID\n"
    "      --spool DIR      spool folder with the mail data (content = \"full\")\n"
    "  -h, --help           this text\n"
    "\n"
    "Each leg of a session becomes a TCP connection; the content of TLS that was terminated\n"
    "here appears as plaintext. Packet comments state what became of each command and what\n"
    "was found. Bytes missing from the transcript leave a gap; a comment gives their number.\n"
    "\n"
    "    smtpscope export 20261123.jsonl --pcapng x.pcapng && wireshark x.pcapng\n"
    "\n"
    "Exit status: 0 success, 1 something could not be read or written, 2 incorrect usage.\n";

struct export_options {
    const char *transcript;
    const char *output;  /* "-": standard output */
    const char *session; /* NULL: all */
    const char *spool;   /* NULL: none */
};

enum { BUCKETS = 4096, WAITING_MAX = 256 << 20 };

struct export
{
    struct export_options o;
    FILE *out;
    struct export_session *buckets[BUCKETS];
    size_t waiting; /* octets, as of the last look at each session */
    unsigned long long sessions;
    bool trouble;
};

static struct export_session **find(struct export *e, const char *sid)
{
    unsigned h = 5381;

    for (const char *c = sid; *c != '\0'; c++)
        h = h * 33 ^ (unsigned char)*c;
    struct export_session **at = &e->buckets[h % BUCKETS];
    while (*at != NULL && strcmp((*at)->sid, sid) != 0)
        at = &(*at)->next;
    return at;
}

static bool is_wanted(const struct export *e, const char *sid)
{
    return e->o.session == NULL || sid_fits(sid, e->o.session);
}

static void end(struct export_session **at)
{
    struct export_session *s = *at;

    *at = s->next;
    export_session_deinit(s);
    free(s);
}

static bool flush_all(struct export *e)
{
    for (unsigned i = 0; i < BUCKETS; i++)
        for (struct export_session *s = e->buckets[i]; s != NULL; s = s->next)
            export_session_flush(s);
    e->waiting = 0;
    return ferror(e->out) == 0;
}

static bool no_memory(void)
{
    fputs("smtpscope export: out of memory\n", stderr);
    return false;
}

/* False: no use to go on. */
static bool take(struct export *e, const struct record *r)
{
    struct export_session **at = find(e, r->sid), *s = *at;

    if (r->kind == RECORD_LOST || !is_wanted(e, r->sid))
        return true;
    if (s == NULL) {
        s = malloc(sizeof *s);
        if (s == NULL)
            return no_memory();
        export_session_init(s, r->sid, e->out, e->o.spool);
        *at = s;
        e->sessions++;
    }
    size_t before = s->talk.memory;
    if (!export_session_take(s, r))
        return no_memory();
    e->waiting += s->talk.memory - before;
    if (s->ended)
        end(at);
    return e->waiting <= WAITING_MAX ? ferror(e->out) == 0 : flush_all(e);
}

static bool take_all(struct export *e, struct reader *reader)
{
    enum reader_result got;
    struct record r;
    bool going = true;

    while (going && (got = reader_next(reader, &r)) != READER_END && got != READER_FAILED) {
        if (got == READER_BAD) {
            fprintf(stderr, "smtpscope export: %s\n", reader_error(reader));
            e->trouble = true;
            continue;
        }
        going = take(e, &r);
        record_free(&r);
    }
    if (going && got == READER_FAILED) {
        fprintf(stderr, "smtpscope export: %s\n", reader_error(reader));
        return false;
    }
    return going;
}

static bool export_all(struct export *e)
{
    char error[READER_ERROR_MAX];
    struct reader *reader = reader_open(e->o.transcript, error);

    if (reader == NULL) {
        fprintf(stderr, "smtpscope export: %s\n", error);
        return false;
    }
    pcapng_begin(e->out);
    bool fine = take_all(e, reader);
    reader_close(&reader);
    for (unsigned i = 0; i < BUCKETS; i++)
        while (e->buckets[i] != NULL)
            end(&e->buckets[i]);
    if (e->o.session != NULL && e->sessions == 0) {
        fprintf(stderr, "smtpscope export: no session %s in %s\n", e->o.session,
                e->o.transcript);
        return false;
    }
    return fine;
}

static int run(struct export *e)
{
    bool standard = strcmp(e->o.output, "-") == 0;

    e->out = standard ? stdout : fopen(e->o.output, "wbe");
    if (e->out == NULL) {
        fprintf(stderr, "smtpscope export: cannot write %s: %s\n", e->o.output,
                strerror(errno));
        return STATUS_WRONG;
    }
    bool fine = export_all(e);
    bool written = ferror(e->out) == 0;
    if (fclose(e->out) != 0 || !written) {
        fprintf(stderr, "smtpscope export: cannot write %s: %s\n", e->o.output,
                strerror(errno));
        return STATUS_WRONG;
    }
    return fine && !e->trouble ? STATUS_OK : STATUS_WRONG;
}

/* 0: go on; else the exit status + 1. */
static int parse_options(struct export_options *o, int argc, char **argv)
{
    const struct option_row rows[] = {
        { "pcapng", .text = &o->output },
        { "session", .text = &o->session },
        { "spool", .text = &o->spool },
    };
    int status = options_parse("export", help, rows, ARRAY_LEN(rows), o, argc, argv);

    if (status != 0)
        return status;
    if (optind + 1 != argc)
        return options_wrong("export", optind == argc
                                           ? "which TRANSCRIPT? \"-\" is standard input"
                                           : "one TRANSCRIPT at a time");
    if (o->output == NULL)
        return options_wrong("export", "where to? --pcapng FILE");
    o->transcript = argv[optind];
    return 0;
}

int main(int argc, char **argv)
{
    static struct export e;
    int status = parse_options(&e.o, argc, argv);

    return status != 0 ? status - 1 : run(&e);
}
