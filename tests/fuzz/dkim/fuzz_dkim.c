/*
 * A mail in pieces and at once: the same verdict, however it is cut. The first octet says how
 * long the pieces are, and whether dots are stuffed; then comes the mail. A second run has two
 * signatures in front, so that every input is hashed in both ways.
 */
#include "fuzz/always.h"

#include "dkim/dkim.h"

#include <string.h>

#define OATH(c)                                                                                \
    "DKIM-Signature: v=1; a=rsa-sha256; c=" c "; d=d; s=s; h=h; b=;"                           \
    " bh=frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=\r\n"

static struct dkim *run(struct span front, struct span mail, size_t piece, bool stuffed)
{
    struct dkim *d = dkim_new(true);

    ALWAYS(d != NULL);
    dkim_add(d, front, stuffed);
    while (mail.len > 0) {
        dkim_add(d, span_first(mail, piece), stuffed);
        mail = span_drop(mail, piece);
    }
    return d;
}

static bool is_text(const char *s, size_t size)
{
    size_t n = strnlen(s, size);

    for (size_t i = 0; i < n; i++) {
        if (s[i] <= ' ' || s[i] > '~')
            return false;
    }
    return n < size;
}

static void check_same(const struct dkim_signature *a, const struct dkim_signature *b)
{
    ALWAYS(a->result == b->result && a->arc == b->arc && a->instance == b->instance);
    ALWAYS(a->hash_len == b->hash_len && a->limited == b->limited && a->length == b->length);
    ALWAYS(memcmp(a->expected, b->expected, a->hash_len) == 0);
    ALWAYS(memcmp(a->computed, b->computed, a->hash_len) == 0);
    ALWAYS(strcmp(a->domain, b->domain) == 0 && strcmp(a->selector, b->selector) == 0);
    ALWAYS(is_text(a->domain, sizeof a->domain) && is_text(a->selector, sizeof a->selector));
    ALWAYS(is_text(a->algorithm, sizeof a->algorithm));
    ALWAYS(a->result != DKIM_CUT);
    ALWAYS((a->hash_len > 0) == (a->result == DKIM_OK || a->result == DKIM_CHANGED));
}

static void compare(struct span front, struct span mail, size_t piece, bool stuffed)
{
    struct dkim *a = run(front, mail, mail.len + 1, stuffed);
    struct dkim *b = run(front, mail, piece, stuffed);
    const struct dkim_verdict *x = dkim_finish(a, true), *y = dkim_finish(b, true);
    struct span kept, again;

    ALWAYS((x == NULL) == (y == NULL));
    for (unsigned i = 0; x != NULL && i < x->count; i++)
        check_same(&x->signatures[i], &y->signatures[i]);
    if (x != NULL)
        ALWAYS(x->count == y->count && x->more == y->more && x->count <= DKIM_SIGNATURES_MAX);
    ALWAYS(dkim_body(a, &kept) == dkim_body(b, &again));
    if (dkim_body(a, &kept))
        ALWAYS(span_equal(kept, again) && kept.len <= mail.len);
    dkim_free(&a);
    dkim_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span mail = { data, size };

    if (size == 0)
        return 0;
    size_t piece = 1 + (data[0] >> 1);
    bool stuffed = data[0] & 1;
    mail = span_drop(mail, 1);
    compare(SPAN_LIT(""), mail, piece, stuffed);
    compare(SPAN_LIT(OATH("relaxed/relaxed") OATH("relaxed/simple")), mail, piece, stuffed);
    return 0;
}
