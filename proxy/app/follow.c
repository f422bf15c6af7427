#include "app/follow.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/tool.h"
#include "base/log.h"

/* Ctrl-C goes to the whole foreground group: the reader lives until the stream ends. */
static void child_run(const char *path, int in)
{
    char *const argv[] = { (char[]){ "smtpscope-show" }, (char[]){ "--follow" },
                           (char[]){ "-" }, NULL };

    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGPIPE, SIG_DFL);
    if (dup2(in, STDIN_FILENO) >= 0)
        execv(path, argv);
    _exit(127);
}

void follow_start(struct follow *f)
{
    char path[TOOL_PATH_MAX];
    int ends[2];

    *f = (struct follow){ -1, -1 };
    if (!tool_find("show", path))
        return;
    if (pipe2(ends, O_CLOEXEC) != 0) {
        log_warn("cannot start %s: %s", path, strerror(errno));
        return;
    }
    pid_t child = fork();
    if (child == 0)
        child_run(path, ends[0]);
    close(ends[0]);
    if (child < 0) {
        log_warn("cannot start %s: %s", path, strerror(errno));
        close(ends[1]);
        return;
    }
    *f = (struct follow){ ends[1], child };
}

void follow_stop(struct follow *f)
{
    if (f->fd < 0)
        return;
    close(f->fd);
    while (waitpid(f->child, NULL, 0) < 0 && errno == EINTR)
        ;
    *f = (struct follow){ -1, -1 };
}
