/* `smtpscope reflect`: an upstream for demonstrations and tests. */
#include "options.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/status.h"
#include "lab/reflector.h"

static const char help[] =
    "Usage: smtpscope reflect [--listen ADDR:PORT] [--script FILE] [--hostname NAME] "
    "[--verbose]\n"
    "\n"
    "An SMTP server that answers every verb like a modern MTA and discards all mail; the\n"
    "reply to a message gives the number of bytes received and their XXH3-128 (xxh128sum).\n"
    "SIGINT or SIGTERM terminates it.\n"
    "\n"
    "  -l, --listen ADDR:PORT  address to listen on (127.0.0.1:2526; port 0: any free)\n"
    "  -s, --script FILE       send wrong replies, as directed by FILE\n"
    "  -n, --hostname NAME     name in the greeting (the host name)\n"
    "  -v, --verbose           log every command and reply\n"
    "\n"
    "A script has one statement per line; # begins a comment:\n"
    "\n"
    "  offer \"KEYWORD PARAMETERS\"  EHLO also lists this; \"AUTH PLAIN LOGIN\" makes AUTH "
    "work\n"
    "  without KEYWORD             EHLO does not list this, and it is not served\n"
    "  pieces N [every TIME]       replies are sent in writes of N bytes\n"
    "  on EVENT [N] ACTION...      what happens at every EVENT of a session, or at the Nth\n"
    "\n"
    "  EVENT   greeting, a verb (MAIL), end-of-data, unknown (any other verb), any\n"
    "  ACTION  answer              the usual answer\n"
    "          reply \"BYTES\"       these bytes instead\n"
    "          challenge \"BYTES\"   these bytes; the next line is taken as the response\n"
    "          delay TIME          nothing is read or sent for this time\n"
    "          close               pending data is sent, then the connection is closed\n"
    "          reset               the connection is reset\n"
    "          silence             all further input is read and not answered\n"
    "\n"
    "BYTES is written as in C (\\r \\n \\t \\0 \\x0d \\015 \\\\ \\\"); \"x\"*9000 repeats, "
    "adjacent\n"
    "strings are joined, nothing is added. TIME is 100ms, 2s, 5m, or seconds. The first\n"
    "matching statement acts; the usual answer follows unless it replies or ends the\n"
    "conversation. A command has its effect when the reply begins with 2 (for DATA 3).\n"
    "\n"
    "  on greeting reply \"554 no service\\r\\n\" close\n"
    "  on RCPT 3 reply \"452 4.5.3 too many\\r\\n\"\n"
    "  on end-of-data delay 2s\n"
    "  on EHLO reply \"250-mx.test\\r\\n250-SIZE\\n250 HELP\\r\\n\"\n"
    "  on AUTH challenge \"334 VXNlcjo=\\r\\n\" reply \"535 5.7.8 no\\r\\n\"\n"
    "\n"
    "Exit status: 0 after a signal; 1 script error or address not available; 2 incorrect "
    "usage.\n";

struct options {
    const char *listen, *script;
    struct reflector_config config;
};

static void say_ready(const struct addr *bound)
{
    char text[ADDR_TEXT_MAX];

    addr_text(bound, text);
    log_info("reflect: listening on %s", text);
}

static int reflect(struct options *o)
{
    char error[512] = "";
    const char *why;
    struct script *script = NULL;

    if (!addr_parse(&o->config.listen, o->listen, &why)) {
        fprintf(stderr, "smtpscope reflect: --listen %s: %s\n", o->listen, why);
        return STATUS_USAGE;
    }
    if (o->script != NULL) {
        script = script_load(o->script, error, sizeof error);
        o->config.script = script;
    }
    bool ok = (o->script == NULL || script != NULL) &&
              reflector_run(&o->config, say_ready, error, sizeof error);
    if (!ok)
        fprintf(stderr, "smtpscope reflect: %s\n", error);
    script_free(&script);
    return ok ? STATUS_OK : STATUS_WRONG;
}

int main(int argc, char **argv)
{
    struct options o = { .listen = "127.0.0.1:2526" };
    const struct option_row rows[] = {
        { "listen", 'l', .text = &o.listen },
        { "script", 's', .text = &o.script },
        { "hostname", 'n', .text = &o.config.hostname },
        { "verbose", 'v', .flag = &o.config.verbose },
    };

    signal(SIGPIPE, SIG_IGN);
    int status = options_parse("reflect", help, rows, ARRAY_LEN(rows), &o, argc, argv);
    if (status == 0 && optind != argc)
        status = options_wrong("reflect", NULL);
    return status != 0 ? status - 1 : reflect(&o);
}
