/* `smtpscope run`: the proxy. */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "app/commands.h"
#include "config/config.h"
#include "app/control.h"

static const char help[] =
    "Usage: smtpscope run [-f FILE] [-t]\n"
    "       smtpscope run [--listen ADDR:PORT]... [--upstream WHERE]... [--mode MODE]\n"
    "                     [--intercept HOW] [--tls-certificate FILE] [--tls-key FILE]\n"
    "                     [--tls-upstream WORD] [--transcript FILE] [--vantage NAME]\n"
    "                     [--workers N] [-t]\n"
    "\n"
    "Runs the proxy in the foreground. Without options it listens on 127.0.0.1:2525, relays\n"
    "everything to a built-in server that discards mail, and shows the dialogue.\n"
    "\n"
    "  -f, --file FILE          configuration file: see smtpscope.conf(5)\n"
    "  -t, --test               check the configuration and exit\n"
    "  -l, --listen ADDR:PORT   address to listen on; may be repeated (127.0.0.1:2525)\n"
    "  -u, --upstream WHERE     ADDR:PORT, HOST:PORT or reflect; may be repeated: the first\n"
    "                           that accepts the connection is used (reflect); with\n"
    "                           --intercept also original: the client's destination\n"
    "  -m, --mode MODE          enforce: repair or reject malformed input; observe: alter\n"
    "                           nothing (enforce)\n"
    "      --intercept HOW      how the packet filter redirects connections to others:\n"
    "                           redirect, tproxy or no (no)\n"
    "      --tls-certificate FILE\n"
    "                           terminate client TLS here, using the certificate and chain\n"
    "                           in this PEM file\n"
    "      --tls-key FILE       its private key (in the same file)\n"
    "      --tls-upstream WORD  TLS to the upstream: no, may, require, implicit (may)\n"
    "      --transcript FILE    file for the records; - is standard output (-)\n"
    "      --vantage NAME       name of this observation point (the host name)\n"
    "      --workers N          number of threads, or auto: one per processor (auto)\n"
    "\n"
    "Signals: TERM and INT exit once messages in transfer have finished, a second one\n"
    "immediately. HUP reads the configuration again, USR1 reopens the transcript and logs a\n"
    "list of the sessions.\n"
    "\n"
    "Exit status: 0 after a signal; 1 configuration error or cannot start; 2 incorrect "
    "usage.\n";

enum { LISTS_MAX = 64 };

enum {
    OPTION_TRANSCRIPT = 256,
    OPTION_VANTAGE,
    OPTION_WORKERS,
    OPTION_INTERCEPT,
    OPTION_TLS_CERTIFICATE,
    OPTION_TLS_KEY,
    OPTION_TLS_UPSTREAM,
};

struct run_options {
    const char *file;
    bool test, help;
    bool given; /* an option that makes a configuration */
    const char *listen[LISTS_MAX], *upstream[LISTS_MAX];
    struct config_options config;
};

static bool usage(const char *text, const char *what)
{
    fprintf(stderr, "smtpscope run: %s%s; see smtpscope run --help\n", text, what);
    return false;
}

static bool list_add(const char **list, unsigned *count, const char *value)
{
    if (*count == LISTS_MAX)
        return usage("too many of one option: ", value);
    list[(*count)++] = value;
    return true;
}

/* Where the value of an option goes that may be given once. */
static const char **value_of(struct config_options *c, int option)
{
    switch (option) {
    case 'm':
        return &c->mode;
    case OPTION_TRANSCRIPT:
        return &c->transcript;
    case OPTION_VANTAGE:
        return &c->vantage;
    case OPTION_INTERCEPT:
        return &c->intercept;
    case OPTION_TLS_CERTIFICATE:
        return &c->tls_certificate;
    case OPTION_TLS_KEY:
        return &c->tls_key;
    case OPTION_TLS_UPSTREAM:
        return &c->tls_upstream;
    default:
        return &c->workers;
    }
}

/* Options that stand for keys of a configuration file. */
static bool take_config_option(struct run_options *o, int option)
{
    struct config_options *c = &o->config;

    o->given = true;
    if (option == 'l')
        return list_add(o->listen, &c->listen_count, optarg);
    if (option == 'u')
        return list_add(o->upstream, &c->upstream_count, optarg);
    *value_of(c, option) = optarg;
    return true;
}

static bool take_option(struct run_options *o, int option, char **argv)
{
    switch (option) {
    case 'f':
        o->file = optarg;
        return true;
    case 't':
        o->test = true;
        return true;
    case 'h':
        o->help = true;
        return true;
    case ':':
        return usage("missing value after option ", argv[optind - 1]);
    case '?':
        return usage("unknown option ", argv[optind - 1]);
    default:
        return take_config_option(o, option);
    }
}

static bool read_options(struct run_options *o, int argc, char **argv)
{
    static const struct option names[] = {
        { "file", required_argument, NULL, 'f' },
        { "test", no_argument, NULL, 't' },
        { "listen", required_argument, NULL, 'l' },
        { "upstream", required_argument, NULL, 'u' },
        { "mode", required_argument, NULL, 'm' },
        { "intercept", required_argument, NULL, OPTION_INTERCEPT },
        { "tls-certificate", required_argument, NULL, OPTION_TLS_CERTIFICATE },
        { "tls-key", required_argument, NULL, OPTION_TLS_KEY },
        { "tls-upstream", required_argument, NULL, OPTION_TLS_UPSTREAM },
        { "transcript", required_argument, NULL, OPTION_TRANSCRIPT },
        { "vantage", required_argument, NULL, OPTION_VANTAGE },
        { "workers", required_argument, NULL, OPTION_WORKERS },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    int option;

    o->config.listen = o->listen;
    o->config.upstream = o->upstream;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":f:tl:u:m:h", names, NULL)) != -1)
        if (!take_option(o, option, argv))
            return false;
    if (optind < argc)
        return usage("unexpected argument ", argv[optind]);
    if (o->file != NULL && o->given)
        return usage("-f cannot be combined with other options; ", "remove them");
    return true;
}

int run_main(int argc, char **argv)
{
    struct run_options o = { 0 };

    if (!read_options(&o, argc, argv))
        return STATUS_USAGE;
    if (o.help) {
        fputs(help, stdout);
        return STATUS_OK;
    }
    enum config_purpose purpose = o.test ? CONFIG_CHECK : CONFIG_RUN;
    struct config *c = o.file != NULL ? config_load(o.file, purpose, stderr)
                                      : config_from_options(&o.config, purpose, stderr);
    if (c == NULL)
        return STATUS_WRONG;
    if (!config_check_host(c, stderr)) {
        config_free(&c);
        return STATUS_WRONG;
    }
    if (!o.test)
        return control_run(c);
    printf("%s: the configuration is fine\n", o.file != NULL ? o.file : "options");
    config_free(&c);
    return STATUS_OK;
}
