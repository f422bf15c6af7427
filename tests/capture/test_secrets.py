#!/usr/bin/env python3
"""A secret that a capture holds is in no output of any program.  test_secrets.py PROGRAMS

Each dialogue gives the same secret away, at other places; the server repeats it in each way. What
import makes of it goes through show, show --hex, report, export and diff: none of them, nor what
they say on standard error, holds eight octets in a row of it, in any usual encoding and case.
"""
import base64
import os
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

import wire  # noqa: E402
from wire import Talk  # noqa: E402

PROGRAMS = sys.argv.pop(1)
SECRET = b"wq7Lz+Kd3=Vb9%Xt2&Hm5/Rj"
WINDOW = 8
CODED = base64.b64encode(b"\0bob\0" + SECRET)
GREETING, EHLO = b"220 mx.test ESMTP\r\n", b"EHLO c.test\r\n"
OFFER = b"250-mx.test\r\n250-PIPELINING\r\n250 AUTH PLAIN LOGIN\r\n"


def escaped(octets, mark, every):
    return b"".join(b"%c%02X" % (mark, c) if every or not chr(c).isalnum() else bytes([c])
                    for c in octets)


def encodings(octets):
    yield octets
    yield octets.hex().encode()
    yield escaped(octets, ord("%"), True)
    for mark in b"+%=":
        yield escaped(octets, mark, False)
    for before in range(3):
        letters = base64.b64encode(b"\0" * before + octets)
        first = (before * 8 + 5) // 6
        yield letters[first:(before + len(octets)) * 8 // 6]


FORBIDDEN = sorted({e.lower() for at in range(len(SECRET) - WINDOW + 1)
                    for e in encodings(SECRET[at:at + WINDOW])})


def found(text):
    text = text.lower()
    return [p for p in FORBIDDEN if p in text]


def greeted():
    return Talk().hello().server(GREETING).client(EHLO).server(OFFER)


def refused(line, *more):
    """An attempt that is refused, then other lines."""
    talk = greeted().client(line + b"\r\n").server(b"535 5.7.8 no\r\n")
    for one in more:
        talk.client(one + b"\r\n").server(b"500 5.5.1 what?\r\n")
    return talk.bye()


def echoed(reply):
    """The reply to an attempt, and once more to the command behind it."""
    return (greeted().client(b"AUTH PLAIN " + CODED + b"\r\n").server(reply)
            .client(b"NOOP\r\n").server(reply).bye())


DIALOGUES = {
    "AUTH PLAIN": refused(b"AUTH PLAIN " + CODED),
    "no mechanism": refused(b"AUTH " + SECRET),
    "a bare CR": refused(b"EHLO x\rAUTH PLAIN " + CODED),
    "C:": refused(b"C: AUTH PLAIN " + CODED),
    "a byte order mark": refused(b"\xef\xbb\xbfAUTH PLAIN " + CODED),
    "glued": refused(b"AUTHPLAIN " + CODED),
    "third line": refused(b"AUTH LOGIN", b"x", b"y", CODED, SECRET),
    "behind RSET": refused(b"AUTH LOGIN", b"RSET", SECRET),
    "NOOP": refused(b"AUTH LOGIN", b"NOOP " + SECRET, b"VRFY " + CODED),
    "overlong": refused(b"AUTH LOGIN", SECRET * 60),
    "POP": refused(b"USER bob", b"PASS " + SECRET),
    "IMAP": refused(b"a1 LOGIN bob " + SECRET),
    "unfinished": greeted().client(b"AUTH LOGIN\r\n").server(b"334 VXNlcm5hbWU6\r\n")
    .client(CODED * 20).bye(),
    "never greeted": Talk().hello().client(EHLO + b"AUTH PLAIN " + CODED + b"\r\n").bye(),
    "334 stands before AUTH": greeted().server(b"334 VXNlcm5hbWU6\r\n")
    .client(b"AUTH LOGIN\r\n").client(b"Ym9i\r\n").server(b"334 UGFzc3dvcmQ6\r\n")
    .client(base64.b64encode(SECRET) + b"\r\n").server(b"235 2.7.0 ok\r\n").bye(),
    "a server that echoes": Talk().hello().client(b"AUTH PLAIN " + CODED + b"\r\n")
    .server(b"AUTH PLAIN " + CODED + b"\r\n").bye(),
    "behind a held line": greeted().client(EHLO + b"AUTH PLAIN " + CODED + b"\r\n")
    .server(b"250 " + CODED + b"\r\n").bye(),
}
for name, text in {"whole": CODED, "cut": CODED[3:30], "upper": CODED.upper(), "raw": SECRET,
                   "lower": SECRET.lower(), "hex": SECRET.hex().encode(),
                   "xtext": escaped(SECRET, ord("+"), False), "piece": SECRET[7:16],
                   "percent": escaped(SECRET, ord("%"), True),
                   "base64": base64.b64encode(SECRET[5:])}.items():
    DIALOGUES["echo, " + name] = echoed(b"535 5.7.8 not \"" + text + b"\"\r\n")
DIALOGUES["echo, wrapped"] = echoed(b"535-5.7.8 " + CODED[:17] + b"\r\n535 5.7.8 " + CODED[17:] +
                                    b"\r\n")


class Secrets(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def run_tool(self, tool, *args, data=None, codes=(0,)):
        got = subprocess.run([os.path.join(PROGRAMS, "smtpscope-" + tool), *args], input=data,
                             capture_output=True, check=False, timeout=60)
        self.assertIn(got.returncode, codes, got.stderr)
        for text in (got.stdout, got.stderr):
            self.assertEqual(found(text), [], f"{tool} {args}: {text.decode('latin-1')}")
        return got.stdout

    def path(self, name, octets=None):
        path = os.path.join(self.folder, name)
        if octets is not None:
            with open(path, "wb") as f:
                f.write(octets)
        return path

    def written(self, name):
        with open(self.path(name), "rb") as f:
            self.assertEqual(found(f.read()), [], name)

    def transcript(self, talk, name):
        number, frames = wire.framed(talk.packets, "raw")
        out = self.run_tool("import", "-", data=wire.FORMS["pcap"](frames, number))
        self.assertIn(b'"kind":"close"', out)
        return self.path(name, out)

    def test_the_oracle(self):
        for text in (CODED, SECRET.upper(), SECRET[3:11].hex().encode(), b"x" + CODED[9:25]):
            self.assertTrue(found(text), text)
        self.assertFalse(found(b"AUTH PLAIN *** 535 5.7.8 no"))

    def test_every_program(self):
        other = self.transcript(refused(b"AUTH PLAIN x"), "other")
        for name, talk in DIALOGUES.items():
            with self.subTest(name):
                near = self.transcript(talk, "near")
                self.run_tool("show", near)
                self.run_tool("show", "--hex", near)
                self.run_tool("report", near, "--html", self.path("page"), codes=(0, 1))
                self.written("page")
                self.run_tool("export", near, "--pcapng", self.path("pcapng"))
                self.written("pcapng")
                for far in (other, near):
                    self.run_tool("diff", near, far, codes=(0, 1))
                    self.run_tool("diff", "--json", far, near, codes=(0, 1))


if __name__ == "__main__":
    unittest.main()
