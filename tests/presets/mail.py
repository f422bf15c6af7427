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
    def __init__(self, address, patience=PATIENCE):
        host, port = address.rsplit(":", 1)
        try:
            self.socket = socket.create_connection((host, int(port)), patience)
        except OSError as e:
            raise Gone(str(e)) from e
        self.socket.settimeout(patience)
        self.held = b""
        self.keywords = {}

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

    def hello(self, name=b"client.example.net"):
        lines = self.say(b"EHLO " + name)
        if lines[0][:3] != b"250":
            lines = self.say(b"HELO " + name)
        self.keywords = {w[0].upper(): w[1:] for w in (line[4:].split() for line in lines[1:]) if w}

    def start_tls(self):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        try:
            self.socket = context.wrap_socket(self.socket, server_hostname="mx.example.org")
        except OSError as e:
            raise Gone(str(e)) from e
        self.held = b""

    def quit(self):
        self.say(b"QUIT")
        self.socket.close()

    def message(self, content, recipients=1):
        """Dots stuffed, in one transaction; the end marker in a write of its own."""
        if self.code(b"MAIL FROM:<alice@example.net>") != b"250":
            return
        for n in range(recipients):
            self.code(b"RCPT TO:<bob%d@example.org>" % n)
        if self.code(b"DATA") != b"354":
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


def mail(name, body):
    return signed(HEADER % (name, name), body)


# ---- sessions ------------------------------------------------------------------------------

def plain_mail(c):
    c.reply()
    c.hello()
    c.message(mail(b"plain", PLAIN))
    c.message(mail(b"again", PLAIN * 40))
    c.quit()


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
    """Six mails that say how long they are, to the octet."""
    c.reply()
    c.hello()
    for n in range(6):
        content = mail(b"sized%d" % n, PLAIN * (n + 1))
        if c.code(b"MAIL FROM:<alice@example.net> SIZE=%d" % len(content)) != b"250":
            break
        c.code(b"RCPT TO:<bob0@example.org>")
        if c.code(b"DATA") != b"354":
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


def over_tls(c):
    c.reply()
    c.hello()
    if c.code(b"STARTTLS") == b"220":
        c.start_tls()
        c.hello()
    c.message(mail(b"tls", PLAIN))
    c.quit()


def split_end(c):
    """The end of data torn between its dot and its line end, as a segment border may do it."""
    c.reply()
    c.hello()
    if c.code(b"MAIL FROM:<alice@example.net>") == b"250":
        c.code(b"RCPT TO:<bob0@example.org>")
        if c.code(b"DATA") == b"354":
            c.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            c.send(mail(b"split", PLAIN) + b".")
            time.sleep(0.05)
            c.send(b"\r\n")
            c.reply()
    c.quit()


SESSIONS = (plain_mail, odd_mail, bare_newlines, probes, many_recipients, pipelined, parameters,
            chunks, over_tls)
# For boxes that look for something special.
SPECIAL = (raw_octets, blank_end, sized, parts, virus, split_end)


def run(address, sessions=SESSIONS, patience=PATIENCE):
    """All of them, one after the other; returns {name: why it ended early}."""
    early = {}
    for session in sessions:
        try:
            session(Client(address, patience))
        except Gone as e:
            early[session.__name__] = str(e)
    return early
