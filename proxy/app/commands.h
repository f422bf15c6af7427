/* commands - what `smtpscope COMMAND` runs; argv[0] is the command's name. */
#ifndef APP_COMMANDS_H
#define APP_COMMANDS_H

#include "base/status.h"

int run_main(int argc, char **argv);
int check_main(int argc, char **argv);

#endif
