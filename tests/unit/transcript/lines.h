/*
 * lines - a transcript file read back by the tests, without a JSON parser: whole
 * lines, and what stands in them.
 */
#ifndef UNIT_TRANSCRIPT_LINES_H
#define UNIT_TRANSCRIPT_LINES_H

#include "unit/check.h"

#include <stdio.h>
#include <sys/stat.h>

/* The file with a NUL behind it; the caller frees. An absent file is empty. */
static inline char *file_text(const char *path)
{
    FILE *f = fopen(path, "rb");
    struct stat st = { 0 };

    if (f == NULL)
        return calloc(1, 1);
    assert_int_equal(fstat(fileno(f), &st), 0);
    char *text = calloc(1, (size_t)st.st_size + 1);
    assert_int_equal(fread(text, 1, (size_t)st.st_size, f), st.st_size);
    fclose(f);
    return text;
}

static inline size_t count_text(const char *text, const char *what)
{
    size_t n = 0;

    for (const char *p = text; (p = strstr(p, what)) != NULL; p += strlen(what))
        n++;
    return n;
}

/* Every line begins and ends as a record does, the last one, too. Returns their number. */
static inline size_t check_whole_lines(const char *text)
{
    size_t lines = 0;

    for (const char *p = text; *p != '\0'; lines++) {
        const char *lf = strchr(p, '\n');
        if (lf == NULL || strncmp(p, "{\"v\":1,\"kind\":\"", 15) != 0 || lf[-1] != '}')
            fail_msg("line %zu is not whole: %.200s", lines + 1, p);
        p = lf + 1;
    }
    return lines;
}

/* A folder of its own, removed by the caller. */
static inline void make_folder(char path[64])
{
    snprintf(path, 64, "/tmp/smtpscope-unit-XXXXXX");
    assert_non_null(mkdtemp(path));
}

#endif
