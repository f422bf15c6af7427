#include "config/near.h"

#include <limits.h>
#include <string.h>

enum { WORD_MAX = 40 };

static unsigned min2(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static int lower(char c)
{
    return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

unsigned config_distance(const char *a, const char *b)
{
    /* Three rows of the matrix: two letters back, one back, this one. */
    unsigned rows[3][WORD_MAX + 1];
    unsigned *before = rows[0], *last = rows[1], *now = rows[2];
    size_t n = strlen(a), m = strlen(b);

    if (n > WORD_MAX || m > WORD_MAX)
        return UINT_MAX;
    for (size_t j = 0; j <= m; j++)
        last[j] = (unsigned)j;
    for (size_t i = 1; i <= n; i++) {
        now[0] = (unsigned)i;
        for (size_t j = 1; j <= m; j++) {
            bool same = lower(a[i - 1]) == lower(b[j - 1]);
            unsigned d = min2(min2(last[j], now[j - 1]) + 1, last[j - 1] + !same);

            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
                lower(a[i - 2]) == lower(b[j - 1]))
                d = min2(d, before[j - 2] + 1);
            now[j] = d;
        }
        unsigned *free_row = before;
        before = last;
        last = now;
        now = free_row;
    }
    return last[m];
}

/* "warning" for warn, "stat" for state. */
static bool is_begin(const char *given, const char *known)
{
    size_t n = strlen(given), m = strlen(known), shorter = n < m ? n : m;

    for (size_t i = 0; i < shorter; i++) {
        if (lower(given[i]) != lower(known[i]))
            return false;
    }
    return shorter >= 3;
}

bool config_is_near(const char *given, const char *known)
{
    size_t letters = strlen(given);
    unsigned most = letters < 6 ? 1 : (unsigned)min2((unsigned)letters / 3, 4);

    return letters > 0 && (config_distance(given, known) <= most || is_begin(given, known));
}

/* The key of this group, or of another, that the name is nearest to. */
static const struct config_key *key_like(const struct config_key *group, const char *name,
                                         bool elsewhere)
{
    const struct config_key *best = NULL, *key;
    unsigned best_distance = UINT_MAX;

    for (unsigned i = 1; (key = config_key_at(i)) != NULL; i++) {
        unsigned distance = config_distance(name, config_key_name(key));

        if (config_key_is_child(key, group) == elsewhere || distance >= best_distance)
            continue;
        if (config_is_near(name, config_key_name(key))) {
            best = key;
            best_distance = distance;
        }
    }
    return best;
}

static void list_keys(const struct config_key *group, char *out, size_t size)
{
    const struct config_key *key;
    size_t len = 0;

    for (unsigned i = 1; (key = config_key_at(i)) != NULL; i++) {
        if (config_key_is_child(key, group) && len < size)
            len += (size_t)snprintf(out + len, size - len, "%s%s",
                                    len > 0 ? ", " : "expected one of ", config_key_name(key));
    }
}

/* Of the group's path. */
static int group_length(const struct config_key *key)
{
    int n = (int)(config_key_name(key) - key->path);

    return n > 0 ? n - 1 : 0;
}

void config_key_hint(const struct config_key *group, const char *name, char *out, size_t size)
{
    const struct config_key *near = key_like(group, name, false);
    const struct config_key *other = key_like(group, name, true);

    if (other != NULL && config_distance(name, config_key_name(other)) == 0)
        snprintf(out, size, "it belongs in %.*s", group_length(other), other->path);
    else if (near != NULL)
        snprintf(out, size, "did you mean '%s'?", config_key_name(near));
    else if (other != NULL)
        snprintf(out, size, "did you mean '%s'?", other->path);
    else
        list_keys(group, out, size);
}
