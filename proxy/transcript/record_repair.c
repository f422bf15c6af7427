#include "transcript/record.h"

#include "dkim/repair.h"

void record_content_repair(struct recorder *r, bool complete, uint64_t most)
{
    const struct dkim_verdict *v = record_content_dkim(r, complete);
    struct dkim_repair found;
    struct span body;

    if (v == NULL || !record_content_body(r, &body))
        return;
    for (unsigned i = 0; i < v->count; i++) {
        if (v->signatures[i].result != DKIM_CHANGED)
            continue;
        dkim_repair(body, &v->signatures[i], most / v->count, &found);
        record_content_damage(r, i, found.damage, found.text);
    }
}
