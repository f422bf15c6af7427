/* kept - contents that were kept: mapped files of the spool folders. */
#ifndef ANALYSIS_DIFF_KEPT_H
#define ANALYSIS_DIFF_KEPT_H

#include "base/attributes.h"
#include "base/span.h"

enum { KEPT_MAX = 64 << 20 };

/* False: no such file, or larger than KEPT_MAX. The name is one of a record: no path. */
MUST_CHECK bool kept_map(struct span *out, const char *folder, struct span name);
void kept_unmap(struct span *s);

#endif
