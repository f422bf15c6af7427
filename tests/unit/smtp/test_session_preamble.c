/* What this proxy says before the greeting: EHLO, STARTTLS for clients that came with TLS. */
#include "unit/smtp/session_words.h"

static const struct script implicit[] = {
    { .name = "a client with TLS: STARTTLS is neither offered nor taken",
      .starttls = "passthrough",
      .upstream = NO,
      .steps = { TLS(CLIENT), GREET, S("250-mx\r\n250 STARTTLS\r\n"), C("STARTTLS\r\n") },
      .log = GREET_LOG "<250 mx|{EHLO 250 ehlo-modified}=503 5.5.1 Bad sequence of commands: "
                       "TLS is already active|{STARTTLS refused 503 cmd-sequence}" },
    { .name = "a client whose handshake fails hears nothing",
      .upstream = MAY,
      .steps = { NO_TLS(CLIENT), S("220 mx\r\n") },
      .log = "[close client-tls]" },
    { .name = "an upstream whose handshake fails",
      .upstream = IMPLICIT,
      .steps = { NO_TLS(SERVER) },
      .log = GONE "{greeting 421}[close upstream-tls]" },
    { .name = "another protocol inside TLS",
      .upstream = NO,
      .steps = { TLS(CLIENT), S("220 mx\r\n"), C_READ("GET / HTTP/1.1\r\n") },
      .log = "<220 mx|{greeting 220}=421 4.7.0 This is an SMTP server, but the client speaks "
             "another protocol|"
             "{? refused 421 not-smtp-http}{? swallowed}[close not-smtp]" },
    { .name = "may: EHLO and STARTTLS before the greeting",
      .upstream = MAY,
      .steps = { TLS(CLIENT), WAITS(WAIT_GREETING), S("220-mx\r\n220 hello\r\n"),
                 WAITS(WAIT_GREETING), S("250-mx\r\n250 STARTTLS\r\n"), S("220 go\r\n"),
                 WAITS(WAIT_TLS), TLS(SERVER), S("250-mx\r\n250 REQUIRETLS\r\n"),
                 WAITS(WAIT_COMMAND), C("EHLO c\r\n"), S("250-mx\r\n250 REQUIRETLS\r\n") },
      .log = ">EHLO proxy.test|{EHLO added 250}>STARTTLS|[tls server]{STARTTLS added 220}>EHLO "
             "proxy.test|"
             "{EHLO added 250}<220-mx|220 hello|{greeting 220}>EHLO c|<250-mx|250 "
             "REQUIRETLS|{EHLO 250}" },
    { .name = "may: not offered",
      .upstream = MAY,
      .steps = { TLS(CLIENT), S("220 mx\r\n"), S("250 mx\r\n"), C("NOOP\r\n") },
      .log = ">EHLO proxy.test|{EHLO added 250}<220 mx|{greeting 220}>NOOP|" },
    { .name = "may: EHLO refused",
      .upstream = MAY,
      .steps = { TLS(CLIENT), S("220 mx\r\n"), S("500 what\r\n") },
      .log = ">EHLO proxy.test|{EHLO added 500}<220 mx|{greeting 220}" },
    { .name = "may: STARTTLS refused",
      .upstream = MAY,
      .steps = { TLS(CLIENT), S("220 mx\r\n"), S("250-mx\r\n250 STARTTLS\r\n"),
                 S("454 no\r\n") },
      .log = ">EHLO proxy.test|{EHLO added 250}>STARTTLS|{STARTTLS added 454}<220 mx|{greeting "
             "220}" },
    { .name = "may: our own name does not serve the client",
      .upstream = MAY,
      .lenient = true,
      .steps = { TLS(CLIENT), S("220 mx\r\n"), S("250 mx\r\n"), C("MAIL FROM:<a@b.test>\r\n") },
      .log = ">EHLO proxy.test|{EHLO added 250}<220 mx|{greeting 220}=503 5.5.1 Bad sequence "
             "of commands: "
             "send EHLO or HELO first|{MAIL refused 503 cmd-sequence}" },
    { .name = "require: not offered",
      .upstream = REQUIRE,
      .steps = { TLS(CLIENT), S("220 mx\r\n"), S("250 mx\r\n") },
      .log = ">EHLO proxy.test|{EHLO added 250}" GONE
             "{greeting 421 up 220}[close upstream-tls]" },
    { .name = "require: EHLO refused",
      .upstream = REQUIRE,
      .steps = { TLS(CLIENT), S("220 mx\r\n"), S("500 what\r\n") },
      .log = ">EHLO proxy.test|{EHLO added 500}" GONE
             "{greeting 421 up 220}[close upstream-tls]" },
    { .name = "require: STARTTLS refused",
      .upstream = REQUIRE,
      .steps = { TLS(CLIENT), S("220 mx\r\n"), S("250-mx\r\n250 STARTTLS\r\n"),
                 S("454 no\r\n") },
      .log = ">EHLO proxy.test|{EHLO added 250}>STARTTLS|{STARTTLS added 454}" GONE
             "{greeting 421 up 220}[close upstream-tls]" },
    { .name = "require: the client's leg has TLS, so nothing is refused for that",
      .upstream = REQUIRE,
      .steps = { TLS(CLIENT), S("220 mx\r\n"), S("250-mx\r\n250 STARTTLS\r\n"), S("220 go\r\n"),
                 TLS(SERVER), S("250 mx\r\n"), C("RSET\r\n") },
      .log = ">EHLO proxy.test|{EHLO added 250}>STARTTLS|[tls server]{STARTTLS added 220}>EHLO "
             "proxy.test|"
             "{EHLO added 250}<220 mx|{greeting 220}>RSET|" },
    { .name = "the handshake fails",
      .upstream = MAY,
      .steps = { TLS(CLIENT), S("220 mx\r\n"), S("250-mx\r\n250 STARTTLS\r\n"), S("220 go\r\n"),
                 NO_TLS(SERVER) },
      .log = ">EHLO proxy.test|{EHLO added 250}>STARTTLS|[tls server]{STARTTLS added "
             "220}[drop]" GONE "{greeting 421 up 220}[close upstream-tls]" },
    { .name = "the upstream ends in the handshake",
      .upstream = MAY,
      .steps = { TLS(CLIENT), S("220 mx\r\n"), S("250-mx\r\n250 STARTTLS\r\n"), S("220 go\r\n"),
                 FIN(SERVER), NO_TLS(SERVER) },
      .log = ">EHLO proxy.test|{EHLO added 250}>STARTTLS|[tls server]{STARTTLS added "
             "220}[drop]" GONE "{greeting 421 up 220}[close upstream-tls]" },
    { .name = "the client leaves in the upstream's handshake",
      .upstream = MAY,
      .steps = { TLS(CLIENT), S("220 mx\r\n"), S("250-mx\r\n250 STARTTLS\r\n"), S("220 go\r\n"),
                 FIN(CLIENT) },
      .log = ">EHLO proxy.test|{EHLO added 250}>STARTTLS|[tls server]{STARTTLS added "
             "220}{greeting 220}"
             "[close client-left]" },
    { .name = "behind the 220 to our own STARTTLS",
      .upstream = MAY,
      .steps = { TLS(CLIENT), S("220 mx\r\n"), S("250-mx\r\n250 STARTTLS\r\n"),
                 S_READ("220 go\r\n250 mx\r\n") },
      .log = ">EHLO proxy.test|{EHLO added 250}>STARTTLS|{STARTTLS added 220 "
             "starttls-response-injection}" INJECTED
             "{greeting 554 up 220}[close starttls-injection]" },
    { .name = "replies before our commands",
      .upstream = MAY,
      .steps = { TLS(CLIENT), S_READ("220 mx\r\n250-mx\r\n250 STARTTLS\r\n") },
      .log = "=421 4.3.0 The mail server behind this proxy sent an invalid SMTP reply|"
             "{greeting 421 up 220 reply-unsolicited}[close upstream-protocol]" },
    { .name = "no reply but nonsense",
      .upstream = MAY,
      .steps = { TLS(CLIENT), S("220 mx\r\n"), S("hello\r\n") },
      .log =
          ">EHLO proxy.test|{EHLO added reply-bad-code}=421 4.3.0 The mail server behind this "
          "proxy sent an invalid SMTP reply|{greeting 421 up 220}[close upstream-protocol]" },
    { .name = "421 to our EHLO",
      .upstream = REQUIRE,
      .steps = { TLS(CLIENT), S("220 mx\r\n"), S("421 4.3.2 bye\n") },
      .log = ">EHLO proxy.test|{EHLO added 421 reply-bare-lf upstream-421}<421 4.3.2 "
             "bye|{greeting 421 up 220}"
             "[close upstream-421]" },
    { .name = "the upstream ends instead of a reply",
      .upstream = MAY,
      .steps = { TLS(CLIENT), S("220 mx\r\n"), FIN(SERVER) },
      .log =
          ">EHLO proxy.test|=421 4.4.2 The mail server behind this proxy closed the connection|"
          "{greeting 421 up 220 upstream-eof}{EHLO added}[close upstream-eof]" },
    { .name = "the upstream does not reply",
      .upstream = MAY,
      .steps = { TLS(CLIENT), S("220 mx\r\n"), TIMEOUT },
      .log = ">EHLO proxy.test|=421 4.4.2 The mail server behind this proxy did not answer in "
             "time|{greeting 421 up 220}{EHLO added}[close upstream-timeout]" },
    { .name = "a greeting that is not 220 is given as it is",
      .upstream = REQUIRE,
      .steps = { TLS(CLIENT), S("554 no\r\n"), C("QUIT\r\n"), S("221 bye\r\n") },
      .log = "<554 no|{greeting 554 greeting-554}>QUIT|<221 bye|{QUIT 221}[close quit]" },
    { .name = "require: no mail in the clear for an upstream that refuses service, either",
      .upstream = REQUIRE,
      .steps = { TLS(CLIENT), S("554 no\r\n"), C("MAIL FROM:<a@b.test>\r\n"), C("STARTTLS\r\n"),
                 C("NOOP\r\n"), S("503 no\r\n") },
      .log =
          "<554 no|{greeting 554 greeting-554}=454 4.7.0 TLS is not available: the mail server "
          "behind this proxy refused service|{MAIL refused 454}=503 5.5.1 Bad sequence of "
          "commands: "
          "TLS is already active|{STARTTLS refused 503 cmd-sequence}>NOOP|<503 no|{NOOP 503}" },
    { .name = "require: any friendly greeting will do",
      .upstream = REQUIRE,
      .steps = { TLS(CLIENT), S("250 mx\r\n"), S("250 mx\r\n") },
      .log = ">EHLO proxy.test|{EHLO added 250}" GONE
             "{greeting 421 up 250}[close upstream-tls]" },
    { .name = "a drain before the greeting",
      .upstream = MAY,
      .steps = { TLS(CLIENT), S("220 mx\r\n"), END(CLOSE_SHUTDOWN) },
      .log = ">EHLO proxy.test|=421 4.3.2 Service shutting down, try again later|{greeting 421 "
             "up 220}"
             "{EHLO added}[close shutdown]" },
    { .name = "the client speaks early",
      .upstream = MAY,
      .steps = { TLS(CLIENT), C("NOOP\r\n"), S("220 mx\r\n"), S("250 mx\r\n"),
                 S("250 ok\r\n") },
      .log = ">EHLO proxy.test|{EHLO added 250}<220 mx|{greeting 220}>NOOP|<250 ok|{NOOP 250 "
             "early-talker}" },
    { .name = "the client leaves without a word",
      .upstream = MAY,
      .steps = { TLS(CLIENT), S("220 mx\r\n"), FIN(CLIENT), S("250 mx\r\n") },
      .log = ">EHLO proxy.test|{greeting 220}{EHLO added}[close client-left]" },
    { .name = "observe: nothing of ours is said",
      .starttls = "passthrough",
      .upstream = NO,
      .observe = true,
      .xclient = "NAME=a ADDR=192.0.2.1",
      .steps = { TLS(CLIENT), S_READ("220 mx\r\n"), C_READ("EHLO c\r\n"),
                 S_READ("250-mx\r\n250 STARTTLS\r\n") },
      .log = "<220 mx|{greeting 220}>EHLO c|<250-mx|250 STARTTLS|{EHLO 250}" },
};

GROUP(implicit)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(group_implicit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
