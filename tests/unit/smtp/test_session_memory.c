/* One session and its budget: what a client may make it hold, whatever it sends, is bounded,
 * nothing of it is lost, and it goes back. */
#include "unit/smtp/session_script.h"

enum {
    READ = 65536, /* octets of one read, where there is room */
    BUDGET = (64 + 32) * 1024,
    ONE = 2048,         /* the one command that reached the limit */
    FLOOD = 256 * 1024, /* octets that the client sends, while it is read */
};

#define GREET "220 mx ESMTP\r\n"
#define HELLO "EHLO c\r\n"
#define OFFER "250-mx\r\n250-PIPELINING\r\n250-CHUNKING\r\n250-AUTH PLAIN\r\n250 8BITMIME\r\n"
#define ACKED "250 ok\r\n"

static const struct script plain = { .name = "memory", .starttls = "refuse" };
static const struct script watched = { .name = "memory, observed", .observe = true };

struct octets {
    uint64_t to_server, from_client;
    uint64_t records;
    size_t most; /* octets of memory at any time */
};

static void pump(struct player *p, struct octets *o)
{
    struct action action;

    while (session_next(&p->s, &action)) {
        if (action.kind == ACTION_FORWARD && action.side == SERVER)
            o->to_server += action.bytes.len;
        if (action.kind == ACTION_RECORD)
            o->records++;
    }
    if (session_memory(&p->s) > o->most)
        o->most = session_memory(&p->s);
}

static void say(struct player *p, struct octets *o, enum side side, const char *text)
{
    session_bytes(&p->s, side, span_str(text), ++p->now);
    pump(p, o);
}

static void greeted(struct player *p, struct octets *o, const struct script *script)
{
    *o = (struct octets){ .most = 0 };
    player_begin(p, script);
    say(p, o, SERVER, GREET);
    say(p, o, CLIENT, HELLO);
    say(p, o, SERVER, OFFER);
    assert_int_equal(session_memory(&p->s), 0);
}

/* The same line again and again, as long as the session reads. */
static void flood(struct player *p, struct octets *o, const char *line)
{
    static char in[READ];
    size_t len = strlen(line), room;

    while ((room = session_room(&p->s, CLIENT)) > 0 && o->from_client < FLOOD) {
        size_t n = room < READ ? room : READ;

        for (size_t i = 0; i < n; i++)
            in[i] = line[(o->from_client + i) % len];
        o->from_client += n;
        session_bytes(&p->s, CLIENT, span_of(in, n), ++p->now);
        pump(p, o);
    }
}

static const char *long_rcpt(void)
{
    static char line[1024];

    snprintf(line, sizeof line, "RCPT TO: %060d@%0180d NOTIFY=SUCCESS ORCPT=rfc822;%0200d\r\n",
             1, 2, 3);
    return line;
}

static void a_mute_upstream(void **state)
{
    const char *const lines[] = { "NOOP\r\n", "\r\n", "VRFY x\r\n", long_rcpt() };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        struct octets o;
        struct player p;

        greeted(&p, &o, &plain);
        say(&p, &o, CLIENT, "MAIL FROM:<a@b>\r\n"); /* never answered */
        flood(&p, &o, lines[i]);
        assert_in_range(o.most, SESSION_QUEUE_MAX, BUDGET + ONE);
        player_end(&p);
    }
}

static void before_the_greeting(void **state)
{
    struct octets o = { .most = 0 };
    struct player p;

    (void)state;
    player_begin(&p, &plain);
    flood(&p, &o, "NOOP\r\n");
    assert_int_equal(o.from_client, SESSION_HELD_MAX);
    assert_int_equal(o.most, SESSION_HELD_MAX);
    player_end(&p);
}

/* What was held goes on with the replies, to the last octet. */
static void nothing_is_lost(void **state)
{
    struct octets o;
    struct player p;

    (void)state;
    greeted(&p, &o, &plain);
    o.to_server = 0;
    for (uint64_t before = 1; before != o.from_client && o.from_client < FLOOD;) {
        before = o.from_client;
        flood(&p, &o, "NOOP\r\n");
        while (p.s.first != NULL)
            say(&p, &o, SERVER, ACKED);
    }
    assert_true(o.from_client >= FLOOD);
    assert_int_equal(o.to_server, o.from_client - o.from_client % 6);
    player_end(&p);
}

/* A line without its end is all that is left of a burst, and all that is paid for. */
static void memory_goes_back(void **state)
{
    struct octets o;
    struct player p;

    (void)state;
    greeted(&p, &o, &plain);
    flood(&p, &o, "NOOP\r\n");
    while (p.s.first != NULL)
        say(&p, &o, SERVER, ACKED);
    assert_in_range(o.most, SESSION_HELD_MAX, BUDGET + ONE);
    assert_in_range(session_memory(&p.s), 1, 1024);
    player_end(&p);
}

/* Only the client's next octets can free what is held here: they are read. */
static void who_must_go_on_is_read(void **state)
{
    static char line[40001];
    struct octets o;
    struct player p;

    (void)state;
    memset(line, ' ', sizeof line - 1);
    memcpy(line, "BDAT 9", 6);
    memcpy(line + 32700, "\r\n", 3);
    greeted(&p, &o, &plain);
    p.policy.limit_fixed = 32768;
    assert_true(policy_set(&p.policy, RULE_LIMIT_MODE, SPAN_LIT("fixed")));
    say(&p, &o, CLIENT, line); /* one command as large as the queue */
    assert_true(session_queue_is_full(&p.s));
    assert_int_equal(session_room(&p.s, CLIENT), SESSION_HELD_MAX + 9);
    player_end(&p);

    memset(line, 'a', sizeof line - 1);
    greeted(&p, &o, &plain);
    p.policy.limit_auth_line = 32768;
    say(&p, &o, CLIENT, "AUTH PLAIN\r\n");
    say(&p, &o, SERVER, "334 \r\n");
    say(&p, &o, CLIENT, line); /* and it does not end */
    assert_true(session_queue_is_full(&p.s));
    assert_int_equal(session_room(&p.s, CLIENT), SESSION_HELD_MAX);
    player_end(&p);
}

/* Nobody waits where nothing is delayed: beyond the limit it only relays. */
static void observed(void **state)
{
    struct octets o;
    struct player p;

    (void)state;
    greeted(&p, &o, &watched);
    o.to_server = 0;
    flood(&p, &o, long_rcpt());
    assert_int_equal(o.to_server, FLOOD);
    assert_in_range(o.most, SESSION_TRACKED_MAX, SESSION_TRACKED_MAX + 2 * READ + ONE);
    assert_string_equal(session_state_name(&p.s), "opaque");
    player_end(&p);
}

/* As many short commands as before are followed in observe mode. */
static void observed_pipelining(void **state)
{
    struct octets o;
    struct player p;

    (void)state;
    greeted(&p, &o, &watched);
    for (unsigned i = 0; i < 256; i++)
        say(&p, &o, CLIENT, "RCPT TO:<somebody@example.org>\r\n");
    assert_string_equal(session_state_name(&p.s), "command");
    player_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mute_upstream),        cmocka_unit_test(before_the_greeting),
        cmocka_unit_test(nothing_is_lost),        cmocka_unit_test(memory_goes_back),
        cmocka_unit_test(who_must_go_on_is_read), cmocka_unit_test(observed),
        cmocka_unit_test(observed_pipelining),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
