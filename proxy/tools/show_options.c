#include "show.h"
#include "options.h"

#include "base/attributes.h"

#include <unistd.h>

static const char help[] =
    "Usage: smtpscope show [OPTION]... FILE...\n"
    "Shows transcripts as people read them; FILE \"-\" is standard input.\n"
    "\n"
    "      --session ID     only this session: the beginning or the end of its id\n"
    "      --client ADDR    only sessions of this client address\n"
    "      --verb VERB      only this command, such as RCPT; \".\" is the end of the mail\n"
    "      --note ID        only records with this note, such as cmd-bare-lf\n"
    "      --errors         only what was refused, repaired, noted or failed\n"
    "      --summary        one line for each session\n"
    "      --hex            a hexdump below every line of the wire\n"
    "      --interleaved    in the order of the file; default with --follow and \"-\"\n"
    "      --grouped        session by session, each when it has ended; default for files\n"
    "  -f, --follow         waits for more, also when the file is rotated\n"
    "      --color WHEN     auto, always or never; auto heeds NO_COLOR\n"
    "  -h, --help           this text\n"
    "\n"
    " ->  from the client      =>  sent on, when that differs\n"
    "<-   to the client       <=   what the upstream had said, when that differs\n"
    "<**  made by smtpscope   ***  what smtpscope did, or what went wrong    !  what is odd\n"
    " ~>  <~  <~*  inside TLS with the client      =~>  <~=  inside TLS with the upstream\n"
    "\n"
    "Exit status: 0 all was read, 1 something could not be read, 2 wrong usage.\n";

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
        return options_wrong("show", "which FILE? \"-\" is standard input");
    o->order = order >= 0                             ? (enum show_order)order
               : o->follow || reads_standard_input(o) ? ORDER_INTERLEAVED
                                                      : ORDER_GROUPED;
    return 0;
}
