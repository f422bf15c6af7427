/* shape - does an object hold what records.def says, and nothing else? */
#ifndef TRANSCRIPT_READ_SHAPE_H
#define TRANSCRIPT_READ_SHAPE_H

#include "transcript/read/reader.h"

/* object: its row. False: `error` says which field is wrong. */
MUST_CHECK bool shape_check(unsigned object, json_t *value, char error[READER_ERROR_MAX]);

#endif
