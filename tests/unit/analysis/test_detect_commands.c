#include "unit/analysis/play.h"

struct command_case {
    const char *line, *ids, *product;
};

static const struct command_case commands[] = {
    { "XXXX client.example.net\r\n", "SV-04", "pix-verb-x" },
    { "XXXXXXXX\r\n", "SV-04", "asa-line-x" },
    { "XXXXXXXXXXXXXX\r\n", "SV-04", "asa-line-x" },
    { "XXXX\n", "SV-04", NULL },
    { "NOOP                   \r\n", "SV-05", "pix-cmd-noop" },
    { "NOOP      \r\n", "SV-05", "pix-cmd-noop" },
    { "NOOP    \n", "SV-05", NULL },
    /* traps */
    { "XXX a\r\n", "", NULL },
    { "XXXXY a\r\n", "", NULL },
    { "xxxx a\r\n", "", NULL },
    { "XCLIENT NAME=XXXX\r\n", "", NULL },
    { "XEXCH50 1064 2\r\n", "", NULL },
    { "MAIL FROM:<XXXXXXXX@example.com>\r\n", "", NULL },
    { "VRFY XXXXXXXX\r\n", "", NULL },
    { "NOOP\r\n", "", NULL },
    { "NOOP   \r\n", "", NULL },
    { "NOOP      x\r\n", "", NULL },
    { "RSET      \r\n", "", NULL },
    { "\r\n", "", NULL },
    { "", "", NULL },
};

static void test_commands(void **state)
{
    struct play p;

    (void)state;
    play_start(&p);
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        const struct command_case *c = &commands[i];
        OPEN(&p);
        play_greeting(&p, "220 mx.example.com ESMTP\r\n");
        play_command(&p, c->line, "250 2.0.0 Ok\r\n");
        if (strcmp(p.ids, c->ids) != 0)
            fail_msg("%s: found \"%s\", want \"%s\"", c->line, p.ids, c->ids);
        if (c->ids[0] == '\0')
            continue;
        assert_int_equal(last_found(&p)->side, BLAME_CLIENT);
        assert_int_equal(last_found(&p)->confidence, CONFIDENCE_HIGH);
        assert_string_equal(last_found(&p)->field, "received");
        if (c->product != NULL && !names_product(last_found(&p), c->product))
            fail_msg("%s: %s is not named", c->line, c->product);
    }
    play_stop(&p);
}

/* The same as a later command is less sure: NOOP may have been meant. */
static void test_padding_later(void **state)
{
    struct play p;

    (void)state;
    play_start(&p);
    play_begin(&p);
    play_command(&p, "NOOP      \r\n", "250 2.0.0 Ok\r\n");
    EXPECT(&p, "SV-05");
    assert_int_equal(last_found(&p)->confidence, CONFIDENCE_MEDIUM);
    play_stop(&p);
}

/* What a client sends as a password is neither looked at nor shown. */
static void test_secrets(void **state)
{
    struct play p;
    struct event e;

    (void)state;
    play_start(&p);
    play_begin(&p);
    e = event_command(&p, "XXXXXXXX\r\n", "535 5.7.8 no\r\n", 0);
    e.auth_line = true;
    play_event(&p, e);
    e = event_command(&p, "XXXXXXXX\r\n", "500 5.5.1 what?\r\n", 0);
    e.secret = e.received;
    play_event(&p, e);
    EXPECT(&p, "");
    play_stop(&p);
}

/* An address in the arguments of what was written over stays out of the finding. */
static void test_no_address(void **state)
{
    struct play p;

    (void)state;
    play_start(&p);
    play_begin(&p);
    play_command(&p, "XXXX FROM:<secret@example.com>\r\n", "500 5.5.1 what?\r\n");
    EXPECT(&p, "SV-04");
    assert_null(strstr(last_found(&p)->text, "secret"));
    check_span(last_found(&p)->bytes, SPAN_LIT("XXXX"), "evidence");
    play_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commands),
        cmocka_unit_test(test_padding_later),
        cmocka_unit_test(test_secrets),
        cmocka_unit_test(test_no_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
