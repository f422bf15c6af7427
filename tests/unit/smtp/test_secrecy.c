/* What is secret line by line: state, replies, and what is remembered. */
#include "unit/check.h"

#include "base/attributes.h"
#include "smtp/secrecy.h"
#include "smtp/secret.h"

struct talk {
    struct secrecy k;
    uint64_t at;
};

static void begin(struct talk *t)
{
    secrecy_init(&t->k);
    t->at = 0;
}

/* One line, and the reply to it; 0: none. */
static struct event say(struct talk *t, const char *text, unsigned code)
{
    struct event e = { .kind = EVENT_COMMAND, .at = t->at, .received = span_str(text) };
    struct span line = secret_without_ending(e.received);
    struct command c = command_parse(line);
    char reply[8];

    e.verb = c.verb;
    e.received_octets = e.received.len;
    t->at += e.received.len;
    secrecy_line(&t->k, &e, &c);
    snprintf(reply, sizeof reply, "%u ", code);
    e.origin = code != 0 ? ORIGIN_UPSTREAM : ORIGIN_NONE;
    e.reply = code != 0 ? span_str(reply) : span_str("");
    e.code = code;
    secrecy_reply(&t->k, &e, t->at);
    secrecy_tell(&t->k, &e);
    e.reply = SPAN_LIT("");
    return e;
}

/* Is the last line secret? Codes: one for each line. */
static const struct {
    const char *lines[8];
    unsigned codes[8];
    bool secret;
} dialogues[] = {
    { { "hunter2\r\n" }, { 500 }, false },
    { { "AUTH PLAIN x\r\n", "hunter2\r\n" }, { 535, 500 }, true },
    { { "AUTH LOGIN\r\n", "x\r\n", "y\r\n", "hunter2\r\n" }, { 535, 500, 500, 500 }, true },
    { { "AUTH LOGIN\r\n", "RSET\r\n", "hunter2\r\n" }, { 535, 250, 500 }, true },
    { { "AUTH LOGIN\r\n", "EHLO x\r\n", "hunter2\r\n" }, { 502, 250, 500 }, true },
    { { "AUTH LOGIN\r\n", "RSET\r\n" }, { 535, 250 }, false },
    { { "AUTH PLAIN x\r\n", "hunter2\r\n" }, { 235, 500 }, false },
    { { "AUTH PLAIN x\r\n", "AUTH PLAIN x\r\n", "hunter2\r\n" }, { 235, 503, 500 }, true },
    { { "AUTH PLAIN x\r\n", "MAIL FROM:<a@b>\r\n", "hunter2\r\n" }, { 535, 250, 500 }, false },
    { { "AUTH PLAIN x\r\n", "MAIL FROM:<a@b>\r\n", "hunter2\r\n" }, { 535, 530, 500 }, true },
    { { "AUTHPLAIN x\r\n", "hunter2\r\n" }, { 500, 500 }, true },
    { { "EHLO x\rAUTH PLAIN x\r\n", "hunter2\r\n" }, { 500, 500 }, true },
    { { "XCLIENT LOGIN=alice\r\n", "hunter2\r\n" }, { 550, 500 }, true },
    { { "XCLIENT LOGIN=alice\r\n", "hunter2\r\n" }, { 220, 500 }, false },
    { { "FOO\r\n", "hunter2\r\n" }, { 334, 500 }, true }, /* a challenge to whatever that was */
    { { "FOO\r\n", "AUTH LOGIN\r\n", "AUTH\r\n", "hunter2\r\n" },
      { 334, 334, 235, 500 },
      true },
};

static void lines_of_a_dialogue(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(dialogues); i++) {
        struct event last = { .code = 0 };
        struct talk t;

        begin(&t);
        for (unsigned k = 0; dialogues[i].lines[k] != NULL; k++)
            last = say(&t, dialogues[i].lines[k], dialogues[i].codes[k]);
        if ((last.secret.len > 0) != dialogues[i].secret)
            fail_msg("dialogue %zu: %zu octets are secret", i, last.secret.len);
        secrecy_free(&t.k);
    }
}

/* What the client sent before it could know of the 235 is of the alert. */
static void what_was_sent_before_the_reply(void **state)
{
    struct talk t;

    (void)state;
    begin(&t);
    (void)say(&t, "AUTH LOGIN\r\n", 0);
    struct event reply = { .verb = VERB_AUTH,
                           .code = 235,
                           .origin = ORIGIN_UPSTREAM,
                           .reply = SPAN_LIT("235 ok\r\n") };
    secrecy_reply(&t.k, &reply, t.at + 1);
    assert_int_equal(say(&t, "hunter2\r\n", 0).secret.len, 7);
    assert_int_equal(say(&t, "hunter2\r\n", 0).secret.len, 0);
    secrecy_free(&t.k);
}

/* To the first transaction of a client that has authenticated; else to the end. */
static void how_long_secrets_are_remembered(void **state)
{
    struct talk t;

    (void)state;
    begin(&t);
    assert_null(say(&t, "EHLO x\r\n", 250).secrecy);
    assert_non_null(say(&t, "AUTH PLAIN c2VjcmV0\r\n", 535).secrecy);
    assert_non_null(say(&t, "MAIL FROM:<a@b>\r\n", 250).secrecy);
    assert_non_null(say(&t, "RSET\r\n", 250).secrecy);
    assert_non_null(say(&t, "AUTH PLAIN c2VjcmV0\r\n", 235).secrecy);
    assert_non_null(say(&t, "NOOP\r\n", 250).secrecy);
    assert_non_null(say(&t, "MAIL FROM:<a@b>\r\n", 250).secrecy);
    assert_null(say(&t, "RCPT TO:<a@b>\r\n", 250).secrecy);
    secrecy_free(&t.k);
}

static void long_lines(void **state)
{
    char text[600];
    struct event e = { .kind = EVENT_COMMAND, .received = { (unsigned char *)text, 512 } };
    struct talk t;

    (void)state;
    memset(text, 'x', sizeof text);
    begin(&t);
    secrecy_cut_line(&t.k, &e, false, true);
    assert_int_equal(e.secret.len, 0); /* calm, and no sign of an attempt in what is kept */
    secrecy_tell(&t.k, &e);
    assert_false(t.k.lost);
    secrecy_cut_line(&t.k, &e, false, false);
    assert_int_equal(e.secret.len, 512);
    secrecy_tell(&t.k, &e);
    assert_false(t.k.lost); /* the server does not have the rest of it */
    secrecy_cut_line(&t.k, &e, true, true);
    assert_int_equal(e.secret.len, 512);
    secrecy_tell(&t.k, &e);
    assert_true(t.k.lost);
    secrecy_free(&t.k);
}

static bool is_marked_whole(struct talk *t, const char *text)
{
    struct span reply = span_str(text);
    bool marks[64] = { false };

    secrecy_mark(&t->k, reply, marks);
    return memchr(marks + 4, false, reply.len - 4) == NULL;
}

/* How long a peer can make the comparing: then replies are not compared, all is secret. */
static void work_is_bounded(void **state)
{
    char line[2048] = "AUTH PLAIN ";
    struct talk t;

    (void)state;
    memset(line + 11, 'A', sizeof line - 12);
    begin(&t);
    say(&t, line, 535);
    assert_false(is_marked_whole(&t, "250 ok"));
    for (unsigned i = 0; i < 10000; i++)
        (void)is_marked_whole(&t, "250 ok");
    assert_true(is_marked_whole(&t, "250 ok"));
    secrecy_free(&t.k);

    begin(&t); /* one that repeats in itself, and in the reply */
    say(&t, line, 535);
    for (unsigned i = 0; i < 1000; i++)
        assert_true(is_marked_whole(&t, "250 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
    assert_true(is_marked_whole(&t, "250 ok"));
    secrecy_free(&t.k);

    begin(&t); /* an ordinary one, never: replies pay for themselves */
    say(&t, "AUTH PLAIN AGJvYgBodW50ZXIyaHVudGVyMg==", 535);
    for (unsigned i = 0; i < 20000; i++)
        assert_false(is_marked_whole(&t, "250 2.1.5 <bob@example.com>... Recipient ok"));
    assert_false(t.k.lost);
    secrecy_free(&t.k);
}

/* However many replies come meanwhile, the same octets are looked at once. */
static void ahead_is_looked_at_once(void **state)
{
    struct talk t;

    (void)state;
    begin(&t);
    secrecy_peek_ahead(&t.k, SPAN_LIT("NOOP aaaaaaaaaaaaaaa"), 7);
    secrecy_peek_ahead(&t.k, SPAN_LIT("AUTH PLAIN c2VjcmV0c"),
                       7); /* the same octets: no look */
    assert_true(secret_memory_is_empty(&t.k.memory));
    secrecy_peek_ahead(&t.k, SPAN_LIT("AUTH PLAIN c2VjcmV0c"), 8);
    assert_false(secret_memory_is_empty(&t.k.memory));
    secrecy_free(&t.k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_a_dialogue),
        cmocka_unit_test(what_was_sent_before_the_reply),
        cmocka_unit_test(how_long_secrets_are_remembered),
        cmocka_unit_test(long_lines),
        cmocka_unit_test(work_is_bounded),
        cmocka_unit_test(ahead_is_looked_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
