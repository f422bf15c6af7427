/* `smtpscope simulate`: a middlebox of the catalogue, for tests and for teaching. */
#include "options.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/number.h"
#include "base/status.h"
#include "lab/simulator/simulator.h"

static const char help[] =
    "Usage: smtpscope simulate --preset NAME --upstream ADDR:PORT [--listen ADDR:PORT]\n"
    "\n"
    "Relays connections to the upstream as a firewall, proxy or mail scanner does, with the\n"
    "same damage. The preset clean changes nothing. SIGINT or SIGTERM terminates it.\n"
    "\n"
    "  -p, --preset NAME        preset to simulate; some take a parameter: idle(60)\n"
    "  -l, --listen ADDR:PORT   address to listen on (127.0.0.1:2527; port 0: any free)\n"
    "  -u, --upstream ADDR:PORT server to connect to\n"
    "  -s, --seed N             seed for random choices: same seed, same choices\n"
    "  -c, --certificate FILE   for presets that terminate TLS, in PEM; avast is recognized\n"
    "                           by an issuer named \"Avast Web/Mail Shield Root\"\n"
    "  -k, --key FILE           its private key\n"
    "  -L, --list               list all presets and the detectors they trigger\n"
    "\n"
    "Each mutation, and how each connection ended, is logged. To try it:\n"
    "\n"
    "  smtpscope reflect --listen 127.0.0.1:2526 &\n"
    "  smtpscope simulate --preset asa-default --upstream 127.0.0.1:2526\n"
    "\n"
    "Exit status: 0 after a signal; 1 address not available or bad certificate; 2 incorrect "
    "usage.\n";

struct options {
    const char *listen, *upstream;
    bool list;
    struct simulator_config config;
};

static bool take_seed(void *arg, const char *text)
{
    struct options *o = arg;

    if (number_decimal(span_str(text), UINT64_MAX, &o->config.seed))
        return true;
    fprintf(stderr, "smtpscope simulate: --seed %s: expected a number\n", text);
    return false;
}

static int list_presets(void)
{
    const char *name, *line, *triggers;

    for (unsigned i = 0; simulator_preset(i, &name, &line, &triggers); i++) {
        printf("%-21s %s\n", name, line);
        if (simulator_parameter(i) != NULL)
            printf("%-21s (%s)\n", "", simulator_parameter(i));
        if (*triggers != '\0')
            printf("%-21s -> %s\n", "", triggers);
    }
    printf("\n%s", simulator_note);
    return STATUS_OK;
}

static bool read_address(const char *option, const char *text, struct addr *out)
{
    const char *why;

    if (addr_parse(out, text, &why))
        return true;
    fprintf(stderr, "smtpscope simulate: --%s %s: %s\n", option, text, why);
    return false;
}

static void say_ready(const struct addr *bound)
{
    char text[ADDR_TEXT_MAX];

    addr_text(bound, text);
    log_info("simulate: listening on %s", text);
}

static int simulate(struct options *o)
{
    char error[1024] = "";

    if (o->config.preset == NULL || o->upstream == NULL) {
        fprintf(stderr, "smtpscope simulate: --%s is required\n",
                o->config.preset == NULL ? "preset" : "upstream");
        return STATUS_USAGE;
    }
    if (!read_address("listen", o->listen, &o->config.listen) ||
        !read_address("upstream", o->upstream, &o->config.upstream))
        return STATUS_USAGE;
    if (!simulator_check(o->config.preset, error, sizeof error)) {
        fprintf(stderr, "smtpscope simulate: --preset: %s\n", error);
        return STATUS_USAGE;
    }
    if (simulator_run(&o->config, say_ready, error, sizeof error))
        return STATUS_OK;
    fprintf(stderr, "smtpscope simulate: %s\n", error);
    return STATUS_WRONG;
}

int main(int argc, char **argv)
{
    struct options o = { .listen = "127.0.0.1:2527" };
    const struct option_row rows[] = {
        { "preset", 'p', .text = &o.config.preset },
        { "listen", 'l', .text = &o.listen },
        { "upstream", 'u', .text = &o.upstream },
        { "seed", 's', .take = take_seed },
        { "certificate", 'c', .text = &o.config.certificate },
        { "key", 'k', .text = &o.config.key },
        { "list", 'L', .flag = &o.list },
    };

    signal(SIGPIPE, SIG_IGN);
    int status = options_parse("simulate", help, rows, ARRAY_LEN(rows), &o, argc, argv);
    if (status == 0 && optind != argc)
        status = options_wrong("simulate", NULL);
    if (status != 0)
        return status - 1;
    return o.list ? list_presets() : simulate(&o);
}
