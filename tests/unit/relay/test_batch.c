#include "relay/batch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static struct batch batch;

static int setup(void **state)
{
    (void)state;
    batch_clear(&batch);
    return 0;
}

static struct span gathered(char *out, size_t size)
{
    size_t len = 0;

    for (unsigned i = 0; i < batch.count; i++) {
        assert_true(len + batch.piece[i].len <= size);
        memcpy(out + len, batch.piece[i].base, batch.piece[i].len);
        len += batch.piece[i].len;
    }
    return span_of(out, len);
}

static void test_neighbours_become_one(void **state)
{
    static const char bytes[] = "MAIL\r\nRCPT\r\nDATA\r\n";
    struct span s = span_str(bytes);

    (void)state;
    for (size_t i = 0; i < s.len; i += 6)
        assert_true(batch_add(&batch, span_of(s.ptr + i, 6), true));
    assert_int_equal(batch.count, 1);
    assert_ptr_equal(batch.piece[0].base, bytes);
    assert_int_equal(batch.piece[0].len, s.len);
    assert_true(batch_add(&batch, span_of(s.ptr + 1, 2), true)); /* not behind it */
    assert_int_equal(batch.count, 2);
}

static void test_copies_what_does_not_last(void **state)
{
    char out[64], passing[8] = "250 ok\r";

    (void)state;
    assert_true(batch_add(&batch, span_of(passing, 4), false));
    memset(passing, 'x', sizeof passing);
    assert_true(batch_add(&batch, SPAN_LIT("done"), true));
    assert_true(batch_add(&batch, SPAN_LIT(""), true));
    assert_true(batch_add(&batch, span_of(passing, 2), false));
    assert_true(span_equal(gathered(out, sizeof out), SPAN_LIT("250 donexx")));
    assert_int_equal(batch.count, 3);
}

static void test_full_is_an_answer(void **state)
{
    static const char far[2 * (BATCH_PIECES + 1)];
    static char big[BATCH_SCRATCH + 1];

    (void)state;
    for (unsigned i = 0; i < BATCH_PIECES; i++)
        assert_true(batch_add(&batch, span_of(far + 2 * (size_t)i, 1), true));
    assert_false(batch_add(&batch, span_of(far + 2 * (size_t)BATCH_PIECES, 1), true));
    assert_false(batch_add(&batch, SPAN_LIT("a"), false));
    assert_int_equal(batch.used, 0); /* nothing half added */
    assert_int_equal(batch.count, BATCH_PIECES);

    batch_clear(&batch);
    assert_false(batch_add(&batch, span_of(big, sizeof big), false));
    assert_true(batch_add(&batch, span_of(big, sizeof big - 1), false));
    assert_false(batch_add(&batch, span_of(big, 1), false));
    assert_int_equal(batch.count, 1);
}

/* Whatever is added in whatever pieces, what leaves is what came. */
static void test_order_is_kept(void **state)
{
    static unsigned char in[4096], out[4096];
    size_t total = 0, at = 0;

    (void)state;
    srand(1);
    for (size_t i = 0; i < sizeof in; i++)
        in[i] = (unsigned char)rand();
    while (at < sizeof in) {
        unsigned char passing[64];
        size_t n = 1 + (size_t)rand() % 63;
        bool lasting = rand() % 2 == 0;

        n = n < sizeof in - at ? n : sizeof in - at;
        memcpy(passing, in + at, n);
        struct span s = lasting ? span_of(in + at, n) : span_of(passing, n);
        if (!batch_add(&batch, s, lasting)) {
            total += gathered((char *)out + total, sizeof out - total).len;
            batch_clear(&batch);
            assert_true(batch_add(&batch, s, lasting));
        }
        memset(passing, 0, sizeof passing);
        at += n;
    }
    total += gathered((char *)out + total, sizeof out - total).len;
    assert_int_equal(total, sizeof in);
    assert_memory_equal(in, out, sizeof in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_neighbours_become_one, setup),
        cmocka_unit_test_setup(test_copies_what_does_not_last, setup),
        cmocka_unit_test_setup(test_full_is_an_answer, setup),
        cmocka_unit_test_setup(test_order_is_kept, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
