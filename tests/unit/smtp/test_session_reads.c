/* Where the reads of a content began, wherever they were torn: CRLF . CRLF, too. */
#include "unit/smtp/session_script.h"

static const struct script plain = { .name = "reads", .observe = true, .lenient = true };

struct seen_reads {
    uint64_t octets, n, at[DATA_READS_MAX];
};

static void pump(struct player *p, struct seen_reads *got)
{
    struct action action;

    while (session_next(&p->s, &action))
        if (action.kind == ACTION_RECORD && action.event->kind == EVENT_CONTENT) {
            got->octets = action.event->data->stats.octets;
            got->n = action.event->content_reads;
            memcpy(got->at, action.event->content_read_at, sizeof got->at);
        }
}

static void hear(struct player *p, enum side side, const char *text, size_t len,
                 struct seen_reads *got)
{
    session_bytes(&p->s, side, span_of(text, len), ++p->now);
    pump(p, got);
}

static void hear_all(struct player *p, enum side side, const char *text)
{
    struct seen_reads none;

    hear(p, side, text, strlen(text), &none);
}

static void begin_data(struct player *p)
{
    player_begin(p, &plain);
    hear_all(p, SERVER, "220 mx\r\n");
    hear_all(p, CLIENT, "DATA\r\n");
    hear_all(p, SERVER, "354 go\r\n");
}

/* In two reads, torn at each place. */
static void test_torn_once(void **state)
{
    static const char text[] = "a: b\r\n\r\n..c\r\n.\r\n";
    struct seen_reads got;
    struct player p;

    (void)state;
    for (size_t cut = 1; cut < sizeof text - 1; cut++) {
        begin_data(&p);
        hear(&p, CLIENT, text, cut, &got);
        hear(&p, CLIENT, text + cut, sizeof text - 1 - cut, &got);
        assert_int_equal(got.octets, sizeof text - 1 - 3);
        assert_int_equal(got.n, 2);
        assert_int_equal(got.at[0], 0);
        assert_int_equal(got.at[1], cut);
        player_end(&p);
    }
}

static void test_octet_by_octet(void **state)
{
    char text[DATA_READS_MAX + 12];
    size_t len = sizeof text;
    struct seen_reads got;
    struct player p;

    (void)state;
    memset(text, 'a', len);
    memcpy(text + len - 5, "\r\n.\r\n", 5);
    begin_data(&p);
    for (size_t i = 0; i < len; i++)
        hear(&p, CLIENT, text + i, 1, &got);
    assert_int_equal(got.n, len);
    for (size_t i = 0; i < DATA_READS_MAX - 1; i++)
        assert_int_equal(got.at[i], i);
    assert_int_equal(got.at[DATA_READS_MAX - 1], len - 1); /* the last of all */
    player_end(&p);
}

/* Of chunks, the commands between them do not count. */
static void test_chunks(void **state)
{
    struct seen_reads got;
    struct player p;

    (void)state;
    player_begin(&p, &plain);
    hear_all(&p, SERVER, "220 mx\r\n");
    hear_all(&p, CLIENT, "BDAT 4\r\nab");
    hear_all(&p, CLIENT, "cd");
    hear_all(&p, SERVER, "250 ok\r\n");
    hear(&p, CLIENT, "BDAT 2 LAST\r\nef", 15, &got);
    assert_int_equal(got.octets, 6);
    assert_int_equal(got.at[1], 2);
    assert_int_equal(got.at[2], 4);
    player_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_torn_once),
        cmocka_unit_test(test_octet_by_octet),
        cmocka_unit_test(test_chunks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
