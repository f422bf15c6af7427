/* What assertions say cannot be, in a build without them: the session ends, and says why. */
#include "unit/smtp/session_script.h"

#define NDEBUG /* for what follows; in place of what the library has */
#include "smtp/session.c"
#include "smtp/session_content.c"
#include "smtp/session_upgrade.c"

static const struct script script = { .name = "unasserted", .upstream = UPSTREAM_TLS_NO };

static void begin(struct player *p)
{
    player_begin(p, &script);
    player_read(p, SERVER, SPAN_LIT("220 mx\r\n"));
    p->len = 0;
}

static void check_end(struct player *p, const char *log)
{
    player_pump(p);
    assert_string_equal(p->log, log);
    assert_true(session_is_closing(&p->s));
    player_end(p);
}

static void octets_before_the_handshake_is_over(void **state)
{
    struct player p;

    (void)state;
    begin(&p);
    session_begin_tls(&p.s, CLIENT);
    player_pump(&p);
    player_read(&p, CLIENT, SPAN_LIT("MAIL FROM:<a@b>\r\n"));
    check_end(&p, "[tls client][close internal]");
}

static void octets_left_when_it_begins(void **state)
{
    struct player p;

    (void)state;
    begin(&p);
    session_bytes(&p.s, CLIENT, SPAN_LIT("MAIL FROM:<a@b>\r\n"), 2);
    session_begin_tls(&p.s, CLIENT);
    check_end(&p, "{? swallowed}[close internal]");
}

static void mail_data_twice(void **state)
{
    struct player p;

    (void)state;
    begin(&p);
    assert_true(content_begin(&p.s, false));
    assert_false(content_begin(&p.s, false));
    check_end(&p, "{content data-eof}[close internal]");
}

static void mail_data_without_a_place(void **state)
{
    struct player p;

    (void)state;
    begin(&p);
    session_enter(&p.s, STATE_DATA);
    player_read(&p, CLIENT, SPAN_LIT("Subject: x\r\n"));
    check_end(&p, "{? swallowed}[close internal]");
}

/* Two events at once: one after the other. */
static void events_that_wait(void **state)
{
    struct player p;

    (void)state;
    begin(&p);
    for (unsigned i = 0; i < 3; i++) {
        struct exchange *ex = session_new_exchange(&p.s);

        assert_non_null(ex);
        ex->event.verb = i == 0 ? VERB_MAIL : i == 1 ? VERB_RCPT : VERB_DATA;
        session_report(&p.s, ex);
    }
    player_pump(&p);
    assert_string_equal(p.log, "{MAIL}{RCPT}{DATA}");
    assert_int_equal(p.s.exchange_octets, 0);
    player_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(octets_before_the_handshake_is_over),
        cmocka_unit_test(octets_left_when_it_begins),
        cmocka_unit_test(mail_data_twice),
        cmocka_unit_test(mail_data_without_a_place),
        cmocka_unit_test(events_that_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
