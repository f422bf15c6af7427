/*
 * dkim_mail - what the tests of DKIM share: the canonical forms of RFC 6376 written down once
 * more, the plain way, on whole texts; and mails signed by them.
 */
#ifndef UNIT_DKIM_DKIM_MAIL_H
#define UNIT_DKIM_DKIM_MAIL_H

#include "unit/check.h"

#include <openssl/evp.h>

enum { CANONICAL_MAX = 1 << 16 };

/* 3.4.4: blanks before CRLF go, runs of blanks become one space. */
static inline size_t plain_relaxed(struct span in, unsigned char *out)
{
    size_t n = 0;

    for (size_t i = 0; i < in.len; i++) {
        size_t end = i;
        while (end < in.len && (in.ptr[end] == ' ' || in.ptr[end] == '\t'))
            end++;
        if (end == i) {
            out[n++] = in.ptr[i];
            continue;
        }
        bool line_ends = end == in.len ||
                         (end + 1 < in.len && in.ptr[end] == '\r' && in.ptr[end + 1] == '\n');
        if (!line_ends)
            out[n++] = ' ';
        i = end - 1;
    }
    return n;
}

/* The canonical body; out has room for two octets more than the body. */
static inline size_t plain_canonical(struct span in, bool relaxed, unsigned char *out)
{
    size_t n = in.len;

    if (relaxed)
        n = plain_relaxed(in, out);
    else if (n > 0)
        memcpy(out, in.ptr, n);
    while (n >= 2 && out[n - 2] == '\r' && out[n - 1] == '\n')
        n -= 2;
    if (relaxed && n == 0)
        return 0;
    memcpy(out + n, "\r\n", 2);
    return n + 2;
}

struct oath_form {
    bool relaxed, sha1, limited;
    size_t length;
};

/* The body's hash; returns its length. */
static inline unsigned plain_hash(struct span body, const struct oath_form *f,
                                  unsigned char hash[EVP_MAX_MD_SIZE])
{
    static unsigned char canonical[CANONICAL_MAX + 2];
    unsigned len = 0;

    assert_true(body.len <= CANONICAL_MAX);
    size_t n = plain_canonical(body, f->relaxed, canonical);
    if (f->limited && f->length < n)
        n = f->length;
    assert_int_equal(
        EVP_Digest(canonical, n, hash, &len, f->sha1 ? EVP_sha1() : EVP_sha256(), NULL), 1);
    return len;
}

/* A DKIM-Signature header that fits the body, with CRLF, behind `at` of out. */
static inline size_t put_oath(char *out, size_t size, struct span body,
                              const struct oath_form *f)
{
    unsigned char hash[EVP_MAX_MD_SIZE], text[64];
    char limit[32] = "";

    EVP_EncodeBlock(text, hash, (int)plain_hash(body, f, hash));
    if (f->limited)
        snprintf(limit, sizeof limit, " l=%zu;", f->length);
    int n = snprintf(out, size,
                     "DKIM-Signature: v=1; a=rsa-%s; c=relaxed/%s;%s\r\n"
                     "\td=example.org; s=sel; h=from:to;\r\n bh=%s;\r\n b=AAAA\r\n",
                     f->sha1 ? "sha1" : "sha256", f->relaxed ? "relaxed" : "simple", limit,
                     (const char *)text);
    assert_true(n > 0 && (size_t)n < size);
    return (size_t)n;
}

#endif
