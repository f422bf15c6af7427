/* Canonical bodies: equal to the plain way, however the input is cut. */
#include "unit/dkim/dkim_mail.h"

#include "dkim/body.h"

/* Of RFC 6376: 3.4.3 and 3.4.4 (empty bodies), 3.4.5, A.2 and C.2 (RFC 8463 A.3). */
static const struct {
    const char *body;
    bool relaxed, sha1;
    const char *hash; /* base64 */
} known[] = {
    { "", false, true, "uoq1oCgLlTqpdDX/iUbLy7J1Wic=" },
    { "", false, false, "frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=" },
    { "", true, true, "2jmj7l5rSw0yVb/vlWAYkK/YBwk=" },
    { "", true, false, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" },
    { "\r\n\r\n", false, false, "frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=" },
    { " \r\n\t\r\n", true, false, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" },
    { " C \r\nD \t E\r\n\r\n\r\n", true, false,
      "unak6JHq0wL+Q1HP7dW1tjBx9FLA6DffoZ0qrLwbbpo=" },
    { " C \r\nD \t E\r\n\r\n\r\n", false, false,
      "NOeivbQlDH9TmNKJUw7D53wZfsk8YMZ/hTuVVwTgi8s=" },
    { "Hi.\r\n\r\nWe lost the game. Are you hungry yet?\r\n\r\nJoe.\r\n", false, false,
      "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=" },
    { "Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n\r\n", true, false,
      "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=" },
};

static void known_hashes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        unsigned char text[64];
        struct dkim_body b;
        dkim_body_init(&b, known[i].relaxed);
        assert_int_equal(dkim_body_hash(&b, known[i].sha1, false, 0), 0);
        dkim_body_add(&b, guarded_str(known[i].body));
        dkim_body_finish(&b);
        EVP_EncodeBlock(text, dkim_body_digest(&b, 0), known[i].sha1 ? 20 : 32);
        if (strcmp((char *)text, known[i].hash) != 0)
            fail_msg("case %zu: %s", i, (const char *)text);
        dkim_body_deinit(&b);
    }
}

/* Every l= from 0 to beyond the end would be too many for long bodies: some of them. */
static const size_t limits[] = { 0, 1, 2, 3, 5, 8, 64, 1000000 };

struct pair {
    struct dkim_body bodies[2]; /* simple, relaxed */
};

static void pair_begin(struct pair *p)
{
    for (int relaxed = 0; relaxed < 2; relaxed++) {
        struct dkim_body *b = &p->bodies[relaxed];
        dkim_body_init(b, relaxed);
        assert_int_equal(dkim_body_hash(b, false, false, 0), 0);
        assert_int_equal(dkim_body_hash(b, true, false, 0), 1);
        assert_int_equal(dkim_body_hash(b, false, false, 7), 0);
        for (unsigned i = 0; i < 6; i++)
            assert_int_equal(dkim_body_hash(b, false, true, limits[i]), 2 + (int)i);
        assert_int_equal(dkim_body_hash(b, true, true, 1), -1); /* full */
        assert_int_equal(dkim_body_hash(b, false, true, limits[3]), 5);
    }
}

static void pair_add(struct pair *p, struct span s)
{
    dkim_body_add(&p->bodies[0], s);
    dkim_body_add(&p->bodies[1], s);
}

static void pair_check(struct pair *p, struct span whole, const char *how, size_t cut)
{
    for (unsigned relaxed = 0; relaxed < 2; relaxed++) {
        struct dkim_body *b = &p->bodies[relaxed];
        dkim_body_finish(b);
        for (unsigned i = 0; i < b->count; i++) {
            struct oath_form f = { .relaxed = relaxed, .sha1 = i == 1, .limited = i >= 2 };
            unsigned char want[EVP_MAX_MD_SIZE];
            f.length = f.limited ? limits[i - 2] : 0;
            unsigned len = plain_hash(whole, &f, want);
            if (memcmp(dkim_body_digest(b, i), want, len) != 0)
                fail_msg("%s, %s at %zu, hash %u: \"%.*s\"", relaxed ? "relaxed" : "simple",
                         how, cut, i, (int)whole.len, (const char *)whole.ptr);
        }
        dkim_body_deinit(b);
    }
}

static void every_way(struct span body)
{
    struct pair p;

    pair_begin(&p);
    pair_add(&p, guarded(body));
    pair_check(&p, body, "whole", 0);
    pair_begin(&p);
    for (size_t i = 0; i < body.len; i++)
        pair_add(&p, guarded(span_first(span_drop(body, i), 1)));
    pair_check(&p, body, "byte by byte", 0);
    for (size_t cut = 1; cut < body.len; cut++) {
        pair_begin(&p);
        pair_add(&p, guarded(span_first(body, cut)));
        pair_add(&p, guarded(span_drop(body, cut)));
        pair_check(&p, body, "cut", cut);
    }
}

static const char *const bodies[] = {
    "",
    "\r",
    "\n",
    " ",
    "\t\r",
    "a",
    "a ",
    "a \r",
    "a\r\n",
    "a\r\n\r",
    "a\r\n\r\r\n",
    "a \r \r\n \n\t\n \r\r\n",
    "\r\n\r\n\r\na\r\n\r\n \r\n\r\n",
    "a\r\n \r\n\t \r\nb \t c\t\r\n\r\n\t\r\n",
    "a\nb\n\n\n",
    "a\r\r\nb\r\r\n\r\r\n",
    "  two  spaces  \r\n\t\ttabs\t\t\r\nend",
    "0123456789012345678901234567890123456789012345678901234567890123456789 \r\n"
    "01234567890123456789012345678901234567890123456789012345678901234 \r\n"
    "a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a  a\r\n",
};

static void every_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        every_way(span_str(bodies[i]));
}

static uint32_t next(uint32_t *x)
{
    *x = *x * 1664525 + 1013904223;
    return *x >> 8;
}

/* Mostly what matters: blanks and line ends, in all orders. */
static void random_bodies(void **state)
{
    static const char letters[] = "  \t\t\r\n\r\n\r\nab";
    unsigned char body[600];
    uint32_t seed = 4711;

    (void)state;
    for (unsigned round = 0; round < 3000; round++) {
        size_t len = next(&seed) % (round % 10 == 0 ? sizeof body : 24);
        for (size_t i = 0; i < len; i++)
            body[i] = (unsigned char)letters[next(&seed) % (sizeof letters - 1)];
        for (unsigned run = next(&seed) % 3; run > 0 && len > 100; run--)
            memset(body + next(&seed) % (len - 100), 'x', 70 + next(&seed) % 30);
        struct span whole = span_of(body, len);
        struct pair p;
        pair_begin(&p);
        for (size_t at = 0; at < len;) {
            struct span part = span_first(span_drop(whole, at), 1 + next(&seed) % 200);
            pair_add(&p, guarded(part));
            at += part.len;
        }
        pair_check(&p, whole, "round", round);
    }
}

/* Millions of empty lines in the middle are held back as a number. */
static void many_empty_lines(void **state)
{
    static unsigned char body[50001];
    struct pair p;

    (void)state;
    for (size_t i = 0; i + 1 < sizeof body; i += 2)
        memcpy(body + i, "\r\n", 2);
    body[sizeof body - 1] = 'x';
    pair_begin(&p);
    pair_add(&p, span_of(body, 30001));
    pair_add(&p, span_of(body + 30001, 20000));
    pair_check(&p, span_of(body, sizeof body), "empty lines", 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_hashes),
        cmocka_unit_test(every_cut),
        cmocka_unit_test(random_bodies),
        cmocka_unit_test(many_empty_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
