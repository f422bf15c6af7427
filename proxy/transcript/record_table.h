/*
 * record_table - records.def as rows: an object, then its fields, then the next object.
 *
 * A record is an object whose `kind` is not RECORD_KIND_COUNT. Rows are constant; a field is named
 * by its row, ROW_<object>_<key>, so that a wrong name does not compile.
 */
#ifndef TRANSCRIPT_RECORD_TABLE_H
#define TRANSCRIPT_RECORD_TABLE_H

#include <stdbool.h>

enum record_kind {
#define RECORD(id, ID, text) RECORD_##ID,
#define OBJECT(id, text)
#define FIELD(of, key, type, need, text)
#include "transcript/records.def"
    RECORD_KIND_COUNT
};

/* TYPE(ID, FORM, "its JSON Schema", "what it is"): forms are what a reader tells apart. */
#define RECORD_TYPES(TYPE)                                                                     \
    TYPE(COUNT, COUNT, "\"type\":\"integer\",\"minimum\":0", "number")                         \
    TYPE(POSITIVE, COUNT, "\"type\":\"integer\",\"minimum\":1", "number above 0")              \
    TYPE(VERSION, COUNT, "\"const\":1", "number")                                              \
    TYPE(OCTET, COUNT, "\"type\":\"integer\",\"minimum\":0,\"maximum\":255", "number")         \
    TYPE(ONE_OR_TWO, COUNT, "\"enum\":[1,2]", "1 or 2")                                        \
    TYPE(CODE, COUNT, "\"type\":\"integer\",\"minimum\":200,\"maximum\":599", "number")        \
    TYPE(FLAG, FLAG, "\"type\":\"boolean\"", "true or false")                                  \
    TYPE(TRUE, FLAG, "\"const\":true", "true, or absent")                                      \
    TYPE(TEXT, TEXT, "\"type\":\"string\"", "text")                                            \
    TYPE(WORD, TEXT, "", "")                                                                   \
    TYPE(NAME, TEXT, "\"type\":\"string\",\"pattern\":\"^[a-z0-9-]+$\"", "name")               \
    TYPE(ALERT, TEXT, "\"type\":\"string\",\"pattern\":\"^[a-z_]+$\"", "name")                 \
    TYPE(PRINTABLE, TEXT, "\"type\":\"string\",\"pattern\":\"^[ -~]+$\"",                      \
         "printable ASCII; other bytes as ?")                                                  \
    TYPE(FINDING, TEXT, "\"type\":\"string\",\"pattern\":\"^[ST]V-[0-9]{2}$\"", "SV-01")       \
    TYPE(ENHANCED, TEXT,                                                                       \
         "\"type\":\"string\",\"pattern\":\"^[245]\\\\.[0-9]{1,3}\\\\.[0-9]{1,3}$\"", "2.1.5") \
    TYPE(TIME, TEXT,                                                                           \
         "\"type\":\"string\",\"pattern\":\"^[0-9]{4}-[0-9]{2}-[0-9]{2}T"                      \
         "[0-9]{2}:[0-9]{2}:[0-9]{2}\\\\.[0-9]{6}Z$\"",                                        \
         "RFC 3339, microseconds, UTC")                                                        \
    TYPE(SECOND, TEXT,                                                                         \
         "\"type\":\"string\",\"pattern\":\"^[0-9]{4}-[0-9]{2}-[0-9]{2}T"                      \
         "[0-9]{2}:[0-9]{2}:[0-9]{2}Z$\"",                                                     \
         "RFC 3339, UTC")                                                                      \
    TYPE(SID, TEXT, "\"type\":\"string\",\"pattern\":\"^[0-7][0-9A-HJKMNP-TV-Z]{25}$\"",       \
         "ULID: time, then chance")                                                            \
    TYPE(HASH, TEXT, "\"type\":\"string\",\"pattern\":\"^[0-9a-f]{32}$\"", "XXH3-128, hex")    \
    TYPE(SHA256, TEXT, "\"type\":\"string\",\"pattern\":\"^[0-9a-f]{64}$\"", "SHA-256, hex")   \
    TYPE(BODY_HASH, TEXT, "\"type\":\"string\",\"pattern\":\"^([0-9a-f]{40}|[0-9a-f]{64})$\"", \
         "SHA-1 or SHA-256, hex")                                                              \
    TYPE(WIRE, WIRE, "\"type\":\"string\",\"pattern\":\"^[\\\\u0000-\\\\u00ff]*$\"",           \
         "bytes of the wire: byte b is U+00bb")                                                \
    TYPE(COUNTS, COUNTS, "\"type\":\"array\",\"items\":{\"type\":\"integer\",\"minimum\":0}",  \
         "list of numbers")                                                                    \
    TYPE(OFFSETS, COUNTS,                                                                      \
         "\"type\":\"array\",\"minItems\":1,"                                                  \
         "\"items\":{\"type\":\"integer\",\"minimum\":0}",                                     \
         "list of numbers")                                                                    \
    TYPE(LABELS, LABELS, "\"type\":\"array\",\"minItems\":1,\"items\":{\"type\":\"string\"}",  \
         "list of texts")                                                                      \
    TYPE(BLOCKS, BLOCKS,                                                                       \
         "\"type\":\"array\",\"maxItems\":20000,\"items\":{\"type\":\"array\","                \
         "\"prefixItems\":[{\"type\":\"integer\",\"minimum\":1,\"maximum\":65536},"            \
         "{\"type\":\"string\",\"pattern\":\"^[0-9a-f]{32}$\"}],"                              \
         "\"minItems\":2,\"maxItems\":2}",                                                     \
         "list of [number, hash]")                                                             \
    TYPE(TALLIES, TEXTS,                                                                       \
         "\"type\":\"object\",\"additionalProperties\":"                                       \
         "{\"type\":\"string\",\"pattern\":\"^[0-9]+(/[0-9]+)?$\"}",                           \
         "object of texts")                                                                    \
    TYPE(OBJECT, OBJECT, "", "object")                                                         \
    TYPE(OBJECTS, OBJECTS, "", "list of objects")

enum record_type {
#define TYPE(id, form, schema, text) TYPE_##id,
    RECORD_TYPES(TYPE)
#undef TYPE
};

enum record_row_number {
#define OBJECT(id, text)                 ROW_##id,
#define FIELD(of, key, type, need, text) ROW_##of##_##key,
#define PART(of, object)                 ROW_##of##_##object,
#include "transcript/records.def"
    ROW_COUNT
};

struct record_row {
    enum { ROW_IS_OBJECT, ROW_IS_FIELD, ROW_IS_PART } role;
    const char *key; /* of an object: its name */
    enum record_type type;
    bool required;
    unsigned object;       /* the row of the object in it; of a part, included */
    enum record_kind kind; /* of an object: RECORD_KIND_COUNT where it is no record */
    const char *words;     /* TYPE_WORD: separated by blanks */
    const char *text;
};

extern const struct record_row record_rows[ROW_COUNT];
/* The row of a kind of record. */
unsigned record_kind_row(enum record_kind kind);
/* The row of a field of the object, in a part too; 0 where there is none. */
unsigned record_field_row(unsigned object, const char *key);

#endif
