/*
 * escape - bytes of a peer made safe for a terminal or a log line.
 *
 * Printable ASCII stays; backslash, controls and octets above 0x7e are written
 * as C escapes (\r \n \t \\ \" or three octal digits), so nothing a peer sends
 * can move the cursor or forge a line.
 */
#ifndef BASE_ESCAPE_H
#define BASE_ESCAPE_H

#include "base/span.h"

/*
 * Writes at most size - 1 characters and a NUL; whole escapes only. When not
 * everything fits, the last characters are "...". Returns the length written.
 * size must be at least 8.
 */
size_t escape(char *out, size_t size, struct span in);

#endif
