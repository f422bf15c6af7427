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
    { .name = "before the greeting",
      .steps = { FIN(CLIENT), S("220 mx\r\n") },
      .log = "[close client-left]" },
    { .name = "half closed before the greeting, with all it has to say",
      .steps = { C("NOOP\r\n"), FIN(CLIENT), S("220 mx\r\n"), S("250 ok\r\n") },
      .log = "<220 mx|{greeting 220}>NOOP|<250 ok|{NOOP 250 early-talker}[close "
             "client-eof-before-reply]" },
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
    { .name = "connected, and no greeting: not the same as no connection",
      .steps = { TIMEOUT },
      .log =
          "=421 4.4.1 The mail server behind this proxy sent no greeting|{greeting 421}[close "
          "no-greeting]" },
    { .name = "before its reply, which comes",
      .steps = { S("220 mx\r\n"), C("NOOP\r\n"), FIN(CLIENT), S("250 ok\r\n") },
      .log = "<220 mx|{greeting 220}>NOOP|<250 ok|{NOOP 250}[close client-eof-before-reply]" },
    { .name = "before its reply: the upstream's end is not the reason",
      .steps = { S("220 mx\r\n"), C("NOOP\r\n"), FIN(CLIENT), FIN(SERVER) },
      .log = "<220 mx|{greeting 220}>NOOP|=421 4.4.2 The mail server behind this proxy closed "
             "the connection|{NOOP 421 upstream-eof}[close client-eof-before-reply]" },
    { .name = "before its reply: nor that it is silent",
      .steps = { S("220 mx\r\n"), C("NOOP\r\n"), FIN(CLIENT), TIMEOUT },
      .log = "<220 mx|{greeting 220}>NOOP|=421 4.4.2 The mail server behind this proxy did "
             "not answer in time|{NOOP 421}[close client-eof-before-reply]" },
    { .name = "behind QUIT",
      .steps = { S("220 mx\r\n"), C("QUIT\r\n"), FIN(CLIENT), RST(SERVER) },
      .log = "<220 mx|{greeting 220}>QUIT|=421 4.4.2 The mail server behind this proxy reset "
             "the connection|{QUIT 421 upstream-eof}[close upstream-reset]" },
    { .name = "behind its reply: the upstream's end is",
      .steps = { S("220 mx\r\n"), C("NOOP\r\n"), S("250 ok\r\n"), FIN(SERVER) },
      .log = "<220 mx|{greeting 220}>NOOP|<250 ok|{NOOP 250}=421 4.4.2 The mail server behind "
             "this proxy closed the connection|{? swallowed 421 upstream-eof}[close "
             "upstream-eof]" },
    { .name = "observe: before the reply",
      .observe = true,
      .steps = { S_READ("220 mx\r\n"), C_READ("NOOP\r\n"), FIN(CLIENT), S_READ("250 ok\r\n"),
                 FIN(SERVER) },
      .log = "<220 mx|{greeting 220}>NOOP|<250 ok|{NOOP 250}[close client-eof-before-reply]" },
    { .name = "observe: before the reply, of which there is none",
      .observe = true,
      .steps = { S_READ("220 mx\r\n"), C_READ("NOOP\r\n"), FIN(CLIENT), FIN(SERVER) },
      .log = "<220 mx|{greeting 220}>NOOP|{NOOP}[close client-eof-before-reply]" },
    { .name = "observe: the upstream resets who has gone",
      .observe = true,
      .steps = { S_READ("220 mx\r\n"), C_READ("NOOP\r\n"), S_READ("250 ok\r\n"), FIN(CLIENT),
                 RST(SERVER) },
      .log = "<220 mx|{greeting 220}>NOOP|<250 ok|{NOOP 250}[close client-eof]" },
    { .name = "observe: within the mail data",
      .observe = true,
      .steps = { S_READ("220 mx\r\n"), C_READ("DATA\r\n"), S_READ("354 go\r\n"),
                 C_READ("a\r\n"), FIN(CLIENT), FIN(SERVER) },
      .log = "<220 mx|{greeting 220}>DATA|<354 go|{DATA 354 cmd-sequence}>a|{content "
             "data-eof}[close "
             "client-eof-in-data]" },
    { .name = "observe: before the greeting, with a word",
      .observe = true,
      .steps = { C_READ("NOOP\r\n"), FIN(CLIENT), FIN(SERVER) },
      .log = ">NOOP|{? early-talker cmd-eof}[close client-eof-before-reply]" },
    { .name = "observe: behind the upstream's end, which left the reply out",
      .observe = true,
      .steps = { S_READ("220 mx\r\n"), C_READ("NOOP\r\n"), FIN(SERVER), FIN(CLIENT) },
      .log = "<220 mx|{greeting 220}>NOOP|{NOOP}[close upstream-eof]" },
    { .name = "observe: another protocol is not TLS",
      .observe = true,
      .steps = { S_READ("220 mx\r\n"), C_READ("GET / HTTP/1.1\r\n\r\n"), FIN(CLIENT),
                 FIN(SERVER) },
      .log = "<220 mx|{greeting 220}>GET / HTTP/1.1||{? not-smtp-http}{opaque GET / "
             "HTTP/1.1|| / }[close not-smtp]" },
    { .name = "observe: another protocol, what is kept of both sides",
      .observe = true,
      .steps = { S_READ("220 mx\r\n"), C_READ("*1\r\n$4\r\nINFO\r\n"), S_READ("221 no\r\n"),
                 C_READ("PING\r\n"), FIN(SERVER), FIN(CLIENT) },
      .log = "<220 mx|{greeting 220}>*1|$4|INFO|{? not-smtp-redis}<221 no|>PING|{opaque *1|$4|"
             "INFO|PING| / 221 no|}[close not-smtp]" },
    { .name = "observe: another protocol, and its secret",
      .observe = true,
      .steps = { S_READ("220 mx\r\n"), C_READ("GET /?password=x HTTP/1.1\r\n\r\n"), FIN(CLIENT),
                 FIN(SERVER) },
      .log = "<220 mx|{greeting 220}>GET /?password=x HTTP/1.1||{? not-smtp-http}{opaque GET "
             "/?pass / }[close not-smtp]" },
    { .name = "observe: QUIT needs no reply",
      .observe = true,
      .steps = { S_READ("220 mx\r\n"), C_READ("QUIT\r\n"), FIN(CLIENT), FIN(SERVER) },
      .log = "<220 mx|{greeting 220}>QUIT|{QUIT}[close client-eof]" },
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

/* The upstream's last words, nobody having asked. */
#define IDLE      S("220 mx\r\n"), S("451 4.7.0 Timeout\r\n")
#define IDLE_READ S_READ("220 mx\r\n"), S_READ("451 4.7.0 Timeout\r\n")
#define IDLE_LOG  "<220 mx|{greeting 220}<451 4.7.0 Timeout|{? 451 reply-unsolicited}"

static const struct script parting[] = {
    { .name = "a refusal of an idle upstream ends the session in its words",
      .steps = { IDLE, C("NOOP\r\n") },
      .log = IDLE_LOG "[close upstream-refused]" },
    { .name = "what is no refusal cannot be followed",
      .steps = { S("220 mx\r\n"), S("250 x\r\n") },
      .log = "<220 mx|{greeting 220}=421 4.3.0 The mail server behind this proxy sent an "
             "invalid SMTP reply|{? swallowed 421 up 250 reply-unsolicited}[close "
             "upstream-protocol]" },
    { .name = "observe: it ends when the upstream closes",
      .observe = true,
      .steps = { IDLE_READ, FIN(SERVER), FIN(CLIENT) },
      .log = IDLE_LOG "[close upstream-refused]" },
    { .name = "observe: the client is done first",
      .observe = true,
      .steps = { IDLE_READ, C_READ("QUIT\r\n"), FIN(CLIENT), FIN(SERVER) },
      .log = IDLE_LOG ">QUIT|{QUIT}[close client-eof]" },
    { .name = "observe: it goes on",
      .observe = true,
      .steps = { IDLE_READ, C_READ("NOOP\r\n"), S_READ("250 ok\r\n"), FIN(SERVER),
                 FIN(CLIENT) },
      .log = IDLE_LOG ">NOOP|<250 ok|{NOOP 250}[close upstream-eof]" },
    { .name = "observe: 421, unasked",
      .observe = true,
      .steps = { S_READ("220 mx\r\n"), S_READ("421 bye\r\n"), FIN(SERVER), FIN(CLIENT) },
      .log = "<220 mx|{greeting 220}<421 bye|{? 421 upstream-421}[close upstream-421]" },
    { .name = "observe: 421 as a reply",
      .observe = true,
      .steps = { S_READ("220 mx\r\n"), C_READ("NOOP\r\n"), S_READ("421 bye\r\n"), FIN(SERVER),
                 FIN(CLIENT) },
      .log = "<220 mx|{greeting 220}>NOOP|<421 bye|{NOOP 421}[close upstream-421]" },
    { .name = "empty lines before the greeting and a reply",
      .steps = { S("\r\n220 mx\r\n"), C("NOOP\r\n"), S("\n\r\n250 ok\r\n") },
      .log = "<220 mx|{greeting 220 reply-blank-line}>NOOP|<250 ok|{NOOP 250 "
             "reply-blank-line}" },
    { .name = "observe: empty lines pass, and are noted",
      .observe = true,
      .steps = { S_READ("\r\n220 mx\r\n"), C_READ("NOOP\r\n"), S_READ("\n250 ok\r\n") },
      .log = "<|220 mx|{greeting 220 reply-blank-line}>NOOP|<\\012250 ok|{NOOP 250 "
             "reply-blank-line}" },
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
GROUP(parting)
GROUP(ended)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(group_left),
        cmocka_unit_test(group_parting),
        cmocka_unit_test(group_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
