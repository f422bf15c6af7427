/*
 * follow - the transcript on a terminal, as people read it: records go through a pipe to
 * `smtpscope-show --follow -`, which writes the dialogue.
 */
#ifndef APP_FOLLOW_H
#define APP_FOLLOW_H

#include <stdbool.h>
#include <stddef.h>

struct follow {
    int fd;    /* write records here; -1: there is no reader */
    int child; /* its process, or -1 */
};

/* Starts the reader; before any thread. On failure f->fd is -1. */
void follow_start(struct follow *f);
/* Ends the stream and waits until all is shown. */
void follow_stop(struct follow *f);

#endif
