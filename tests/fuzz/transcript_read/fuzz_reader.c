/*
 * fuzz_reader - any octets as a transcript.
 *
 * Always true: reading ends, every line counts once; what is taken as a record has
 * its fields in their types, can be shown, and what is shown is printable ASCII.
 */
#include "transcript/read/dialogue.h"
#include "transcript/read/reader.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INVARIANT(c)                                                                           \
    do {                                                                                       \
        if (!(c)) {                                                                            \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #c);                            \
            abort();                                                                           \
        }                                                                                      \
    } while (0)

static void check_shown(const struct record *r, bool hex)
{
    char *text = NULL;
    size_t len = 0;
    struct dialogue d = { .hex = hex, .legs = { !hex, hex }, .paint = { .prefix = "" } };

    d.paint.out = open_memstream(&text, &len);
    INVARIANT(d.paint.out != NULL);
    dialogue_print(&d, r);
    fclose(d.paint.out);
    INVARIANT(len > 0 && text[len - 1] == '\n');
    for (size_t i = 0; i < len; i++)
        INVARIANT(text[i] == '\n' || (text[i] >= 0x20 && text[i] < 0x7f));
    free(text);
}

/* Every line by itself, from a heap block of its exact size. */
static unsigned parse_lines(const uint8_t *data, size_t size)
{
    struct span rest = { data, size };
    unsigned good = 0;

    while (rest.len > 0) {
        size_t n = span_find(rest, '\n');
        if (n == rest.len)
            break;
        unsigned char *exact = malloc(n ? n : 1);
        INVARIANT(exact != NULL);
        memcpy(exact, rest.ptr, n);
        char error[READER_ERROR_MAX] = "";
        struct record r;
        if (record_parse(span_of(exact, n), &r, error)) {
            good++;
            INVARIANT(strlen(r.sid) == 26 && r.n > 0 && error[0] == '\0');
            check_shown(&r, n % 2 == 0);
            record_free(&r);
        } else {
            INVARIANT(error[0] != '\0' && r.root == NULL);
        }
        free(exact);
        rest = span_drop(rest, n + 1);
    }
    return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned good = parse_lines(data, size), taken = 0, bad = 0;
    uint64_t lines = 0;
    size_t tail = 0;
    char path[64], error[READER_ERROR_MAX];
    int fd = memfd_create("transcript", 0);

    INVARIANT(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct reader *reader = reader_open(path, error);
    INVARIANT(reader != NULL);
    for (size_t i = 0; i < size; i++) {
        tail = data[i] == '\n' ? 0 : tail + 1;
        lines += data[i] == '\n';
    }
    for (;;) {
        struct record r;
        enum reader_result result = reader_next(reader, &r);
        INVARIANT(result != READER_FAILED);
        if (result == READER_END)
            break;
        taken += result == READER_RECORD;
        bad += result == READER_BAD;
        if (result == READER_RECORD)
            record_free(&r);
    }
    INVARIANT(taken + bad == lines && reader_line(reader) == lines);
    INVARIANT(taken <= good); /* the order of `n` may be wrong, too */
    INVARIANT(reader_cut(reader) == tail);
    reader_close(&reader);
    close(fd);
    return 0;
}
