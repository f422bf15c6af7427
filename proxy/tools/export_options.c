#include "export_options.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>

static const char help[] =
    "Usage: smtpscope export TRANSCRIPT --pcapng FILE [OPTION]...\n"
    "Makes a packet capture of a transcript, for Wireshark; TRANSCRIPT \"-\" is standard "
    "input.\n"
    "\n"
    "      --pcapng FILE    where the packets go; \"-\" is standard output\n"
    "      --session ID     only this session: the beginning or the end of its id\n"
    "      --spool DIR      folder with the mail data that transcript.content = \"full\" "
    "keeps\n"
    "  -h, --help           this text\n"
    "\n"
    "Each leg of a session is a TCP connection; what was inside TLS is there as plaintext.\n"
    "Comments say what smtpscope made of each command, and what it found. Octets that the\n"
    "transcript does not hold are missing there, too: a comment says how many.\n"
    "\n"
    "    smtpscope export 20261123.jsonl --pcapng x.pcapng && wireshark x.pcapng\n"
    "\n"
    "Exit status: 0 all was written, 1 something could not be read or written, 2 wrong "
    "usage.\n";

enum { LONG_PCAPNG = 256, LONG_SESSION, LONG_SPOOL };

static const struct option options[] = {
    { "pcapng", required_argument, NULL, LONG_PCAPNG },
    { "session", required_argument, NULL, LONG_SESSION },
    { "spool", required_argument, NULL, LONG_SPOOL },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static bool take_option(struct export_options *o, int c)
{
    switch (c) {
    case LONG_PCAPNG:
        o->output = optarg;
        return true;
    case LONG_SESSION:
        o->session = optarg;
        return true;
    case LONG_SPOOL:
        o->spool = optarg;
        return true;
    default:
        return false;
    }
}

static bool is_complete(struct export_options *o, int argc, char **argv)
{
    const char *wrong = optind == argc       ? "which TRANSCRIPT? \"-\" is standard input"
                        : optind + 1 != argc ? "one TRANSCRIPT at a time"
                        : o->output == NULL  ? "where to? --pcapng FILE"
                                             : NULL;

    if (wrong != NULL)
        fprintf(stderr, "smtpscope export: %s\n", wrong);
    else
        o->transcript = argv[optind];
    return wrong == NULL;
}

int export_options_parse(struct export_options *o, int argc, char **argv)
{
    int c;
    bool fine = true;

    *o = (struct export_options){ .output = NULL };
    while (fine && (c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (c == 'h') {
            fputs(help, stdout);
            return 1;
        }
        fine = take_option(o, c);
    }
    if (fine && is_complete(o, argc, argv))
        return 0;
    fputs("Try 'smtpscope export --help'.\n", stderr);
    return 3;
}
