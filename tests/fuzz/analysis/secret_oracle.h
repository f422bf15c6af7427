/*
 * secret_oracle - does a text hold eight octets in a row of a secret, in any usual encoding?
 *
 * As they are, in base64 at each alignment (the ten letters that depend on nothing else), in
 * hexadecimal, all in %XX, with its own special characters in +XX, %XX or =XX; in any case.
 */
#ifndef FUZZ_SECRET_ORACLE_H
#define FUZZ_SECRET_ORACLE_H

#include "base/span.h"

#include <stdint.h>
#include <stdio.h>

enum {
    ORACLE_SECRET = 24,
    ORACLE_WINDOW = 8,
    ORACLE_PATTERNS = (ORACLE_SECRET - ORACLE_WINDOW + 1) * 9,
    ORACLE_PATTERN_MAX = 3 * ORACLE_WINDOW + 1,
    ORACLE_BASE64 = 10,
};

struct oracle {
    char secret[ORACLE_SECRET + 1];
    char patterns[ORACLE_PATTERNS][ORACLE_PATTERN_MAX]; /* lower case */
    unsigned count;
    unsigned char begins[8192]; /* a bit for each pair of octets that begins a pattern */
};

static const char oracle_letters[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static inline unsigned char oracle_lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
}

static inline bool oracle_is_special(unsigned char c)
{
    c = oracle_lower(c);
    return !(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9');
}

static inline void oracle_add(struct oracle *o, const char *text)
{
    char *p = o->patterns[o->count++];
    unsigned pair;

    snprintf(p, ORACLE_PATTERN_MAX, "%s", text);
    for (char *q = p; *q != '\0'; q++)
        *q = (char)oracle_lower((unsigned char)*q);
    pair = (unsigned)(unsigned char)p[0] << 8 | (unsigned char)p[1];
    o->begins[pair / 8] |= (unsigned char)(1u << pair % 8);
}

/* The letters of base64 that depend on `in` alone, when `skip` octets of its triple precede. */
static inline void oracle_base64(const char *in, unsigned skip, char out[ORACLE_BASE64 + 1])
{
    unsigned bit = (6 - skip * 8 % 6) % 6, n = 0;

    for (; bit + 6 <= ORACLE_WINDOW * 8 && n < ORACLE_BASE64; bit += 6) {
        unsigned pair = (unsigned)(unsigned char)in[bit / 8] << 8;
        if (bit / 8 + 1 < ORACLE_WINDOW)
            pair |= (unsigned char)in[bit / 8 + 1];
        out[n++] = oracle_letters[pair >> (10 - bit % 8) & 63];
    }
    out[n] = '\0';
}

static inline void oracle_escaped(const char *in, char mark, bool all, char *out)
{
    for (unsigned i = 0; i < ORACLE_WINDOW; i++) {
        unsigned char c = (unsigned char)in[i];
        if (all || oracle_is_special(c))
            out += sprintf(out, "%c%02X", mark, c);
        else
            *out++ = (char)c;
    }
    *out = '\0';
}

static inline void oracle_window(struct oracle *o, const char *in)
{
    char text[ORACLE_PATTERN_MAX];

    snprintf(text, sizeof text, "%.*s", ORACLE_WINDOW, in);
    oracle_add(o, text);
    for (unsigned skip = 0; skip < 3; skip++) {
        oracle_base64(in, skip, text);
        oracle_add(o, text);
    }
    for (unsigned i = 0; i < ORACLE_WINDOW; i++)
        sprintf(text + 2 * i, "%02x", (unsigned char)in[i]);
    oracle_add(o, text);
    oracle_escaped(in, '%', true, text);
    oracle_add(o, text);
    for (const char *mark = "+%="; *mark != '\0'; mark++) {
        oracle_escaped(in, *mark, false, text);
        oracle_add(o, text);
    }
}

/* A secret of 24 octets that no ordinary text holds, made of a number. */
static inline void oracle_init(struct oracle *o, uint64_t seed)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+=!%&/";

    memset(o, 0, sizeof *o);
    for (unsigned i = 0; i < ORACLE_SECRET; i++) {
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        o->secret[i] = alphabet[(seed >> 33) % (sizeof alphabet - 1)];
    }
    for (unsigned i = 0; i + ORACLE_WINDOW <= ORACLE_SECRET; i++)
        oracle_window(o, o->secret + i);
}

static inline bool oracle_starts(struct span text, const char *pattern)
{
    size_t i = 0;

    while (pattern[i] != '\0' && i < text.len &&
           oracle_lower(text.ptr[i]) == (unsigned char)pattern[i])
        i++;
    return pattern[i] == '\0';
}

/* Where the first is; text.len: nowhere. */
static inline size_t oracle_find(const struct oracle *o, struct span text)
{
    for (size_t i = 0; i + 1 < text.len; i++) {
        unsigned pair =
            (unsigned)oracle_lower(text.ptr[i]) << 8 | oracle_lower(text.ptr[i + 1]);
        if ((o->begins[pair / 8] >> pair % 8 & 1) == 0)
            continue;
        for (unsigned k = 0; k < o->count; k++)
            if (oracle_starts(span_drop(text, i), o->patterns[k]))
                return i;
    }
    return text.len;
}

#endif
