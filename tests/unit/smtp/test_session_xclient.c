/* XCLIENT: said by this proxy, and said by clients that may. */
#include "unit/smtp/session_words.h"

#define WHO  "NAME=[UNAVAILABLE] ADDR=IPV6:2001:db8::1 PORT=4711 DESTADDR=192.0.2.1 DESTPORT=25"
#define SAID S("220 mx\r\n"), S("250-mx\r\n250 XCLIENT NAME ADDR PORT\r\n")
#define SAID_LOG                                                                               \
    ">EHLO proxy.test|{EHLO added 250}"                                                        \
    ">XCLIENT NAME=[UNAVAILABLE] ADDR=IPV6:2001:db8::1 PORT=4711|"

/* 32 octets; fifteen of them, blanks between, are 494. */
#define LONG     "NAME=aaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define FIVE     LONG " " LONG " " LONG " " LONG " " LONG
#define FIFTEEN  FIVE " " FIVE " " FIVE
#define FOURTEEN FIVE " " FIVE " " LONG " " LONG " " LONG " " LONG

#define NO_XCLIENT                                                                             \
    "=421 4.3.5 The mail server behind this proxy does not accept XCLIENT from it, "           \
    "try again later|"
#define NO_XCLIENT_END "{greeting 421 up 220}[close upstream-xclient]"

static const struct script ours[] = {
    { .name = "its 220 is the greeting",
      .xclient = WHO,
      .steps = { SAID, WAITS(WAIT_GREETING), S("220-mx again\r\n220 hello\r\n"),
                 WAITS(WAIT_COMMAND), C("EHLO c\r\n"),
                 S("250-mx\r\n250 XCLIENT NAME ADDR PORT\r\n") },
      .log = SAID_LOG "{XCLIENT added 220}<220-mx again|220 hello|{greeting 220}>EHLO c|"
                      "<250-mx|250 STARTTLS|{EHLO 250 ehlo-modified}" },
    { .name = "what comes is made canonical",
      .xclient = WHO,
      .steps = { S("220 m\rx\n"), S("250-mx\r\n250 XCLIENT NAME ADDR PORT\r\n"),
                 S("220 2.0.0 a\rgain\n") },
      .log = SAID_LOG "{XCLIENT added 220 reply-bare-lf reply-bare-cr}<220 2.0.0 a gain|"
                      "{greeting 220 reply-bare-lf reply-bare-cr}" },
    { .name = "taken with 250: the greeting stands",
      .xclient = WHO,
      .steps = { S("220 m\rx\r\n"), S("250-mx\r\n250 XCLIENT NAME ADDR PORT\r\n"),
                 S("250 2.0.0 ok\r\n") },
      .log = SAID_LOG "{XCLIENT added 250}<220 m x|{greeting 220 reply-bare-cr}" },
    { .name = "refused: nobody comes in under our address",
      .xclient = WHO,
      .steps = { S("220 m\rx\r\n"), S("250-mx\r\n250 XCLIENT NAME ADDR PORT\r\n"),
                 S("550 no\r\n") },
      .log = SAID_LOG "{XCLIENT added 550}" NO_XCLIENT
                      "{greeting 421 up 220 reply-bare-cr}[close upstream-xclient]" },
    { .name = "a challenge is no consent",
      .xclient = WHO,
      .steps = { SAID, S("334 no\r\n") },
      .log = SAID_LOG "{XCLIENT added 334}" NO_XCLIENT NO_XCLIENT_END },
    { .name = "not offered",
      .xclient = WHO,
      .steps = { S("220 mx\r\n"), S("250-mx\r\n250 XFORWARD NAME ADDR\r\n") },
      .log = ">EHLO proxy.test|{EHLO added 250}" NO_XCLIENT NO_XCLIENT_END },
    { .name = "EHLO refused: it cannot be offered",
      .xclient = WHO,
      .steps = { S("220 mx\r\n"), S("502 no\r\n") },
      .log = ">EHLO proxy.test|{EHLO added 502}" NO_XCLIENT NO_XCLIENT_END },
    { .name = "offered, but not the address",
      .xclient = WHO,
      .steps = { S("220 mx\r\n"), S("250-mx\r\n250 XCLIENT NAME PORT LOGIN\r\n") },
      .log = ">EHLO proxy.test|{EHLO added 250}" NO_XCLIENT NO_XCLIENT_END },
    { .name = "a refusal in place of the greeting is passed on, and nothing follows",
      .xclient = WHO,
      .steps = { S("554 mx\r\n"), C("EHLO c\r\n") },
      .log = "<554 mx|{greeting 554 greeting-554}[close upstream-refused]" },
    { .name = "only what is asked for",
      .xclient = WHO,
      .steps = { S("220 mx\r\n"), S("250-mx\r\n250 xclient addr destaddr login\r\n") },
      .log = ">EHLO proxy.test|{EHLO added 250}>XCLIENT ADDR=IPV6:2001:db8::1 "
             "DESTADDR=192.0.2.1|" },
    { .name = "513 octets are too many for a line, 512 are not",
      .xclient = "ADDR=1 " FOURTEEN " NAME=aaaaaaaaaaaaaaaaaaaaa PORT=777 PORT=8",
      .steps = { S("220 mx\r\n"), S("250-mx\r\n250 XCLIENT NAME ADDR PORT\r\n") },
      .log = ">EHLO proxy.test|{EHLO added 250}>XCLIENT ADDR=1 " FOURTEEN
             " NAME=aaaaaaaaaaaaaaaaaaaaa PORT=8|" },
    { .name = "no room for the address",
      .xclient = FIFTEEN " ADDR=1234567",
      .steps = { S("220 mx\r\n"), S("250-mx\r\n250 XCLIENT NAME ADDR PORT\r\n") },
      .log = ">EHLO proxy.test|{EHLO added 250}" NO_XCLIENT NO_XCLIENT_END },
    { .name = "421 instead",
      .xclient = WHO,
      .steps = { SAID, S("421 4.3.2 bye\r\n") },
      .log = SAID_LOG "{XCLIENT added 421 upstream-421}<421 4.3.2 bye|{greeting 421 up "
                      "220}[close upstream-421]" },
    { .name = "421 unasked, behind the greeting",
      .xclient = WHO,
      .steps = { S_READ("220 mx\r\n421 4.3.2 bye\r\n") },
      .log = "<421 4.3.2 bye|{greeting 421 up 220 upstream-421}[close upstream-421]" },
    { .name = "the upstream's old name does not serve the client",
      .upstream = MAY,
      .lenient = true,
      .steps = { TLS(CLIENT), S("220 mx\r\n"), S("250 mx\r\n"), C("MAIL FROM:<a@b.test>\r\n") },
      .log = ">EHLO proxy.test|{EHLO added 250}<220 mx|{greeting 220}=503 5.5.1 Bad sequence "
             "of commands: "
             "send EHLO or HELO first|{MAIL refused 503 cmd-sequence}" },
    { .name = "after XCLIENT there is no old name",
      .xclient = WHO,
      .lenient = true,
      .steps = { SAID, S("220 ok\r\n"), C("MAIL FROM:<a@b.test>\r\n") },
      .log = SAID_LOG "{XCLIENT added 220}<220 ok|{greeting 220}>MAIL FROM:<a@b.test>|" },
    { .name = "inside the upstream's TLS, for a client with TLS",
      .upstream = MAY,
      .xclient = WHO,
      .steps = { TLS(CLIENT), S("220 mx\r\n"),
                 S("250-mx\r\n250-STARTTLS\r\n250 XCLIENT ADDR\r\n"), S("220 go\r\n"),
                 TLS(SERVER), S("250-mx\r\n250 XCLIENT NAME ADDR PORT\r\n"), S("220 ok\r\n") },
      .log =
          ">EHLO proxy.test|{EHLO added 250}>STARTTLS|[tls server]{STARTTLS added 220}" SAID_LOG
          "{XCLIENT added 220}<220 ok|{greeting 220}" },
    { .name = "STARTTLS refused: in the clear",
      .upstream = MAY,
      .xclient = WHO,
      .steps = { TLS(CLIENT), S("220 mx\r\n"),
                 S("250-mx\r\n250-STARTTLS\r\n250 XCLIENT ADDR\r\n"), S("454 no\r\n"),
                 S("250-mx\r\n250-STARTTLS\r\n250 XCLIENT NAME ADDR PORT\r\n"),
                 S("220 ok\r\n") },
      .log = ">EHLO proxy.test|{EHLO added 250}>STARTTLS|{STARTTLS added 454}" SAID_LOG
             "{XCLIENT added 220}<220 ok|{greeting 220}" },
    { .name = "a client in the clear: no STARTTLS before its own",
      .upstream = REQUIRE,
      .xclient = WHO,
      .steps = { S("220 mx\r\n"), S("250-mx\r\n250-STARTTLS\r\n250 XCLIENT NAME ADDR PORT\r\n"),
                 S("220 ok\r\n"), C("EHLO c\r\n"), S("250-mx\r\n250 STARTTLS\r\n"),
                 C("STARTTLS\r\n"), S("220 go\r\n"), TLS(SERVER), TLS(CLIENT),
                 C("EHLO c\r\n") },
      .log = SAID_LOG
      "{XCLIENT added 220}<220 ok|{greeting 220}>EHLO c|<250-mx|250 STARTTLS|{EHLO 250}"
      ">STARTTLS|[tls server]" READY "{STARTTLS 220}>EHLO c|" },
    { .name = "the client leaves without a word",
      .xclient = WHO,
      .steps = { SAID, RST(CLIENT) },
      .log = SAID_LOG "{greeting 220}{XCLIENT added}[close client-left]" },
    { .name = "an early talker that is refused",
      .xclient = WHO,
      .strict = true,
      .steps = { S("220 mx\r\n"), C_READ("NOOP\r\n") },
      .log = ">EHLO proxy.test|=554 5.5.1 Protocol error: command sent before the greeting|"
             "{greeting 554 up 220 early-talker}{EHLO added}{? swallowed early-talker}[close "
             "early-talker]" },
};

#define TRUSTING                                                                               \
    S("220 mx\r\n"), C("EHLO c\r\n"),                                                          \
        S("250-mx\r\n250-XCLIENT NAME ADDR\r\n250 XFORWARD NAME\r\n")
#define TRUSTING_LOG GREET_LOG "<250-mx|250-XCLIENT NAME ADDR|250 XFORWARD NAME|{EHLO 250}"

static const struct script clients[] = {
    { .name = "trusted: both pass, and a new session follows",
      .starttls = "passthrough",
      .trusted = true,
      .steps = { TRUSTING, C("XFORWARD NAME=a\r\n"), S("250 ok\r\n"), C("XCLIENT NAME=a\r\n"),
                 S("220 mx\r\n"), C("MAIL FROM:<a@b.test>\r\n"), S("503 no\r\n"),
                 C("XCLIENT NAME=a\r\n"), C("EHLO d\r\n"), S("250 mx\r\n") },
      .log = TRUSTING_LOG
      ">XFORWARD NAME=a|<250 ok|{XFORWARD 250}>XCLIENT NAME=a|<220 mx|{XCLIENT 220}"
      ">MAIL FROM:<a@b.test>|<503 no|{MAIL 503 cmd-sequence}"
      "=502 5.5.1 XCLIENT is not implemented here|"
      "{XCLIENT refused 502 cmd-unimplemented}>EHLO d|<250 mx|{EHLO 250}" },
    { .name = "trusted: nothing is read on before the reply to XCLIENT",
      .starttls = "passthrough",
      .trusted = true,
      .steps = { TRUSTING, C("XCLIENT NAME=a\r\nNOOP\r\n"), S("501 no\r\n"), S("250 ok\r\n") },
      .log = TRUSTING_LOG
      ">XCLIENT NAME=a|<501 no|{XCLIENT 501}>NOOP|<250 ok|{NOOP 250 pipeline-after-sync}" },
    { .name = "trusted, but not offered",
      .starttls = "passthrough",
      .trusted = true,
      .steps = { GREET, S("250 mx\r\n"), C("XCLIENT NAME=a\r\n"), C("XFORWARD NAME=a\r\n") },
      .log = GREET_LOG
      "<250 mx|{EHLO 250}=502 5.5.1 XCLIENT is not implemented here|"
      "{XCLIENT refused 502 cmd-unimplemented}=502 5.5.1 XFORWARD is not implemented here|"
      "{XFORWARD refused 502 cmd-unimplemented}" },
    { .name = "not trusted: neither offered nor passed",
      .starttls = "passthrough",
      .steps = { TRUSTING, C("XCLIENT NAME=a\r\n"), C("XFORWARD NAME=a\r\n") },
      .log = GREET_LOG
      "<250 mx|{EHLO 250 ehlo-modified}=502 5.5.1 XCLIENT is not implemented here|"
      "{XCLIENT refused 502 cmd-unimplemented}=502 5.5.1 XFORWARD is not implemented here|"
      "{XFORWARD refused 502 cmd-unimplemented}" },
    { .name = "observe: noted unless trusted",
      .observe = true,
      .steps = { S_READ("220 mx\r\n"), C_READ("XCLIENT NAME=a\r\n"), S_READ("501 no\r\n") },
      .log = "<220 mx|{greeting 220}>XCLIENT NAME=a|<501 no|{XCLIENT 501 cmd-unimplemented}" },
    { .name = "observe: offered, and not trusted",
      .observe = true,
      .steps = { S_READ("220 mx\r\n"), C_READ("EHLO c\r\n"),
                 S_READ("250-mx\r\n250 XCLIENT NAME\r\n"), C_READ("XCLIENT NAME=a\r\n"),
                 S_READ("220 ok\r\n") },
      .log = GREET_LOG "<250-mx|250 XCLIENT NAME|{EHLO 250}>XCLIENT NAME=a|<220 ok|{XCLIENT "
                       "220 cmd-unimplemented}" },
    { .name = "observe: offered, and trusted",
      .observe = true,
      .trusted = true,
      .steps = { S_READ("220 mx\r\n"), C_READ("EHLO c\r\n"),
                 S_READ("250-mx\r\n250 XCLIENT NAME\r\n"), C_READ("XCLIENT NAME=a\r\n"),
                 S_READ("220 ok\r\n") },
      .log = GREET_LOG
      "<250-mx|250 XCLIENT NAME|{EHLO 250}>XCLIENT NAME=a|<220 ok|{XCLIENT 220}" },
};

GROUP(ours)
GROUP(clients)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(group_ours),
        cmocka_unit_test(group_clients),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
