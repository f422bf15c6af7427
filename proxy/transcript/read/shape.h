/* shape - what fields a record may and must have: schema.json as tables, for the reader. */
#ifndef TRANSCRIPT_READ_SHAPE_H
#define TRANSCRIPT_READ_SHAPE_H

#include "transcript/read/reader.h"

enum field_type {
    FIELD_COUNT, /* integer, not negative */
    FIELD_FLAG,
    FIELD_TEXT,
    FIELD_WIRE,    /* text of code points up to U+00FF */
    FIELD_OBJECT,  /* of `shape` */
    FIELD_OBJECTS, /* list of them */
    FIELD_COUNTS,  /* list of integers */
    FIELD_BLOCKS,  /* list of [count, text] */
    FIELD_LABELS,  /* list of texts */
    FIELD_TEXTS,   /* object of texts, any names */
};

struct shape;

struct field {
    const char *name;
    enum field_type type;
    bool required;
    const struct shape *shape;
};

struct shape {
    const struct field *fields;
    size_t len;
};

const struct shape *shape_of(enum record_kind k);
/* RECORD_KIND_COUNT when there is none of this name. */
enum record_kind record_kind_find(const char *name);

/* False: `error` says which field is wrong. */
MUST_CHECK bool shape_check(const struct shape *s, json_t *object,
                            char error[READER_ERROR_MAX]);

#endif
