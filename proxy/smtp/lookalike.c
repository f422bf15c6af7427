#include "smtp/lookalike.h"

void lookalike_init(struct lookalike *l, bool ignore_bit7)
{
    *l = (struct lookalike){ .state = LOOK_LINE, .ignore_bit7 = ignore_bit7 };
}

static bool behind_dot(const struct lookalike *l)
{
    return l->state == LOOK_DOT || l->state == LOOK_BLANK;
}

/* CR or LF, high when it had bit 7 set. */
static bool step_line_end(struct lookalike *l, unsigned char b, bool high)
{
    bool hit = false;

    if (b == '\r' && behind_dot(l)) {
        l->odd |= high;
        l->state = LOOK_CR;
    } else if (behind_dot(l)) {
        hit = true;
        l->state = LOOK_LINE;
        l->odd = true;
    } else if (b == '\r' && l->ignore_bit7) {
        l->state = LOOK_OTHER;
    } else {
        l->state = LOOK_LINE;
        l->odd = !(b == '\n' && l->after_cr && !high);
    }
    l->after_cr = b == '\r';
    return hit;
}

static bool step_nul(struct lookalike *l)
{
    bool hit = l->state == LOOK_DOT; /* a C string ends here: the line is "." */

    if (hit)
        l->state = LOOK_BLANK;
    if (l->state != LOOK_OTHER)
        l->odd = true;
    return hit;
}

/* Anything but an octet behind ". CR". */
static bool step_plain(struct lookalike *l, unsigned char b, bool high)
{
    if (b == '\r' || b == '\n')
        return step_line_end(l, b, high);
    l->after_cr = false;
    if (b == '\0')
        return step_nul(l);
    if ((b == ' ' || b == '\t') && behind_dot(l)) {
        l->state = LOOK_BLANK;
        l->odd = true;
    } else if (b == '.' && l->state == LOOK_LINE) {
        l->state = LOOK_DOT;
        l->odd |= high;
    } else {
        l->state = LOOK_OTHER;
    }
    return false;
}

bool lookalike_judge(struct lookalike *l, unsigned char octet)
{
    unsigned char b = l->ignore_bit7 ? octet & 0x7f : octet;
    bool high = b != octet;

    if (l->state != LOOK_CR)
        return step_plain(l, b, high);

    bool exact = !l->odd && b == '\n' && !high;
    l->state = LOOK_LINE;
    l->odd = true;
    if (b == '\n') {
        l->odd = high;
        l->after_cr = false;
    } else {
        step_plain(l, b, high);
    }
    return !exact;
}

void lookalike_skip(struct lookalike *l, unsigned char last)
{
    unsigned char b = l->ignore_bit7 ? last & 0x7f : last;

    l->state = b == '\n' ? LOOK_LINE : LOOK_OTHER;
    l->odd = b != last;
    l->after_cr = b == '\r';
}
