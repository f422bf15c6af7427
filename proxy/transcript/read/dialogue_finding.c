#include "transcript/read/dialogue.h"

/* How loud: what is only worth knowing is not red. */
static enum paint_color finding_color(const struct record *r)
{
    const char *severity = record_text(r->root, "severity");

    if (strcmp(severity, "critical") == 0 || strcmp(severity, "high") == 0)
        return RED;
    return strcmp(severity, "info") == 0 ? DIM : YELLOW;
}

static void put_word(struct paint *p, enum paint_color color, const char *text)
{
    paint_octets(p, color, span_str(text));
}

static void put_products(struct paint *p, const struct record *r)
{
    json_t *products = json_object_get(r->root, "products"), *id;
    size_t i;

    if (json_array_size(products) == 0)
        return;
    paint_line(p, DIM, "     looks like ");
    json_array_foreach(products, i, id)
    {
        if (i > 0)
            paint_words(p, DIM, ", ");
        put_word(p, DIM, json_string_value(id));
    }
    paint_end(p);
}

void dialogue_finding(struct dialogue *d, const struct record *r)
{
    struct paint *p = &d->paint;
    enum paint_color color = finding_color(r);
    const char *next = record_text(r->root, "next_test");

    paint_line(p, color, "!!   ");
    put_word(p, color, record_text(r->root, "id"));
    paint_words(p, color, " ");
    put_word(p, color, record_text(r->root, "severity"));
    paint_words(p, color, ": ");
    put_word(p, color, record_text(r->root, "text"));
    paint_end(p);
    put_products(p, r);
    if (next[0] == '\0')
        return;
    paint_line(p, DIM, "     to confirm: ");
    put_word(p, DIM, next);
    paint_end(p);
}
