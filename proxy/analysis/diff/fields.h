/* fields - the members of one record that a comparison looks at, as views of its line. */
#ifndef ANALYSIS_DIFF_FIELDS_H
#define ANALYSIS_DIFF_FIELDS_H

#include "base/attributes.h"
#include "base/sid.h"
#include "base/span.h"

#include <stdint.h>

enum field_id {
#define FIELD(id, name) MEMBER_##id,
#include "analysis/diff/fields.def"
#undef FIELD
    MEMBER_COUNT
};

/* JSON values; empty: not there. */
struct fields {
    struct span v[MEMBER_COUNT];
};

enum diff_kind {
    KIND_OPEN,
    KIND_CONNECT,
    KIND_TLS,
    KIND_GREETING,
    KIND_COMMAND,
    KIND_CONTENT,
    KIND_OPAQUE,
    KIND_CLOSE,
    KIND_LOST,
    KIND_OTHER, /* findings, and what later versions may add */
};

/* False: this line is no record; `why` (constant) says what is wrong. */
MUST_CHECK bool fields_parse(struct fields *f, struct span line, const char **why);

enum diff_kind fields_kind(const struct fields *f);
/* False: no ULID. */
MUST_CHECK bool fields_sid(const struct fields *f, struct sid *out);

/* Text of the record's member, as written (for ASCII that is the text). */
struct span fields_text(const struct fields *f, enum field_id id);
uint64_t fields_count(const struct fields *f, enum field_id id);
bool fields_flag(const struct fields *f, enum field_id id);

#endif
