"""What is sent through a box: sessions that touch what boxes are known to damage.

Every session is a function over a Client; none of them fails because of a box, they go on as a
patient client would. Mail is the same each time: what differs behind the box, the box did.
"""
import base64
import hashlib
import re
import socket
import ssl
import time

PATIENCE = 3.0  # seconds for a reply


class Gone(Exception):
    """The other side closed, reset, or is silent."""


class Client:
    """name: what it says in EHLO; sessions that say the same, one right behind the other, are told
    apart by nothing but their times."""

    def __init__(self, address, patience=PATIENCE, name="client.example.net"):
        self.address, self.patience, self.keywords = address, patience, {}
        self.name = name.encode()
        self.connect()

    def connect(self):
        host, port = self.address.rsplit(":", 1)
        try:
            self.socket = socket.create_connection((host, int(port)), self.patience)
        except OSError as e:
            raise Gone(str(e)) from e
        self.socket.settimeout(self.patience)
        self.held = b""

    def send(self, octets):
        try:
            self.socket.sendall(octets)
        except OSError as e:
            raise Gone(str(e)) from e

    def line(self):
        while b"\n" not in self.held:
            try:
                got = self.socket.recv(65536)
            except OSError as e:
                raise Gone(str(e)) from e
            if not got:
                raise Gone("closed")
            self.held += got
        line, self.held = self.held.split(b"\n", 1)
        return line.rstrip(b"\r")

    def reply(self):
        lines = [self.line()]
        while lines[-1][3:4] == b"-":
            lines.append(self.line())
        return lines

    def say(self, command):
        self.send(command + b"\r\n")
        return self.reply()

    def code(self, command):
        return self.say(command)[-1][:3]

    def hello(self):
        lines = self.say(b"EHLO " + self.name)
        if lines[0][:3] != b"250":
            lines = self.say(b"HELO " + self.name)
        self.keywords = {w[0].upper(): w[1:] for w in (line[4:].split() for line in lines[1:]) if w}

    def start_tls(self, newest=ssl.TLSVersion.TLSv1_3):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.maximum_version = newest
        try:
            self.socket = context.wrap_socket(self.socket, server_hostname="mx.example.org")
        except OSError as e:
            raise Gone(str(e)) from e
        self.held = b""

    def quit(self):
        """The server closes first, always."""
        self.say(b"QUIT")
        self.wait_for_end()

    def wait_for_end(self):
        try:
            while self.socket.recv(65536):
                pass
        except OSError as e:
            raise Gone(str(e)) from e

    def begin_data(self, recipients=1, parameters=b""):
        """A transaction up to its mail data. False: that is not taken."""
        if self.code(b"MAIL FROM:<alice@example.net>" + parameters) != b"250":
            return False
        for n in range(recipients):
            self.code(b"RCPT TO:<bob%d@example.org>" % n)
        return self.code(b"DATA") == b"354"

    def message(self, content, recipients=1):
        """Dots stuffed, in one transaction; the end marker in a write of its own."""
        if not self.begin_data(recipients):
            return
        self.send(re.sub(rb"(?m)^\.", b"..", content) + b".\r\n")
        self.reply()


# ---- mail ----------------------------------------------------------------------------------
HEADER = (b"From: Alice <alice@example.net>\r\nTo: Bob <bob0@example.org>\r\n"
          b"Subject: %s\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000\r\n"
          b"Message-ID: <%s@example.net>\r\nMIME-Version: 1.0\r\n"
          b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n")
PLAIN = b"Good morning,\r\n\r\nthe report is attached to nothing.\r\n\r\n-- \r\nAlice\r\n"
ODD = (b"a line with a tab\there and blanks at its end   \r\n"
       b".a line that begins with a dot\r\n..two dots\r\n.\r\nbehind a dot alone\r\n"
       + "Grüße, naïve café, 日本\r\n".encode() +
       b"\x01\x02 control \x1b[0m \x7f\r\nFrom here on it is quiet.\r\n")
LONG = b"".join(bytes([97 + i % 26]) * n + b"\r\n"
                for i, n in enumerate((78, 200, 512, 900, 989, 990, 991, 997, 998, 1022, 2000, 4100, 9000)))


def signed(header, body):
    """With the body hash of a DKIM signature; nobody here checks the signature itself."""
    canonical = body.rstrip(b"\r\n") + b"\r\n"
    digest = base64.b64encode(hashlib.sha256(canonical).digest())
    return (b"DKIM-Signature: v=1; a=rsa-sha256; c=simple/simple; d=example.net; s=demo;\r\n"
            b" h=From:To:Subject; bh=" + digest + b";\r\n b=AAAA\r\n" + header + b"\r\n" + body)


def mail(name, body, more=b""):
    return signed(HEADER % (name, name) + more, body)


# ---- sessions ------------------------------------------------------------------------------

def plain_mail(c):
    c.reply()
    c.hello()
    c.message(mail(b"plain", PLAIN))
    c.message(mail(b"again", PLAIN * 40))
    c.quit()


def greeting(c):
    """Silent until the other side ends it. Where that came before the greeting could be read (who
    is faster is chance) it is tried again."""
    for _ in range(50):
        try:
            heard = c.reply()[-1][:3] == b"220"
        except Gone:
            heard = False
        if heard:
            break
        c.socket.close()
        c.connect()
    c.wait_for_end()


def odd_mail(c):
    c.reply()
    c.hello()
    c.message(mail(b"odd", ODD))
    c.message(mail(b"long", LONG))
    c.quit()


def bare_newlines(c):
    c.reply()
    c.hello()
    c.message(mail(b"bare", b"one\ntwo\nthree\r\nfour\rfive\r\n"))
    c.quit()


def probes(c):
    """Verbs that boxes filter; STARTTLS is last: whoever says 220 gets no hello."""
    c.reply()
    c.hello()
    for command in (b"HELP", b"VRFY bob", b"EXPN staff", b"XPROBE one two", b"NOOP", b"RSET"):
        c.code(command)
    c.quit()


def raw_octets(c):
    """NUL and the end of file of old systems, which servers refuse; what arrives is seen."""
    c.reply()
    c.hello()
    c.message(mail(b"raw", b"a NUL \0 here\r\nan end of file \x1a there\r\nand more\r\n"))
    c.quit()


def blank_end(c):
    c.reply()
    c.hello()
    c.message(HEADER % (b"blank", b"blank") + b"\r\ntext\r\n\r\n\r\n\r\n")
    c.quit()


def sized(c):
    """Six mails that say how long they are, to the octet, and what they were made with."""
    c.reply()
    c.hello()
    for n in range(6):
        content = mail(b"sized%d" % n, PLAIN * (n + 1), b"X-Mailer: presets 1.0\r\n")
        if not c.begin_data(parameters=b" SIZE=%d" % len(content)):
            break
        c.send(re.sub(rb"(?m)^\.", b"..", content) + b".\r\n")
        c.reply()
    c.quit()


def parts(c):
    """Two parts, one of them an attachment."""
    c.reply()
    c.hello()
    c.message(signed((HEADER % (b"parts", b"parts")).replace(
        b"text/plain; charset=utf-8", b'multipart/mixed; boundary="b"'),
        b"--b\r\nContent-Type: text/plain\r\n\r\nsee below\r\n--b\r\n"
        b'Content-Type: application/octet-stream; name="report.exe"\r\n'
        b'Content-Disposition: attachment; filename="report.exe"\r\n'
        b"Content-Transfer-Encoding: base64\r\n\r\nTVqQAAMAAAAEAAAA\r\n--b--\r\n"))
    c.quit()


def virus(c):
    """The EICAR test string, which scanners take for a virus and which is none."""
    c.reply()
    c.hello()
    c.message(HEADER % (b"virus", b"virus") + b"\r\nX5O!P%@AP[4\\PZX54(P^)7CC)7}$"
              b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*\r\n")
    c.quit()


def many_recipients(c):
    c.reply()
    c.hello()
    c.message(mail(b"many", PLAIN), recipients=60)
    c.quit()


def pipelined(c):
    c.reply()
    c.hello()
    c.send(b"MAIL FROM:<alice@example.net>\r\nRCPT TO:<bob0@example.org>\r\n"
           b"RCPT TO:<bob1@example.org>\r\nDATA\r\n")
    for _ in range(3):
        c.reply()
    if c.reply()[-1][:3] == b"354":
        c.send(mail(b"pipelined", PLAIN) + b".\r\n")
        c.reply()
    c.quit()


def parameters(c):
    c.reply()
    c.hello()
    c.code(b"MAIL FROM:<Alice.MiXeD@Example.NET> SIZE=1000 BODY=8BITMIME")
    c.code(b"RCPT TO:<bob|pipe@example.org>")
    c.code(b"RSET")
    c.quit()


def chunks(c):
    c.reply()
    c.hello()
    if c.code(b"MAIL FROM:<alice@example.net>") == b"250":
        c.code(b"RCPT TO:<bob0@example.org>")
        body = mail(b"chunks", PLAIN + b"last\r\n")
        c.send(b"BDAT %d\r\n" % (len(body) - 6) + body[:-6])
        if c.reply()[-1][:3] == b"250":
            c.send(b"BDAT 6 LAST\r\nlast\r\n")
            c.reply()
    c.quit()


def two_in_chunks(c, pipelined=False):
    """Two messages in one session, each in chunks."""
    c.reply()
    c.hello()
    for n in range(2):
        body = mail(b"chunks%d" % n, PLAIN)
        sent = (b"MAIL FROM:<alice@example.net>\r\n", b"RCPT TO:<bob0@example.org>\r\n",
                b"BDAT %d LAST\r\n" % len(body) + body)
        for part in [b"".join(sent)] if pipelined else sent:
            c.send(part)
            for _ in range(3 if pipelined else 1):
                c.reply()
    c.quit()


def two_in_chunks_at_once(c):
    """Each with its commands in one write (RFC 3030 4.2)."""
    two_in_chunks(c, True)


def over_tls(c, newest=ssl.TLSVersion.TLSv1_3):
    c.reply()
    c.hello()
    if c.code(b"STARTTLS") == b"220":
        c.start_tls(newest)
        c.hello()
    c.message(mail(b"tls", PLAIN))
    c.quit()


def over_tls12(c):
    """The certificate passes in the clear, as it does not in TLS 1.3."""
    over_tls(c, ssl.TLSVersion.TLSv1_2)


def idle(c):
    """As silent as patient, then a command."""
    c.reply()
    c.hello()
    time.sleep(c.patience)
    c.code(b"NOOP")
    c.quit()


def slow_mail(c):
    """A message that takes a second to be sent."""
    c.reply()
    c.hello()
    if c.begin_data():
        content = mail(b"slow", PLAIN * 4) + b".\r\n"
        for at in range(0, len(content), len(content) // 5):
            c.send(content[at:at + len(content) // 5])
            time.sleep(0.2)
        c.reply()
    c.quit()


def names_content_type(c):
    """The signature's list of headers holds one that some boxes take for the header itself."""
    c.reply()
    c.hello()
    c.message(mail(b"listed", PLAIN).replace(b"h=From:To:Subject;",
                                             b"h=From:To:Subject:Content-Type;"))
    c.quit()


def loose(c):
    """As nobody should write commands, and as servers take them."""
    c.reply()
    c.hello()
    c.code(b"mail  from:<alice@example.net>   size=100")
    c.code(b"Rcpt To:  <bob0@example.org>")
    c.code(b"RSET")
    c.quit()


def dots_at_reads(c):
    """Stuffed dots that are the first octets of a segment."""
    c.reply()
    c.hello()
    if c.begin_data():
        c.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in (mail(b"dots", PLAIN), b"..first\r\n", b"..second\r\n", b".\r\n"):
            c.send(piece)
            time.sleep(0.05)
        c.reply()
    c.quit()


def in_pieces(c):
    """Commands as somebody types them."""
    c.reply()
    c.hello()
    for pieces in (b"NO", b"OP\r\n"), (b"MAIL ", b"FROM:<alice", b"@example.net>\r\n"):
        for piece in pieces:
            c.send(piece)
            time.sleep(0.2)
        c.reply()
    c.quit()


def split_end(c):
    """The end of data torn between its dot and its line end, as a segment border may do it; with
    HELO, which the boxes that cannot follow let pass."""
    c.reply()
    c.say(b"HELO " + c.name)
    if c.begin_data():
        c.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        c.send(mail(b"split", PLAIN) + b".")
        time.sleep(0.05)
        c.send(b"\r\n")
        c.reply()
    c.quit()


SESSIONS = (plain_mail, odd_mail, bare_newlines, probes, many_recipients, pipelined, parameters,
            chunks, over_tls)
# For boxes that look for something special.
SPECIAL = (raw_octets, blank_end, sized, parts, virus, split_end, two_in_chunks, over_tls12,
           idle, slow_mail, in_pieces, greeting, names_content_type, loose, dots_at_reads,
           two_in_chunks_at_once)


def play(address, session, patience=PATIENCE, number=0):
    """One of them; returns why it ended early, None: it did not."""
    try:
        client = Client(address, patience, f"client{number}.example.net")
    except Gone as e:
        return str(e)
    try:
        session(client)
    except Gone as e:
        return str(e)
    finally:
        client.socket.close()
    return None


def run(address, sessions=SESSIONS, patience=PATIENCE):
    """All of them, one after the other; returns {name: why it ended early}."""
    played = {session.__name__: play(address, session, patience, number)
              for number, session in enumerate(sessions)}
    return {name: why for name, why in played.items() if why is not None}
