/* What assertions say cannot be, in a build without them: nothing passes the end of memory. */
#include "unit/check.h"

#define NDEBUG /* for what follows; in place of what the library has */
#include "base/buf.c"
#include "base/escape.c"

static void more_is_dropped_than_there_is(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 100);
    assert_true(buf_append(&b, SPAN_LIT("hello")));
    buf_drop(&b, 6);
    assert_int_equal(b.len, 0);
    assert_null(b.ptr);
    buf_drop(&b, 1);
    assert_int_equal(b.len, 0);
}

static void no_room_to_escape(void **state)
{
    char *out = malloc(7);

    (void)state;
    assert_non_null(out);
    for (size_t size = 0; size < 8; size++) {
        memset(out, 'x', 7);
        assert_int_equal(escape(out, size, SPAN_LIT("\r\n\r\n\r\n")), 0);
        assert_int_equal(out[0], size > 0 ? '\0' : 'x');
    }
    free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_is_dropped_than_there_is),
        cmocka_unit_test(no_room_to_escape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
