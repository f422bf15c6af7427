/*
 * tool - the programs beside smtpscope that read transcripts and captures.
 *
 * They are programs of their own, so that the proxy holds neither a JSON parser nor libpcap:
 * `smtpscope show` starts smtpscope-show, and so on.
 */
#ifndef APP_TOOL_H
#define APP_TOOL_H

#include "base/attributes.h"

#include <stdbool.h>
#include <stddef.h>

enum { TOOL_PATH_MAX = 4224 };

/* Where smtpscope-NAME is: beside this program or in the libexec folder. False: nowhere. */
MUST_CHECK bool tool_find(const char *name, char path[TOOL_PATH_MAX]);
/* Becomes it; argv[0] is NAME. Returns only when that failed: the exit status. */
int tool_main(int argc, char **argv);

#endif
