"""What one session will do: everything is drawn from its seed before it begins."""
import random

from canonical import end_of_data

# name: (weight, mode, TLS ends here: no, or what is asked of the upstream)
LISTENERS = {
    "enforce": (34, "enforce", "no"),
    "strict": (8, "enforce", "no"),
    "serial": (10, "enforce", "no"),
    "observe": (24, "observe", "no"),
    "terminate": (12, "enforce", "may"),
    "require": (6, "enforce", "require"),
    "implicit": (6, "enforce", "implicit"),
}
KEYWORDS = [b"PIPELINING", b"SIZE 10485760", b"8BITMIME", b"SMTPUTF8", b"CHUNKING", b"BINARYMIME",
            b"AUTH PLAIN LOGIN", b"STARTTLS", b"DSN", b"ENHANCEDSTATUSCODES", b"VRFY", b"XEXCH50",
            b"PRDR", b"X-UNKNOWN yes", b"HELP", b"ETRN"]
LIKELY = {b"PIPELINING": 0.75, b"CHUNKING": 0.7, b"AUTH PLAIN LOGIN": 0.6, b"8BITMIME": 0.7}
# SMTP smuggling: what some receiver has taken for an end of data
SMUGGLING = [b"\n.\n", b"\r.\r", b"\r.\n", b"\n.\r", b"\n.\r\n", b"\r\n.\n", b"\r.\r\n", b"\r\n.\r",
             b"\r\n\0.\r\n", b"\r\n.\0\r\n", b"\r\n.\r\r\n", b"\r\r\n.\r\r\n", b"\n.\r\r\n",
             b"\n\r.\n\r", b"\r\n. \r\n", b"\r\n.\t\r\n", b"\n\0.\0\n", b"\r\r.\r\r", b"\n\n.\n\n",
             b"\r\n.\0junk\r\n", b"\x8d\x8a\xae\x8d\x8a", b"\xc2\x85.\xc2\x85"]
INNOCENT = [b"text", b"a longer line of text, as mail has them", b"\xc3\xa4\xc3\xb6 utf-8",
            b"\xff\x80", b"=20", b"", b" ", b"\t", b"From x", b"-- "]
DOTS = [b"..", b"...", b".a", b"..\r\n..", b". ", b".\r", b"a.", b"\r\n..\r\n"]
COMMANDS = [b"MAIL FROM:<evil@c.test>", b"RCPT TO:<evil@c.test>", b"DATA", b"QUIT", b"RSET",
            b"VRFY root", b"EXPN staff", b"BDAT 5 LAST", b"STARTTLS", b"EHLO evil.c.test", b"."]


class Command:
    """One thing that the client sends and that has one reply."""

    def __init__(self, kind, line, body=b""):
        self.kind, self.line, self.body = kind, line, body  # greeting line bdat dot auth
        self.verb = line.strip().split(b" ")[0].split(b"\t")[0].upper()
        self.given = self.whole = False  # all of it was about to be given, was given to the kernel
        self.code, self.text = 0, b""

    def octets(self):
        return self.line + (self.body if self.kind == "bdat" else b"")

    def __repr__(self):
        return f"{self.kind} {self.line[:60]!r} -> {self.code or '-'} {self.text[:60]!r}"


class Plan:
    def __init__(self, seed, number):
        self.seed, self.number = seed, number
        self.random = r = random.Random(f"{seed} {number}")
        self.tokens = 0
        names = list(LISTENERS)
        self.listener = r.choices(names, [LISTENERS[n][0] for n in names])[0]
        _, self.mode, self.tls = LISTENERS[self.listener]
        self.address = f"127.{10 + number // 65025 % 200}.{number // 255 % 255}.{1 + number % 255}"
        # how the client behaves
        self.hostile = r.random() < 0.6
        self.pipelines = r.random() < 0.6
        self.glues = r.random() < 0.3  # the next group in one write with the end of the data
        self.early_talker = r.random() < 0.1
        self.segments = r.choice(["whole", "whole", "cuts", "cuts", "slow", "octets"])
        # the mail in one write with DATA, which is an error
        self.eager = self.mode == "enforce" and self.segments == "whole" and r.random() < 0.08
        self.cut = (r.choice(["fin", "fin", "rst", "close"]), int(r.expovariate(1 / 700))) \
            if r.random() < 0.3 else None
        self.groups = self.make_groups()
        self.upstream = UpstreamPlan(r, self)

    def token(self):
        self.tokens += 1
        return b"t%dx%d" % (self.number, self.tokens)

    # ---- commands

    def spelled(self, verb, arg=b""):
        """A command that is to be understood, as clients write it."""
        r = self.random
        line = verb if r.random() < 0.8 else bytes(r.choice([c, c | 32]) for c in verb)
        if arg:
            line += (b" " if r.random() < 0.95 else b"\t") + arg
        if self.hostile and r.random() < 0.1:
            line += r.choice([b" ", b"  ", b"\t"])
        return line + (r.choice([b"\n", b"\r\r\n", b"\r\n"]) if self.hostile and r.random() < 0.15
                       else b"\r\n")

    def mail(self):
        r = self.random
        path = r.choice([b"FROM:<%s@c.test>", b"FROM:<%s@c.test>", b"FROM: <%s@c.test>",
                         b"FROM:%s@c.test"])
        extra = r.choice([b"", b"", b" SIZE=%d" % r.randrange(9999), b" BODY=8BITMIME"])
        return Command("line", self.spelled(b"MAIL", path % self.token() + extra))

    def rcpt(self):
        path = self.random.choice([b"TO:<%s@c.test>", b"TO:<%s@c.test>", b"TO: <%s@c.test>"])
        return Command("line", self.spelled(b"RCPT", path % self.token()))

    def hello(self):
        verb = b"EHLO" if self.random.random() < 0.9 else b"HELO"
        return Command("line", self.spelled(verb, self.token() + b".c.test"))

    def other(self):
        """Something between transactions, right or wrong."""
        r = self.random
        right = [(b"NOOP", self.token()), (b"RSET", b""), (b"VRFY", self.token()),
                 (b"EXPN", self.token()), (b"HELP", self.token()), (b"NOOP", b"")]
        wrong = [b"FOO %s\r\n", b" NOOP %s\r\n", b"NOOP %s\0x\r\n", b"NOOP %s\rx\r\n", b"\r\n",
                 b" \r\n", b"MAIL %s\r\n", b"RCPT TO:%s\r\n", b"RCPT\r\n", b"NOOP %s\xff\r\n",
                 b"N\xc3\xa4 %s\r\n", b"\0\r\n", b"VRFY\r\n", b"vrfy %s\n", b"DATA %s\r\n",
                 b"QUIT %s\r\n", b"EHLO\r\n", b"HLEO %s\r\n", b"LHLO %s\r\n",
                 b"NOOP %s\x01\r\n", b"XCLIENT NAME=%s\r\n", b"BURL %s\r\n", b"TURN\r\n", b".\r\n",
                 b"Subject: %s\r\n", b"\xef\xbb\xbfNOOP %s\r\n", b"NOOP %s" + b"y" * 700 + b"\r\n",
                 b"MAIL FROM:<%s" + b"y" * 3000 + b"@c.test>\n",
                 b"NOOP %s\rMAIL FROM:<evil@c.test>\r\n"]
        if not self.hostile or r.random() < 0.4:
            return Command("line", self.spelled(*r.choice(right)))
        line = r.choice(wrong)
        return Command("line", line % self.token() if b"%s" in line else line)

    # ---- mail data

    def lines(self, parts):
        r = self.random
        out = bytearray()
        for _ in range(r.choice([0, 1, 3, 8, 20])):
            out += r.choice(parts)
            odd = self.hostile and r.random() < 0.3
            out += r.choice([b"", b"\r\n", b"\n", b"\r", b"\r\r\n"]) if odd else b"\r\n"
        if r.random() < 0.1:
            out += b"z" * r.randrange(5000) + b"\r\n"
        if r.random() < 0.01:
            out += (b"a line of a long mail " * 3 + b"\r\n") * r.randrange(6000)
        return bytes(out)

    def body(self):
        """Mail data that ends with a whole line, without an end of data of its own."""
        r = self.random
        parts = list(INNOCENT)
        if r.random() < 0.5:
            parts += COMMANDS[:-1]
        if self.hostile:
            parts += r.choice([[], DOTS, DOTS, SMUGGLING, [r.choice(SMUGGLING)], [b"\0"]])
        out = self.lines(parts)
        if r.random() < 0.9:
            out = b"Subject: " + self.token() + b"\r\n\r\n" + out
        if self.hostile and r.random() < 0.1:
            out = r.choice([b".\n", b".", b"..", b"..\r\n"]) + out
        if self.hostile and r.random() < 0.03:
            out += r.choice(SMUGGLING) + b"MAIL FROM:<evil@c.test>\r\n"
        if out and not out.endswith(b"\r\n"):
            out += b"\r\n"
        while (end := end_of_data(out)) >= 0:
            out = out[:end - 3] + b"." + out[end - 3:]
        return out

    def chunk(self, last):
        content = self.lines(INNOCENT + COMMANDS + SMUGGLING + [b"\r\n"])
        size = b"%d" % len(content)
        if self.hostile and self.random.random() < 0.1:
            size = b"0" + size
        line = b"BDAT " + size + (b" LAST" if last else b"") + b"\r\n"
        return Command("bdat", line, content)

    # ---- the conversation: groups of commands that are sent in one go

    def transaction(self):
        r = self.random
        envelope = [self.mail(), *(self.rcpt() for _ in range(r.choice([1, 1, 2, 5])))]
        if self.hostile and r.random() < 0.15:
            r.shuffle(envelope)
        if r.random() < 0.3:
            n = r.choice([1, 1, 2, 4])
            content = [self.chunk(i == n - 1 and r.random() < 0.95) for i in range(n)]
        else:
            content = [Command("line", self.spelled(b"DATA"))]
            if self.eager:
                content.append(Command("dot", b".\r\n", self.body()))
        if self.hostile and r.random() < 0.2:
            envelope.insert(r.randrange(len(envelope) + 1), self.other())
        return envelope + content

    def auth(self):
        r = self.random
        arg = r.choice([b"PLAIN AGEAYg==", b"PLAIN", b"LOGIN", b"LOGIN YQ==", b"PLAIN =", b"GSSAPI",
                        b""])
        return [Command("line", self.spelled(b"AUTH", arg))]

    def answers(self):
        """Lines to send while an AUTH dialogue goes on."""
        return [b"YWI=\r\n", b"*\r\n", b"QUIT\r\n", b"\r\n", b"MAIL FROM:<evil@c.test>\r\n",
                b"YQ==\n", b"A" * 700 + b"\r\n", b"a\0b\r\n", b"a\rb\r\n"]

    def bad_size(self):
        size = self.random.choice([b"+5", b"-5", b"0x5", b"5K", b"4294967301", b"2147483653",
                                   b"99999999999999999999", b"5 5", b"", b"18446744073709551621"])
        return Command("bdat", b"BDAT " + size + b" LAST\r\n", b"Hi\r\n\nVRFY root\r\n" * 2)

    def cut_into_groups(self, commands):
        r = self.random
        groups, group = [], []
        for command in commands:
            group.append(command)
            waits = command.verb in (b"EHLO", b"HELO", b"AUTH", b"QUIT", b"STARTTLS") \
                or command.verb == (b"." if self.eager else b"DATA")
            if self.eager and command.verb == b"DATA":
                continue
            if waits or not self.pipelines or r.random() < 0.1:
                groups.append(group)
                group = []
        return groups + ([group] if group else [])

    def make_groups(self):
        r = self.random
        out = [[self.hello()]]
        if r.random() < 0.25:
            out += [[Command("line", b"STARTTLS\r\n")], [self.hello()]]
        if r.random() < 0.25:
            out.append(self.auth())
        if r.random() < 0.1:
            out[0] = [self.other() if not self.hostile else self.mail()]
        for _ in range(r.choice([0, 1, 1, 1, 2, 3])):
            if r.random() < 0.3:
                out += self.cut_into_groups([self.other() for _ in range(r.randrange(1, 6))])
            out += self.cut_into_groups(self.transaction())
        if self.hostile and self.mode == "enforce" and r.random() < 0.04:
            return out + [[self.mail()], [self.rcpt()], [self.bad_size()]]
        if r.random() < 0.85:
            out.append([Command("line", self.spelled(b"QUIT"))])
        return out


class UpstreamPlan:
    """How the server behaves."""

    def __init__(self, r, plan):
        self.greeting = r.choices([b"220", b"554", b"421", b"521", b"SSH-2.0", b"", b"close"],
                                  [90, 2, 2, 1, 1, 1, 1])[0]
        self.keywords = [k for k in KEYWORDS if r.random() < LIKELY.get(k, 0.4)]
        if plan.tls in ("may", "require") and r.random() < 0.9 and b"STARTTLS" not in self.keywords:
            self.keywords.append(b"STARTTLS")
        self.refuses = r.choice([0, 0, 0.05, 0.3])
        self.lines = r.choice([0, 0.2])
        self.segments = r.choice(["whole", "whole", "cuts", "octets"])
        self.odd = r.random() < 0.08  # replies with bare LF, without text, with 8-bit octets
        self.data = r.choices([b"354", b"350", b"250", b"550"], [90, 3, 2, 5])[0]
        # at which command, what
        self.trouble = (r.randrange(1, 14), r.choice(
            ["421", "421-unasked", "fin", "rst", "mute", "garbage", "unasked", "early",
             "mid-data-421", "mid-data-552", "mid-data-250", "mid-data-fin", "mid-data-rst",
             "mismatch", "late"])) \
            if r.random() < 0.3 else (0, "")
        self.seed = r.random()
