#include "analysis/catalogue.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* BUILD/proxy/app/smtpscope, BUILD/proxy/tools/smtpscope-report: BUILD. */
static bool build_folder(char path[PATH_MAX])
{
    static const char *const folders[] = { "/proxy/app/", "/proxy/tools/" };
    ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);

    if (n <= 0)
        return false;
    path[n] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        char *slash = strrchr(path, '/');
        size_t len = strlen(folders[i]), folder = (size_t)(slash + 1 - path);
        if (folder < len || strncmp(path + folder - len, folders[i], len) != 0)
            continue;
        path[folder - len] = '\0';
        return true;
    }
    return false;
}

bool catalogue_default_file(char *out, size_t size)
{
    char folder[PATH_MAX];
    int n = build_folder(folder) ? snprintf(out, size, "%s/conf/middleboxes.conf", folder)
                                 : snprintf(out, size, "%s", SMTPSCOPE_CATALOGUE);

    return n > 0 && (size_t)n < size;
}

bool catalogue_open(struct catalogue **out, const char *file, char *error, size_t size)
{
    char usual[PATH_MAX];

    *out = NULL;
    if (file == NULL &&
        (!catalogue_default_file(usual, sizeof usual) || access(usual, R_OK) != 0))
        return true;
    *out = catalogue_load(file != NULL ? file : usual, error, size);
    return *out != NULL;
}
