/* A record whose texts are longer than was reserved for them, a fault of the program, writes
 * nothing beyond what is reserved: it is left out, counted, and the next one follows. */
#include "unit/transcript/rig.h"

#include "transcript/record_writer.h"

enum { LONG = 3 * CHUNK_OCTETS };

static char text[LONG];

/* What makes the longest JSON, and what makes the shortest. */
static void too_long(struct recorder *r, int octet, size_t reserved)
{
    struct json j;

    memset(text, octet, sizeof text);
    assert_true(record_begin(&j, r, RECORD_FINDING, 1, reserved));
    for (size_t len = 1; len <= LONG; len *= 2) {
        PUT_TEXT(&j, finding_text, span_of(text, len));
        json_hex(&j, (unsigned char *)text, len);
        assert_true(j.p <= j.end + CHUNK_SLACK);
    }
    assert_true(j.full);
    record_end(&j, r);
}

static void longer_than_reserved(void **state)
{
    const size_t reserved[] = { 0, 100, CHUNK_OCTETS / JSON_OCTET_MAX, LONG / 2 };
    struct writer *w = open_writer((struct writer_config){ .flush_ms = 0 });
    struct stream *s = stream_new(w, on_room, NULL);
    struct recorder r;
    unsigned lost = 0;

    (void)state;
    log_set_level(LOG_ERROR + 1);
    note(s, 1);
    recorder_init(&r, s, 1795424641000000u);
    for (size_t i = 0; i < ARRAY_LEN(reserved); i++) {
        too_long(&r, '\0', reserved[i]);
        too_long(&r, 'x', reserved[i]);
        lost += 2;
    }
    assert_int_equal(STAT(w, dropped), lost);
    note(s, 2);
    stream_free(&s);
    writer_stop(&w, 5000);
    char *lines = file_text(path);
    assert_int_equal(check_whole_lines(lines), 2 + lost); /* each is told of with the next */
    assert_int_equal(count_text(lines, "\"kind\":\"lost\""), lost);
    assert_int_equal(count_text(lines, "\"kind\":\"open\""), 2);
    free(lines);
}

/* A text that just fits is written. */
static void as_long_as_reserved(void **state)
{
    struct writer *w = open_writer((struct writer_config){ .flush_ms = 0 });
    struct stream *s = stream_new(w, on_room, NULL);
    struct recorder r;
    struct json j;

    (void)state;
    recorder_init(&r, s, 1795424641000000u);
    memset(text, '\0', sizeof text);
    for (size_t len = 0; len <= LONG; len = 2 * len + 1) {
        assert_true(record_begin(&j, &r, RECORD_FINDING, 1, len));
        PUT_TEXT(&j, finding_text, span_of(text, len));
        assert_false(j.full);
        record_end(&j, &r);
    }
    assert_int_equal(STAT(w, dropped), 0);
    stream_free(&s);
    writer_stop(&w, 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = { TEST(longer_than_reserved), TEST(as_long_as_reserved) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
