/*
 * Any text as a catalogue: it is refused with one line that holds no control character, or
 * every entry can be found again, and a text of the input is tried on all its patterns.
 *
 * Files are not included: the fuzzer would read the machine it runs on.
 */
#include "analysis/catalogue.h"
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

static struct catalogue *load(const void *text, size_t size, char *error, size_t error_size)
{
    char path[64];
    int fd = memfd_create("catalogue", MFD_CLOEXEC);

    ALWAYS(fd >= 0 && write(fd, text, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct catalogue *c = catalogue_load(path, error, error_size);
    close(fd);
    return c;
}

static void check_entry(const struct catalogue *c, const struct catalogue_entry *e)
{
    ALWAYS(catalogue_find(c, e->id) == e);
    ALWAYS(e->product[0] != '\0' && e->does[0] != '\0' && e->fix != NULL && e->source != NULL);
    for (const char *const *f = e->findings; *f != NULL; f++) {
        const struct catalogue_entry *named = NULL;
        while ((named = catalogue_for(c, *f, named)) != NULL && named != e)
            continue;
        ALWAYS(named == e);
    }
}

static void check_all(const struct catalogue *c, struct span text)
{
    for (int place = 0; place < PLACE_COUNT; place++) {
        const struct catalogue_entry *e = NULL, *last = NULL;
        while ((e = catalogue_match(c, (enum catalogue_place)place, text, e)) != NULL) {
            ALWAYS(last == NULL || e > last);
            ALWAYS(catalogue_looks_at(c, e, (enum catalogue_place)place));
            check_entry(c, e);
            last = e;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char error[512] = "";

    if (memmem(data, size, "@include", strlen("@include")) != NULL)
        return 0;
    struct catalogue *c = load(data, size, error, sizeof error);
    for (const char *p = error; *p != '\0'; p++)
        ALWAYS(*p >= ' ' && *p < 0x7f);
    ALWAYS((c == NULL) == (error[0] != '\0'));
    if (c == NULL)
        return 0;
    check_all(c, span_of(data, size));
    check_all(c, SPAN_LIT("220 **20***** XXXX a\\b \"c\""));
    catalogue_free(&c);
    return 0;
}
