/*
 * helpers - configurations from text, and what they say.
 *
 * The limit of file descriptors is set to FILES_LIMIT, so that messages about it do not
 * depend on the machine.
 */
#ifndef TESTS_CONFIG_HELPERS_H
#define TESTS_CONFIG_HELPERS_H

#include "config/config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

enum { FILES_LIMIT = 4096 };

static inline void limit_files(void)
{
    struct rlimit limit = { FILES_LIMIT, FILES_LIMIT };

    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        abort();
}

static inline char *read_whole(const char *path)
{
    FILE *f = fopen(path, "r");
    size_t size = 1 << 20, len;
    char *text = malloc(size);

    if (f == NULL || text == NULL) {
        perror(path);
        abort();
    }
    len = fread(text, 1, size - 1, f);
    text[len] = '\0';
    fclose(f);
    return text;
}

/* *errors: what was written, to be freed. NULL as config_load(). */
static inline struct config *load_file_for(const char *path, enum config_purpose purpose,
                                           char **errors)
{
    size_t size;
    FILE *out = open_memstream(errors, &size);
    struct config *c = config_load(path, purpose, out);

    fclose(out);
    return c;
}

static inline struct config *load_file(const char *path, char **errors)
{
    return load_file_for(path, CONFIG_TEXT, errors);
}

static inline struct config *load_text_for(const char *text, enum config_purpose purpose,
                                           char **errors)
{
    char path[64];
    int fd = memfd_create("conf", MFD_CLOEXEC);
    size_t len = strlen(text);

    if (fd < 0 || write(fd, text, len) != (ssize_t)len)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct config *c = load_file_for(path, purpose, errors);
    close(fd);
    return c;
}

static inline struct config *load_text(const char *text, char **errors)
{
    return load_text_for(text, CONFIG_TEXT, errors);
}

static inline char *printed(const struct config *c)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    config_print(c, out);
    fclose(out);
    return text;
}

#endif
