#!/usr/bin/env python3
"""What people see: smtpscope-show over the sample transcript.  test_show.py SHOW SAMPLE"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

SHOW, SAMPLE = sys.argv[1:3]
DEADLINE = 20


class Show(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.dir)
        self.file = os.path.join(self.dir, "t.jsonl")
        subprocess.run([SAMPLE, self.file], check=True)
        with open(self.file, "rb") as f:
            self.lines = f.readlines()
        self.sids = []
        for line in self.lines:
            sid = json.loads(line)["sid"]
            if sid not in self.sids:
                self.sids.append(sid)

    def show(self, *args, code=0, data=None, env=None):
        run = subprocess.run([SHOW, *args], input=data, capture_output=True, timeout=DEADLINE,
                             env={**os.environ, **(env or {})}, check=False)
        self.assertEqual(run.returncode, code, run.stderr)
        self.errors = run.stderr.decode()
        return run.stdout.decode("ascii")

    def write(self, name, lines):
        path = os.path.join(self.dir, name)
        with open(path, "wb") as f:
            f.writelines(lines)
        return path

    def test_reads_as_a_dialogue(self):
        text = self.show(self.file)
        for want in ("<-   220 mx.example.org ESMTP Postfix\n ->  EHLO client.example.org\n",
                     " ->  HLEO client\n     ! looks like a misspelt verb (cmd-typo)\n"
                     "***  refused by smtpscope, never sent on\n<**  500 5.5.1 ",
                     " ->  mail from: <alice@example.org> SIZE=1234 \\n\n"
                     " =>  mail FROM:<alice@example.org> SIZE=1234\\r\\n\n",
                     "<=   250-VRFY\n", "   [after 2.31 s]\n", "AUTH PLAIN ***\n",
                     "***  upstream [2001:db8::5]:25: connection timed out (after 3.00 s)\n",
                     " =>  repaired and sent on as 5051 bytes", "     | Subject: hello\n",
                     "===  ehlo=1 auth=1 mail=1 rcpt=1/2 data=1 commands=5/6\n",
                     "===  QUIT was answered (quit): the client closed first (FIN), after 1.23 s",
                     "swallowed by smtpscope", "70000 bytes in all",
                     " 2000 from the upstream\n ->  GET / HTTP/1.1\n ->  \n"
                     "<-   HTTP/1.1 400\\377\n"):
            self.assertIn(want, text)

    def test_no_octet_reaches_the_terminal_raw(self):
        for color in ("never", "always"):
            text = self.show("--color", color, "--hex", self.file)
            for c in text.replace("\x1b[", "" if color == "always" else "\x1b["):
                self.assertTrue(c == "\n" or " " <= c < "\x7f", repr(c))
            self.assertIn("\\033[2J\\033]0;gotcha\\007\\23331m", text)

    def test_color_is_asked_for(self):
        self.assertNotIn("\x1b", self.show(self.file))
        self.assertNotIn("\x1b", self.show("--color=never", self.file))
        self.assertIn("\x1b[1;31m", self.show("--color=always", self.file, env={"NO_COLOR": "1"}))

    def test_altered_octets_are_coloured(self):
        text = self.show("--color=always", "--verb", "MAIL", self.file)
        self.assertIn("mail \x1b[1;31mfrom: <alice@example.org> SIZE=1234 \x1b[0m\\n\n", text)
        self.assertIn("mail \x1b[32mFROM:<alice@example.org> SIZE=1234\\r\x1b[0m\\n\n", text)

    def test_sessions_are_grouped_or_interleaved(self):
        a, b = self.sids
        grouped = self.show(self.file)
        self.assertEqual(grouped.count("\n\n"), 1)
        self.assertEqual(grouped.count(a[-6:]), 1)
        mixed = self.show("--interleaved", self.file)
        self.assertIn(f"{a[-6:]}  ->  HLEO client\n", mixed)
        self.assertIn(f"{b[-6:]} ***  content refused by smtpscope", mixed)
        self.assertEqual(mixed, self.show("-", data=b"".join(self.lines)))

    def test_signatures(self):
        text = self.show(self.file)
        self.assertIn("\n     ARC arc.example (a): the body is as it was signed\n"
                      "***  DKIM example.org (b): the body was changed after it was signed: "
                      "the last line's end was removed\n"
                      "     DKIM b??.example (): the signature cannot be read\n"
                      "     DKIM example.org (?): signed in a way not known here\n", text)

    def test_findings_are_counted_at_the_end(self):
        lines = [line for line in open(self.file, "rb") if b'"kind":"close"' in line][:1]
        self.assertNotIn(" finding", self.show(self.write("none", lines)))
        for n, words in ((1, b"1 finding  ["), (2, b"2 findings  [")):
            found = lines[0].rstrip()[:-1] + b',"findings":%d}\n' % n
            self.assertIn(", " + words.decode(), self.show(self.write(f"n{n}", [found])))

    def test_filters(self):
        a, b = self.sids
        self.assertNotIn("HLEO", self.show("--session", b, self.file))
        self.assertIn("HLEO", self.show("--session", a[-4:].lower(), self.file))
        self.assertIn("HLEO", self.show("--client", "192.0.2.1", self.file))
        self.assertNotIn("HLEO", self.show("--client", "2001:db8::1", self.file))
        self.assertIn("smuggling", self.show("--client", "2001:db8::1", self.file))
        self.assertEqual("", self.show("--client", "192.0.2.1:4", self.file))
        rcpt = self.show("--verb", "rcpt", self.file)
        self.assertEqual(rcpt.count(" ->  "), 2)
        self.assertIn("session " + a, rcpt)
        self.assertNotIn(b, rcpt)
        noted = self.show("--note", "cmd-typo", self.file)
        self.assertEqual(noted.count(" ->  "), 1)
        self.assertEqual("", self.show("--note", "no-such-note", self.file))
        errors = self.show("--errors", self.file)
        self.assertIn("HLEO", errors)
        self.assertNotIn("carol", errors)

    def test_summary(self):
        text = self.show("--summary", self.file).splitlines()
        self.assertEqual(len(text), 2)
        self.assertIn(" 192.0.2.1:41234 quit after 1.23 s ehlo=1 ", text[1])
        self.assertIn("notes=ehlo-modified,cmd-typo,", text[1])

    def test_hex(self):
        self.assertIn("received  000000  56 52 46 59 20 61 6c 69 63 65 0d 0a              "
                      "VRFY alice..\n", self.show("--hex", "--verb", "VRFY", self.file))

    def test_errors_say_where(self):
        other = self.lines[0].replace(b'"v":1', b'"v":2')
        more = self.lines[0].replace(b'"mode"', b'"mo\\u001bde"')
        wide = self.lines[7].replace(b'"received":"', b'"received":"\xc4\x80')
        self.assertIn(b"\xc4\x80", wide)
        bad = self.write("bad", [self.lines[0], b"nonsense\n", other, more, wide, self.lines[0],
                                 self.lines[1], self.lines[3]])
        text = self.show(bad, code=1)
        self.assertIn("connection timed out", text)
        self.assertIn("***  1 records are missing here\n", text)
        errors = self.errors.splitlines()
        self.assertEqual(len(errors), 5, errors)
        for line, (number, what) in zip(errors, [(2, "not JSON"), (3, '"v" is not 1'),
                                                 (4, 'field "mo\\033de" is not known'),
                                                 (5, "up to U+00FF"), (6, '"n" does not rise')]):
            self.assertTrue(line.startswith(f"{bad}:{number}: "), line)
            self.assertIn(what, line)

    def test_a_cut_last_line_is_told_and_tolerated(self):
        cut = self.write("cut", self.lines[:4] + [self.lines[4][:40]])
        self.assertIn("220 mx", self.show(cut))
        self.assertIn(f"{cut}:5: the last line is cut short (40 bytes", self.errors)

    def test_exit_codes(self):
        self.assertIn("Usage: smtpscope show", self.show("--help"))
        self.show(code=2)
        self.show("--nonsense", self.file, code=2)
        self.show("--color", "blue", self.file, code=2)
        self.show(os.path.join(self.dir, "absent"), code=1)
        self.assertIn("absent: No such file", self.errors)

    def follow(self, *args, **kw):
        p = subprocess.Popen([SHOW, "--follow", *args], stdout=subprocess.PIPE, **kw)
        self.addCleanup(p.stdout.close)
        self.addCleanup(p.wait)
        self.addCleanup(p.kill)
        os.set_blocking(p.stdout.fileno(), False)
        return p

    def wait_for(self, p, want):
        text, end = b"", time.monotonic() + DEADLINE
        while want not in text:
            self.assertLess(time.monotonic(), end, f"{want!r} never came; only {text!r}")
            text += p.stdout.read() or b""
            time.sleep(0.005)
        return text

    def test_follow_sees_more_and_rotation(self):
        path = self.write("grows", self.lines[:3])
        p = self.follow(path)
        self.wait_for(p, b"connected in")
        with open(path, "ab") as f:
            f.write(self.lines[3][:50])
            f.flush()
            time.sleep(0.2)
            f.write(self.lines[3][50:])
        self.wait_for(p, b"220 mx.example.org")
        os.rename(path, path + ".1")
        with open(path + ".1", "ab") as f:
            f.writelines(self.lines[4:6])
        self.write("grows", self.lines[6:8])
        self.wait_for(p, b"EHLO client")
        with open(path, "ab") as f:
            f.writelines(self.lines[8:])
        self.wait_for(p, b"QUIT was answered")
        self.assertIsNone(p.poll())

    def test_follow_a_pipe_to_its_end(self):
        p = self.follow("-", stdin=subprocess.PIPE)
        for line in self.lines[:4]:
            p.stdin.write(line)
            p.stdin.flush()
        self.wait_for(p, b"220 mx")
        p.send_signal(signal.SIGINT)
        for line in self.lines[4:]:
            p.stdin.write(line)
        p.stdin.close()
        self.wait_for(p, b"QUIT was answered")
        self.assertEqual(p.wait(DEADLINE), 0)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
