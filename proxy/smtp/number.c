#include "smtp/number.h"

size_t number_digits(struct span s)
{
    size_t n = 0;

    while (n < s.len && s.ptr[n] >= '0' && s.ptr[n] <= '9')
        n++;
    return n;
}

bool number_parse(struct span s, uint64_t *value)
{
    uint64_t n = 0;

    if (s.len == 0 || number_digits(s) < s.len)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        unsigned digit = s.ptr[i] - (unsigned)'0';

        n = n > (UINT64_MAX - digit) / 10 ? UINT64_MAX : n * 10 + digit;
    }
    *value = n;
    return s.len <= NUMBER_DIGITS_MAX && n <= NUMBER_MAX;
}
