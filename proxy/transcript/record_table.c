#include "transcript/record_table.h"

#include <string.h>

enum { MAY, MUST };

const struct record_row record_rows[ROW_COUNT] = {
#define RECORD(id, ID, text)                                                                   \
    [ROW_##id] = { ROW_IS_OBJECT, #id, TYPE_OBJECT, false, 0, RECORD_##ID, NULL, text },
#define OBJECT(id, text)                                                                       \
    [ROW_##id] = { ROW_IS_OBJECT, #id, TYPE_OBJECT, false, 0, RECORD_KIND_COUNT, NULL, text },
#define FIELD(of, key, type, need, text)                                                       \
    [ROW_##of##_##key] = { ROW_IS_FIELD, #key, TYPE_##type, need, 0, 0, NULL, text },
#define WORD(of, key, need, words, text)                                                       \
    [ROW_##of##_##key] = { ROW_IS_FIELD, #key, TYPE_WORD, need, 0, 0, words, text },
#define NESTED(of, key, type, need, object, text)                                              \
    [ROW_##of##_##key] = { ROW_IS_FIELD, #key, TYPE_##type, need, ROW_##object, 0, NULL, text },
#define PART(of, object)                                                                       \
    [ROW_##of##_##                                                                             \
        object] = { ROW_IS_PART, "", TYPE_OBJECT, false, ROW_##object, 0, NULL, NULL },
#include "transcript/records.def"
};

static const unsigned kind_rows[RECORD_KIND_COUNT] = {
#define RECORD(id, ID, text) [RECORD_##ID] = ROW_##id,
#define OBJECT(id, text)
#define FIELD(of, key, type, need, text)
#include "transcript/records.def"
};

unsigned record_kind_row(enum record_kind kind)
{
    return kind_rows[kind];
}

unsigned record_field_row(unsigned object, const char *key)
{
    for (unsigned i = object + 1; i < ROW_COUNT && record_rows[i].role != ROW_IS_OBJECT; i++) {
        const struct record_row *row = &record_rows[i];
        if (row->role == ROW_IS_FIELD && strcmp(row->key, key) == 0)
            return i;
        unsigned found = row->role == ROW_IS_PART ? record_field_row(row->object, key) : 0;
        if (found != 0)
            return found;
    }
    return 0;
}
