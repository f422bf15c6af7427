#include "config/scan.h"

#include "base/escape.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FILE_MAX_OCTETS = 1 << 20, INCLUDE_DEPTH_MAX = 8 };

struct scan {
    struct config_report *report;
    const char *folder;
    unsigned depth;
    struct config_place at;
    const char *p;
};

static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ*";
static const char word_chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ*"
                                 "0123456789_-";

static char *read_all(FILE *f, size_t *len)
{
    char *text = malloc(FILE_MAX_OCTETS + 1);

    if (text == NULL)
        abort();
    *len = fread(text, 1, FILE_MAX_OCTETS + 1, f);
    if (ferror(f)) {
        free(text);
        return NULL;
    }
    return text;
}

char *config_read_text(struct config_report *r, const char *file)
{
    struct config_place at = { .file = file };
    FILE *f = fopen(file, "re");
    size_t len = 0;
    char *text = f != NULL ? read_all(f, &len) : NULL;

    if (text == NULL)
        config_error(r, at, "cannot read the file: %s", strerror(errno));
    if (f != NULL)
        fclose(f);
    if (text == NULL)
        return NULL;
    if (len > FILE_MAX_OCTETS || memchr(text, '\0', len) != NULL) {
        config_error(r, at,
                     len > FILE_MAX_OCTETS ? "the file is larger than 1 MiB"
                                           : "the file holds a NUL byte: not a text file");
        free(text);
        return NULL;
    }
    text[len] = '\0';
    return text;
}

static void scan_text(struct scan *s);

/* s->p stands on the opening quote; moves behind the closing one. */
static void skip_string(struct scan *s)
{
    for (s->p++; *s->p != '\0' && *s->p != '"'; s->p++) {
        if (*s->p == '\n')
            s->at.line++;
        if (*s->p == '\\' && s->p[1] != '\0')
            s->p++;
    }
    if (*s->p == '"')
        s->p++;
}

static void skip_block_comment(struct scan *s)
{
    for (s->p += 2; *s->p != '\0' && strncmp(s->p, "*/", 2) != 0; s->p++) {
        if (*s->p == '\n')
            s->at.line++;
    }
    if (*s->p != '\0')
        s->p += 2;
}

static void check_number(struct scan *s)
{
    const char *digits = s->p;
    size_t len = strspn(digits, "0123456789abcdefABCDEFxXL.");
    bool hex = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X');
    char *end;

    s->p += len;
    if (memchr(digits, '.', len) != NULL)
        return;
    errno = 0;
    unsigned long long value = strtoull(digits, &end, hex ? 16 : 10);
    if (errno == ERANGE || value > INT32_MAX)
        config_error(s->report, s->at, "the number %.*s is too large",
                     (int)(len < 40 ? len : 40), digits);
    else if (!hex && digits[0] == '0' && end > digits + 1)
        config_error(s->report, s->at,
                     "the number %.*s begins with 0; write it without, or in "
                     "quotes if it is a file mode",
                     (int)(len < 40 ? len : 40), digits);
}

static void scan_included(struct scan *s, const char *file)
{
    struct scan inner = *s;
    const char *wrong = NULL;
    char shown[PATH_MAX];
    struct stat st;

    if (stat(file, &st) != 0)
        wrong = strerror(errno);
    else if (!S_ISREG(st.st_mode))
        wrong = "not a regular file";
    if (wrong != NULL) {
        escape(shown, sizeof shown, span_str(file));
        config_error(s->report, s->at, "cannot include %s: %s", shown, wrong);
        return;
    }
    if (++inner.depth > INCLUDE_DEPTH_MAX) {
        config_error(s->report, s->at,
                     "files are included more than %d deep; does one include itself?",
                     INCLUDE_DEPTH_MAX);
        return;
    }
    char *text = config_read_text(s->report, file);
    if (text == NULL)
        return;
    inner.at = (struct config_place){ file, 1 };
    inner.p = text;
    scan_text(&inner);
    free(text);
}

/* s->p stands on the @ of @include "name". */
static void scan_include(struct scan *s)
{
    char file[PATH_MAX];
    const char *name = strchr(s->p, '"');
    size_t line = strcspn(s->p, "\n");

    if (name == NULL || name > s->p + line) {
        s->p++;
        return;
    }
    s->p = name++;
    skip_string(s);
    int len = (int)strcspn(name, "\"");
    int n = name[0] == '/' ? snprintf(file, sizeof file, "%.*s", len, name)
                           : snprintf(file, sizeof file, "%s/%.*s", s->folder, len, name);
    if (n >= (int)sizeof file)
        config_error(s->report, s->at, "the path of the included file is too long");
    else
        scan_included(s, file);
}

static void scan_text(struct scan *s)
{
    while (*s->p != '\0' && s->report->errors < 100) {
        if (*s->p == '\n') {
            s->at.line++;
            s->p++;
        } else if (*s->p == '#' || strncmp(s->p, "//", 2) == 0) {
            s->p += strcspn(s->p, "\n");
        } else if (strncmp(s->p, "/*", 2) == 0) {
            skip_block_comment(s);
        } else if (*s->p == '"') {
            skip_string(s);
        } else if (strncmp(s->p, "@include", 8) == 0) {
            scan_include(s);
        } else if (strchr(letters, *s->p) != NULL) {
            s->p += strspn(s->p, word_chars);
        } else if (*s->p >= '0' && *s->p <= '9') {
            check_number(s);
        } else {
            s->p++;
        }
    }
}

void config_scan(struct config_report *r, const char *file, const char *text,
                 const char *folder)
{
    struct scan s = { .report = r, .folder = folder, .at = { file, 1 }, .p = text };

    scan_text(&s);
}

static struct span line_of(const char *text, unsigned line)
{
    while (line > 1 && *text != '\0') {
        text += strcspn(text, "\n");
        text += *text == '\n';
        line--;
    }
    return span_trim(span_of(text, strcspn(text, "\r\n")));
}

static bool span_in(struct span s, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (span_equal_nocase(s, span_str(*words)))
            return true;
    }
    return false;
}

/* What is wrong with `name = value`; false: nothing that shows. */
static bool explain_setting(struct span name, struct span value, char *out, size_t size)
{
    static const char *const booleans[] = { "yes", "no", "on", "off", NULL };
    static const char *const good[] = { "true", "false", NULL };
    char shown[64];

    escape(shown, sizeof shown, value);
    if (span_find(name, '.') < name.len)
        snprintf(out, size,
                 "a name holds no dot; write groups as in limits = { sessions = 1; };");
    else if (span_in(value, booleans))
        snprintf(out, size, "write true or false instead of %s", shown);
    else if (value.len > 0 && strchr("\"{[(", value.ptr[0]) == NULL && !span_in(value, good) &&
             strspn(shown, "0123456789") < strlen(shown))
        snprintf(out, size, "text and numbers with a unit stand in quotes: \"%s\"", shown);
    else
        return false;
    return true;
}

/* The word at the begin or the end of s, where no delimiter stands. */
static struct span word_at_begin(struct span s)
{
    size_t len = 0;

    while (len < s.len && memchr(";,#}])\" \t", s.ptr[len], 10) == NULL)
        len++;
    return span_of(s.ptr, len);
}

static struct span word_at_end(struct span s)
{
    size_t len = 0;

    while (len < s.len && memchr(";,#{[(\" \t", s.ptr[s.len - len - 1], 10) == NULL)
        len++;
    return span_of(s.ptr + s.len - len, len);
}

void config_explain_syntax(const char *text, unsigned line, char *out, size_t size)
{
    struct span all = line_of(text, line);

    for (size_t i = 0; i < all.len; i++) {
        struct span name = word_at_end(span_trim_right(span_first(all, i)));
        struct span value = word_at_begin(span_trim_left(span_drop(all, i + 1)));

        if (all.ptr[i] == '=' && explain_setting(name, value, out, size))
            return;
    }
    snprintf(out, size, "look here and in the line above for a missing quote, brace or =");
}

void config_name_in_line(const char *text, unsigned line, char *out, size_t size)
{
    struct span all = line_of(text, line);
    size_t begin = 0, end;

    while (begin < all.len && strchr(letters, all.ptr[begin]) == NULL)
        begin++;
    for (end = begin; end < all.len && strchr(word_chars, all.ptr[end]) != NULL; end++)
        ;
    escape(out, size, span_of(all.ptr + begin, end - begin));
}
