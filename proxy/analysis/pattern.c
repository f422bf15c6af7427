#include "analysis/pattern.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/escape.h"

/* ---- how a pattern is read --------------------------------------------------------- */

/* Length of a bracket expression, from "[" to "]". */
static size_t set_len(const char *p)
{
    size_t i = 1;

    i += p[i] == '^';
    i += p[i] == ']';
    while (p[i] != '\0' && p[i] != ']') {
        char kind = p[i + 1];
        if (p[i] == '[' && (kind == ':' || kind == '.' || kind == '=')) {
            for (i += 2; p[i] != '\0' && (p[i] != kind || p[i + 1] != ']'); i++)
                continue;
            i += p[i] != '\0';
        }
        i += p[i] != '\0';
    }
    return i + (p[i] == ']');
}

static size_t step_len(const char *p)
{
    if (p[0] == '\\')
        return p[1] != '\0' ? 2 : 1;
    return p[0] == '[' ? set_len(p) : 1;
}

/* Length of a group, from "(" to its ")". */
static size_t group_len(const char *p)
{
    size_t i = 0;
    unsigned depth = 0;

    while (p[i] != '\0') {
        depth += p[i] == '(';
        if (p[i] == ')' && --depth == 0)
            return i + 1;
        i += step_len(p + i);
    }
    return i;
}

/* How often at most a "{m,n}" repeats what is before it; at least 1. */
static unsigned long interval_max(const char *p)
{
    char *end;
    unsigned long least = strtoul(p + 1, &end, 10), most = least;

    if (*end == ',' && isdigit((unsigned char)end[1]))
        most = strtoul(end + 1, &end, 10);
    if (most < least)
        most = least;
    return most > 0 ? most : 1;
}

/* What is wrong with a pattern before it is compiled; NULL: nothing. */
static const char *find_fault(const char *text)
{
    unsigned long unfolded = strlen(text);

    if (unfolded == 0)
        return "is empty";
    if (unfolded > PATTERN_MAX)
        return "is longer than 1000 bytes";
    for (const char *p = text; *p != '\0'; p += step_len(p)) {
        if (p[0] == '\\' && isdigit((unsigned char)p[1]))
            return "holds a back reference; write out what is to be repeated";
        if (p[0] == '{' && isdigit((unsigned char)p[1])) {
            unsigned long most = interval_max(p);
            if (most > PATTERN_UNFOLDED_MAX || most * unfolded > PATTERN_UNFOLDED_MAX)
                return "repeats too much; use smaller numbers in {}, or +";
            unfolded *= most;
        }
    }
    for (const char *p = text; *p != '\0'; p++)
        if (*p < ' ' || *p > '~')
            return "holds a byte that is not printable ASCII; texts are tried escaped";
    return NULL;
}

/* ---- the literal that must be there ------------------------------------------------- */

struct atom {
    size_t len;
    char literal; /* 0: none */
    bool once;    /* at least once */
    bool more;    /* perhaps several times */
};

static char atom_literal(const char *p, size_t len)
{
    if (p[0] == '\\')
        return (char)(ispunct((unsigned char)p[1]) && strchr("<>'`", p[1]) == NULL ? p[1] : 0);
    if (p[0] == '[')
        return (char)(len == 3 ? p[1] : 0);
    return (char)(strchr("(.^$", p[0]) == NULL ? p[0] : 0);
}

/* Length of a "*", "+", "?" or "{m,n}"; *least is how often it wants what is before it. */
static size_t repeat_len(const char *p, unsigned long *least)
{
    *least = *p == '+';
    if (*p == '{' && (isdigit((unsigned char)p[1]) || p[1] == ',')) {
        *least = strtoul(p + 1, NULL, 10);
        return strcspn(p, "}") + (strchr(p, '}') != NULL);
    }
    return *p == '*' || *p == '+' || *p == '?';
}

static struct atom atom_read(const char *p)
{
    struct atom a = { .len = p[0] == '(' ? group_len(p) : step_len(p), .once = true };
    unsigned long least;
    size_t repeat;

    a.literal = atom_literal(p, a.len);
    while ((repeat = repeat_len(p + a.len, &least)) > 0) {
        a.more = true;
        a.once = a.once && least > 0;
        a.len += repeat;
    }
    return a;
}

static bool has_choice(const char *p)
{
    while (*p != '\0') {
        if (*p == '|')
            return true;
        p += *p == '(' ? group_len(p) : step_len(p);
    }
    return false;
}

/* The longest run of literals outside groups, in lower case. `out` holds the pattern. */
static void find_must(const char *text, char *out)
{
    char run[PATTERN_MAX + 1];
    size_t len = 0, best = 0;

    out[0] = '\0';
    if (has_choice(text))
        return;
    for (const char *p = text; *p != '\0';) {
        struct atom a = atom_read(p);
        p += a.len;
        if (a.literal != 0 && a.once)
            run[len++] = (char)tolower((unsigned char)a.literal);
        if (len > best) {
            best = len;
            memcpy(out, run, len);
            out[len] = '\0';
        }
        if (a.literal == 0 || a.more)
            len = 0;
    }
}

/* ---- use ----------------------------------------------------------------------------- */

bool pattern_compile(struct pattern *p, const char *text, char *error, size_t size)
{
    const char *fault = find_fault(text);

    *p = (struct pattern){ .must = NULL };
    if (fault != NULL) {
        snprintf(error, size, "%s", fault);
        return false;
    }
    p->must = malloc(strlen(text) + 1);
    if (p->must == NULL) {
        snprintf(error, size, "takes more memory than there is");
        return false;
    }
    int code = regcomp(&p->regex, text, REG_EXTENDED | REG_ICASE | REG_NOSUB);
    if (code != 0) {
        char why[80];
        regerror(code, &p->regex, why, sizeof why);
        snprintf(error, size, "is no extended regular expression: %s", why);
        free(p->must);
        return false;
    }
    find_must(text, p->must);
    return true;
}

void pattern_free(struct pattern *p)
{
    regfree(&p->regex);
    free(p->must);
}

static bool is_plain(unsigned char c)
{
    return c >= ' ' && c <= '~' && c != '\\' && c != '"';
}

void pattern_text_init(struct pattern_text *t, struct span raw)
{
    raw = span_first(raw, PATTERN_TEXT_MAX);
    t->len = 0;
    while (t->len < raw.len && is_plain(raw.ptr[t->len])) {
        t->escaped[t->len] = (char)raw.ptr[t->len];
        t->len++;
    }
    t->escaped[t->len] = '\0';
    if (t->len < raw.len)
        t->len = escape(t->escaped, sizeof t->escaped, raw);
    for (size_t i = 0; i < t->len; i++) {
        char c = t->escaped[i];
        t->lower[i] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
}

bool pattern_fits(const struct pattern *p, const struct pattern_text *t)
{
    size_t must = strlen(p->must);

    if (must > 0 && memmem(t->lower, t->len, p->must, must) == NULL)
        return false;
    return regexec(&p->regex, t->escaped, 0, NULL, 0) == 0;
}
