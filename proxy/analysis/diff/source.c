#include "analysis/diff/source.h"

#include "analysis/diff/source_open.h"
#include "base/escape.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { WINDOW = 256 * 1024, NAME_MAX_SHOWN = 256, NEAR_WINDOW = 16 * 1024 };

/*
 * The window: `used` octets of the text from offset `base` on.
 *
 *   reading on   base + next is where the next line begins
 *   by offset    any part of the text
 */
struct source {
    struct source_file *files;
    struct source_import import;
    size_t count;
    uint64_t size;
    unsigned char *window;
    size_t room, used;
    uint64_t base;
    uint64_t at;    /* of the next line */
    size_t current; /* file */
    uint64_t lines; /* of it */
    char place[NAME_MAX_SHOWN + 32];
    char error[SOURCE_ERROR_MAX];
};

struct source *source_open(const char *const *files, size_t count, const char *importer,
                           char error[SOURCE_ERROR_MAX])
{
    struct source *s = calloc(1, sizeof *s);

    if (s != NULL) {
        s->files = calloc(count > 0 ? count : 1, sizeof *s->files);
        s->import.program = importer;
        s->room = WINDOW;
        s->window = malloc(s->room);
    }
    if (s == NULL || s->files == NULL || s->window == NULL) {
        snprintf(error, SOURCE_ERROR_MAX, "out of memory");
        source_close(&s);
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        struct source_file *f = &s->files[i];
        if (!source_file_open(f, files[i], &s->import, error)) {
            source_close(&s);
            return NULL;
        }
        f->base = s->size;
        s->size += f->size;
        s->count++;
    }
    return s;
}

void source_close(struct source **sp)
{
    struct source *s = *sp;

    *sp = NULL;
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->count; i++)
        close(s->files[i].fd);
    source_import_end(&s->import);
    free(s->files);
    free(s->window);
    free(s);
}

uint64_t source_size(const struct source *s)
{
    return s->size;
}

const char *source_spool(const struct source *s)
{
    return s->import.spool[0] != '\0' ? s->import.spool : NULL;
}

const char *source_error(const struct source *s)
{
    return s->error;
}

const char *source_place(struct source *s)
{
    char safe[NAME_MAX_SHOWN];
    size_t file = s->current < s->count ? s->current : s->count - 1;

    escape(safe, sizeof safe, span_str(s->files[file].name));
    snprintf(s->place, sizeof s->place, "%s:%llu", safe, (unsigned long long)s->lines);
    return s->place;
}

static const struct source_file *file_at(const struct source *s, uint64_t offset)
{
    size_t low = 0, high = s->count;

    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;
        if (s->files[mid].base <= offset)
            low = mid;
        else
            high = mid;
    }
    return &s->files[low];
}

/* Fills the window from `offset` with up to `want` octets of one file. -1: failed. */
static int fill(struct source *s, uint64_t offset, size_t want)
{
    const struct source_file *f = file_at(s, offset);

    assert(offset - f->base <= f->size && want <= s->room);
    uint64_t left = f->base + f->size - offset;
    size_t most = left < want ? (size_t)left : want;
    s->base = offset;
    s->used = 0;
    while (s->used < most) {
        ssize_t n = pread(f->fd, s->window + s->used, most - s->used,
                          (off_t)(offset - f->base + s->used));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            snprintf(s->error, sizeof s->error, "%s: %s", source_place(s),
                     n < 0 ? strerror(errno) : "the file has become shorter");
            return -1;
        }
        s->used += (size_t)n;
    }
    return 0;
}

/* What the window holds from `offset` on. */
static struct span held(const struct source *s, uint64_t offset)
{
    if (offset < s->base || offset >= s->base + s->used)
        return (struct span){ NULL, 0 };
    return span_drop(span_of(s->window, s->used), (size_t)(offset - s->base));
}

static bool grow(struct source *s)
{
    size_t room = 2 * s->room;
    unsigned char *p = room <= 2 * SOURCE_LINE_MAX ? realloc(s->window, room) : NULL;

    if (p == NULL)
        return false;
    s->window = p;
    s->room = room;
    return true;
}

/*
 * The line at `offset`, of a file that ends at `end`; first reads `want` octets, then more.
 */
static enum source_result line_at(struct source *s, uint64_t offset, size_t want,
                                  struct span *line)
{
    const struct source_file *f = file_at(s, offset);
    uint64_t end = f->base + f->size;

    for (;;) {
        *line = held(s, offset);
        if (line->len > end - offset)
            line->len = (size_t)(end - offset);
        size_t lf = span_find(*line, '\n');
        if (lf < line->len) {
            line->len = lf;
            return SOURCE_LINE;
        }
        if (line->len == end - offset)
            return SOURCE_CUT;
        if (line->len > SOURCE_LINE_MAX)
            return SOURCE_LONG;
        if (line->len >= want)
            want = 4 * line->len;
        while (want > s->room && grow(s))
            continue;
        if (fill(s, offset, want < s->room ? want : s->room) < 0)
            return SOURCE_FAILED;
    }
}

/* Offset behind the newline of an overlong line, or the file's end. */
static uint64_t behind_line(struct source *s, uint64_t offset)
{
    const struct source_file *f = file_at(s, offset);
    uint64_t end = f->base + f->size;

    while (offset < end && fill(s, offset, s->room) == 0) {
        struct span part = held(s, offset);
        size_t lf = span_find(part, '\n');
        if (lf < part.len)
            return offset + lf + 1;
        offset += part.len;
    }
    return end;
}

/* The file that holds the next line; its lines are counted from one. */
static bool next_file(struct source *s)
{
    const struct source_file *f = s->at < s->size ? file_at(s, s->at) : NULL;

    if (f == NULL)
        return false;
    if ((size_t)(f - s->files) != s->current || s->at == f->base)
        s->lines = 0;
    s->current = (size_t)(f - s->files);
    return true;
}

enum source_result source_next(struct source *s, struct span *line, uint64_t *offset)
{
    if (!next_file(s))
        return SOURCE_END;
    enum source_result r = line_at(s, s->at, WINDOW, line);
    *offset = s->at;
    s->lines++;
    if (r == SOURCE_LONG)
        s->at = behind_line(s, s->at);
    else
        s->at += line->len + (r == SOURCE_LINE);
    return r;
}

bool source_at(struct source *s, uint64_t offset, struct span *line)
{
    return offset < s->size && line_at(s, offset, NEAR_WINDOW, line) == SOURCE_LINE;
}
