#include "transcript/read/dialogue.h"

static const struct {
    const char *result, *words;
    enum paint_color color;
} results[] = {
    { "ok", "the body is as it was signed", DIM },
    { "changed", "the body was changed after it was signed", RED },
    { "malformed", "the signature cannot be read", YELLOW },
    { "unknown", "signed in a way not known here", DIM },
    { "cut", "the body did not come to its end", DIM },
};

static void put_word(struct paint *p, enum paint_color color, const char *text)
{
    paint_octets(p, color, span_str(text));
}

static void put_signature(struct paint *p, const json_t *s)
{
    const char *result = record_text(s, "result"), *why = record_text(s, "damage_text");
    unsigned i = 0;

    while (i + 1 < ARRAY_LEN(results) && strcmp(results[i].result, result) != 0)
        i++;
    enum paint_color color = results[i].color;
    paint_line(p, color, color == RED ? "***  " : "     ");
    paint_words(p, color, record_text(s, "header")[0] == 'a' ? "ARC " : "DKIM ");
    put_word(p, color, record_text(s, "domain"));
    paint_words(p, color, " (");
    put_word(p, color, record_text(s, "selector"));
    paint_words(p, color, "): %s", results[i].words);
    if (why[0] != '\0') {
        paint_words(p, color, ": ");
        put_word(p, color, why);
    }
    paint_end(p);
}

void dialogue_dkim(struct dialogue *d, const struct record *r)
{
    json_t *list = json_object_get(r->root, "dkim"), *s;
    size_t i;

    json_array_foreach(list, i, s)
    {
        put_signature(&d->paint, s);
    }
    if (!record_flag(r->root, "dkim_more"))
        return;
    paint_line(&d->paint, DIM, "     ");
    paint_words(&d->paint, DIM, "there are more signatures, or too long ones: not looked at");
    paint_end(&d->paint);
}
