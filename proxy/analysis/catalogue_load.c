/* catalogue_load - the file becomes a catalogue, or a sentence that says what is wrong. */
#include "analysis/catalogue_private.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/hash64.h"
#include "base/escape.h"

enum { FILE_MAX = 4 << 20 };

struct shown catalogue_show(const char *text)
{
    struct shown s;

    escape(s.text, sizeof s.text, span_str(text));
    return s;
}

bool catalogue_fail(const struct loader *l, const config_setting_t *at, const char *fmt, ...)
{
    const char *source = at != NULL ? config_setting_source_file(at) : NULL;
    unsigned line = at != NULL ? (unsigned)config_setting_source_line(at) : 0;
    char what[400];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    struct shown file = catalogue_show(source != NULL ? source : l->file);
    if (line > 0)
        snprintf(l->error, l->size, "%s:%u: %s", file.text, line, what);
    else
        snprintf(l->error, l->size, "%s: %s", file.text, what);
    return false;
}

/* By place, so that a text meets only patterns of its own. */
static bool compile_all(struct loader *l, config_setting_t *entries)
{
    struct catalogue *c = l->c;

    for (unsigned place = 0; place < PLACE_COUNT; place++) {
        unsigned first = l->patterns;
        for (unsigned i = 0; i < c->count; i++) {
            config_setting_t *entry = config_setting_get_elem(entries, i);
            if (!catalogue_take_patterns(l, entry, place, &c->entries[i]))
                return false;
        }
        c->first[place] = first;
    }
    return true;
}

/* The only key of the file; NULL after an error. */
static config_setting_t *find_entries(const struct loader *l)
{
    config_setting_t *root = config_root_setting(&l->c->config);
    config_setting_t *entries = config_setting_get_member(root, "entries");

    for (int i = 0; i < config_setting_length(root); i++) {
        config_setting_t *s = config_setting_get_elem(root, (unsigned)i);
        if (s == entries)
            continue;
        catalogue_fail(l, s, "\"%s\" is no key of a catalogue; there is only entries",
                       catalogue_show(config_setting_name(s)).text);
        return NULL;
    }
    if (entries == NULL)
        catalogue_fail(l, NULL, "no entries; write entries = ( { id = \"...\"; ... }, ... );");
    else if (!config_setting_is_list(entries))
        catalogue_fail(l, entries, "entries is no list; write ( {...}, {...} )");
    else if (config_setting_length(entries) > CATALOGUE_ENTRIES_MAX)
        catalogue_fail(l, entries, "more than %d entries; leave some out",
                       CATALOGUE_ENTRIES_MAX);
    else
        return entries;
    return NULL;
}

static bool take_entries(struct loader *l)
{
    config_setting_t *entries = find_entries(l);
    struct catalogue *c = l->c;
    unsigned patterns = 0;

    if (entries == NULL)
        return false;
    unsigned count = (unsigned)config_setting_length(entries);
    c->entries = calloc(count + 1, sizeof *c->entries);
    c->findings = calloc(count * (CATALOGUE_FINDINGS_MAX + 1) + 1, sizeof *c->findings);
    if (c->entries == NULL || c->findings == NULL)
        return catalogue_fail(l, NULL, "out of memory");
    for (unsigned i = 0; i < count; i++)
        if (!catalogue_take_entry(l, config_setting_get_elem(entries, i), &patterns))
            return false;
    c->patterns = calloc(patterns + 1, sizeof *c->patterns);
    if (c->patterns == NULL)
        return catalogue_fail(l, NULL, "out of memory");
    return compile_all(l, entries);
}

/* ---- the text ---- */

/* With a NUL behind it; NULL after an error. */
static char *read_all(const struct loader *l, int fd, size_t *len)
{
    char *text = malloc(FILE_MAX + 1);
    ssize_t n = 1;

    *len = 0;
    while (text != NULL && n > 0 && *len < FILE_MAX) {
        n = read(fd, text + *len, FILE_MAX - *len);
        if (n > 0)
            *len += (size_t)n;
        else if (n < 0 && errno == EINTR)
            n = 1;
    }
    if (text != NULL && n == 0) {
        text[*len] = '\0';
        return text;
    }
    if (text == NULL)
        catalogue_fail(l, NULL, "out of memory");
    else if (n < 0)
        catalogue_fail(l, NULL, "%s", strerror(errno));
    else
        catalogue_fail(l, NULL, "more than 4 MiB; no catalogue is as long as that");
    free(text);
    return NULL;
}

static char *read_text(const struct loader *l)
{
    int fd = open(l->file, O_RDONLY | O_CLOEXEC);
    size_t len;

    if (fd < 0) {
        catalogue_fail(l, NULL, "%s", strerror(errno));
        return NULL;
    }
    char *text = read_all(l, fd, &len);
    close(fd);
    if (text == NULL || strlen(text) == len)
        return text;
    catalogue_fail(l, NULL, "holds a NUL byte; it is to be plain text");
    free(text);
    return NULL;
}

/* Files it includes lie beside it. */
static void set_folder(config_t *config, const char *file)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s", file);
    config_set_include_dir(config, dirname(path));
}

static bool take_text(struct loader *l)
{
    char *text = read_text(l);
    config_t *config = &l->c->config;

    if (text == NULL)
        return false;
    set_folder(config, l->file);
    l->c->stamp = hash64(span_str(text));
    bool ok = config_read_string(config, text) == CONFIG_TRUE;
    free(text);
    if (ok)
        return take_entries(l);
    const char *file = config_error_file(config);
    snprintf(l->error, l->size, "%s:%d: %s", catalogue_show(file ? file : l->file).text,
             config_error_line(config), config_error_text(config));
    return false;
}

struct catalogue *catalogue_load(const char *file, char *error, size_t size)
{
    struct loader l = { .file = file, .error = error, .size = size };

    l.c = calloc(1, sizeof *l.c);
    if (l.c == NULL) {
        catalogue_fail(&l, NULL, "out of memory");
        return NULL;
    }
    config_init(&l.c->config);
    if (!take_text(&l))
        catalogue_free(&l.c);
    return l.c;
}
