/*
 * number - decimal numbers of configurations, options and the PROXY protocol.
 *
 * What SMTP says in numbers is smtp/number's: there a number is good only when every receiver
 * reads the same.
 */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include "base/attributes.h"
#include "base/span.h"

#include <stdint.h>

/*
 * Digits alone, no sign, no blank; zeros in front are allowed. False: something else, nothing,
 * or above `max`; *value is unchanged then.
 */
MUST_CHECK static inline bool number_decimal(struct span s, uint64_t max, uint64_t *value)
{
    uint64_t n = 0;

    for (size_t i = 0; i < s.len; i++) {
        unsigned digit = s.ptr[i] - (unsigned)'0';
        if (digit > 9 || n > max / 10 || n * 10 > max - digit)
            return false;
        n = n * 10 + digit;
    }
    if (s.len == 0)
        return false;
    *value = n;
    return true;
}

/* 0 to 65535, in at most five digits. Whether 0 is one is the caller's to say. */
MUST_CHECK static inline bool number_port(struct span s, uint16_t *port)
{
    uint64_t n;

    if (s.len > 5 || !number_decimal(s, UINT16_MAX, &n))
        return false;
    *port = (uint16_t)n;
    return true;
}

#endif
