#include "analysis/diff/fields.h"

#include "analysis/diff/raw.h"

enum { SLOTS = 256 };

static const struct span names[MEMBER_COUNT] = {
#define FIELD(id, name) [MEMBER_##id] = { (const unsigned char *)(name), sizeof(name) - 1 },
#include "analysis/diff/fields.def"
#undef FIELD
};

/* Few names share a slot: they follow each other. */
static unsigned slot_of(struct span name)
{
    unsigned h = (unsigned)name.len * 37 + name.ptr[0] * 5u + name.ptr[name.len - 1] * 11u +
                 name.ptr[name.len / 2] * 3u;

    return h % SLOTS;
}

static const unsigned char *slots(void)
{
    static unsigned char table[SLOTS]; /* 1 + enum field_id */

    if (table[slot_of(names[MEMBER_KIND])] != 0)
        return table;
    for (unsigned id = 0; id < MEMBER_COUNT; id++) {
        unsigned at = slot_of(names[id]);
        while (table[at] != 0)
            at = (at + 1) % SLOTS;
        table[at] = (unsigned char)(id + 1);
    }
    return table;
}

static enum field_id find_field(const unsigned char *table, struct span name)
{
    if (name.len == 0)
        return MEMBER_COUNT;
    for (unsigned at = slot_of(name); table[at] != 0; at = (at + 1) % SLOTS)
        if (span_equal(names[table[at] - 1], name))
            return (enum field_id)(table[at] - 1);
    return MEMBER_COUNT;
}

bool fields_parse(struct fields *f, struct span line, const char **why)
{
    const unsigned char *table = slots();
    struct span name, value;
    struct raw r;

    memset(f, 0, sizeof *f);
    *why = "not a JSON object";
    if (!raw_open(&r, line, RAW_OBJECT))
        return false;
    while (raw_member(&r, &name, &value)) {
        enum field_id id = find_field(table, name);
        if (id != MEMBER_COUNT)
            f->v[id] = value;
    }
    if (r.bad)
        return false;
    *why = "field \"v\" is not 1: not a record of this version";
    return span_equal(f->v[MEMBER_V], SPAN_LIT("1"));
}

enum diff_kind fields_kind(const struct fields *f)
{
    static const char *const kinds[] = { "open",    "connect", "tls",   "greeting", "command",
                                         "content", "opaque",  "close", "lost" };
    struct span kind = fields_text(f, MEMBER_KIND);

    for (unsigned i = 0; i < ARRAY_LEN(kinds); i++)
        if (span_equal(kind, span_str(kinds[i])))
            return (enum diff_kind)i;
    return KIND_OTHER;
}

bool fields_sid(const struct fields *f, struct sid *out)
{
    return sid_parse(fields_text(f, MEMBER_SID), out);
}

struct span fields_text(const struct fields *f, enum field_id id)
{
    return raw_text(f->v[id]);
}

uint64_t fields_count(const struct fields *f, enum field_id id)
{
    uint64_t n = raw_count(f->v[id]);

    return n <= INT64_MAX ? n : 0; /* not known: see record_parse() */
}

bool fields_flag(const struct fields *f, enum field_id id)
{
    return raw_is_true(f->v[id]);
}
