/* connection, table - both directions together, and the bounds of memory. */
#include "unit/check.h"

#include "capture/table.h"

#include "base/attributes.h"
#include "transcript/writer.h"

struct bed {
    struct connection_env env;
    struct capture_result result;
    struct stream *records;
    struct table table;
    uint64_t t_us;
};

static int set_up(void **state)
{
    struct bed *b = calloc(1, sizeof *b);

    b->records = stream_new(NULL, NULL, NULL); /* writes nothing */
    b->env.result = &b->result;
    feed_env_init(&b->env.feed, b->records, false, NULL);
    b->t_us = 1000000;
    *state = b;
    return b->records == NULL || !table_init(&b->table, 8);
}

static int tear_down(void **state)
{
    struct bed *b = *state;

    table_deinit(&b->table);
    assert_int_equal(b->env.held, 0);
    feed_env_deinit(&b->env.feed);
    stream_free(&b->records);
    free(b);
    return 0;
}

/* A segment between port 1000 + n and the server's port 25. */
static struct segment segment(struct bed *b, unsigned n, enum side from, unsigned flags)
{
    struct addr client = addr_from_octets(AF_INET, "\xc0\0\2\1", (uint16_t)(1000 + n));
    struct addr server = addr_from_octets(AF_INET, "\xc0\0\2\2", 25);

    b->t_us += 10;
    b->env.order++;
    return (struct segment){ .from = from == CLIENT ? client : server,
                             .to = from == CLIENT ? server : client,
                             .flags = (uint8_t)flags,
                             .t_us = b->t_us };
}

static void take(struct bed *b, struct segment s)
{
    struct connection *c = table_find(&b->table, &s);

    if (c == NULL)
        c = table_add(&b->table, &b->env, &s, CLIENT, true);
    assert_non_null(c);
    bool was_dead = c->dead;
    connection_take(c, &s);
    table_touch(&b->table, c, was_dead);
}

static void say(struct bed *b, unsigned n, enum side from, uint32_t seq, uint32_t ack,
                struct span octets)
{
    struct segment s = segment(b, n, from, SEGMENT_ACK);

    s.seq = seq;
    s.ack = ack;
    s.payload = octets;
    take(b, s);
}

static struct connection *greet(struct bed *b, unsigned n)
{
    struct segment syn = segment(b, n, CLIENT, SEGMENT_SYN);
    struct segment answer = segment(b, n, SERVER, SEGMENT_SYN | SEGMENT_ACK);

    syn.seq = answer.ack = 1;
    answer.seq = 1;
    take(b, syn);
    take(b, answer);
    say(b, n, SERVER, 1, 1, SPAN_LIT("220 mx\r\n"));
    return table_find(&b->table, &syn);
}

static void replies_wait_for_their_commands(void **state)
{
    struct bed *b = *state;
    struct connection *c = greet(b, 0);

    say(b, 0, SERVER, 9, 7, SPAN_LIT("250 ok\r\n")); /* to what is not there yet */
    check_number(c->flow[SERVER].next, 9, "held");
    say(b, 0, CLIENT, 1, 9, SPAN_LIT("NOOP\r\n"));
    check_number(c->flow[SERVER].next, 17, "passed on");
    check_number(c->feed->session.good[verb_tally(VERB_NOOP)], 1, "paired");
    check_number(b->result.gaps, 0, "gaps");
}

/* Each says it had the other: hostile, and not to be waited for for ever. */
static void claims_that_contradict(void **state)
{
    struct bed *b = *state;
    struct connection *c = greet(b, 0);

    say(b, 0, CLIENT, 1, 17, SPAN_LIT("NOOP\r\n"));
    say(b, 0, SERVER, 9, 7, SPAN_LIT("250 ok\r\n"));
    b->t_us += 2 * CONNECTION_PATIENCE_US;
    say(b, 0, CLIENT, 7, 17, SPAN_LIT("QUIT\r\n"));
    check_number(c->flow[CLIENT].next, 13, "client");
    check_number(c->flow[SERVER].next, 17, "server");
    check_number(b->result.gaps, 0, "nothing is missing");
}

static void a_hole_waits_until_it_is_acknowledged(void **state)
{
    struct bed *b = *state;
    struct connection *c = greet(b, 0);

    say(b, 0, CLIENT, 7, 9, SPAN_LIT("RSET\r\n"));
    b->t_us += 100 * (uint64_t)CONNECTION_PATIENCE_US;
    say(b, 0, CLIENT, 13, 9, SPAN_LIT("QUIT\r\n"));
    check_number(b->result.gaps, 0, "it may be sent again");
    say(b, 0, SERVER, 9, 19, SPAN_LIT(""));
    check_number(b->result.gaps, 1, "it was lost by the capture");
    check_number(b->result.missing, 6, "octets");
    check_number(c->flow[CLIENT].next, 19, "what is behind it");
    assert_true(c->lost);
    say(b, 0, CLIENT, 25, 9, SPAN_LIT("x\r\n")); /* nothing is waited for any more */
    say(b, 0, SERVER, 9, 28, SPAN_LIT(""));
    check_number(b->result.missing, 12, "octets");
}

static void no_hole_holds_more_than_its_limit(void **state)
{
    static unsigned char octets[60000];
    struct bed *b = *state;
    struct connection *c = greet(b, 0);

    for (uint32_t seq = 100; seq < 4 << 20; seq += sizeof octets) {
        say(b, 0, CLIENT, seq, 9, span_of(octets, sizeof octets));
        assert_true(b->env.held <= FLOW_HELD_MAX + sizeof octets + 100);
    }
    check_number(b->result.gaps, 1, "gaps");
    check_number(b->result.missing, 99, "octets");
    check_number(c->flow[CLIENT].held, 0, "held");
}

static void numbers_beyond_belief(void **state)
{
    struct bed *b = *state;
    struct connection *c = greet(b, 0);

    say(b, 0, CLIENT, 0x70000000, 9, SPAN_LIT("x"));
    say(b, 0, SERVER, 9, 0x70000000, SPAN_LIT(""));
    b->t_us += 2 * CONNECTION_PATIENCE_US;
    say(b, 0, CLIENT, 1, 0x70000000, SPAN_LIT("NOOP\r\n"));
    check_number(c->flow[CLIENT].next, 7, "goes on");
    check_number(b->result.gaps, 0, "gaps");
}

/* The one silent for longest goes, and what is over before what is not. */
static void too_many(void **state)
{
    struct bed *b = *state;
    struct segment s;

    for (unsigned n = 0; n < 8; n++)
        (void)greet(b, n);
    say(b, 0, CLIENT, 1, 9, SPAN_LIT("NOOP\r\n"));
    take(b, segment(b, 5, CLIENT, SEGMENT_RST)); /* of the past: seq 0 */
    s = segment(b, 5, CLIENT, SEGMENT_RST);
    s.seq = 1;
    take(b, s);
    assert_true(table_find(&b->table, &s)->dead);
    (void)greet(b, 8);
    assert_null(table_find(&b->table, &s));
    check_number(b->table.live.count + b->table.dead.count, 8, "connections");
    (void)greet(b, 9);
    s = segment(b, 1, SERVER, 0);
    assert_null(table_find(&b->table, &s));
    s = segment(b, 0, SERVER, 0);
    assert_non_null(table_find(&b->table, &s));
    check_number(b->result.sessions, 10, "sessions");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(replies_wait_for_their_commands, set_up, tear_down),
        cmocka_unit_test_setup_teardown(claims_that_contradict, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_hole_waits_until_it_is_acknowledged, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(no_hole_holds_more_than_its_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(numbers_beyond_belief, set_up, tear_down),
        cmocka_unit_test_setup_teardown(too_many, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
