/* dkim_record - the member "dkim" of a content's record. Private to transcript. */
#ifndef TRANSCRIPT_RECORD_DKIM_H
#define TRANSCRIPT_RECORD_DKIM_H

#include "dkim/dkim.h"
#include "transcript/json.h"

/* Octets to reserve, before escaping, as record_begin() counts them. v: NULL is legal. */
size_t dkim_record_octets(const struct dkim_verdict *v);
/* Nothing without a signature. */
void dkim_record(struct json *j, const struct dkim_verdict *v);

#endif
