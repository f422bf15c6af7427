#include "analysis/diff/compare.h"
bool compare_content_octets(struct compare *c, const struct unit *near, const struct unit *far)
{
    (void)c;
    (void)near;
    (void)far;
    return false;
}
