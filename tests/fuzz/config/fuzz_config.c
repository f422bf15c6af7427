/*
 * Any text as a configuration: either it is refused with at least one line that holds no
 * control character, or it prints as a file that loads again and prints the same.
 *
 * Files are not included: the fuzzer would read the machine it runs on.
 */
#include "config/config.h"
#include "fuzz/always.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* libconfig 1.5 forgets a string that the end of the file cuts off. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libconfig.so\n";
}

static struct config *load(const void *text, size_t size, char **errors)
{
    char path[64];
    int fd = memfd_create("conf", MFD_CLOEXEC);
    size_t length;
    FILE *out = open_memstream(errors, &length);

    ALWAYS(fd >= 0 && out != NULL && write(fd, text, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct config *c = config_load(path, CONFIG_TEXT, out);
    fclose(out);
    close(fd);
    return c;
}

static char *printed(const struct config *c)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    ALWAYS(out != NULL);
    config_print(c, out);
    fclose(out);
    return text;
}

static void check_errors(const char *errors)
{
    for (const char *p = errors; *p != '\0'; p++)
        ALWAYS(*p == '\n' || (*p >= ' ' && *p < 0x7f));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *errors, *text, *again;
    struct config *c, *d;

    if (memmem(data, size, "@include", strlen("@include")) != NULL)
        return 0;
    c = load(data, size, &errors);
    check_errors(errors);
    ALWAYS(c != NULL || errors[0] != '\0');
    free(errors);
    if (c == NULL)
        return 0;
    text = printed(c);
    d = load(text, strlen(text), &errors);
    ALWAYS(d != NULL);
    again = printed(d);
    ALWAYS(strcmp(text, again) == 0);
    ALWAYS(!config_needs_restart(c, d, NULL));
    free(errors);
    free(text);
    free(again);
    config_free(&c);
    config_free(&d);
    return 0;
}
