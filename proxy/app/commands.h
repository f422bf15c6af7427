/* commands - what `smtpscope COMMAND` runs; argv[0] is the command's name. Exit statuses. */
#ifndef APP_COMMANDS_H
#define APP_COMMANDS_H

enum { STATUS_OK = 0, STATUS_WRONG = 1, STATUS_USAGE = 2 };

int run_main(int argc, char **argv);
int check_main(int argc, char **argv);
int reflect_main(int argc, char **argv);
int simulate_main(int argc, char **argv);

#endif
