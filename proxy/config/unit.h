/*
 * unit - sizes, times and file modes as people write them.
 *
 * "10M" is 10 times 1024 times 1024; "5m" is 300000 milliseconds; "0640" is octal.
 * 0 needs no unit, any other time does: "30" may mean seconds or milliseconds.
 */
#ifndef CONFIG_UNIT_H
#define CONFIG_UNIT_H

#include "base/attributes.h"

#include <stdbool.h>
#include <stdint.h>

enum { UNIT_TEXT_MAX = 24 };

/* False: *why says what was expected. */
MUST_CHECK bool unit_parse_size(uint64_t *octets, const char *text, const char **why);
MUST_CHECK bool unit_parse_time(uint64_t *ms, const char *text, const char **why);
MUST_CHECK bool unit_parse_mode(unsigned *mode, const char *text, const char **why);

/* In the largest unit that shows it exactly. */
void unit_size_text(uint64_t octets, char out[UNIT_TEXT_MAX]);
void unit_time_text(uint64_t ms, char out[UNIT_TEXT_MAX]);
void unit_mode_text(unsigned mode, char out[UNIT_TEXT_MAX]);

#endif
