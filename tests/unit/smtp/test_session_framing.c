/* What belongs to a refused command is never read as commands: chunks, mail data, AUTH lines.
 */
#include "unit/smtp/session_words.h"

#define OFFER "250-mx\r\n250-PIPELINING\r\n250-CHUNKING\r\n250 AUTH PLAIN\r\n"
#define MAIL_OPEN                                                                              \
    GREET, S(OFFER), C("MAIL FROM:<a@b>\r\n"), S("250 m\r\n"), C("RCPT TO:<c@d>\r\n"),         \
        S("250 r\r\n")

#define OFFER_LOG "<250-mx|250-PIPELINING|250-CHUNKING|250 AUTH PLAIN|{EHLO 250}"
#define MAIL_OPEN_LOG                                                                          \
    GREET_LOG OFFER_LOG ">MAIL FROM:<a@b>|<250 m|{MAIL 250}>RCPT TO:<c@d>|<250 r|{RCPT 250}"

static const struct script refused[] = {
    { .name = "DATA refused here, with the mail behind it",
      .joined = true,
      .starttls = "refuse",
      .steps = { GREET, S(OFFER), C_READ("DATA\r\nMAIL FROM:<x@y>\r\n.\r\n") },
      .log = GREET_LOG OFFER_LOG
      "=554 5.5.0 Protocol error: mail data sent before the reply to DATA|{DATA refused 554 "
      "cmd-sequence early-data}{? swallowed secret}[close early-data]" },
    { .name = "BDAT refused for its form: the chunk is eaten",
      .joined = true,
      .starttls = "refuse",
      .strict = true,
      .steps = { MAIL_OPEN, C("BDAT 6 LAST \r\nRSET\r\nNOOP\r\n"), S("250 n\r\n") },
      .log = MAIL_OPEN_LOG "=500 5.5.2 Command line ends with a space|{BDAT refused 500 "
                           "cmd-trailing-ws}>NOOP|<250 n|{NOOP 250}" },
    { .name = "BDAT with a bare CR: how long the chunk is, receivers disagree",
      .joined = true,
      .starttls = "refuse",
      .steps = { MAIL_OPEN, C_READ("BDAT 6\rLAST\r\nRSET\r\n") },
      .log = MAIL_OPEN_LOG
      "=554 5.5.4 BDAT needs a size from 0 to 2147483647, and at most LAST|{BDAT refused 554 "
      "cmd-bare-cr bdat-malformed}{? swallowed secret}[close bdat-malformed]" },
    { .name = "a chunk refused for its content waits for the replies before it",
      .joined = true,
      .starttls = "refuse",
      .strict = true,
      .steps = { GREET, S(OFFER),
                 C_READ("MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 3\r\na\nbBDAT 6 "
                        "LAST\r\nRSET\r\n"),
                 S("250 m\r\n"), S("250 r\r\n") },
      .log = GREET_LOG OFFER_LOG
      ">MAIL FROM:<a@b>|RCPT TO:<c@d>|BDAT 3|<250 m|{MAIL 250}<250 r|{RCPT 250}[drop]=554 "
      "5.6.0 Message refused: a BDAT chunk contains NUL, or CR or LF not as CRLF|{BDAT refused "
      "554}=421 4.3.0 Closing connection after a refused message, please reconnect|{BDAT "
      "refused "
      "421}{content bdat-bare-lf}[close content-refused]" },
    { .name = "the late reply to a chunk while a refused one is eaten",
      .joined = true,
      .starttls = "refuse",
      .strict = true,
      .steps = { MAIL_OPEN, C("BDAT 2\r\nhi"), C("BDAT 6 LAST \r\nRS"), S("250 chunk\r\n"),
                 C("ET\r\nQUIT\r\n"), S("221 bye\r\n") },
      .log = MAIL_OPEN_LOG
      ">BDAT 2|hi<250 chunk|{BDAT 250}=500 5.5.2 Command line ends with a space|{BDAT refused "
      "500 cmd-trailing-ws}>QUIT|<221 bye|{QUIT 221}{content}[close quit]" },
    { .name = "AUTH cancelled here, and the upstream goes on",
      .joined = true,
      .starttls = "refuse",
      .steps = { GREET, S(OFFER), C("AUTH PLAIN\r\n"), S("334 \r\n"), C("a\rb\r\n"),
                 S("334 again\r\n") },
      .log = GREET_LOG OFFER_LOG
      ">AUTH PLAIN|<334 |{AUTH 334}>*|=421 4.3.0 The mail server behind this proxy sent an "
      "invalid SMTP reply|{AUTH refused 421 up 334 cmd-bare-cr reply-unexpected secret}[close "
      "upstream-protocol]" },
};

static const struct script cut_off[] = {
    { .name = "the client leaves inside a chunk that waited for its turn",
      .joined = true,
      .starttls = "refuse",
      .steps = { GREET, S("250-mx\r\n250 CHUNKING\r\n"), C("MAIL FROM:<a@b>\r\n"),
                 S("250 m\r\n"), C("RCPT TO:<c@d>\r\n"), S("250 r\r\n"),
                 C("BDAT 2\r\nhiBDAT 6 LAST\r\nRS"), FIN(CLIENT), S("250 chunk\r\n") },
      .log = GREET_LOG
      "<250-mx|250 CHUNKING|{EHLO 250}>MAIL FROM:<a@b>|<250 m|{MAIL 250}>RCPT TO:<c@d>|<250 "
      "r|{RCPT 250}>BDAT 2|hi<250 chunk|{BDAT 250}>BDAT 6 LAST|RS{content bdat-truncated}{BDAT "
      "pipeline-unadvertised}[close client-eof-in-data]" },
};

GROUP(refused)
GROUP(cut_off)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(group_refused),
        cmocka_unit_test(group_cut_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
