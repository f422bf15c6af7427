/* Mail data and chunks: where they end, whoever answers when; the greeting before them. */
#include "unit/smtp/session_words.h"

#define OFFER "250-mx\r\n250-PIPELINING\r\n250-SIZE 1000\r\n250 CHUNKING\r\n"
#define READY_TO_SEND                                                                          \
    GREET, S(OFFER), C("MAIL FROM:<a@b>\r\n"), S("250 m\r\n"), C("RCPT TO:<c@d>\r\n"),         \
        S("250 r\r\n")
#define IN_DATA READY_TO_SEND, C("DATA\r\n"), S("354 go\r\n")

#define OFFER_LOG "<250-mx|250-PIPELINING|250-SIZE 1000|250 CHUNKING|"
#define MAIL_LOG  ">MAIL FROM:<a@b>|<250 m|{MAIL 250}>RCPT TO:<c@d>|<250 r|{RCPT 250}"
#define READY_LOG GREET_LOG OFFER_LOG "{EHLO 250}" MAIL_LOG
#define DATA_LOG  ">DATA|<354 go|{DATA 354}"

#define HUNDRED                                                                                \
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567" \
    "890123456789"
#define THOUSAND HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED

static const struct script sizes[] = {
    { .name = "a chunk of more than 2^31-1 octets",
      .joined = true,
      .starttls = "refuse",
      .steps = { READY_TO_SEND, C("BDAT 4294967301 LAST\r\n") },
      .log = READY_LOG "=554 5.5.4 BDAT needs a size from 0 to 2147483647, and at most "
                       "LAST|{BDAT refused 554 bdat-malformed}[close bdat-malformed]" },
    { .name = "observe: counted as sent, and opaque once the receiver counted otherwise",
      .joined = true,
      .starttls = "refuse",
      .observe = true,
      .steps = { READY_TO_SEND, C("BDAT 4294967301 LAST\r\nHi\r\n\rMAIL FROM:<x@y>\r\n"),
                 S("250 queued\r\n"), S("250 ok\r\n"), C("QUIT\r\n") },
      .log = READY_LOG ">BDAT 4294967301 LAST|Hi|\\015MAIL FROM:<x@y>|<250 queued|{BDAT 250 "
                       "bdat-malformed reply-early}{content}<250 ok|>QUIT|" },
    { .name = "observe: no size at all",
      .joined = true,
      .starttls = "refuse",
      .observe = true,
      .steps = { READY_TO_SEND, C_READ("BDAT -1 LAST\r\nQUIT\r\n") },
      .log = READY_LOG ">BDAT -1 LAST|QUIT|" },
    { .name = "more than the SIZE offered: eaten, and so is the rest of the message",
      .joined = true,
      .starttls = "refuse",
      .steps = { READY_TO_SEND, C("BDAT 1001\r\n"), C(THOUSAND "x"),
                 C("BDAT 4 LAST\r\nQUITRSET\r\n"), S("250 ok\r\n"),
                 C("MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 2 LAST\r\nhi"),
                 S("250 m\r\n250 r\r\n250 queued\r\n") },
      .log = READY_LOG
      "=552 5.3.4 Message size exceeds the limit that the mail server announced|{BDAT refused "
      "552 bdat-oversize}=503 5.5.1 Bad sequence of commands: an earlier chunk of this message "
      "was refused|{BDAT refused 503 cmd-sequence}>RSET|<250 ok|{RSET 250}>MAIL "
      "FROM:<a@b>|RCPT TO:<c@d>|BDAT 2 LAST|hi{content}<250 m|{MAIL 250}<250 r|{RCPT 250}<250 "
      "queued|{BDAT 250}" },
    { .name = "not offered: DATA may follow",
      .joined = true,
      .starttls = "refuse",
      .steps = { GREET, S("250 mx\r\n"), C("MAIL FROM:<a@b>\r\n"), S("250 m\r\n"),
                 C("RCPT TO:<c@d>\r\n"), S("250 r\r\n"), C("BDAT 2 LAST\r\nhi"), C("DATA\r\n"),
                 S("354 go\r\n") },
      .log = GREET_LOG "<250 mx|{EHLO 250}>MAIL FROM:<a@b>|<250 m|{MAIL 250}>RCPT "
                       "TO:<c@d>|<250 r|{RCPT 250}=502 5.5.1 BDAT is not implemented "
                       "here|{BDAT refused 502 bdat-unadvertised}>DATA|<354 go|{DATA 354}" },
    { .name = "zeros and blanks are written plainly",
      .joined = true,
      .starttls = "refuse",
      .steps = { READY_TO_SEND, C("BDAT 0000000002   last\r\nhi"), S("250 queued\r\n") },
      .log = READY_LOG ">BDAT 2 LAST|hi{content}<250 queued|{BDAT rewritten 250}" },
    { .name = "more zeros than a size can have",
      .joined = true,
      .starttls = "refuse",
      .steps = { READY_TO_SEND, C_READ("BDAT 00000000002 LAST\r\nhi") },
      .log =
          READY_LOG "=554 5.5.4 BDAT needs a size from 0 to 2147483647, and at most LAST|{BDAT "
                    "refused 554 bdat-malformed}{? swallowed secret}[close bdat-malformed]" },
    { .name = "SIZE above the SIZE offered, above 2^31-1, with more digits than that",
      .joined = true,
      .starttls = "refuse",
      .steps = { GREET, S(OFFER), C("MAIL FROM:<a@b> SIZE=1001\r\n"),
                 C("MAIL FROM:<a@b> SIZE=4294967297\r\n"),
                 C("MAIL FROM:<a@b> SIZE=00000000010\r\n"),
                 C("MAIL FROM:<a@b> SIZE=1000\r\n") },
      .log = GREET_LOG OFFER_LOG
      "{EHLO 250}"
      "=552 5.3.4 Message size exceeds the limit that the mail server announced|{MAIL refused "
      "552}=552 5.3.4 Messages larger than 2147483647 bytes are not accepted|{MAIL refused "
      "552}=501 5.5.4 Syntax error: SIZE is not a number of 1 to 10 digits|{MAIL refused 501 "
      "cmd-syntax}>MAIL FROM:<a@b> SIZE=1000|" },
    { .name = "other numbers",
      .joined = true,
      .starttls = "refuse",
      .steps = { GREET, S(OFFER), C("MAIL FROM:<a@b> HOLDFOR=4294967297\r\n"),
                 C("MAIL FROM:<a@b> BY=+1;R\r\n"),
                 C("MAIL FROM:<a@b> HOLDFOR=60 BY=-1;R ENVID=4294967297\r\n") },
      .log = GREET_LOG OFFER_LOG
      "{EHLO 250}"
      "=501 5.5.4 Syntax error: a parameter is not a number of 1 to 9 digits|{MAIL refused 501 "
      "cmd-syntax}=501 5.5.4 Syntax error: a parameter is not a number of 1 to 9 digits|{MAIL "
      "refused 501 cmd-syntax}>MAIL FROM:<a@b> HOLDFOR=60 BY=-1;R ENVID=4294967297|" },
    { .name = "no SIZE is known after HELO",
      .joined = true,
      .starttls = "refuse",
      .steps = { GREET, S(OFFER), C("HELO c\r\n"), S("250 mx\r\n"),
                 C("MAIL FROM:<a@b> SIZE=1001\r\n") },
      .log = GREET_LOG OFFER_LOG "{EHLO 250}"
                                 ">HELO c|<250 mx|{HELO 250}>MAIL FROM:<a@b> SIZE=1001|" },
};

static const struct script early[] = {
    { .name = "a chunk accepted before its last octet",
      .joined = true,
      .starttls = "refuse",
      .steps = { READY_TO_SEND, C("BDAT 6 LAST\r\nNO"), S("250 queued\r\n"),
                 C("OP\r\nQUIT\r\n") },
      .log = READY_LOG
      ">BDAT 6 LAST|NO=421 4.3.0 The mail server behind this proxy sent an invalid SMTP "
      "reply|{BDAT 421 up 250 reply-early}{content}[close upstream-protocol]" },
    { .name = "observe: a chunk accepted before its last octet",
      .joined = true,
      .starttls = "refuse",
      .observe = true,
      .steps = { READY_TO_SEND, C("BDAT 6 LAST\r\nNO"), S("250 queued\r\n"),
                 C("OP\r\nQUIT\r\n") },
      .log = READY_LOG ">BDAT 6 LAST|NO<250 queued|{BDAT 250 reply-early}{content}>OP|QUIT|" },
    { .name = "a chunk refused before its last octet",
      .joined = true,
      .starttls = "refuse",
      .steps = { READY_TO_SEND, C("BDAT 6\r\nNO"), S("552-5.3.4 no\r\n552 5.3.4 room\r\n"),
                 C("OP\r\nQUIT\r\n") },
      .log =
          READY_LOG ">BDAT 6|NO[drop]<552-5.3.4 no|552 5.3.4 room|{BDAT 552 reply-early}=221 "
                    "2.0.0 Bye|{QUIT refused 221}{content}[close content-refused]" },
    { .name = "a chunk refused before its last octet, by LF",
      .joined = true,
      .starttls = "refuse",
      .steps = { READY_TO_SEND, C("BDAT 6 LAST\r\nNO"), S("552 5.3.4 no room\n"),
                 C("OP\r\nMAIL FROM:<x@y>\r\n") },
      .log =
          READY_LOG ">BDAT 6 LAST|NO[drop]{content}<552 5.3.4 no room|{BDAT 552 reply-bare-lf "
                    "reply-early}=421 4.3.0 Closing connection after a refused message, please "
                    "reconnect|{MAIL refused 421}[close content-refused]" },
    { .name = "observe: a chunk refused before its last octet",
      .joined = true,
      .starttls = "refuse",
      .observe = true,
      .steps = { READY_TO_SEND, C("BDAT 6 LAST\r\nNO"), S("552 5.3.4 no room\r\n"), C("OP\r\n"),
                 C("QUIT\r\n"), S("221 bye\r\n") },
      .log = READY_LOG ">BDAT 6 LAST|NO<552 5.3.4 no room|>OP|{content}{BDAT 552 "
                       "reply-early}>QUIT|<221 bye|{QUIT 221}" },
    { .name = "an earlier chunk is answered while the next one is sent",
      .joined = true,
      .starttls = "refuse",
      .steps = { READY_TO_SEND, C("BDAT 2\r\nNOBDAT 4 LAST\r\nOP"), S("250 got 2\r\n"),
                 C("\r\n"), S("250 queued\r\n") },
      .log = READY_LOG
      ">BDAT 2|NOBDAT 4 LAST|OP<250 got 2|{BDAT 250}>|{content}<250 queued|{BDAT 250}" },
    { .name = "mail data refused before its end",
      .joined = true,
      .starttls = "refuse",
      .steps = { IN_DATA, C("one\r\n"), S("552 5.3.4 too large\r\n"),
                 C("two\r\nVRFY x\r\n.\r\nQUIT\r\n") },
      .log = READY_LOG DATA_LOG
      ">one|[drop]{content}<552 5.3.4 too large|{. swallowed 552 reply-early}=221 2.0.0 "
      "Bye|{QUIT refused 221}[close content-refused]" },
    { .name = "mail data refused before its end, and another mail is tried",
      .joined = true,
      .starttls = "refuse",
      .steps = { IN_DATA, C("one\r\n"), S("452 4.3.1 full\r\n"), C("two\r\n.\r\n"),
                 C("MAIL FROM:<x@y>\r\n") },
      .log = READY_LOG DATA_LOG
      ">one|[drop]{content}<452 4.3.1 full|{. swallowed 452 reply-early}=421 4.3.0 Closing "
      "connection after a refused message, please reconnect|{MAIL refused 421}[close "
      "content-refused]" },
    { .name = "mail data refused before its end, which never comes",
      .joined = true,
      .starttls = "refuse",
      .steps = { IN_DATA, C("one\r\n"), S("552 5.3.4 too large\r\n"), C("two\r\n"),
                 FIN(CLIENT) },
      .log = READY_LOG DATA_LOG ">one|[drop]{content data-eof}[close client-eof-in-data]" },
    { .name = "observe: mail data refused before its end",
      .joined = true,
      .starttls = "refuse",
      .observe = true,
      .steps = { IN_DATA, C("one\r\n"), S("552 5.3.4 too large\r\n"), C("two\r\n.\r\n"),
                 C("QUIT\r\n"), S("221 bye\r\n") },
      .log = READY_LOG DATA_LOG ">one|<552 5.3.4 too large|>two|.|{content}{. 552 "
                                "reply-early}>QUIT|<221 bye|{QUIT 221}" },
    { .name = "observe: refused before its end, and again behind it",
      .joined = true,
      .starttls = "refuse",
      .observe = true,
      .steps = { IN_DATA, C("one\r\n"), S("552 5.3.4 too large\r\n"), C("two\r\n.\r\n"),
                 S("500 what\r\n"), C("QUIT\r\n"), S("221 bye\r\n") },
      .log = READY_LOG DATA_LOG
      ">one|<552 5.3.4 too large|>two|.|{content}{. 552 reply-early}<500 what|{? 500 "
      "reply-unsolicited}>QUIT|<221 bye|{QUIT 221}" },
    { .name = "mail data accepted before its end",
      .joined = true,
      .starttls = "refuse",
      .steps = { IN_DATA, C("one\r\n"), S("250 queued\r\n"), C("QUIT\r\n") },
      .log = READY_LOG DATA_LOG
      ">one|=421 4.3.0 The mail server behind this proxy sent an invalid SMTP reply|{? "
      "swallowed 421 up 250 reply-early}{content data-eof}[close upstream-protocol]" },
    { .name = "observe: mail data accepted before its end",
      .joined = true,
      .starttls = "refuse",
      .observe = true,
      .steps = { IN_DATA, C("one\r\n"), S("250 queued\r\n"), C("QUIT\r\n"), S("221 bye\r\n") },
      .log = READY_LOG DATA_LOG
      ">one|<250 queued|{? reply-early}{content data-eof}>QUIT|<221 bye|" },
};

static const struct script codes[] = {
    { .name = "DATA answered by 350",
      .joined = true,
      .starttls = "refuse",
      .steps = { READY_TO_SEND, C("DATA\r\n"), S("350 go\r\n"), C("VRFY x\r\n.\r\n"),
                 S("250 queued\r\n") },
      .log = READY_LOG ">DATA|<350 go|{DATA 350}>VRFY x|.|{content}<250 queued|{. 250}" },
    { .name = "observe: DATA answered by 300",
      .joined = true,
      .starttls = "refuse",
      .observe = true,
      .steps = { READY_TO_SEND, C("DATA\r\n"), S("300 go\r\n"), C("VRFY x\r\n.\r\n"),
                 S("250 queued\r\n") },
      .log = READY_LOG ">DATA|<300 go|{DATA 300}>VRFY x|.|{content}<250 queued|{. 250}" },
    { .name = "DATA answered by 250",
      .joined = true,
      .starttls = "refuse",
      .steps = { READY_TO_SEND, C("DATA\r\n"), S("250 ok\r\n"), C("VRFY x\r\n.\r\n") },
      .log =
          READY_LOG ">DATA|=421 4.3.0 The mail server behind this proxy sent an invalid SMTP "
                    "reply|{DATA 421 up 250 reply-unexpected}[close upstream-protocol]" },
    { .name = "observe: DATA answered by 250",
      .joined = true,
      .starttls = "refuse",
      .observe = true,
      .steps = { READY_TO_SEND, C("DATA\r\n"), S("250 ok\r\n"), C("VRFY x\r\n.\r\n"),
                 S("250 ok\r\n") },
      .log = READY_LOG ">DATA|<250 ok|{DATA 250 reply-unexpected}>VRFY x|.|<250 ok|" },
    { .name = "AUTH answered by 300",
      .joined = true,
      .starttls = "refuse",
      .steps = { GREET, S("250-mx\r\n250 AUTH LOGIN\r\n"), C("AUTH LOGIN\r\n"),
                 S("300 user\r\n"), C("VRFY x\r\n"), S("235 ok\r\n") },
      .log = GREET_LOG "<250-mx|250 AUTH LOGIN|{EHLO 250}>AUTH LOGIN|<300 user|{AUTH 300}>VRFY "
                       "x|<235 ok|{AUTH 235 secret}" },
};

static const struct script transactions[] = {
    { .name = "observe: DATA behind a chunk",
      .joined = true,
      .starttls = "refuse",
      .observe = true,
      .steps = { READY_TO_SEND, C("BDAT 5\r\nhello"), S("250 got 5\r\n"), C("DATA\r\n"),
                 S("354 go\r\n"), C("hi\r\n.\r\n"), S("250 queued\r\n"), C("QUIT\r\n"),
                 S("221 bye\r\n") },
      .log = READY_LOG
      ">BDAT 5|hello<250 got 5|{BDAT 250}>DATA|<354 go|{content}{DATA 354 "
      "bdat-mixed-data}>hi|.|{content}<250 queued|{. 250}>QUIT|<221 bye|{QUIT 221}" },
    { .name = "observe: DATA behind a chunk is refused, and the chunks go on",
      .joined = true,
      .starttls = "refuse",
      .observe = true,
      .steps = { READY_TO_SEND, C("BDAT 5\r\nhello"), S("250 got 5\r\n"), C("DATA\r\n"),
                 S("503 no\r\n"), C("BDAT 2 LAST\r\nhi"), S("250 queued\r\n") },
      .log = READY_LOG ">BDAT 5|hello<250 got 5|{BDAT 250}>DATA|<503 no|{DATA 503 "
                       "bdat-mixed-data}>BDAT 2 LAST|hi{content}<250 queued|{BDAT 250}" },
    { .name = "the reply to RSET comes when the next chunk was sent",
      .joined = true,
      .starttls = "refuse",
      .steps = { READY_TO_SEND,
                 C("RSET\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 5\r\nhello"),
                 S("250 reset\r\n"), S("250 m\r\n"), S("250 r\r\n"), S("250 got 5\r\n"),
                 C("DATA\r\n") },
      .log = READY_LOG
      ">RSET|MAIL FROM:<a@b>|RCPT TO:<c@d>|BDAT 5|hello<250 reset|{RSET 250}<250 m|{MAIL "
      "250}<250 r|{RCPT 250}<250 got 5|{BDAT 250}=503 5.5.1 Bad sequence of commands: DATA is "
      "not allowed after BDAT|{DATA refused 503 bdat-mixed-data}" },
    { .name = "DATA in the transaction behind that of the chunks",
      .joined = true,
      .starttls = "refuse",
      .steps = { READY_TO_SEND,
                 C("BDAT 5\r\nhelloRSET\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n"),
                 S("250 got 5\r\n"), S("250 reset\r\n"), S("250 m\r\n"), S("250 r\r\n"),
                 S("354 go\r\n"), C("hi\r\n.\r\n"), S("250 queued\r\n") },
      .log = READY_LOG ">BDAT 5|helloRSET|{content}>MAIL FROM:<a@b>|RCPT TO:<c@d>|DATA|<250 "
                       "got 5|{BDAT 250}<250 reset|{RSET 250}<250 m|{MAIL 250}<250 r|{RCPT "
                       "250}<354 go|{DATA 354}>hi|.|{content}<250 queued|{. 250}" },
    { .name = "DATA for the message behind the last chunk",
      .joined = true,
      .starttls = "refuse",
      .steps = { READY_TO_SEND,
                 C("BDAT 5 LAST\r\nhelloMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n"),
                 S("250 queued\r\n"), S("250 m\r\n"), S("250 r\r\n"), S("354 go\r\n"),
                 C("hi\r\n.\r\n"), S("250 queued\r\n") },
      .log = READY_LOG ">BDAT 5 LAST|hello{content}>MAIL FROM:<a@b>|RCPT TO:<c@d>|DATA|<250 "
                       "queued|{BDAT 250}<250 m|{MAIL 250}<250 r|{RCPT 250}<354 go|{DATA "
                       "354}>hi|.|{content}<250 queued|{. 250}" },
    { .name = "a refused EHLO leaves the chunks as they are",
      .joined = true,
      .starttls = "refuse",
      .steps = { READY_TO_SEND, C("BDAT 5\r\nhello"), S("250 got 5\r\n"), C("EHLO d\r\n"),
                 S("501 no\r\n"), C("BDAT 2 LAST\r\nhi"), S("250 queued\r\n") },
      .log = READY_LOG ">BDAT 5|hello<250 got 5|{BDAT 250}>EHLO d|<501 no|{EHLO 501}>BDAT 2 "
                       "LAST|hi{content}<250 queued|{BDAT 250}" },
    { .name = "an EHLO makes the chunks void",
      .joined = true,
      .starttls = "refuse",
      .steps = { READY_TO_SEND, C("BDAT 5\r\nhello"), S("250 got 5\r\n"), C("EHLO d\r\n"),
                 S(OFFER), C("BDAT 2 LAST\r\nhi") },
      .log = READY_LOG
      ">BDAT 5|hello<250 got 5|{BDAT 250}>EHLO d|{content}<250-mx|250-PIPELINING|250-SIZE "
      "1000|250 CHUNKING|{EHLO 250}=503 5.5.1 Bad sequence of commands: send MAIL first|{BDAT "
      "refused 503 cmd-sequence}" },
};

static const struct script lf_ends[] = {
    { .name = "LF.LF and silence",
      .joined = true,
      .starttls = "refuse",
      .steps = { IN_DATA, C("one\n.\n"), WAITS(WAIT_LOOKALIKE), TIMEOUT, C("QUIT\r\n") },
      .log =
          READY_LOG DATA_LOG ">one|{content data-bare-lf data-lf-end}[drop]=554 5.6.0 Message "
                             "refused: it ends in LF.LF, SMTP requires CRLF.CRLF|{. refused "
                             "554}=221 2.0.0 Bye|{QUIT refused 221}[close content-refused]" },
    { .name = "LF.LF and QUIT",
      .joined = true,
      .starttls = "refuse",
      .steps = { IN_DATA, C("one\n.\nQUIT\r\n"), WAITS(WAIT_LOOKALIKE), TIMEOUT },
      .log =
          READY_LOG DATA_LOG ">one|{content data-bare-lf data-lf-end}[drop]=554 5.6.0 Message "
                             "refused: it ends in LF.LF, SMTP requires CRLF.CRLF|{. refused "
                             "554}=221 2.0.0 Bye|{QUIT refused 221}[close content-refused]" },
    { .name = "LF.CRLF and a part of QUIT",
      .joined = true,
      .starttls = "refuse",
      .steps = { IN_DATA, C("one\n.\r\nqu"), WAITS(WAIT_LOOKALIKE), TIMEOUT, C("it\n") },
      .log =
          READY_LOG DATA_LOG ">one|{content data-bare-lf data-lf-end}[drop]=554 5.6.0 Message "
                             "refused: it ends in LF.LF, SMTP requires CRLF.CRLF|{. refused "
                             "554}=221 2.0.0 Bye|{QUIT refused 221}[close content-refused]" },
    { .name = "CRLF.LF and silence",
      .joined = true,
      .starttls = "refuse",
      .steps = { IN_DATA, C("one\r\n.\n"), WAITS(WAIT_LOOKALIKE), TIMEOUT,
                 C("MAIL FROM:<x@y>\r\n") },
      .log = READY_LOG DATA_LOG
      ">one|{content data-lf-end}[drop]=554 5.6.0 Message refused: it ends in LF.LF, SMTP "
      "requires CRLF.CRLF|{. refused 554}=421 4.3.0 Closing connection after a refused "
      "message, please reconnect|{MAIL refused 421}[close content-refused]" },
    { .name = "an empty message",
      .joined = true,
      .starttls = "refuse",
      .steps = { IN_DATA, C(".\n"), WAITS(WAIT_LOOKALIKE), TIMEOUT },
      .log = READY_LOG DATA_LOG "{content data-lf-end}[drop]=554 5.6.0 Message refused: it "
                                "ends in LF.LF, SMTP requires CRLF.CRLF|{. refused 554}" },
    { .name = "LF.LF and the next command: it is content",
      .joined = true,
      .starttls = "refuse",
      .steps = { IN_DATA, C_READ("one\n.\nRSET\r\n"), WAITS(WAIT_DATA_BLOCK), C(".\r\n") },
      .log =
          READY_LOG DATA_LOG ">one[drop]{content data-bare-lf data-eod-lookalike}=554 5.6.0 "
                             "Message refused: it contains a false end of data, a dot alone on "
                             "a line that does not begin and end with CRLF|{. refused 554}" },
    { .name = "LF.LF.CRLF: the end is another one",
      .joined = true,
      .starttls = "refuse",
      .steps = { IN_DATA, C_READ("one\n.\n.\r\n"), WAITS(WAIT_LOOKALIKE), TIMEOUT },
      .log = READY_LOG DATA_LOG
      ">one[drop]{content data-bare-lf data-eod-lookalike data-lf-end}=554 5.6.0 Message "
      "refused: it ends in LF.LF, SMTP requires CRLF.CRLF|{. refused 554}" },
    { .name = "a half marker is no end",
      .joined = true,
      .starttls = "refuse",
      .steps = { IN_DATA, C("one\n."), WAITS(WAIT_DATA_BLOCK), C("two\r\n.\r\n"),
                 S("250 queued\r\n") },
      .log = READY_LOG DATA_LOG ">one|..two|.|{content data-bare-lf}<250 queued|{. 250}" },
    { .name = "LF.LF is not the end when more follows",
      .joined = true,
      .starttls = "refuse",
      .steps = { IN_DATA, C("one\n.\n"), C("two\r\n.\r\n") },
      .log =
          READY_LOG DATA_LOG ">one|[drop]{content data-bare-lf data-eod-lookalike}=554 5.6.0 "
                             "Message refused: it contains a false end of data, a dot alone on "
                             "a line that does not begin and end with CRLF|{. refused 554}" },
    { .name = "LF.LF from a network trusted to end so",
      .joined = true,
      .starttls = "refuse",
      .newlines = true,
      .steps = { IN_DATA, C("one\n.\n"), WAITS(WAIT_LOOKALIKE), TIMEOUT, S("250 queued\r\n"),
                 C("QUIT\r\n"), S("221 bye\r\n") },
      .log = READY_LOG DATA_LOG ">one|.|{content data-bare-lf data-lf-end}<250 queued|{. "
                                "rewritten 250}>QUIT|<221 bye|{QUIT 221}[close quit]" },
    { .name = "LF.CRLF and QUIT, trusted",
      .joined = true,
      .starttls = "refuse",
      .newlines = true,
      .steps = { IN_DATA, C("one\n.\r\nQUIT\n"), TIMEOUT, S("250 queued\r\n"),
                 S("221 bye\r\n") },
      .log = READY_LOG DATA_LOG
      ">one|.|{content data-bare-lf data-lf-end}<250 queued|{. rewritten 250}>QUIT|<221 "
      "bye|{QUIT rewritten 221 cmd-bare-lf}[close quit]" },
    { .name = "trusted, and it goes on as if it was inside the mail",
      .joined = true,
      .starttls = "refuse",
      .newlines = true,
      .steps = { IN_DATA, C("one\n.\n"), TIMEOUT, S("250 queued\r\n"),
                 C("MAIL FROM:<x@y>\r\n") },
      .log =
          READY_LOG DATA_LOG ">one|.|{content data-bare-lf data-lf-end}<250 queued|{. "
                             "rewritten 250}=421 4.7.0 Only QUIT is accepted after a message "
                             "that ended in LF.LF|{MAIL refused 421}[close after-lf-end]" },
    { .name = "trusted, and it goes on before the reply",
      .joined = true,
      .starttls = "refuse",
      .newlines = true,
      .steps = { IN_DATA, C("one\n.\n"), TIMEOUT,
                 C_READ("MAIL FROM:<x@y>\r\nRCPT TO:<z@y>\r\nQUIT\r\n"), S("250 queued\r\n") },
      .log = READY_LOG DATA_LOG
      ">one|.|{content data-bare-lf data-lf-end}<250 queued|{. rewritten 250}=421 4.7.0 Only "
      "QUIT is accepted after a message that ended in LF.LF|{MAIL refused 421}{? "
      "swallowed}[close after-lf-end]" },
    { .name = "trusted, but more follows",
      .joined = true,
      .starttls = "refuse",
      .newlines = true,
      .steps = { IN_DATA, C("one\n.\n"), C("MAIL FROM:<x@y>\r\n.\r\n") },
      .log =
          READY_LOG DATA_LOG ">one|[drop]{content data-bare-lf data-eod-lookalike}=554 5.6.0 "
                             "Message refused: it contains a false end of data, a dot alone on "
                             "a line that does not begin and end with CRLF|{. refused 554}" },
    { .name = "trusted, but what was sent before is refused",
      .joined = true,
      .starttls = "refuse",
      .newlines = true,
      .steps = { IN_DATA, C_READ("one\n.\n.\n"), TIMEOUT },
      .log = READY_LOG DATA_LOG
      ">one[drop]{content data-bare-lf data-eod-lookalike data-lf-end}=554 5.6.0 Message "
      "refused: it ends in LF.LF, SMTP requires CRLF.CRLF|{. refused 554}" },
    { .name = "another look-alike and silence",
      .joined = true,
      .starttls = "refuse",
      .steps = { IN_DATA, C("one\r.\r"), WAITS(WAIT_LOOKALIKE), TIMEOUT },
      .log = READY_LOG DATA_LOG
      ">one .=554 5.6.0 Message refused: it seems to end without CRLF.CRLF, and nothing "
      "followed|{? swallowed 554 client-timeout}{content data-bare-cr data-eof}[close "
      "content-refused]" },
    { .name = "observe: the upstream takes LF.LF for the end",
      .joined = true,
      .starttls = "refuse",
      .observe = true,
      .steps = { IN_DATA, C("one\n.\n"), S("250 queued\r\n"), C("QUIT\r\n"), S("221 bye\r\n") },
      .log = READY_LOG DATA_LOG ">one\\012.\\012<250 queued|{content data-bare-lf "
                                "data-lf-end}{. 250}>QUIT|<221 bye|{QUIT 221}" },
    { .name = "observe: the upstream takes CRLF.LF for the end, QUIT was sent with it",
      .joined = true,
      .starttls = "refuse",
      .observe = true,
      .steps = { IN_DATA, C("one\r\n.\nQUIT\r\n"), S("250 queued\r\n"), S("221 bye\r\n") },
      .log = READY_LOG DATA_LOG
      ">one|.\\012QUIT|<250 queued|{content data-lf-end}{. 250}<221 bye|{QUIT 221}" },
    { .name = "observe: the upstream refuses at LF.LF",
      .joined = true,
      .starttls = "refuse",
      .observe = true,
      .steps = { IN_DATA, C("one\n.\n"), S("554 no\r\n"), C("QUIT\r\n"), S("221 bye\r\n") },
      .log = READY_LOG DATA_LOG ">one\\012.\\012<554 no|{content data-bare-lf data-lf-end}{. "
                                "554}>QUIT|<221 bye|{QUIT 221}" },
    { .name = "observe: the upstream waits for CRLF.CRLF",
      .joined = true,
      .starttls = "refuse",
      .observe = true,
      .steps = { IN_DATA, C("one\n.\n"), C("two\r\n.\r\n"), S("250 queued\r\n") },
      .log = READY_LOG DATA_LOG
      ">one\\012.\\012two|.|{content data-bare-lf data-eod-lookalike}<250 queued|{. 250}" },
    { .name = "LF.LF and the connection ends",
      .joined = true,
      .starttls = "refuse",
      .steps = { IN_DATA, C("one\n.\n"), FIN(CLIENT) },
      .log = READY_LOG DATA_LOG
      ">one|{content data-bare-lf data-eod-lookalike data-eof}[close client-eof-in-data]" },
    { .name = "observe: LF.LF and the connection ends",
      .joined = true,
      .starttls = "refuse",
      .observe = true,
      .steps = { IN_DATA, C("one\n.\n"), FIN(CLIENT), FIN(SERVER) },
      .log = READY_LOG DATA_LOG ">one\\012.\\012{content data-bare-lf data-eod-lookalike "
                                "data-eof}[close client-eof-in-data]" },
};

static const struct script greetings[] = {
    { .name = "an invitation that becomes a refusal",
      .joined = true,
      .starttls = "refuse",
      .steps = { S("220-mx\r\n521 5.7.1 blocked\r\n"), C("QUIT\r\n"), S("221 bye\r\n") },
      .log = "<521 5.7.1 blocked|{greeting 521 up 220 reply-code-mismatch "
             "greeting-521}>QUIT|<221 bye|{QUIT 221}[close quit]" },
    { .name = "in several lines",
      .joined = true,
      .starttls = "refuse",
      .steps = { S("220-mx\r\n220-wait\r\n554-5.7.1 blocked\r\n554 5.7.1 go\n"), C("QUIT\r\n"),
                 S("221 bye\r\n") },
      .log = "<554-5.7.1 blocked|554 5.7.1 go|{greeting 554 up 220 reply-code-mismatch "
             "reply-bare-lf greeting-554}>QUIT|<221 bye|{QUIT 221}[close quit]" },
    { .name = "421",
      .joined = true,
      .starttls = "refuse",
      .steps = { S("220-mx\r\n421 4.3.2 later\r\n") },
      .log = "<421 4.3.2 later|{greeting 421 up 220 reply-code-mismatch greeting-421}[close "
             "upstream-421]" },
    { .name = "observe: an invitation that becomes a refusal",
      .joined = true,
      .starttls = "refuse",
      .observe = true,
      .steps = { S("220-mx\r\n521 5.7.1 blocked\r\n"), C("QUIT\r\n"), S("221 bye\r\n") },
      .log = "<220-mx|521 5.7.1 blocked|{greeting 521 reply-code-mismatch "
             "greeting-521}>QUIT|<221 bye|{QUIT 221}" },
    { .name = "a refusal that becomes an invitation is none",
      .joined = true,
      .starttls = "refuse",
      .steps = { S("554-mx\r\n220 welcome\r\n") },
      .log = "=421 4.3.0 The mail server behind this proxy did not send an SMTP "
             "greeting|{greeting 421 up 554 reply-code-mismatch}[close greeting-not-smtp]" },
};

GROUP(sizes)
GROUP(early)
GROUP(codes)
GROUP(transactions)
GROUP(lf_ends)
GROUP(greetings)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(group_sizes),   cmocka_unit_test(group_early),
        cmocka_unit_test(group_codes),   cmocka_unit_test(group_transactions),
        cmocka_unit_test(group_lf_ends), cmocka_unit_test(group_greetings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
