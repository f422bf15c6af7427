/* mask - octets overwritten in place: what stars and letters look like. */
#include "analysis/diff/compare.h"

enum { LETTERS_MIN = 3 };

/* What a mask of stars leaves as it is: 2, 0, blanks and the ending. */
static bool is_kept_by_stars(unsigned char c)
{
    return c == '2' || c == '0' || c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct counts {
    size_t differing, stars, letters,
        kept_plain; /* kept_plain: equal, and stars would not be */
    size_t first, last;
};

static struct counts count(struct span sent, struct span received)
{
    struct counts n = { .first = sent.len };

    for (size_t i = 0; i < sent.len; i++) {
        unsigned char a = sent.ptr[i], b = received.ptr[i];
        if (a == b) {
            n.kept_plain += !is_kept_by_stars(a) && a != '*' && a != '-';
            continue;
        }
        n.first = n.differing == 0 ? i : n.first;
        n.last = i;
        n.differing++;
        n.stars += b == '*';
        n.letters += b == 'X';
    }
    return n;
}

/* All X between the first and the last octet that differs, but for a letter that counts. */
static bool is_run_of_letters(const struct counts *n, struct span received)
{
    size_t other = n->differing - n->letters;

    if (n->letters < LETTERS_MIN - 1 || n->differing < LETTERS_MIN || other > 1)
        return false;
    for (size_t i = n->first; i < n->last; i++) {
        unsigned char c = received.ptr[i];
        if (c != 'X' && c != ' ' && c != '-' && c != '=' && c != '\r' && c != '\n')
            return false;
    }
    unsigned char last = received.ptr[n->last];
    return other == 0 || (last >= 'A' && last <= 'Z');
}

enum mask_kind mask_of(struct text sent, struct text received)
{
    if (sent.s.len != received.s.len || sent.s.len == 0)
        return MASK_NONE;
    struct counts n = count(sent.s, received.s);
    if (n.differing == 1 && n.stars == 1 && n.kept_plain > 0)
        return MASK_ONE_STAR;
    if (n.differing > 1 && n.stars == n.differing && n.kept_plain == 0)
        return MASK_STARS;
    return is_run_of_letters(&n, received.s) ? MASK_LETTERS : MASK_NONE;
}
