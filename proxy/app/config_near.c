#include "app/config_near.h"

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

bool config_is_near(const char *given, const char *known)
{
    size_t letters = strlen(given);
    unsigned most = letters < 6 ? 1 : (unsigned)min2((unsigned)letters / 3, 4);

    return letters > 0 && config_distance(given, known) <= most;
}
