/* STARTTLS where TLS ends here: what is asked, offered, refused. */
#include "unit/smtp/session_words.h"

static const struct script terminated[] = {
    { .name = "upstream no: answered here alone",
      .upstream = NO,
      .steps = { OFFERED, C("STARTTLS\r\n"), WAITS(WAIT_TLS), TLS(CLIENT), WAITS(WAIT_COMMAND),
                 C("EHLO c\r\n"), S("250-mx\r\n250-REQUIRETLS\r\n250 STARTTLS\r\n") },
      .log =
          OFFERED_LOG READY "{STARTTLS stripped 220}>EHLO c|<250 mx|{EHLO 250 ehlo-modified}" },
    { .name = "not offered by the upstream: added, and answered here",
      .upstream = MAY,
      .steps = { UNOFFERED, C("starttls\r\n"), TLS(CLIENT), C("EHLO c\r\n"), S("250 mx\r\n") },
      .log = UNOFFERED_LOG READY "{STARTTLS stripped 220}>EHLO c|<250 mx|{EHLO 250}" },
    { .name = "upstream implicit: nothing is asked of it",
      .upstream = IMPLICIT,
      .steps = { TLS(SERVER), OFFERED, C("STARTTLS\r\n"), TLS(CLIENT), C("EHLO c\r\n"),
                 S("250-mx\r\n250 REQUIRETLS\r\n") },
      .log = OFFERED_LOG READY
      "{STARTTLS stripped 220}>EHLO c|<250-mx|250 REQUIRETLS|{EHLO 250}" },
    { .name = "both legs; a new session on both",
      .upstream = MAY,
      .steps = { OFFERED, C("STARTTLS\r\n"), WAITS(WAIT_REPLY), S("220 go\r\n"),
                 WAITS(WAIT_TLS), TLS(SERVER), WAITS(WAIT_TLS), TLS(CLIENT),
                 C("MAIL FROM:<a@b.test>\r\n"), S("503 no\r\n"), C("EHLO c\r\n"),
                 S("250-mx\r\n250-REQUIRETLS\r\n250-STARTTLS\r\n250 SIZE\r\n"),
                 C("MAIL FROM:<a@b.test>\r\n"), S("250 ok\r\n") },
      .log = BOTH_LOG ">MAIL FROM:<a@b.test>|<503 no|{MAIL 503 cmd-sequence}>EHLO c|"
                      "<250-mx|250-REQUIRETLS|250 SIZE|{EHLO 250 ehlo-modified}"
                      ">MAIL FROM:<a@b.test>|<250 ok|{MAIL 250}" },
    { .name = "require: the same way",
      .upstream = REQUIRE,
      .steps = { BOTH, C("EHLO c\r\n"), S("250 mx\r\n"), C("NOOP\r\n"), S("250 ok\r\n") },
      .log = BOTH_LOG ">EHLO c|<250 mx|{EHLO 250}>NOOP|<250 ok|{NOOP 250}" },
    { .name = "a line that is repaired leaves repaired",
      .upstream = MAY,
      .steps = { OFFERED, C("STARTTLS \n"), S("220 go\n"), TLS(SERVER), TLS(CLIENT) },
      .log = OFFERED_LOG ">STARTTLS|[tls server]" READY
                         "{STARTTLS rewritten 220 cmd-bare-lf cmd-trailing-ws reply-bare-lf}" },
    { .name = "it waits until every earlier command has its reply",
      .upstream = MAY,
      .steps = { GREET, S("250-mx\r\n250-PIPELINING\r\n250 STARTTLS\r\n"),
                 C("NOOP\r\nVRFY a\r\nRSET\r\nSTARTTLS\r\n"), S("250 one\r\n"),
                 S("250 two\r\n"), S("220 go\r\n"), TLS(SERVER), TLS(CLIENT) },
      .log = GREET_LOG
      "<250-mx|250-PIPELINING|250 STARTTLS|{EHLO 250}>NOOP|>RSET|<250 one|{NOOP 250}"
      "=252 2.5.0 Cannot VRFY user, but will accept mail and attempt delivery|"
      "{VRFY stripped 252 probe-vrfy}<250 two|{RSET 250}>STARTTLS|[tls server]" READY
      "{STARTTLS 220}" },
    { .name = "inside TLS no second time",
      .upstream = MAY,
      .steps = { BOTH, C("EHLO c\r\n"), S("250 mx\r\n"), C("STARTTLS\r\nNOOP\r\n"),
                 S("250 ok\r\n") },
      .log = BOTH_LOG ">EHLO c|<250 mx|{EHLO 250}"
                      "=503 5.5.1 Bad sequence of commands: TLS is already active|"
                      "{STARTTLS refused 503 cmd-sequence}>NOOP|<250 ok|"
                      "{NOOP 250}" },
    { .name = "with an argument",
      .upstream = MAY,
      .steps = { OFFERED, C("STARTTLS now\r\n") },
      .log =
          OFFERED_LOG "=501 5.5.4 STARTTLS takes no argument|{STARTTLS refused 501 cmd-args}" },
    { .name = "without an EHLO",
      .upstream = MAY,
      .steps = { S("220 mx\r\n"), C("STARTTLS\r\n"), TLS(CLIENT), C("EHLO c\r\n"),
                 S("250 mx\r\n") },
      .log =
          "<220 mx|{greeting 220}" READY "{STARTTLS stripped 220}>EHLO c|<250 mx|{EHLO 250}" },
    { .name = "inside a transaction, even where the order is the upstream's business",
      .upstream = MAY,
      .lenient = true,
      .steps = { OFFERED, C("MAIL FROM:<a@b.test>\r\n"), S("250 ok\r\n"), C("STARTTLS\r\n"),
                 C("RSET\r\n"), S("250 ok\r\n"), C("STARTTLS\r\n") },
      .log = OFFERED_LOG
      ">MAIL FROM:<a@b.test>|<250 ok|{MAIL 250}"
      "=503 5.5.1 Bad sequence of commands: STARTTLS is not allowed in a mail transaction|"
      "{STARTTLS refused 503 cmd-sequence}>RSET|<250 ok|{RSET 250}>STARTTLS|" },
    { .name = "the upstream's old name does not serve the new session",
      .upstream = NO,
      .lenient = true,
      .steps = { OFFERED, C("STARTTLS\r\n"), TLS(CLIENT), C("MAIL FROM:<a@b.test>\r\n"),
                 C("EHLO c\r\n"), S("250 mx\r\n"), C("MAIL FROM:<a@b.test>\r\n"),
                 S("250 ok\r\n") },
      .log = OFFERED_LOG READY
      "{STARTTLS stripped 220}=503 5.5.1 Bad sequence of commands: send EHLO or HELO first|"
      "{MAIL refused 503 cmd-sequence}>EHLO c|<250 mx|{EHLO 250}"
      ">MAIL FROM:<a@b.test>|<250 ok|{MAIL 250}" },
    { .name = "a renewed upstream has no old name: the order is its business",
      .upstream = MAY,
      .lenient = true,
      .steps = { BOTH, C("MAIL FROM:<a@b.test>\r\n"), S("503 no\r\n") },
      .log = BOTH_LOG ">MAIL FROM:<a@b.test>|<503 no|{MAIL 503 cmd-sequence}" },
    { .name = "after AUTH, the upstream's leg renewed",
      .upstream = MAY,
      .steps = { GREET, S("250-mx\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n"),
                 C("AUTH PLAIN AGEAYg==\r\n"), S("235 ok\r\n"), C("STARTTLS\r\n"),
                 S("220 go\r\n"), TLS(SERVER), TLS(CLIENT), C("EHLO c\r\n"),
                 S("250-mx\r\n250 AUTH PLAIN\r\n"), C("AUTH PLAIN AGEAYg==\r\n"),
                 S("235 ok\r\n") },
      .log = GREET_LOG
      "<250-mx|250-AUTH PLAIN|250 STARTTLS|{EHLO 250}>AUTH PLAIN AGEAYg==|<235 ok|{AUTH 235}"
      ">STARTTLS|[tls server]" READY "{STARTTLS 220}>EHLO c|<250-mx|250 AUTH PLAIN|{EHLO 250}"
      ">AUTH PLAIN AGEAYg==|<235 ok|{AUTH 235}" },
    { .name = "after AUTH, the upstream's leg not renewed",
      .upstream = NO,
      .steps = { GREET, S("250-mx\r\n250 AUTH PLAIN\r\n"), C("AUTH PLAIN AGEAYg==\r\n"),
                 S("235 ok\r\n"), C("STARTTLS\r\n") },
      .log =
          GREET_LOG "<250-mx|250-AUTH PLAIN|250 STARTTLS|{EHLO 250 ehlo-modified}"
                    ">AUTH PLAIN AGEAYg==|<235 ok|{AUTH 235}"
                    "=503 5.5.1 Bad sequence of commands: STARTTLS is not allowed after AUTH|"
                    "{STARTTLS refused 503 cmd-sequence}" },
    { .name = "after AUTH, and the upstream refuses to renew",
      .upstream = MAY,
      .steps = { GREET, S("250-mx\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n"),
                 C("AUTH PLAIN AGEAYg==\r\n"), S("235 ok\r\n"), C("STARTTLS\r\n"),
                 S("503 no\r\n"), C("NOOP\r\n") },
      .log = GREET_LOG
      "<250-mx|250-AUTH PLAIN|250 STARTTLS|{EHLO 250}>AUTH PLAIN AGEAYg==|<235 ok|{AUTH 235}"
      ">STARTTLS|" REFUSED "{STARTTLS 454 up 503}>NOOP|" },
    { .name = "the client's password may still follow: no dialogue, but secret",
      .upstream = MAY,
      .steps = { GREET, S("250-mx\r\n250-AUTH LOGIN\r\n250 STARTTLS\r\n"), C("AUTH LOGIN\r\n"),
                 S("535 no\r\n"), C("STARTTLS\r\n"), S("220 go\r\n"), TLS(SERVER), TLS(CLIENT),
                 C("GET / HTTP/1.1\r\n") },
      .log = GREET_LOG
      "<250-mx|250-AUTH LOGIN|250 STARTTLS|{EHLO 250}>AUTH LOGIN|<535 no|{AUTH 535}"
      ">STARTTLS|[tls server]" READY "{STARTTLS 220}"
      "=500 5.5.1 Command not recognized|{? refused 500 cmd-unknown secret}" },
};

static const struct script refused[] = {
    { .name = "may: the upstream refuses, the session goes on in the clear there",
      .upstream = MAY,
      .steps = { OFFERED, C("STARTTLS\r\n"), S("454 4.7.0 not now\r\n"), TLS(CLIENT),
                 C("EHLO c\r\n"), S("250-mx\r\n250-REQUIRETLS\r\n250 STARTTLS\r\n") },
      .log = OFFERED_LOG ">STARTTLS|" READY
                         "{STARTTLS 220 up 454}>EHLO c|<250 mx|{EHLO 250 ehlo-modified}" },
    { .name = "may: any code but 220 is a refusal",
      .upstream = MAY,
      .steps = { OFFERED, C("STARTTLS\r\n"), S("250 ok\r\n"), TLS(CLIENT) },
      .log = OFFERED_LOG ">STARTTLS|" READY "{STARTTLS 220 up 250}" },
    { .name = "require: the upstream refuses, the session stays in the clear; again works",
      .upstream = REQUIRE,
      .steps = { OFFERED, C("STARTTLS\r\n"), S("454 4.7.0 not now\r\n"), WAITS(WAIT_COMMAND),
                 C("NOOP\r\n"), S("250 ok\r\n"), C("STARTTLS\r\n"), S("220 go\r\n"),
                 TLS(SERVER), TLS(CLIENT) },
      .log = OFFERED_LOG ">STARTTLS|" REFUSED "{STARTTLS 454}>NOOP|<250 ok|{NOOP 250}"
                         ">STARTTLS|[tls server]" READY "{STARTTLS 220}" },
    { .name = "require: the upstream does not offer it",
      .upstream = REQUIRE,
      .steps = { UNOFFERED, C("STARTTLS\r\n"), C("NOOP\r\n"), S("250 ok\r\n") },
      .log = UNOFFERED_LOG NOT_OFFERED "{STARTTLS refused 454}>NOOP|<250 ok|{NOOP 250}" },
    { .name = "require: 530 to all but NOOP, EHLO, STARTTLS, QUIT",
      .upstream = REQUIRE,
      .steps = { OFFERED, C("MAIL FROM:<a@b.test>\r\n"), C("HELO c\r\n"), C("RSET\r\n"),
                 C("VRFY a\r\n"), C("DATA\r\n"), C("PASS secret\r\n"), C("NOOP x\r\n"),
                 S("250 ok\r\n"), C("EHLO c\r\n"), S("250-mx\r\n250 STARTTLS\r\n"),
                 C("QUIT\r\n"), S("221 bye\r\n") },
      .log = OFFERED_LOG FIRST
      "{MAIL refused 530}" FIRST "{HELO refused 530}" FIRST "{RSET refused 530}" FIRST
      "{VRFY refused 530}" FIRST "{DATA refused 530}" FIRST
      "{? refused 530 cmd-unknown}>NOOP x|<250 ok|{NOOP 250}"
      ">EHLO c|<250-mx|250 STARTTLS|{EHLO 250}>QUIT|<221 bye|{QUIT 221}[close quit]" },
    { .name = "require: a chunk is eaten, its octets are no commands",
      .upstream = REQUIRE,
      .steps = { OFFERED, C("BDAT 6 LAST\r\nNOOP\r\nNOOP\r\n"), S("250 ok\r\n") },
      .log = OFFERED_LOG FIRST "{BDAT refused 530}>NOOP|<250 ok|{NOOP 250}" },
    { .name = "require: refused commands count",
      .upstream = REQUIRE,
      .errors = 2,
      .steps = { OFFERED, C("RSET\r\n"), C("RSET\r\n") },
      .log = OFFERED_LOG FIRST "{RSET refused 530}=421 4.7.0 Too many errors|"
                               "{RSET refused 421 error-limit}[close error-limit]" },
    { .name = "require: not where the upstream's leg has TLS",
      .upstream = REQUIRE,
      .steps = { TLS(SERVER), OFFERED, C("RSET\r\n"), S("250 ok\r\n") },
      .log = OFFERED_LOG ">RSET|<250 ok|{RSET 250}" },
    { .name = "the handshake with the upstream fails: 454, dropped, 421 to the next command",
      .upstream = MAY,
      .steps = { OFFERED, C("STARTTLS\r\n"), S("220 go\r\n"), NO_TLS(SERVER),
                 WAITS(WAIT_COMMAND), FIN(SERVER), C("NOOP\r\n") },
      .log = OFFERED_LOG ">STARTTLS|[tls server][drop]" BROKEN "{STARTTLS 454 up 220}" GONE
                         "{NOOP refused 421}[close upstream-tls]" },
    { .name = "the handshake with the upstream fails, then QUIT",
      .upstream = REQUIRE,
      .steps = { OFFERED, C("STARTTLS\r\n"), S("220 go\r\n"), NO_TLS(SERVER), C("QUIT\r\n") },
      .log = OFFERED_LOG ">STARTTLS|[tls server][drop]" BROKEN "{STARTTLS 454 up 220}"
                         "=221 2.0.0 Bye|{QUIT refused 221}[close upstream-tls]" },
    { .name = "the upstream's end in the handshake is its failure",
      .upstream = MAY,
      .steps = { OFFERED, C("STARTTLS\r\n"), S("220 go\r\n"), RST(SERVER), NO_TLS(SERVER),
                 C("NOOP\r\n") },
      .log = OFFERED_LOG ">STARTTLS|[tls server][drop]" BROKEN "{STARTTLS 454 up 220}" GONE
                         "{NOOP refused 421}[close upstream-tls]" },
    { .name = "the handshake with the client fails: no plaintext any more",
      .upstream = MAY,
      .steps = { OFFERED, C("STARTTLS\r\n"), S("220 go\r\n"), TLS(SERVER), NO_TLS(CLIENT) },
      .log = BOTH_LOG "[close client-tls]" },
    { .name = "the client's end in the handshake is its failure",
      .upstream = NO,
      .steps = { OFFERED, C("STARTTLS\r\n"), RST(CLIENT), NO_TLS(CLIENT) },
      .log = OFFERED_LOG READY "{STARTTLS stripped 220}[close client-tls]" },
};

GROUP(terminated)
GROUP(refused)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(group_terminated),
        cmocka_unit_test(group_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
