#!/usr/bin/env python3
"""TLS as people see it: smtpscope-show over sample_tls.  test_show_tls.py SHOW SAMPLE"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

SHOW, SAMPLE = sys.argv[1:3]
NAMES = ("both", "through", "starttls", "upstream", "client", "pin")
CERTIFICATE = "     certificate: CN=mx.example.org, issued by O=Example,CN=Test CA, "
SENT = "   [sent by smtpscope itself]\n"
ENDS = "the client closed first, after 9.0 ms  [client 0 in, 0 out; upstream 0 in, 0 out]\n"
CONNECTED = "===  upstream 10.0.0.5:25 connected in 210 us\n"
DIALOGUE = {
    "both":
        "===  2026-11-23 09:04:01.000000 UTC  session SID\n"
        "===  198.51.100.9:41234 -> 192.0.2.2:25, meant for 198.51.100.7:25, by way of "
        "10.0.0.9:5000 (PROXY v2)  (listener mx, enforce, at dmz)\n"
        "===  TLS with the client: TLSv1.3 TLS_AES_256_GCM_SHA384, asked for mx.example.org, "
        "ALPN smtp, resumed  [3.2 ms]\n" + CONNECTED +
        " =>  EHLO scope.example.org" + SENT +
        "<=   250-mx.example.org\n"
        "<=   250 STARTTLS\n"
        " =>  STARTTLS" + SENT +
        "<=   220 2.0.0 go on\n"
        "===  TLS with the upstream: TLSv1.3 TLS_AES_128_GCM_SHA256, asked for mx.example.org"
        "  [3.2 ms]\n" + CERTIFICATE + "valid until 2026-12-31T23:59:59Z, verified\n"
        " =~> XCLIENT ADDR=198.51.100.9" + SENT +
        "<~=  220 mx for you\n"
        "<=   220 mx.example.org ESMTP\n"
        "<~   220 mx for you\n"
        " ~>  EHLO client\n"
        "<~=  250-mx.example.org\n"
        "<~=  250 XCLIENT ADDR\n"
        "<~   250 mx.example.org\n"
        " ~>  MAIL FROM:<a@x.test>\\n\n"
        " =~> MAIL FROM:<a@x.test>\\r\\n\n"
        "<~   250 Ok\n"
        " ~>  VRFY a\n"
        "***  answered by smtpscope on purpose, never sent on\n"
        "<~*  252 2.5.0 Cannot verify\n"
        " ~>  [content: 5 bytes, lines: 1, in 0 us]\n"
        " =~> repaired and sent on as 6 bytes\n"
        " ~>  QUIT\n"
        "<~   221 Bye\n"
        "===  QUIT was answered (quit): " + ENDS,
    "through":
        "===  2026-11-23 09:04:01.000700 UTC  session SID\n"
        "===  192.0.2.1:2 -> 192.0.2.2:25  (listener mx, enforce, at dmz)\n" + CONNECTED +
        "<-   220 mx.example.org ESMTP\n"
        " ->  STARTTLS\n"
        "<-   220 go on\n"
        "===  TLS passed through: TLSv1.2 ECDHE-RSA-AES128-GCM-SHA256, asked for mx.example.org"
        "  [5.0 ms]\n" + CERTIFICATE + "expired 2026-03-01T12:00:00Z\n"
        "===  from here on relayed unread (starttls): 1000 bytes from the client, 2000 from "
        "the upstream\n"
        "===  the stream after STARTTLS ended (opaque-end): " + ENDS,
    "starttls":
        "===  2026-11-23 09:04:01.001600 UTC  session SID\n"
        "===  192.0.2.1:5 -> 192.0.2.2:25  (listener mx, enforce, at dmz)\n" + CONNECTED +
        "<-   220 mx.example.org ESMTP\n"
        "===  TLS with the upstream: TLSv1.2 ECDHE-RSA-AES128-GCM-SHA256  [3.2 ms]\n"
        " ->  STARTTLS\n"
        "<=   220 2.0.0 go on\n"
        "<**  220 2.0.0 Ready to start TLS\n"
        "===  TLS with the client: TLSv1.2 ECDHE-RSA-AES128-GCM-SHA256  [3.2 ms]\n"
        " ~>  NOOP\n"
        "<~=  250\n"
        "<~   250 \n"
        "===  QUIT was answered (quit): " + ENDS,
    "upstream":
        "===  2026-11-23 09:04:01.002300 UTC  session SID\n"
        "===  192.0.2.1:3 -> 192.0.2.2:25  (listener mx, enforce, at dmz)\n" + CONNECTED +
        "<-   220 mx.example.org ESMTP\n"
        "***  TLS with the upstream failed: the certificate's issuer is not trusted, TLSv1.3, "
        "asked for mx.example.org  [3.2 ms]\n" +
        CERTIFICATE + "valid until 2026-12-31T23:59:59Z, not verified: unable to get local "
        "issuer certificate\n"
        " ->  STARTTLS\n"
        "<=   220 2.0.0 go on\n"
        "<**  454 4.7.0 no TLS\n"
        "***  TLS with the upstream failed (upstream-tls): " + ENDS,
    "client":
        "===  2026-11-23 09:04:01.002800 UTC  session SID\n"
        "===  192.0.2.1:4 -> 192.0.2.2:25  (listener mx, enforce, at dmz)\n"
        "***  TLS with the client failed: the connection was reset during the "
        "handshake (after the ClientHello), asked for mx.example.org  [3.2 ms]\n"
        "***  TLS with the client failed (client-tls): " + ENDS,
    "pin":
        "===  2026-11-23 09:04:01.003000 UTC  session SID\n"
        "===  10.0.0.9:5001 -> 192.0.2.2:25, the balancer itself (PROXY v1 LOCAL)  (listener "
        "mx, enforce, at dmz)\n"
        "***  TLS with the upstream failed: the certificate's key is not the one expected "
        "(1 expected), TLSv1.2  [3.2 ms]\n" +
        CERTIFICATE + "not valid before 2026-12-01T00:00:00Z, not verified\n"
        "     certificate SHA-256 " + "0123456789abcdef" * 4 + "\n"
        "     key SHA-256 " + "fedcba9876543210" * 4 + "\n"
        "***  TLS with the upstream failed (upstream-tls): " + ENDS,
}


class ShowTls(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.dir = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.dir)
        self.file = os.path.join(self.dir, "t.jsonl")
        subprocess.run([SAMPLE, self.file], check=True)
        with open(self.file, "rb") as f:
            self.lines = f.readlines()
        self.sids = dict(zip(NAMES, dict.fromkeys(json.loads(line)["sid"] for line in self.lines)))
        self.assertEqual(len(self.sids), len(NAMES))

    def show(self, *args, data=None):
        run = subprocess.run([SHOW, *args], input=data, capture_output=True, timeout=20,
                             check=False)
        self.assertEqual((run.returncode, run.stderr), (0, b""))
        return run.stdout.decode("ascii")

    def dialogue(self, name):
        return DIALOGUE[name].replace("SID", self.sids[name])

    def test_each_session(self):
        for name, sid in self.sids.items():
            with self.subTest(name):
                self.assertEqual(self.dialogue(name), self.show("--session", sid, self.file))

    def test_grouped(self):
        """`both` and `through` are interleaved in the file: neither marks the other's lines."""
        want = "\n".join(self.dialogue(name) for name in NAMES)
        self.assertEqual(want.splitlines(), self.show(self.file).splitlines())

    def test_interleaved(self):
        text = self.show("--interleaved", self.file).splitlines(keepends=True)
        for name in ("both", "through"):
            prefix = self.sids[name][-6:] + " "
            mine = [line[len(prefix):] for line in text if line.startswith(prefix)]
            self.assertGreater(len(mine), 5)
            self.assertIn("".join(mine), self.dialogue(name))
        self.assertEqual(text, self.show("-", data=b"".join(self.lines)).splitlines(keepends=True))

    def test_records_that_are_not_shown_count(self):
        """The leg stays inside TLS though a filter hides the handshake's neighbours."""
        text = self.show("--verb", "MAIL", self.file)
        self.assertIn(" ~>  MAIL FROM:<a@x.test>\\n\n =~> MAIL", text)
        self.assertIn("===  TLS with the client: ", text)
        self.assertNotIn("QUIT\n", text)
        self.assertNotIn(self.sids["through"], text)

    def test_a_file_that_begins_behind_the_handshake_marks_nothing(self):
        at = [b'"kind":"tls"' in line for line in self.lines].index(True)
        self.assertIn("<-   220 mx for you", self.show("-", data=b"".join(
            line for line in self.lines[at + 1:] if self.sids["both"].encode() in line)))

    def test_filters(self):
        errors = self.show("--errors", self.file)
        self.assertNotIn("EHLO scope", errors)  # added, and answered well
        self.assertIn(" ->  STARTTLS\n<=   220", errors)  # of "upstream", answered 454
        self.assertNotIn(self.sids["starttls"], errors)
        for name in ("upstream", "client", "pin"):
            self.assertIn("***  TLS with the ", self.show("--errors", "--session",
                                                          self.sids[name], self.file))
        self.assertEqual(1, self.show("--verb", "XCLIENT", self.file).count("XCLIENT "))

    def test_a_handshake_that_failed_is_an_error_and_marks_nothing(self):
        mine = [line for line in self.lines if self.sids["starttls"].encode() in line]
        client = next(i for i, line in enumerate(mine) if b'"side":"client"' in line)
        self.assertEqual("", self.show("--errors", "-", data=mine[client]))
        mine[client] = mine[client].replace(b'"ok":true', b'"ok":false')
        self.assertIn("***  TLS with the client", self.show("--errors", "-", data=mine[client]))
        self.assertIn("\n ->  NOOP\n<~=  250\n<-   250 \n", self.show("-", data=b"".join(mine)))

    def test_starttls_ended_here_is_no_error(self):
        line = next(line for line in self.lines if b'"verb":"STARTTLS"' in line and
                    self.sids["starttls"].encode() in line)
        line = line.replace(b'"action":"relayed"', b'"action":"stripped"')
        self.assertIn("answered by smtpscope on purpose", self.show("-", data=line))
        self.assertEqual("", self.show("--errors", "-", data=line))

    def test_a_reply_of_ours_is_red_only_when_it_refuses(self):
        text = self.show("--color=always", "--verb", "STARTTLS", self.file)
        self.assertIn("\x1b[33m220 2.0.0 Ready to start TLS", text)
        self.assertIn("\x1b[1;31m454 4.7.0 no TLS", text)

    def test_hex(self):
        text = self.show("--hex", "--session", self.sids["both"], self.file)
        self.assertIn("      sent      000000  58 43 4c 49", text)
        self.assertIn("     key SHA-256 fedcba", text)

    def test_summary(self):
        text = self.show("--summary", self.file).splitlines()
        self.assertEqual([line.split()[3] for line in text],
                         ["quit", "opaque-end", "quit", "upstream-tls", "client-tls",
                          "upstream-tls"])

    def test_hostile_text(self):
        line = next(line for line in self.lines if b'"side":"through"' in line)
        bad = line.replace(b"CN=mx.example.org", b"CN=\\u001b[2J\\u009b31m").replace(
            b"ECDHE", b"\\u0007EC")
        text = self.show("-", data=bad)
        self.assertIn("certificate: CN=\\033[2J\\233", text.replace("\\302", ""))
        self.assertIn("\\007EC", text)
        for c in text:
            self.assertTrue(c == "\n" or " " <= c < "\x7f", repr(c))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
