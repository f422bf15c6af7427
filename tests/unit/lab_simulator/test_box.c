/* Boxes, fact by fact: what leaves, in which writes, and in which order. */
#include "box_play.h"

/*
 * Facts, one a word: <text is a read of the server, >text of the client, with \r \n \\ \0 \xHH
 * and \_ for a blank; ~ stands for CRLF, *100 at the end: a hundred times. "<FIN", "<RST",
 * ">FIN", ">RST"; "+250" milliseconds;
 * "-" forget what was written down so far; "TLS>" and "TLS<" a handshake is over, "TLS!"
 * failed.
 */
struct script {
    const char *name, *preset, *facts, *actions;
};

#define HELLO "<220\\_mx\\_ESMTP~ >EHLO\\_c~ <250-mx~250\\_HELP~ - "
#define MAIL                                                                                   \
    HELLO ">MAIL\\_FROM:<a@b>~ <250\\_ok~ >RCPT\\_TO:<c@d>~ <250\\_ok~ >DATA~ <354\\_go~ - "

#define A10  "aaaaaaaaaa"
#define A100 A10 A10 A10 A10 A10 A10 A10 A10 A10 A10
#define A258 A100 A100 A10 A10 A10 A10 A10 "aaaaaaaa"
#define B10  ">b\n>b\n>b\n>b\n>b\n>b\n>b\n>b\n>b\n>b\n"
#define B100 B10 B10 B10 B10 B10 B10 B10 B10 B10 B10
#define B300 B100 B100 B100
#define A142 A100 A10 A10 A10 A10 "aa"

static const struct script scripts[] = {
    { "a wire", "clean", "<220\\_mx~ >EH >LO\\_c~NOOP~ <250-m <x~250\\_A~250\\_ok~ >FIN <FIN",
      "<220 mx\\r\\n\n>EH\n>LO c\\r\\nNOOP\\r\\n\n<250-m\n<x\\r\\n250 A\\r\\n250 ok\\r\\n\n"
      ">~FIN\n<~FIN\n" },
    { "a wire's resets", "clean", "<220\\_mx~ >RST", "<220 mx\\r\\n\n>~RST\n" },
    { "and the server's", "clean", "<220\\_mx~ <RST", "<220 mx\\r\\n\n<~RST\n" },

    { "pix6", "pix6", "<220\\_mx20\\_ESMTP~ >EHLO\\_c~ <250\\_Ok~ >XY~ >HELO\\_c~",
      "<220 **20 *****\\r\\n\n>NOOP  \\r\\n\n<250 Ok\\r\\n\n>XX\\r\\n\n>HELO c\\r\\n\n" },
    { "greeting in pieces", "pix6", "<22 <0- <mx~2 <20\\_2\\_0\\_0~ <250\\_x~",
      "<22\n<0-\n<**\\r\\n2\n<20 2*0 0\\r\\n\n<250 x\\r\\n\n" },
    { "end of data in one read", "pix6", MAIL ">a~.~ <250\\_ok~ >QUIT~",
      ">a\\r\\n.\\r\\n\n<250 ok\\r\\n\n>QUIT\\r\\n\n" },
    { "end behind a whole line", "pix6", MAIL ">a~ >.~", ">a\\r\\n\n>.\\r\\n\n" },
    { "end split behind CR", "asa841-eod", MAIL ">a\\r >\\n.~", ">a\\r\n>\\n\n" },
    { "end split before CR", "asa841-eod", MAIL ">a~. >~ >.~", ">a\\r\\n\n>.\\r\\n\n" },
    { "end split before LF", "asa841-eod", MAIL ">a~.\\r >\\n", ">a\\r\\n\n" },
    { "a stuffed dot split", "asa841-eod", MAIL ">a~. >.b~.~",
      ">a\\r\\n\n>..b\\r\\n.\\r\\n\n" },

    { "asa: keywords", "asa-default",
      "<220\\_mx~ >EHLO\\_c~ "
      "<250-mx~250-PIPELINING~250-STARTTLS~250-SIZE\\_1~250-CHUNKING~250\\_HELP~ "
      ">EHLO\\_c~ <250-mx~250\\_SMTPUTF8~",
      "<220 **\\r\\n\n>EHLO c\\r\\n\n<250-mx\\r\\n250-PIPELINING\\r\\n250-XXXXXXXA\\r\\n"
      "250-SIZE 1\\r\\n250-XXXXXXXB\\r\\n250 XXXC\\r\\n\n>EHLO c\\r\\n\n"
      "<250-mx\\r\\n250 XXXXXXXA\\r\\n\n" },
    { "asa: AUTH's dialogue is no command", "asa-default",
      HELLO ">AUTH\\_LOGIN~ <334\\_VXN~ >abcdefgh~ <334\\_UGF~ >ijk~ <235\\_ok~ >BDAT\\_1~",
      ">AUTH LOGIN\\r\\n\n<334 VXN\\r\\n\n>abcdefgh\\r\\n\n<334 UGF\\r\\n\n>ijk\\r\\n\n"
      "<235 ok\\r\\n\n>XXXXXX\\r\\n\n" },
    { "asa: mail data is none", "asa-default", MAIL ">STARTTLS~.~ <250\\_ok~ >STARTTLS~",
      ">STARTTLS\\r\\n.\\r\\n\n<250 ok\\r\\n\n>XXXXXXXX\\r\\n\n" },
    { "asa: DATA refused", "asa-default", HELLO ">DATA~ <503\\_no~ >STARTTLS~",
      ">DATA\\r\\n\n<503 no\\r\\n\n>XXXXXXXX\\r\\n\n" },
    { "asa: pipelined", "asa-default", HELLO ">NOOP~XCLIENT\\_a~NOOP~",
      ">NOOP\\r\\nXXXXXXXXX\\r\\nNOOP\\r\\n\n" },
    { "too many commands without a reply", "asa-default", HELLO ">NOOP~*4096 - >NOOP~",
      "<~RST\n>~RST\n" },
    { "a wire does not count them", "clean", HELLO ">NOOP~*4096 - >NOOP~ >RSET~",
      ">NOOP\\r\\n\n>RSET\\r\\n\n" },
    { "asa: a limit on recipients", "asa-default",
      HELLO ">RCPT\\_TO:<a>~*100 - >RCPT\\_TO:<a>~", "<~RST\n>~RST\n" },
    { "asa: a new transaction", "asa-default",
      HELLO ">RCPT\\_TO:<a>~*100 >RSET~ - >RCPT\\_TO:<a>~", ">RCPT TO:<a>\\r\\n\n" },
    { "asa: a line without end", "asa-default", HELLO ">a*514 - >a", "<~RST\n>~RST\n" },
    { "asa: a long sender", "asa-default", HELLO ">MAIL\\_FROM:< >a*320 - >>~", ">>\\r\\n\n" },
    { "asa: too long a sender", "asa-default", HELLO ">MAIL\\_FROM:< >a*321 - >>~",
      "<~RST\n>~RST\n" },
    { "isa: RCPT", "isa", HELLO ">RCPT\\_TO: >a*258 - >~", ">RCPT TO:" A258 "\\r\\n\n" },
    { "isa: too long RCPT", "isa", HELLO ">RCPT\\_TO: >a*259 - >~", "<~FIN\n>~FIN\n" },
    { "isa: AUTH makes room", "isa", HELLO ">MAIL\\_FROM:<>\\_AUTH= >a*400 - >~NOOP~\\0",
      ">MAIL FROM:<> AUTH=" A258 A142 "\\r\\nNOOP\\r\\n\n" },
    { "asa: allow-tls", "asa-allow-tls",
      "<220\\_mx~ >EHLO\\_c~ <250-mx~250\\_STARTTLS~ >STARTTLS~ <220\\_go~ >XYZ~ "
      "<250-STARTTLS~",
      "<220 **\\r\\n\n>EHLO c\\r\\n\n<250-mx\\r\\n250 STARTTLS\\r\\n\n>STARTTLS\\r\\n\n"
      "<220 go\\r\\n\n>XYZ\\r\\n\n<250-STARTTLS\\r\\n\n" },
    { "ios", "ios-reset", HELLO ">NOOP~ >XEXCH50\\_1~ >NOOP~", ">NOOP\\r\\n\n<~RST\n>~RST\n" },

    { "a line in pieces", "striptls-454", HELLO ">START >TLS~ >NO >OP~",
      "<454 TLS not available due to temporary reason\\r\\n\n>NOOP\\r\\n\n" },
    { "answers keep the order", "striptls-454",
      HELLO ">NOOP~STARTTLS~NOOP~ <250\\_1~ <250\\_2~",
      ">NOOP\\r\\nNOOP\\r\\n\n"
      "<250 1\\r\\n454 TLS not available due to temporary reason\\r\\n\n<250 2\\r\\n\n" },
    { "replies in pieces are whole", "striptls-strip",
      "<220\\_mx~ >EHLO\\_c~ <250-mx~250-STA <RTTLS~250\\_SIZE~",
      "<220 mx\\r\\n\n>EHLO c\\r\\n\n<250-mx\\r\\n250 SIZE\\r\\n\n" },
    { "the last keyword", "ehlo-delete(HELP)", HELLO ">EHLO\\_c~ <250-mx~250-A~250\\_HELP\\_x~",
      ">EHLO c\\r\\n\n<250-mx\\r\\n250 A\\r\\n\n" },
    { "a refused EHLO passes", "ehlo-delete(HELP)", HELLO ">EHLO\\_c~ <502-HELP~502\\_HELP~",
      ">EHLO c\\r\\n\n<502-HELP\\r\\n502 HELP\\r\\n\n" },
    { "dangling", "ehlo-dangling", HELLO ">EHLO\\_c~ <250-mx~250-A~250\\_HELP~",
      ">EHLO c\\r\\n\n<250-mx\\r\\n250-A\\r\\n\n" },
    { "dangling in the middle", "ehlo-dangling(A)",
      HELLO ">EHLO\\_c~ <250-mx~250-A~250\\_HELP~",
      ">EHLO c\\r\\n\n<250-mx\\r\\n250 HELP\\r\\n\n" },
    { "inject", "striptls-inject", HELLO ">STARTTLS~ <220\\_go~ <500\\_what~ >\\x16abc",
      ">STARTTLS\\r\\nINJECTED_INVALID_COMMAND\\r\\n\n<220 go\\r\\n\n<500 what\\r\\n\n"
      ">\\026abc\n" },
    { "intercept", "striptls-intercept",
      HELLO ">STARTTLS~ <220\\_go~ TLS> >EHLO\\_c~ TLS< <250\\_mx~ >FIN",
      ">STARTTLS\\r\\n\n<220 go\\r\\n\n<~TLS\n>~TLS\n>EHLO c\\r\\n\n<250 mx\\r\\n\n>~FIN\n" },
    { "no TLS behind the end", "striptls-intercept", HELLO ">STARTTLS~ >FIN <220\\_go~",
      ">STARTTLS\\r\\n\n>~FIN\n<220 go\\r\\n\n" },
    { "intercept fails", "striptls-intercept", HELLO ">STARTTLS~ <220\\_go~ TLS!",
      ">STARTTLS\\r\\n\n<220 go\\r\\n\n<~TLS\n>~TLS\n<~RST\n>~RST\n" },
    { "no TLS, no interception", "striptls-intercept", HELLO ">STARTTLS~ <454\\_no~ >NOOP~",
      ">STARTTLS\\r\\n\n<454 no\\r\\n\n>NOOP\\r\\n\n" },

    { "p3scan", "p3scan", HELLO ">DATA~ >S:\\_t~~hi~.~ <354\\_go~ <250\\_ok~ >QUIT~",
      "<354 P3Scan 2.3.2 accepting data.\\r\\n\n>DATA\\r\\n\n"
      ">S: t\\r\\nX-P3Scan: v2.3.2 by Jack S. Lai. No outbound virus detected.\\r\\n\\r\\nhi"
      "\\r\\n.\\r\\n\n<250 ok\\r\\n\n>QUIT\\r\\n\n" },
    { "p3scan: waits with the rest", "p3scan", HELLO ">DATA~ >~.~NOOP~ - <354\\_go~ <250\\_ok~",
      ">X-P3Scan: v2.3.2 by Jack S. Lai. No outbound virus "
      "detected.\\r\\n\\r\\n.\\r\\nNOOP\\r\\n"
      "\n<250 ok\\r\\n\n" },
    { "p3scan: DATA refused", "p3scan", HELLO ">DATA~ >~.~ - <554\\_no~ >QUIT~",
      "<554 no\\r\\n\n>QUIT\\r\\n\n" },
    { "p3scan: pipelined", "p3scan", HELLO ">RCPT\\_TO:<a>~DATA~ <550\\_no~",
      ">RCPT TO:<a>\\r\\n\n<550 no\\r\\n354 P3Scan 2.3.2 accepting data.\\r\\n\n" },
    { "checkpoint: early", "checkpoint", MAIL ">~hi~.~ >QUIT~ +199 +1 <250\\_ok~ <221\\_bye~",
      "<250 2.0.0 Message accepted for delivery\\r\\n\n"
      ">\\r\\nhi\\r\\n.\\r\\nQUIT\\r\\n\n<221 bye\\r\\n\n" },
    { "checkpoint: the end waits too", "checkpoint", MAIL ">~hi~.~ >FIN +300",
      "<250 2.0.0 Message accepted for delivery\\r\\n\n>\\r\\nhi\\r\\n.\\r\\n\n>~FIN\n" },
    { "checkpoint: NOOP", "checkpoint", "<220\\_mx~ >NOOP~",
      "<220 CheckPoint FireWall-1 secure ESMTP server\\r\\n\n<220 OK\\r\\n\n" },
    { "watchguard", "watchguard(1)",
      HELLO ">RCPT\\_TO:<a>~RCPT\\_TO:<b>~ <250\\_ok~ >RSET~ >RCPT\\_TO:<c>~",
      ">RCPT TO:<a>\\r\\n\n<250 ok\\r\\n250 2.1.5 Ok\\r\\n\n>RSET\\r\\n\n>RCPT "
      "TO:<c>\\r\\n\n" },
    { "fsecure: syntax", "fsecure", HELLO ">MAIL\\_FROM\\_a~ >MAIL\\_FROM:<a>~",
      "<501 Syntax error (MAIL FROM:) (F-Secure/fsigk_smtp)\\r\\n\n>MAIL FROM:<a>\\r\\n\n" },
    { "zorp: parameters", "ehlo-whitelist",
      HELLO ">MAIL\\_FROM:<a>\\_RET=FULL~ >mail\\_from:<a>\\_\\_BODY=7BIT~",
      "<501 Syntax error in parameters or arguments\\r\\n\n>MAIL FROM:<a> BODY=7BIT\\r\\n\n" },

    { "paloalto", "paloalto",
      MAIL ">a~ >EICAR-STANDARD-ANTI >VIRUS-TEST-FILE~ >b~.~ <451\\_time~ <FIN",
      ">a\\r\\n\n>EICAR-STANDARD-ANTI\n"
      "<541 5.4.1 Content blocked by Palo Alto Networks Firewall\\r\\n\n<~RST\n" },
    { "sonicwall, in base64", "sonicwall", MAIL ">WDVPIVAlQEFQWzRcUFpYNTQoUF4p~ <FIN",
      "<552 Requested mail action aborted: virus found\\r\\n\n<~RST\n>~RST\n" },
    { "gfw", "gfw(falun)", HELLO ">NOOP\\_FAL >UN~ >NOOP~", ">NOOP FAL\n<~RST\n>~RST\n" },
    { "a pattern that begins anew", "gfw(aab)", HELLO ">aaa >bc", ">aaa\n<~RST\n>~RST\n" },
    { "bannerkill", "bannerkill", "<220-mx~ <220\\_mx~",
      "<220-mx\\r\\n\n<220 mx\\r\\n\n<~RST\n>~RST\n" },
    { "idle: 421", "idle(30)", HELLO "+30000 >NOOP~ +30001 >NOOP~ >NOOP~ >FIN <FIN",
      ">NOOP\\r\\n\n<421 4.4.2 service timed out\\r\\n\n<~FIN\n>~FIN\n" },
    { "idle: reset", "idle(1,rst)", HELLO "+1001 <421\\_x~", "<~RST\n>~RST\n" },
    { "idle: silent", "idle(1,silent)", HELLO "+1001 >NOOP~ <250\\_ok~ >FIN <RST", "" },
    { "tarpit", "tarpit(10)", "<220\\_mx~ >EHLO~ <FIN +9 +1 +10 +10 +10 +10 +10 +10 +10",
      "<2\n>EHLO\\r\\n\n<2\n<0\n< \n<m\n<x\n<\\r\n<\\n\n<~FIN\n" },
    { "size", "size(3)", MAIL ">ab >cd >e", ">ab\n>c\n<~RST\n>~RST\n" },
    { "ch-drop", "ch-drop", HELLO ">STARTTLS~ <220\\_go~ >\\x16\\x03\\x01\\0\\x04abcd <x",
      ">STARTTLS\\r\\n\n<220 go\\r\\n\n<x\n" },
    { "ch-drop: small enough", "ch-drop(9)",
      HELLO ">STARTTLS~ <220\\_go~ >\\x16\\x03\\x01\\0\\x04abcd >more",
      ">STARTTLS\\r\\n\n<220 go\\r\\n\n>\\026\\003\\001\\000\\004abcd\n>more\n" },
    { "hotel", "hotel", ">NOOP~ >QUIT~ >FIN",
      "<220 relay.wanderingwifi.com ESMTP smtpscope reflector\\r\\n\n<250 2.0.0 Ok\\r\\n\n"
      "<221 2.0.0 Bye\\r\\n\n<~FIN\n" },

    { "bdat: no LAST", "bdat-last-lost", HELLO ">BDAT\\_3\\_LAST~RCP >NOOP~",
      ">BDAT 3\\r\\nRCP\n>NOOP\\r\\n\n" },
    { "bdat: X", "bdat-x", HELLO ">BDAT\\_3\\_LAST~abcNOOP~",
      ">XXXXXXXXXXX\\r\\nNOOP\\r\\n\n" },
    { "bdat: short", "bdat-length", HELLO ">BDAT\\_5~ >a~b~NOOP~",
      ">BDAT 5\\r\\n\n>a\\nb\\r\\nNOOP\\r\\n\n" },
    { "bdat: second", "bdat-second-stall", HELLO ">BDAT\\_1~aBDAT\\_1\\_LAST~b >MAIL~ >QUIT~",
      ">BDAT 1\\r\\naBDAT 1 LAST\\r\\nb\n" },
    { "bdat: one is enough", "bdat-second-stall", HELLO ">BDAT\\_1\\_LAST~b >QUIT~",
      ">BDAT 1 LAST\\r\\nb\n>QUIT\\r\\n\n" },
    { "pipe: lost", "pipe-lose", HELLO ">RSET~NOOP~MA >IL~RSET~",
      ">RSET\\r\\n\n>MAIL\\r\\n\n" },
    { "flatten", "reply-flatten",
      HELLO ">A~ <550-5.7.1\\_a~550\\_b~ >B~ <250\\_x~ >C~ <299-y~299\\_z~",
      ">A\\r\\n\n<550 Requested action not taken: mailbox unavailable\\r\\n\n>B\\r\\n\n"
      "<250 x\\r\\n\n>C\\r\\n\n<299 OK\\r\\n\n" },
    { "strip", "reply-strip-enhanced",
      HELLO ">A~ <550-5.7.1\\_a~550\\_5.7\\_b~ >B~ <250\\_2.1.10\\_ok~",
      ">A\\r\\n\n<550-a\\r\\n550 5.7 b\\r\\n\n>B\\r\\n\n<250 ok\\r\\n\n" },
    { "combo", "combo", MAIL ">hi~.~STARTTLS~",
      ">hi\\r\\n-- \\r\\nThis email has been checked for viruses by Avast antivirus software."
      "\\r\\n.\\r\\nXXXXXXXX\\r\\n\n" },
    { "what is held leaves before the end", "striptls-454", HELLO ">NOO >FIN",
      ">NOO\n>~FIN\n" },
    { "a dot that may be the end's", "asa841-eod", MAIL ">a~. >FIN", ">a\\r\\n\n>.\n>~FIN\n" },
    { "blanks that may be the line's", "ws-strip", MAIL ">a\\_ >FIN", ">a\n> \n>~FIN\n" },
    { "an unfinished message is not sent", "p3scan", HELLO ">DATA~ >~hi~ - >FIN <421\\_x~",
      ">~FIN\n<421 x\\r\\n\n" },
    { "p3scan: the end waits too", "p3scan", HELLO ">DATA~ >~.~ >FIN - <354\\_go~ <250\\_ok~",
      ">X-P3Scan: v2.3.2 by Jack S. Lai. No outbound virus detected.\\r\\n\\r\\n.\\r\\n\n"
      ">~FIN\n<250 ok\\r\\n\n" },
    { "fsecure: SIZE", "fsecure",
      HELLO
      ">EHLO\\_c~ <250-mx~250-SIZE\\_1999999999\\_x~250-SIZE\\_0~250-SIZE~250\\_AUTH\\_A~",
      ">EHLO c\\r\\n\n<250-mx\\r\\n250-SIZE 1999999999\\r\\n250-SIZE 2000000000\\r\\n"
      "250-SIZE 2000000000\\r\\n250 AUTH A\\r\\n\n" },
    { "nothing follows the end", "striptls-454", HELLO "<FIN >STARTTLS~ >NOOP~",
      "<~FIN\n>NOOP\\r\\n\n" },
    { "a file name ends with its line", "asa-default", MAIL ">A:\\_name=\"a~\\_ >b*300 >~.~",
      ">A: name=\\\"a\\r\\n \n" B300 ">\\r\\n.\\r\\n\n" },
    { "of a reply too", "striptls-strip", HELLO ">EHLO\\_c~ <250-mx~ <FIN",
      ">EHLO c\\r\\n\n<250-mx\\r\\n\n<~FIN\n" },
};

static unsigned char unescape(const char **p)
{
    const char *s = *p;
    unsigned char c = (unsigned char)s[1];
    char hex[3] = { 0 };

    *p += 2;
    if (c != 'x')
        return c == 'r' ? '\r' : c == 'n' ? '\n' : c == '0' ? '\0' : c == '_' ? ' ' : c;
    memcpy(hex, s + 2, 2);
    *p += 2;
    return (unsigned char)strtoul(hex, NULL, 16);
}

static struct span unescape_word(const char *s, size_t len, unsigned char *out)
{
    const char *end = s + len;
    size_t n = 0;

    while (s < end) {
        if (*s == '~') {
            out[n++] = '\r';
            out[n++] = '\n';
            s++;
        } else if (*s == '\\') {
            out[n++] = unescape(&s);
        } else {
            out[n++] = (unsigned char)*s++;
        }
    }
    return span_of(out, n);
}

/* "a*100" */
static void play_repeated(struct play *p, enum side from, struct span octets)
{
    size_t star = span_find(octets, '*');
    unsigned long n = 1;

    if (star > 0 && star < octets.len)
        n = strtoul((const char *)octets.ptr + star + 1, NULL, 10);
    else
        star = octets.len;
    while (n-- > 0)
        play_bytes(p, from, span_first(octets, star));
}

static void play_fact(struct play *p, const char *s, size_t len)
{
    unsigned char octets[4096] = { 0 };
    enum side from = s[0] == '>' ? CLIENT : SERVER;
    struct span word = span_of(s, len);

    if (s[0] == '-') {
        play_forget(p);
    } else if (s[0] == '+') {
        p->now += strtoul(s + 1, NULL, 10);
        box_time(p->box, p->now);
    } else if (s[0] == 'T') {
        box_tls(p->box, s[3] == '>' ? SERVER : CLIENT, s[3] != '!');
    } else if (span_equal(span_drop(word, 1), SPAN_LIT("FIN"))) {
        box_end(p->box, from, false);
    } else if (span_equal(span_drop(word, 1), SPAN_LIT("RST"))) {
        box_end(p->box, from, true);
    } else {
        play_repeated(p, from, unescape_word(s + 1, len - 1, octets));
    }
    play_collect(p);
}

/* False: it went otherwise. */
static bool play_script(const struct script *script)
{
    struct play *p = play_new(script->preset);
    const char *s = script->facts;

    while (*s != '\0') {
        size_t len = strcspn(s, " ");
        play_fact(p, s, len);
        s += len + strspn(s + len, " ");
    }
    if (strcmp(p->log, script->actions) == 0)
        return true;
    print_error("%s (%s):\n%swanted:\n%s\n", script->name, script->preset, p->log,
                script->actions);
    return false;
}

static void test_scripts(void **state)
{
    unsigned failed = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(scripts); i++)
        failed += !play_script(&scripts[i]);
    assert_int_equal(failed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scripts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
