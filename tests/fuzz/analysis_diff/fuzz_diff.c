/*
 * fuzz_diff - two arbitrary transcripts, separated by a line "--".
 *
 * Always: it comes to an end; findings lie inside what they show; the same input gives the same
 * findings.
 */
#include "fuzz/always.h"

#include "analysis/diff/diff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct heard {
    uint64_t hash;
    size_t findings;
};

static void mix(struct heard *h, const void *p, size_t len)
{
    const unsigned char *c = p;

    for (size_t i = 0; i < len; i++)
        h->hash = (h->hash ^ c[i]) * 0x100000001b3u;
}

static void check_excerpt(struct heard *h, const struct diff_excerpt *e)
{
    ALWAYS(e->octets.len <= DIFF_EXCERPT_MAX);
    mix(h, e->octets.ptr, e->octets.len); /* all of it may be read */
}

static void on_compared(void *arg, const struct diff_pair *pair,
                        const struct diff_finding *list, size_t len)
{
    struct heard *h = arg;

    ALWAYS(len <= DIFF_FINDINGS_MAX);
    ALWAYS(strlen(pair->near.sid) + strlen(pair->far.sid) > 0);
    for (size_t i = 0; i < len; i++) {
        check_excerpt(h, &list[i].sent);
        check_excerpt(h, &list[i].received);
        ALWAYS(list[i].f.text[0] != '\0' && list[i].sub != NULL);
        for (const char *c = list[i].f.text; *c != '\0'; c++)
            ALWAYS(*c >= ' ' && *c < 0x7f);
        mix(h, list[i].f.text, strlen(list[i].f.text));
        h->findings++;
    }
}

static int file_of(const uint8_t *data, size_t size, char path[64])
{
    int fd = memfd_create("diff", 0);

    ALWAYS(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    snprintf(path, 64, "/proc/self/fd/%d", fd);
    return fd;
}

static struct heard run(const char *near, const char *far)
{
    struct heard h = { .hash = 0 };
    struct diff_options o = { .files = { &near, &far },
                              .file_count = { 1, 1 },
                              .examples = 2,
                              .compared = on_compared,
                              .arg = &h };
    char error[DIFF_ERROR_MAX];
    struct diff_result *r = diff_run(&o, error);

    if (r == NULL) /* it looks like a capture */
        return h;
    ALWAYS(r->totals.findings == h.findings);
    for (size_t i = 0; i < r->group_count; i++)
        ALWAYS(r->groups[i].example_count > 0 && r->groups[i].sessions <= r->groups[i].could);
    diff_free(&r);
    return h;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *line = size > 0 ? memmem(data, size, "\n--\n", 4) : NULL;
    size_t first = line != NULL ? (size_t)(line - data) + 1 : size;
    size_t second = line != NULL ? first + 3 : size;
    char near[64], far[64];

    if (size > 1 << 16)
        return 0;
    int a = file_of(data, first, near), b = file_of(data + second, size - second, far);
    struct heard one = run(near, far), two = run(near, far);
    ALWAYS(one.hash == two.hash && one.findings == two.findings);
    close(a);
    close(b);
    return 0;
}
