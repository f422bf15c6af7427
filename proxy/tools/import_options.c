#include "import_options.h"

#include "base/attributes.h"
#include "base/number.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: smtpscope import [OPTION]... CAPTURE\n"
    "Makes a transcript of a packet capture, pcap or pcapng; CAPTURE \"-\" is standard input.\n"
    "\n"
    "  -o, --output FILE    where the records go; default \"-\", standard output\n"
    "      --port N         port of servers; may be repeated. Default: 25, 465, 587, 2525,\n"
    "                       and every connection whose server greets as SMTP servers do\n"
    "      --vantage NAME   what the place is called in the records; default: the file's name\n"
    "      --content WHAT   of mail data keep its digest (default), headers or full (--spool)\n"
    "      --spool DIR      folder for mail data, one file a message\n"
    "      --no-findings    do not look for the work of boxes on the path\n"
    "  -h, --help           this text\n"
    "\n"
    "What was not captured is never guessed: from a gap on the session is told as unread.\n"
    "The default set of records hides passwords; mail data in --spool is as it was sent.\n"
    "\n"
    "    tcpdump -i any -s 0 -w x.pcap tcp port 25\n"
    "    smtpscope import x.pcap | smtpscope show -\n"
    "\n"
    "Exit status: 0 all was read, 1 something could not be read or written (what came before\n"
    "it is there), 2 wrong usage.\n";

enum { LONG_PORT = 256, LONG_VANTAGE, LONG_CONTENT, LONG_SPOOL, LONG_NO_FINDINGS };

static const struct option options[] = {
    { "output", required_argument, NULL, 'o' },
    { "port", required_argument, NULL, LONG_PORT },
    { "vantage", required_argument, NULL, LONG_VANTAGE },
    { "content", required_argument, NULL, LONG_CONTENT },
    { "spool", required_argument, NULL, LONG_SPOOL },
    { "no-findings", no_argument, NULL, LONG_NO_FINDINGS },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static bool complain(const char *what)
{
    fprintf(stderr, "smtpscope import: %s\n", what);
    return false;
}

static bool take_port(struct import_options *o, const char *text)
{
    uint16_t port;

    if (!number_port(span_str(text), &port) || port == 0)
        return complain("--port takes a number from 1 to 65535");
    if (o->port_count == IMPORT_PORTS_MAX)
        return complain("--port: at most 64 of them");
    o->ports[o->port_count++] = port;
    return true;
}

static bool take_content(struct import_options *o, const char *text)
{
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

static bool take_option(struct import_options *o, int c)
{
    switch (c) {
    case 'o':
        o->output = optarg;
        return true;
    case LONG_PORT:
        return take_port(o, optarg);
    case LONG_VANTAGE:
        o->vantage = optarg;
        return true;
    case LONG_CONTENT:
        return take_content(o, optarg);
    case LONG_SPOOL:
        o->spool = optarg;
        return true;
    case LONG_NO_FINDINGS:
        o->no_findings = true;
        return true;
    default:
        return false;
    }
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

int import_options_parse(struct import_options *o, int argc, char **argv)
{
    int c;
    bool fine = true;

    *o = (struct import_options){ .output = "-", .content = CONTENT_LEVEL_DIGEST };
    while (fine && (c = getopt_long(argc, argv, "o:h", options, NULL)) != -1) {
        if (c == 'h') {
            fputs(help, stdout);
            return 1;
        }
        fine = take_option(o, c);
    }
    if (fine && is_complete(o, argc, argv))
        return 0;
    fputs("Try 'smtpscope import --help'.\n", stderr);
    return 3;
}
