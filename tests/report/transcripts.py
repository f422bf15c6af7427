"""Transcripts for the tests of smtpscope report, always the same: asa, clean, repaired, hostile;
and far, what was seen behind the box of asa."""
import json

START = 1795424641
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def sid(number):
    """A ULID that counts."""
    text = ""
    for _ in range(16):
        text = ALPHABET[number % 32] + text
        number //= 32
    return "01M83MCDR0" + text


def when(us):
    seconds, rest = divmod(us, 1000000)
    hours, rest_s = divmod(seconds % 86400, 3600)
    return "2026-11-23T%02d:%02d:%02d.%06dZ" % (hours, rest_s // 60, rest_s % 60, rest)


class Session:
    """Records of one session; texts of the wire are str of code points up to 255."""

    def __init__(self, number, vantage="dmz-outside", mode="observe", far=False):
        self.sid, self.vantage, self.n = sid(number), vantage, 0
        self.us = START * 1000000 + number * 250000
        self.begin, self.records = self.us, []
        self.at = 0
        client = "192.0.2.%d:%d" % (number % 200 + 1, 40000 + number % 20000)
        local = "192.0.2.250:%d" % (50000 + number)
        if far:
            client, local = local, "10.0.0.1:%d" % (30000 + number)
        self.add("open", listener="mx", mode=mode, client=client, server="198.51.100.7:25")
        self.add("connect", us=12000 + number % 7 * 100, upstream="10.0.0.5:25" if far else "198.51.100.7:25",
                 local=local)

    def add(self, kind, **fields):
        self.n += 1
        self.us += 1500
        self.records.append(dict(v=1, kind=kind, t=when(self.us), sid=self.sid, n=self.n,
                                 vantage=self.vantage, **fields))
        return self.n

    def greeting(self, reply, **more):
        return self.add("greeting", at=0, origin="upstream", reply=reply, code=220, reply_us=24000, **more)

    def command(self, received, reply, verb=None, us=900, **more):
        words = received.split()
        fields = dict(verb=verb if verb is not None else words[0].upper() if words else "", at=self.at,
                      received=received, action="relayed", origin="upstream", reply=reply,
                      code=int((reply or more["replied"])[:3]), reply_us=us, forward_us=30)
        fields.update(more)
        self.at += len(received)
        return self.add("command", **{k: v for k, v in fields.items() if v is not None})

    def content(self, octets, **more):
        fields = dict(at=self.at, via="data", complete=True, altered=False, refused=False, octets=octets,
                      lines=octets // 60, longest_line=78,
                      endings=dict(crlf=octets // 60, bare_lf=0, crcrlf=0, bare_cr=0), nul=0, eight_bit=0,
                      leading_dots=0, header_octets=300, signed_headers=False, reads=dict(n=1, at=[0]), us=800)
        fields.update(more)
        self.at += octets
        return self.add("content", **fields)

    def finding(self, number, name, severity, record, text, **more):
        fields = dict(id=number, name=name, severity=severity, confidence="high", side="server",
                      record=record, text=text)
        fields.update(more)
        return self.add("finding", **fields)

    def close(self, reason="quit", text="QUIT was answered", error=False, first="client", how="fin"):
        self.add("close", reason=reason, text=text, error=error, first=first, how=how,
                 octets=dict(client_in=self.at, client_out=700, server_in=700, server_out=self.at),
                 us=self.us - self.begin, commands=dict(ehlo="1", mail="1", rcpt="1", data="1", quit="1"))
        return self.records


MASKED = "220 **20***************************2*0\r\n"
KEYWORDS = "250-mx20.example.com\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n250-XXXXXXXA\r\n250-ENHANCEDSTATUSCODES\r\n250 XXXXXXXB\r\n"


def asa_session(number):
    """What a Cisco ASA with `inspect esmtp` leaves of a session."""
    s = Session(number)
    n = s.greeting(MASKED)
    s.finding("SV-01", "banner-mask", "high", n,
              "The greeting is written over with stars: 220 **20***************************2*0",
              confidence="certain", field="reply", at=4, bytes=MASKED[4:38],
              next_test="Connect from inside the firewall, or from another network, and compare the greetings.",
              products=["pix-banner-mask"])
    n = s.command("EHLO client.example.net\r\n", KEYWORDS, us=1400 + number % 50 * 10)
    at = KEYWORDS.index("XXXXXXXA")
    s.finding("SV-02", "ehlo-x-mask", "high", n,
              "2 keywords in the reply to EHLO are written over with X, the first of 8 letters: STARTTLS, 8BITMIME, "
              "CHUNKING or SMTPUTF8.", field="reply", at=at, bytes="XXXXXXXA",
              next_test="Send STARTTLS all the same: 220 says that only the keyword is hidden, an error that the "
              "command is, too.", products=["asa-ehlo-kw-x", "asa-starttls-roundtrip"])
    if number % 3 == 0:
        n = s.command("STARTTLS\r\n", '500 5.5.1 Command unrecognized: "XXXXXXXX"\r\n', us=700, enhanced="5.5.1")
        s.finding("SV-04", "x-echo", "high", n,
                  'The server answers to "XXXXXXXX" where STARTTLS was sent: it is written over with X on its way.',
                  field="reply", at=32, bytes="XXXXXXXX", confidence="certain",
                  next_test="Record the same session on the other side of the box and compare the two.",
                  products=["asa-line-x", "pix-verb-x"])
    s.command("MAIL FROM:<a@example.net> SIZE=4100\r\n", "250 2.1.0 Ok\r\n", us=2100)
    for i in range(6 if number == 3 else 1):
        s.command("RCPT TO:<b%d@example.com>\r\n" % i, "250 2.1.5 Ok\r\n", us=3200 + number % 90 * 100)
    s.command("DATA\r\n", "354 End data with <CR><LF>.<CR><LF>\r\n", us=800)
    s.content(4100)
    s.command(".\r\n", "250 2.0.0 Ok: queued as 4VWX\r\n", us=42000 + number % 31 * 9000, verb=".")
    s.command("QUIT\r\n", "221 2.0.0 Bye\r\n")
    return s.close()


def far_session(number):
    """The same session behind the box."""
    s = Session(number + 500000, vantage="dmz-inside", far=True)
    s.us = START * 1000000 + number * 250000 + 4500
    s.records[0]["client"] = "192.0.2.250:%d" % (50000 + number)
    s.greeting("220 mx20.example.com ESMTP Postfix 2.0\r\n")
    s.command("EHLO client.example.net\r\n", KEYWORDS.replace("XXXXXXXA", "STARTTLS").replace("XXXXXXXB", "CHUNKING"))
    if number % 3 == 0:
        s.command("XXXXXXXX\r\n", '500 5.5.1 Command unrecognized: "XXXXXXXX"\r\n', verb="", enhanced="5.5.1")
    s.command("MAIL FROM:<a@example.net> SIZE=4100\r\n", "250 2.1.0 Ok\r\n")
    for i in range(5 if number == 3 else 1):
        s.command("RCPT TO:<b%d@example.com>\r\n" % i, "250 2.1.5 Ok\r\n")
    s.command("DATA\r\n", "354 End data with <CR><LF>.<CR><LF>\r\n")
    s.content(4100)
    s.command(".\r\n", "250 2.0.0 Ok: queued as 4VWX\r\n", verb=".")
    s.command("QUIT\r\n", "221 2.0.0 Bye\r\n")
    return s.close()


def far(count=40):
    return [r for i in range(count) for r in far_session(i)]


def asa(count=40):
    return [r for i in range(count) for r in asa_session(i)]


def clean_session(number):
    s = Session(number)
    s.greeting("220 mx.example.com ESMTP\r\n")
    s.command("EHLO client.example.net\r\n", "250-mx.example.com\r\n250-PIPELINING\r\n250 SIZE 10240000\r\n")
    s.command("MAIL FROM:<a@example.net>\r\n", "250 2.1.0 Ok\r\n")
    s.command("RCPT TO:<b@example.com>\r\n", "250 2.1.5 Ok\r\n")
    s.command("DATA\r\n", "354 go\r\n")
    s.content(900)
    s.command(".\r\n", "250 2.0.0 Ok\r\n", us=21000, verb=".")
    s.command("QUIT\r\n", "221 2.0.0 Bye\r\n")
    return s.close()


def clean(count=5):
    return [r for i in range(count) for r in clean_session(i)]


def repaired():
    """All that smtpscope itself does: rewrites, refuses, answers; TLS and an upstream that is down."""
    s = Session(7, mode="enforce")
    s.add("tls", side="client", how="implicit", ok=True, us=15400, version="TLSv1.3",
          cipher="TLS_AES_256_GCM_SHA384", server_name="mx.example.com")
    s.add("tls", side="server", how="starttls", ok=False, us=9000, failure="expired",
          text="the certificate has expired")
    s.greeting("220 mx.example.com ESMTP\r\n")
    s.command("EHLO client.example.net\r\n", "250-mx.example.com\r\n250-VRFY\r\n250-EXPN\r\n250 SIZE 1000\r\n",
              replied="250-mx.example.com\r\n250 SIZE 1000\r\n")
    s.command("MAIL FROM:<a@example.net>\n", "250 2.1.0 Ok\r\n", action="rewritten",
              forwarded="MAIL FROM:<a@example.net>\r\n", notes=[dict(id="cmd-bare-lf", at=24, count=1)])
    s.command("HLEO me\r\n", None, verb="", action="refused", origin="proxy",
              replied="500 5.5.1 Unknown command (did you mean HELO?)\r\n",
              forward_us=None, notes=[dict(id="cmd-typo", at=0, count=1)])
    s.command("VRFY root\r\n", None, action="stripped", origin="proxy",
              replied="252 2.5.0 Cannot verify\r\n", forward_us=None)
    s.command("AUTH PLAIN ***\r\n", "535 5.7.8 No\r\n", redacted=[dict(at=11, octets=24)])
    s.content(5000, altered=True, octets_sent=5005, endings=dict(crlf=10, bare_lf=5, crcrlf=0, bare_cr=0),
              notes=[dict(id="data-bare-lf", at=77, count=5)])
    s.add("opaque", why="STARTTLS passed through", octets=dict(client=12345, server=67890))
    return s.close("upstream-reset", "the upstream reset the connection", True, "server", "reset")


HOSTILE = ['</title><script>alert(1)</script>', '"><img src=x onerror=alert(1)>', "' onmouseover='x",
           "<!--", "]]>", "</style><style>*{display:none}", "&amp;&lt;&#60;", "\u0080\u009b31m\u00ff",
           "\x1b]0;x\x07\x1b[2J", "\r\n<h1>", "\u00e2\u0080\u00ae", "A" * 3000]


def hostile():
    """Peers, and a file, that want to be markup."""
    records = []
    for i, text in enumerate(HOSTILE):
        s = Session(i, vantage="x" + text[:60].replace("\x00", ""))
        n = s.greeting("220 " + text + "\r\n")
        octets = "".join(map(chr, range(256)))
        s.command("EHLO " + text + octets + "\r\n", "250 " + octets + text + "\r\n", verb="EHLO")
        m = s.command(text + "\r\n", "500 " + text + "\r\n", verb=text[:10])
        s.finding("SV-%02d" % (50 + i), "made-up", "critical", n, "text " + text[:300], field="reply", at=2,
                  bytes=("220 " + text)[2:60], next_test=text[:200], products=[text[:40], "pix-verb-x"])
        s.finding("SV-13", "foreign-reply", "low", m, "\u202etxet" + text[:100], field="no<such>", at=999999,
                  bytes="\x00\xff<>", confidence="low", side="unknown")
        s.finding("SV-01", "banner-mask", "high", 4000000, "points nowhere", field="reply", at=2 ** 53,
                  bytes="", side="client")
        records += s.close("quit", text, False)
    return records


def write(path, records):
    with open(path, "w", encoding="utf-8") as out:
        for record in records:
            out.write(json.dumps(record, ensure_ascii=False) + "\n")


ALL = {"asa": asa, "far": far, "clean": clean, "repaired": repaired, "hostile": hostile}
