/*
 * trusted_open - opens a file of ours for writing, wherever others may have laid a link.
 *
 * A symbolic link, as the last part of the path or on the way, is followed when it belongs to
 * root or to the user of this process, else not: whoever may write to a folder could lead
 * records, mails or keys to where he can read them, or have them added to any file that this
 * process may write to. For the same reason a file that another user made in a folder where
 * everybody may write is refused.
 */
#ifndef BASE_TRUSTED_OPEN_H
#define BASE_TRUSTED_OPEN_H

#include "base/attributes.h"

#include <sys/types.h>

/*
 * As open(2), with O_CLOEXEC. -1: errno; ELOOP: a link that is not followed, or more than 40
 * of them; EPERM: a file of another user in a folder of all.
 */
MUST_CHECK int trusted_open(const char *path, int flags, mode_t mode);

/* What an errno of it means, and for those two what to do. */
const char *trusted_open_reason(int error);

#endif
