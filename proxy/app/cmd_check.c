/* `smtpscope check`: is a configuration right, and what does it come to? */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "app/commands.h"
#include "config/config.h"

static const char help[] =
    "Usage: smtpscope check [--quiet] -f FILE\n"
    "       smtpscope check --example\n"
    "\n"
    "Reads a configuration file as run does, and prints every key with its effective\n"
    "value; the output is itself a valid configuration file. Nothing is started.\n"
    "\n"
    "  -f, --file FILE  the configuration file\n"
    "  -q, --quiet      print errors and warnings only\n"
    "  -e, --example    print a starting point: all keys with their defaults and a line on "
    "each\n"
    "\n"
    "Exit status: 0 the file is valid; 1 it has errors, reported on standard error as\n"
    "FILE:LINE: what is wrong and what was expected; 2 incorrect usage.\n";

struct options {
    const char *file;
    bool quiet, example, help;
};

static bool read_options(int argc, char **argv, struct options *o)
{
    static const struct option names[] = {
        { "file", required_argument, NULL, 'f' },
        { "quiet", no_argument, NULL, 'q' },
        { "example", no_argument, NULL, 'e' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    int c;

    while ((c = getopt_long(argc, argv, "f:qeh", names, NULL)) != -1) {
        if (c == 'f')
            o->file = optarg;
        else if (c == 'q')
            o->quiet = true;
        else if (c == 'e')
            o->example = true;
        else if (c == 'h')
            o->help = true;
        else
            return false; /* getopt said why */
    }
    if (optind < argc) {
        fprintf(stderr,
                "smtpscope check: unexpected argument '%s'; the file is named with -f\n",
                argv[optind]);
        return false;
    }
    if (o->file == NULL && !o->example && !o->help) {
        fprintf(stderr, "smtpscope check: which file? Name it with -f FILE\n");
        return false;
    }
    return true;
}

static int check_file(const struct options *o)
{
    struct config *c = config_load(o->file, CONFIG_CHECK, stderr);
    int status = STATUS_WRONG;

    if (c != NULL && config_check_host(c, stderr)) {
        status = STATUS_OK;
        if (!o->quiet)
            config_print(c, stdout);
    }
    config_free(&c);
    return status;
}

int check_main(int argc, char **argv)
{
    struct options o = { 0 };
    int status = STATUS_OK;

    optind = 1;
    if (!read_options(argc, argv, &o)) {
        fprintf(stderr, "Try: smtpscope check --help\n");
        return STATUS_USAGE;
    }
    if (o.help)
        fputs(help, stdout);
    else if (o.example)
        config_print_example(stdout);
    else
        status = check_file(&o);
    if (fflush(stdout) != 0) {
        fprintf(stderr, "smtpscope check: cannot write to standard output: %s\n",
                strerror(errno));
        return STATUS_WRONG;
    }
    return status;
}
