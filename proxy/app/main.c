/* smtpscope - a transparent SMTP inspecting proxy. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <libconfig.h>
#include <openssl/crypto.h>
#include <uv.h>
#include <xxhash.h>

#include "app/commands.h"
#include "app/tool.h"
#include "base/attributes.h"

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *text;
} commands[] = {
    { "run", run_main, "run the proxy" },
    { "check", check_main, "check a configuration file and print the effective values" },
    { "show", tool_main, "show a transcript as a dialogue" },
    { "diff", tool_main, "compare the transcripts of two places: what was altered in between" },
    { "report", tool_main,
      "summarize findings, or write a page for the firewall administrators" },
    { "import", tool_main, "make a transcript from a packet capture" },
    { "export", tool_main, "make a packet capture from a transcript" },
    { "reflect", tool_main, "a server that answers like an MTA and discards all mail" },
    { "simulate", tool_main, "a middlebox that damages mail on purpose" },
};

static void print_help(FILE *out)
{
    fputs("Usage: smtpscope COMMAND [OPTION]...\n"
          "\n"
          "Sits between an SMTP client and its server, relays the conversation, repairs or\n"
          "rejects malformed input, and records every command with the exact bytes.\n"
          "\n",
          out);
    for (unsigned i = 0; i < ARRAY_LEN(commands); i++)
        fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].text);
    fputs("\nSee `smtpscope COMMAND --help`; --version also prints the versions of the "
          "libraries.\n",
          out);
}

static int print_version(void)
{
    unsigned xxh = XXH_versionNumber();

    printf("smtpscope %s\nlibuv %s\nlibconfig %d.%d.%d\n%s\nxxhash %u.%u.%u\n",
           SMTPSCOPE_VERSION, uv_version_string(), LIBCONFIG_VER_MAJOR, LIBCONFIG_VER_MINOR,
           LIBCONFIG_VER_REVISION, OpenSSL_version(OPENSSL_VERSION), xxh / 10000,
           xxh / 100 % 100, xxh % 100);
    return STATUS_OK;
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file size limit is a failing write */
    if (argc < 2) {
        print_help(stderr);
        return STATUS_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return STATUS_OK;
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)
        return print_version();
    for (unsigned i = 0; i < ARRAY_LEN(commands); i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    fprintf(stderr, "smtpscope: unknown command \"%s\"; expected one of", argv[1]);
    for (unsigned i = 0; i < ARRAY_LEN(commands); i++)
        fprintf(stderr, "%s %s", i == 0 ? "" : ",", commands[i].name);
    fputs("\n", stderr);
    return STATUS_USAGE;
}
