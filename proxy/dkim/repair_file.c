#include "dkim/repair.h"

#include <errno.h>
#include <stdio.h>

enum { PIECE = 65536 };

/* False: errno says why. */
static bool add_file(struct dkim *d, FILE *f, bool stuffed)
{
    unsigned char piece[PIECE];
    size_t n;

    while ((n = fread(piece, 1, sizeof piece, f)) > 0)
        dkim_add(d, span_of(piece, n), stuffed);
    return ferror(f) == 0;
}

static void repair_all(struct dkim *d, uint64_t most, struct dkim_repair_file *out)
{
    const struct dkim_verdict *v = dkim_finish(d, true);
    struct span body;

    for (unsigned i = 0; v != NULL && i < v->count; i++) {
        if (v->signatures[i].result != DKIM_CHANGED || !dkim_body(d, &body))
            continue;
        dkim_repair(body, &v->signatures[i], most, &out->repairs[i]);
        dkim_set_damage(d, i, out->repairs[i].damage, out->repairs[i].text);
    }
    if (v != NULL)
        out->verdict = *v;
}

bool dkim_repair_file(const char *path, bool stuffed, uint64_t most,
                      struct dkim_repair_file *out, char error[256])
{
    struct dkim *d = dkim_new(true);
    FILE *f = fopen(path, "rbe");
    bool good = f != NULL && d != NULL && add_file(d, f, stuffed);

    *out = (struct dkim_repair_file){ .verdict = { .count = 0 } };
    if (!good)
        snprintf(error, 256, "%s: %s", path, strerror(errno));
    else
        repair_all(d, most, out);
    if (f != NULL)
        fclose(f);
    dkim_free(&d);
    return good;
}
