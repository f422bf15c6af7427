/* Octets and ends that come where a handshake is due: plaintext must not cross it. */
#include "unit/smtp/session_words.h"

static const struct script injected[] = {
    { .name = "a command behind STARTTLS",
      .upstream = MAY,
      .steps = { OFFERED, C_READ("STARTTLS\r\nRSET\r\n") },
      .log = OFFERED_LOG INJECTED
      "{STARTTLS refused 554 starttls-injection}{? swallowed}[close starttls-injection]" },
    { .name = "part of a command behind STARTTLS, upstream no",
      .upstream = NO,
      .steps = { OFFERED, C_READ("STARTTLS\r\nEH") },
      .log = OFFERED_LOG INJECTED
      "{STARTTLS refused 554 starttls-injection}{? swallowed}[close starttls-injection]" },
    { .name = "a ClientHello behind STARTTLS",
      .upstream = MAY,
      .steps = { OFFERED, C_READ("STARTTLS\r\n\026\003\001\001\005") },
      .log = OFFERED_LOG INJECTED
      "{STARTTLS refused 554 starttls-injection}{? swallowed}[close starttls-injection]" },
    { .name = "behind earlier commands in one read",
      .upstream = MAY,
      .steps = { OFFERED, C_READ("NOOP\r\nSTARTTLS\r\nRSET\r\n"), S("250 ok\r\n") },
      .log = OFFERED_LOG
      ">NOOP|<250 ok|{NOOP 250}" INJECTED
      "{STARTTLS refused 554 pipeline-unadvertised starttls-injection}{? swallowed}"
      "[close starttls-injection]" },
    { .name = "between STARTTLS and its turn",
      .upstream = MAY,
      .steps = { GREET, S("250-mx\r\n250-PIPELINING\r\n250 STARTTLS\r\n"), C("NOOP\r\n"),
                 C("STARTTLS\r\n"), C("RSET\r\n"), S("250 ok\r\n") },
      .log = GREET_LOG
      "<250-mx|250-PIPELINING|250 STARTTLS|{EHLO 250}>NOOP|<250 ok|{NOOP 250}" INJECTED
      "{STARTTLS refused 554 starttls-injection}{? swallowed}[close starttls-injection]" },
    { .name = "between STARTTLS and the upstream's 220",
      .upstream = MAY,
      .steps = { OFFERED, C("STARTTLS\r\n"), C("RSET\r\n"), S("220 go\r\n") },
      .log = OFFERED_LOG
      ">STARTTLS|" INJECTED
      "{STARTTLS 554 up 220 starttls-injection}{? swallowed}[close starttls-injection]" },
    { .name = "while the handshake with the upstream is under way",
      .upstream = MAY,
      .steps = { OFFERED, C("STARTTLS\r\n"), S("220 go\r\n"), C("RSET\r\n"), WAITS(WAIT_TLS),
                 TLS(SERVER) },
      .log = OFFERED_LOG
      ">STARTTLS|[tls server]" INJECTED
      "{STARTTLS 554 up 220 starttls-injection}{? swallowed}[close starttls-injection]" },
    { .name = "between STARTTLS and the upstream's refusal: TLS would follow",
      .upstream = MAY,
      .steps = { OFFERED, C("STARTTLS\r\n"), C("RSET\r\n"), S("454 no\r\n") },
      .log = OFFERED_LOG
      ">STARTTLS|" INJECTED
      "{STARTTLS 554 up 454 starttls-injection}{? swallowed}[close starttls-injection]" },
    { .name = "between STARTTLS and the upstream's refusal: no TLS follows",
      .upstream = REQUIRE,
      .steps = { OFFERED, C("STARTTLS\r\n"), C("NOOP\r\n"), S("454 no\r\n"), S("250 ok\r\n") },
      .log = OFFERED_LOG ">STARTTLS|" REFUSED
                         "{STARTTLS 454}>NOOP|<250 ok|{NOOP 250 pipeline-after-sync}" },
    { .name = "behind the upstream's 220",
      .upstream = MAY,
      .steps = { OFFERED, C("STARTTLS\r\n"), S_READ("220 go\r\n250 mx\r\n") },
      .log = OFFERED_LOG
      ">STARTTLS|" INJECTED
      "{STARTTLS 554 up 220 starttls-response-injection}[close starttls-injection]" },
    { .name = "part of a reply behind the upstream's 220",
      .upstream = REQUIRE,
      .steps = { OFFERED, C("STARTTLS\r\n"), S_READ("220 go\r\n2") },
      .log = OFFERED_LOG
      ">STARTTLS|" INJECTED
      "{STARTTLS 554 up 220 starttls-response-injection}[close starttls-injection]" },
    { .name = "a 220 before STARTTLS was sent on",
      .upstream = MAY,
      .steps = { OFFERED, C("NOOP\r\n"), C("STARTTLS\r\n"), S_READ("250 ok\r\n220 go\r\n") },
      .log = OFFERED_LOG
      ">NOOP|<250 ok|{NOOP 250}=421 4.3.0 The mail server behind this proxy sent an invalid "
      "SMTP reply|{? swallowed 421 up 220 reply-unsolicited}{? swallowed}"
      "[close upstream-protocol]" },
    { .name = "a 220 while STARTTLS waits for its turn",
      .upstream = MAY,
      .steps = { GREET, S("250-mx\r\n250-PIPELINING\r\n250 STARTTLS\r\n"),
                 C("NOOP\r\nSTARTTLS\r\n"), S_READ("250 ok\r\n220 go\r\n") },
      .log = GREET_LOG
      "<250-mx|250-PIPELINING|250 STARTTLS|{EHLO 250}>NOOP|<250 ok|{NOOP 250}=421 4.3.0 The "
      "mail server behind this proxy sent an invalid SMTP reply|"
      "{STARTTLS 421 up 220 reply-unsolicited}[close upstream-protocol]" },
    { .name = "passthrough: a command behind STARTTLS",
      .starttls = "passthrough",
      .steps = { OFFERED, C_READ("STARTTLS\r\nRSET\r\n") },
      .log = OFFERED_LOG INJECTED
      "{STARTTLS refused 554 starttls-injection}{? swallowed}[close starttls-injection]" },
    { .name = "passthrough: the same where the order is the upstream's business",
      .starttls = "passthrough",
      .lenient = true,
      .steps = { OFFERED, C("MAIL FROM:<a@b.test>\r\n"), S("250 ok\r\n"),
                 C_READ("STARTTLS\r\nRSET\r\n") },
      .log = OFFERED_LOG
      ">MAIL FROM:<a@b.test>|<250 ok|{MAIL 250}" INJECTED
      "{STARTTLS refused 554 starttls-injection}{? swallowed}[close starttls-injection]" },
    { .name = "passthrough: between STARTTLS and the upstream's 220",
      .starttls = "passthrough",
      .steps = { OFFERED, C("STARTTLS\r\n"), C("RSET\r\n"), S("220 go\r\n") },
      .log = OFFERED_LOG
      ">STARTTLS|" INJECTED
      "{STARTTLS 554 up 220 starttls-injection}{? swallowed}[close starttls-injection]" },
    { .name = "passthrough: behind the upstream's 220",
      .starttls = "passthrough",
      .steps = { OFFERED, C("STARTTLS\r\n"), S_READ("220 go\r\n250 mx\r\n") },
      .log = OFFERED_LOG
      ">STARTTLS|" INJECTED
      "{STARTTLS 554 up 220 starttls-response-injection}[close starttls-injection]" },
};

/* The other side while a handshake is under way. */
static const struct script other_side[] = {
    { .name = "the upstream's 421 is told inside TLS",
      .upstream = NO,
      .steps = { OFFERED, C("STARTTLS\r\n"), S("421 4.3.2 bye\r\n"), FIN(SERVER), TLS(CLIENT) },
      .log = OFFERED_LOG READY "{STARTTLS stripped 220}<421 4.3.2 bye|{? 421 upstream-421}"
                               "[close upstream-421]" },
    { .name = "the upstream's end is told inside TLS",
      .upstream = MAY,
      .steps = { OFFERED, C("STARTTLS\r\n"), S("220 go\r\n"), TLS(SERVER), FIN(SERVER),
                 TLS(CLIENT) },
      .log = BOTH_LOG "=421 4.4.2 The mail server behind this proxy closed the connection|"
                      "{? swallowed 421 upstream-eof}[close upstream-eof]" },
    { .name = "the upstream's reset is told inside TLS",
      .upstream = NO,
      .steps = { OFFERED, C("STARTTLS\r\n"), RST(SERVER), TLS(CLIENT) },
      .log = OFFERED_LOG READY "{STARTTLS stripped 220}=421 4.4.2 The mail server behind this "
                               "proxy reset the connection|"
                               "{? swallowed 421 upstream-eof}[close upstream-reset]" },
    { .name = "the upstream's end, and then no TLS either",
      .upstream = NO,
      .steps = { OFFERED, C("STARTTLS\r\n"), FIN(SERVER), NO_TLS(CLIENT) },
      .log = OFFERED_LOG READY "{STARTTLS stripped 220}[close client-tls]" },
    { .name = "an unsolicited reply",
      .upstream = NO,
      .steps = { OFFERED, C("STARTTLS\r\n"), S("250 hello\r\n"), TLS(CLIENT) },
      .log = OFFERED_LOG READY
      "{STARTTLS stripped 220}=421 4.3.0 The mail server behind this proxy sent an invalid "
      "SMTP reply|{? swallowed 421 up 250 reply-unsolicited}[close "
      "upstream-protocol]" },
    { .name = "the client closes its side during the upstream's handshake",
      .upstream = MAY,
      .steps = { OFFERED, C("STARTTLS\r\n"), S("220 go\r\n"), FIN(CLIENT) },
      .log = OFFERED_LOG ">STARTTLS|[tls server]{STARTTLS}[close client-eof-before-reply]" },
    { .name = "the client resets during the upstream's handshake",
      .upstream = MAY,
      .steps = { OFFERED, C("STARTTLS\r\n"), S("220 go\r\n"), RST(CLIENT), TLS(SERVER) },
      .log = OFFERED_LOG ">STARTTLS|[tls server]{STARTTLS}[close client-reset]" },
    { .name = "the client closes its side before the upstream's 220",
      .upstream = MAY,
      .steps = { OFFERED, C("STARTTLS\r\n"), FIN(CLIENT), S("220 go\r\n"), TLS(SERVER) },
      .log = OFFERED_LOG ">STARTTLS|[tls server]{STARTTLS}[close client-eof-before-reply]" },
    { .name = "the client closes its side behind STARTTLS, which waits",
      .upstream = MAY,
      .steps = { GREET, S("250-mx\r\n250-PIPELINING\r\n250 STARTTLS\r\n"),
                 C("NOOP\r\nSTARTTLS\r\n"), FIN(CLIENT), S("250 ok\r\n") },
      .log = GREET_LOG "<250-mx|250-PIPELINING|250 STARTTLS|{EHLO 250}>NOOP|<250 ok|{NOOP 250}"
                       "{STARTTLS}[close client-eof-before-reply]" },
    { .name = "421 instead of 220",
      .upstream = MAY,
      .steps = { OFFERED, C("STARTTLS\r\n"), S("421 4.3.2 bye\r\n") },
      .log = OFFERED_LOG
      ">STARTTLS|<421 4.3.2 bye|{STARTTLS 421 upstream-421}[close upstream-421]" },
    { .name = "the upstream ends instead of 220",
      .upstream = REQUIRE,
      .steps = { OFFERED, C("STARTTLS\r\n"), FIN(SERVER) },
      .log = OFFERED_LOG
      ">STARTTLS|=421 4.4.2 The mail server behind this proxy closed the connection|"
      "{STARTTLS 421 upstream-eof}[close upstream-eof]" },
    { .name = "the upstream does not answer STARTTLS",
      .upstream = MAY,
      .steps = { OFFERED, C("STARTTLS\r\n"), TIMEOUT },
      .log = OFFERED_LOG
      ">STARTTLS|=421 4.4.2 The mail server behind this proxy did not answer in time|"
      "{STARTTLS 421}[close upstream-timeout]" },
    { .name = "a drain waits for the end of the handshakes",
      .upstream = MAY,
      .steps = { OFFERED, C("STARTTLS\r\n"), S("220 go\r\n"), TLS(SERVER), END(CLOSE_SHUTDOWN),
                 TIMEOUT, TLS(CLIENT) },
      .log = BOTH_LOG
      "=421 4.3.2 Service shutting down, try again later|{? swallowed 421}[close shutdown]" },
    { .name = "a drain during the upstream's handshake",
      .upstream = MAY,
      .steps = { OFFERED, C("STARTTLS\r\n"), S("220 go\r\n"), END(CLOSE_SHUTDOWN),
                 TLS(SERVER) },
      .log =
          OFFERED_LOG ">STARTTLS|[tls server]=421 4.3.2 Service shutting down, try again later|"
                      "{STARTTLS 421 up 220}[close shutdown]" },
    { .name = "closed from outside",
      .upstream = MAY,
      .steps = { OFFERED, C("STARTTLS\r\n"), S("220 go\r\n"), END(CLOSE_CLIENT_STALLED) },
      .log = OFFERED_LOG ">STARTTLS|[tls server]{STARTTLS}[close client-stalled]" },
};

/* What the upstream says while the client's handshake is under way is held, with a limit. */
static void held_with_a_limit(void **state)
{
    static const struct script script = { .name = "held", .upstream = NO };
    static const struct fact_step before[] = { OFFERED, C("STARTTLS\r\n") };
    static const struct fact_step done = TLS(CLIENT);
    static char noise[REPLY_MAX];
    struct player p;

    (void)state;
    player_begin(&p, &script);
    for (size_t i = 0; i < ARRAY_LEN(before); i++)
        player_step(&p, &before[i], 0);
    memset(noise, 'x', sizeof noise);
    assert_int_equal(session_room(&p.s, SERVER), REPLY_MAX);
    player_read(&p, SERVER, span_of(noise, sizeof noise - 1));
    assert_int_equal(session_room(&p.s, SERVER), 1);
    player_read(&p, SERVER, span_of(noise, 1));
    assert_int_equal(session_room(&p.s, SERVER), 0);
    assert_int_equal(session_room(&p.s, CLIENT), SESSION_HELD_MAX);
    player_step(&p, &done, 0);
    assert_true(session_is_closing(&p.s)); /* and was no reply */
    player_end(&p);
}

GROUP(injected)
GROUP(other_side)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(group_injected),
        cmocka_unit_test(group_other_side),
        cmocka_unit_test(held_with_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
