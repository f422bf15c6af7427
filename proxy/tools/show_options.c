#include "show.h"
#include "options.h"

#include "base/attributes.h"

#include <unistd.h>

static const char help[] =
    "Usage: smtpscope show [OPTION]... FILE...\n"
    "Displays transcripts in readable form; FILE \"-\" is standard input.\n"
    "\n"
    "      --session ID     only the session whose ID begins or ends with ID\n"
    "      --client ADDR    only sessions of this client address\n"
    "      --verb VERB      only this command, such as RCPT; \".\" is the end of mail data\n"
    "      --note ID        only records with this note, such as cmd-bare-lf\n"
    "      --errors         only records that were refused, repaired or noted, or failed\n"
    "      --summary        one line for each session\n"
    "      --hex            a hex dump below every line of the dialogue\n"
    "      --interleaved    records in the order of the file; default with --follow and \"-\"\n"
    "      --grouped        session by session, each once it has ended; default for files\n"
    "  -f, --follow         wait for more, even if the file is rotated\n"
    "      --color WHEN     auto, always or never; auto heeds NO_COLOR\n"
    "  -h, --help           this text\n"
    "\n"
    " ->  from the client     =>  forwarded, if different\n"
    "<-   to the client       <=  from the upstream, if different\n"
    "<**  generated reply     ***  an action by smtpscope, or an error    !  unusual\n"
    " ~>  <~  <~*  inside TLS with the client      =~>  <~=  inside TLS with the upstream\n"
    "\n"
    "Exit status: 0 success, 1 something could not be read, 2 incorrect usage.\n";

static bool take_color(void *arg, const char *when)
{
    struct show_options *o = arg;

    return options_color("show", when, &o->color);
}

static bool reads_standard_input(const struct show_options *o)
{
    for (int i = 0; i < o->file_count; i++)
        if (strcmp(o->files[i], "-") == 0)
            return true;
    return false;
}

int show_options_parse(struct show_options *o, int argc, char **argv)
{
    int order = -1;
    const struct option_row rows[] = {
        { "session", .text = &o->session },
        { "client", .text = &o->client },
        { "verb", .text = &o->verb },
        { "note", .text = &o->note },
        { "errors", .flag = &o->errors },
        { "summary", .flag = &o->summary },
        { "hex", .flag = &o->hex },
        { "interleaved", .set = &order, .to = ORDER_INTERLEAVED },
        { "grouped", .set = &order, .to = ORDER_GROUPED },
        { "follow", 'f', .flag = &o->follow },
        { "color", .take = take_color },
    };

    *o = (struct show_options){ .color = options_terminal_has_color() };
    int status = options_parse("show", help, rows, ARRAY_LEN(rows), o, argc, argv);
    if (status != 0)
        return status;
    o->files = argv + optind;
    o->file_count = argc - optind;
    if (o->file_count == 0)
        return options_wrong("show", "no FILE given; \"-\" is standard input");
    o->order = order >= 0                             ? (enum show_order)order
               : o->follow || reads_standard_input(o) ? ORDER_INTERLEAVED
                                                      : ORDER_GROUPED;
    return 0;
}
