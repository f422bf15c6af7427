#include "analysis/report/found.h"

#include <stdio.h>

/* As much of it as fits; a character of UTF-8 that is cut shows as an escape. */
static void copy_text(char *out, size_t size, const char *text)
{
    snprintf(out, size, "%s", text != NULL ? text : "");
}

void found_copy(struct found *out, const struct finding *f)
{
    *out = (struct found){ .severity = f->severity,
                           .confidence = f->confidence,
                           .side = f->side,
                           .record = f->record,
                           .at = f->at };
    copy_text(out->id, sizeof out->id, f->id);
    copy_text(out->name, sizeof out->name, f->name);
    copy_text(out->field, sizeof out->field, f->field);
    copy_text(out->text, sizeof out->text, f->text);
    copy_text(out->next_test, sizeof out->next_test, f->next_test);
    out->len = f->bytes.len < FINDING_BYTES_MAX ? f->bytes.len : FINDING_BYTES_MAX;
    if (out->len > 0)
        memcpy(out->bytes, f->bytes.ptr, out->len);
    for (size_t i = 0; i < FINDING_PRODUCTS_MAX && f->products[i] != NULL; i++)
        copy_text(out->products[i], sizeof out->products[i], f->products[i]);
}

enum wire found_wire(const struct found *f)
{
    for (unsigned i = 0; i < WIRE_COUNT; i++)
        if (strcmp(f->field, wire_name((enum wire)i)) == 0)
            return (enum wire)i;
    return WIRE_COUNT;
}
