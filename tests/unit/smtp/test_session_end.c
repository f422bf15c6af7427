/* Silent clients, and ends from outside. */
#include "unit/smtp/session_words.h"

static const struct script left[] = {
    { .name = "before the greeting, reset",
      .steps = { RST(CLIENT) },
      .log = "[close client-left]" },
    { .name = "after the greeting",
      .steps = { S("220 mx\r\n"), FIN(CLIENT) },
      .log = "<220 mx|{greeting 220}[close client-left]" },
    { .name = "after the greeting, reset",
      .steps = { S("220 mx\r\n"), RST(CLIENT) },
      .log = "<220 mx|{greeting 220}[close client-left]" },
    { .name = "before the greeting: it is still given",
      .steps = { FIN(CLIENT), S("220 mx\r\n") },
      .log = "<220 mx|{greeting 220}[close client-left]" },
    { .name = "one octet is a word",
      .steps = { S("220 mx\r\n"), C("N"), RST(CLIENT) },
      .log = "<220 mx|{greeting 220}{? swallowed cmd-eof}[close client-reset]" },
    { .name = "a command, then the end",
      .steps = { S("220 mx\r\n"), C("NOOP\r\n"), S("250 ok\r\n"), FIN(CLIENT) },
      .log = "<220 mx|{greeting 220}>NOOP|<250 ok|{NOOP 250}[close client-eof]" },
    { .name = "the upstream's end comes first",
      .steps = { S("220 mx\r\n"), FIN(SERVER), FIN(CLIENT) },
      .log = "<220 mx|{greeting 220}=421 4.4.2 The mail server behind this proxy closed the "
             "connection|"
             "{? swallowed 421 upstream-eof}[close upstream-eof]" },
    { .name = "observe: both ends",
      .observe = true,
      .steps = { FIN(CLIENT), FIN(SERVER) },
      .log = "[close client-left]" },
    { .name = "observe: reset",
      .observe = true,
      .steps = { RST(CLIENT) },
      .log = "[close client-left]" },
    { .name = "observe: the upstream's reset answers it",
      .observe = true,
      .steps = { FIN(CLIENT), RST(SERVER) },
      .log = "[close client-left]" },
    { .name = "observe: the upstream was first",
      .observe = true,
      .steps = { FIN(SERVER), FIN(CLIENT) },
      .log = "[close upstream-eof]" },
    { .name = "observe: the upstream was first, then a reset",
      .observe = true,
      .steps = { FIN(SERVER), RST(CLIENT) },
      .log = "[close client-reset]" },
};

static const struct script ended[] = {
    { .name = "connected to the intercepting listener itself",
      .steps = { END(CLOSE_DIRECT) },
      .log = "=421 4.3.2 This port serves intercepted connections only|{greeting 421}[close "
             "direct]" },
    { .name = "no PROXY header",
      .steps = { END(CLOSE_PROXY_HEADER) },
      .log = "[close proxy-header]" },
    { .name = "no TLS with the client",
      .steps = { END(CLOSE_CLIENT_TLS) },
      .log = "[close client-tls]" },
    { .name = "no TLS with the upstream",
      .steps = { END(CLOSE_UPSTREAM_TLS) },
      .log = GONE "{greeting 421}[close upstream-tls]" },
    { .name = "TLS with the upstream breaks",
      .steps = { OFFERED, C("NOOP\r\n"), END(CLOSE_UPSTREAM_TLS) },
      .log = OFFERED_LOG ">NOOP|" GONE "{NOOP 421}[close upstream-tls]" },
    { .name = "TLS with the upstream breaks in the client's handshake",
      .upstream = IMPLICIT,
      .steps = { TLS(SERVER), OFFERED, C("STARTTLS\r\n"), END(CLOSE_UPSTREAM_TLS),
                 TLS(CLIENT) },
      .log = OFFERED_LOG READY "{STARTTLS stripped 220}[close upstream-tls]" },
    { .name = "TLS with the upstream breaks: observe",
      .observe = true,
      .steps = { END(CLOSE_UPSTREAM_TLS) },
      .log = "[close upstream-tls]" },
};

GROUP(left)
GROUP(ended)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(group_left),
        cmocka_unit_test(group_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
