#include "app/tool.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/commands.h"

bool tool_find(const char *name, char path[TOOL_PATH_MAX])
{
    char self[4096];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);

    if (len > 0) {
        self[len] = '\0';
        char *slash = strrchr(self, '/');
        if (slash != NULL) {
            snprintf(path, TOOL_PATH_MAX, "%.*s/smtpscope-%s", (int)(slash - self), self, name);
            if (access(path, X_OK) == 0)
                return true;
        }
    }
    snprintf(path, TOOL_PATH_MAX, "%s/smtpscope-%s", SMTPSCOPE_LIBEXECDIR, name);
    return access(path, X_OK) == 0;
}

int tool_main(int argc, char **argv)
{
    char path[TOOL_PATH_MAX];

    (void)argc;
    if (!tool_find(argv[0], path)) {
        fprintf(stderr, "smtpscope: smtpscope-%s is not installed\n", argv[0]);
        return STATUS_WRONG;
    }
    signal(SIGPIPE, SIG_DFL); /* `smtpscope show x | head` ends without a word, as others do */
    execv(path, argv);
    fprintf(stderr, "smtpscope: cannot run %s: %s\n", path, strerror(errno));
    return STATUS_WRONG;
}
