/*
 * tags - the tag list of one signature header (RFC 6376 3.2, 3.5; RFC 8617 4.1.2).
 *
 * Owns nothing. Private to dkim; here for its tests.
 */
#ifndef DKIM_TAGS_H
#define DKIM_TAGS_H

#include "dkim/dkim.h"

/*
 * value: what stands behind the header's colon, folded as it is. Fills s; its result is
 * DKIM_MALFORMED, DKIM_UNKNOWN, or DKIM_OK: it can be checked.
 */
void dkim_tags_read(struct span value, bool arc, struct dkim_signature *s);

#endif
