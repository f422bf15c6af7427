#!/usr/bin/env python3
"""smtpscope-export: what tshark makes of it, and import again.  test_export.py PROGRAMS SAMPLE..."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

import wire  # noqa: E402
from tool import Tools, kinds, only, plain  # noqa: E402
from wire import Talk  # noqa: E402

BODY = b"Subject: t\r\n\r\n" + b"".join(b"line %05d of the body\r\n" % i for i in range(2000))
TOOLS = Tools(sys.argv.pop(1))
SAMPLES, sys.argv[1:] = sys.argv[1:], []
TSHARK = shutil.which("tshark")
SID = "01HF7YAT00000000000000000A"


def line(n, kind, t=0, **more):
    return json.dumps({"v": 1, "kind": kind, "t": f"2026-11-23T09:00:00.{t:06}Z", "sid": SID,
                       "n": n, "vantage": "here", **more}).encode() + b"\n"


def command(n, verb, at, received, reply, t, **more):
    return line(n, "command", t, verb=verb, at=at, received=received, action="relayed",
                origin="upstream", reply=reply, reply_us=10, **more)


OPEN = line(1, "open", client="192.0.2.7:4711", server="192.0.2.1:25", mode="enforce")
CONNECT = line(2, "connect", 5, upstream="198.51.100.2:25", local="198.51.100.1:5000", us=3)
GREETING = line(3, "greeting", 10, at=0, origin="upstream", reply="220 mx ESMTP\r\n", code=220)


def close(n, octets, t=900, first="client", how="fin"):
    return line(n, "close", t, reason="quit", text="QUIT was answered", error=False, first=first,
                how=how, us=1, octets=octets)


def octets(client_in, server_in, client_out=None, server_out=None):
    return {"client_in": client_in, "client_out": server_in if client_out is None else client_out,
            "server_in": server_in, "server_out": client_in if server_out is None else server_out}


class Export(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.dir)
        self.file = os.path.join(self.dir, "x.pcapng")

    def export(self, transcript, *args, code=0):
        _, self.said = TOOLS.run("export", "-", "--pcapng", self.file, *args, data=transcript,
                                 code=code)

    def packets(self, *fields, ports=(), display=""):
        """Rows of fields as tshark decodes them."""
        args = [TSHARK, "-n", "-r", self.file, "-T", "fields", "-o", "tcp.check_checksum:TRUE",
                "-o", "ip.check_checksum:TRUE"]
        args += [x for port in ports for x in ("-d", f"tcp.port=={port},smtp")]
        args += [x for field in fields for x in ("-e", field)]
        got = subprocess.run(args + (["-Y", display] if display else []), capture_output=True,
                             timeout=60, check=False)
        self.assertEqual(got.returncode, 0, got.stderr)
        return [row.split("\t") for row in got.stdout.decode("latin-1").splitlines()]

    def imported(self, *args, data, spool=True):
        """(records, transcript) of an import that keeps mail data."""
        more = ["--content", "full", "--spool", self.dir] if spool else []
        out, _ = TOOLS.run("import", *more, *args, "-", data=data)
        return [json.loads(row) for row in out.splitlines()], out

    def again(self, *args):
        with open(self.file, "rb") as f:
            return TOOLS.records(f.read(), *args)

    def round_trip(self, packets, same=True):
        records, transcript = self.imported(data=wire.pcap(packets))
        self.export(transcript, "--spool", self.dir)
        got = self.again("--content", "full", "--spool", self.dir)
        without = ("reads", "spool")
        if same:
            self.assertEqual(plain(got, without), plain(records, without))
        return got

    def test_round_trips(self):
        self.round_trip(Talk().mail(BODY).packets)
        self.round_trip(Talk(client=wire.CLIENT6, server=wire.SERVER6).mail(BODY).packets)
        many = [p for n in range(5) for p in Talk(client=("192.0.2.9", 5000 + n)).mail(BODY).packets]
        self.round_trip(many)
        odd = Talk().hello().server(b"220 mx ESMTP\r\n").client(b"EHLO a\nVRFY x\r\r\nH\xe4\0\r\n")
        self.round_trip(odd.server(b"250 a\r\n252 b\r\n500 c\r\n").bye(1).packets)
        for end in (lambda t: t.add(0, wire.RST | wire.ACK), lambda t: t.add(1, wire.RST | wire.ACK),
                    lambda t: t):
            self.round_trip(end(Talk().hello().server(b"220 mx ESMTP\r\n").client(b"NOOP\r\n")).packets)

    def test_chunks(self):
        talk = Talk().hello().server(b"220 mx ESMTP\r\n").client(b"EHLO a\r\n").server(
            b"250-mx\r\n250 CHUNKING\r\n").client(b"MAIL FROM:<a@a>\r\n").server(b"250 ok\r\n")
        talk.client(b"RCPT TO:<b@b>\r\n").server(b"250 ok\r\n")
        talk.client(b"BDAT 5000\r\n" + b"x" * 5000).server(b"250 ok\r\n")
        talk.client(b"BDAT 4 LAST\r\n\r\n.\n").server(b"250 ok\r\n").bye()
        self.round_trip(talk.packets)

    @unittest.skipUnless(TSHARK, "tshark is not installed")
    def test_chunks_on_both_legs(self):
        text = OPEN + CONNECT + GREETING
        for n, at, verb, t in ((4, 0, "BDAT 3", 100), (5, 11, "BDAT 2 LAST", 100)):
            text += command(n, "BDAT", at, verb + "\r\n", "250 ok\r\n", t, arg=verb[5:], forward_us=7)
        self.export(text + close(6, octets(26, 30)))
        for stream in ("0", "1"):
            rows = self.packets("tcp.seq", "tcp.len", "frame.comment",
                                display=f"tcp.stream=={stream} && tcp.srcport!=25 && "
                                        "(tcp.len>0 || frame.comment contains \"kept\")")
            self.assertEqual([(s, n) for s, n, _ in rows],
                             [("1", "8"), ("9", "0"), ("12", "13"), ("25", "0")], rows)

    def test_mail_data_that_is_not_kept(self):
        _, transcript = self.imported(data=wire.pcap(Talk().mail(BODY).packets), spool=False)
        self.export(transcript)
        got = self.again()
        opaque = only(got, "opaque")
        self.assertEqual(opaque["why"], "capture-gap")
        self.assertEqual(opaque["missing"], {"client": len(BODY), "server": 0})
        self.assertEqual(kinds(got)[:7], ["open", "connect", "greeting"] + ["command"] * 4)
        if TSHARK:
            comments = [c for c, in self.packets("frame.comment", display="frame.comment")]
            self.assertIn(f"mail data\\n{len(BODY)} bytes of mail data are not kept", comments)
            self.assertEqual(len(self.packets("frame.number",
                                              display="tcp.analysis.lost_segment")), 1)

    @unittest.skipUnless(TSHARK, "tshark is not installed")
    def test_tshark_decodes(self):
        self.round_trip(Talk().mail(BODY).packets)
        rows = self.packets("smtp.req.command", "smtp.response.code", "tcp.checksum.status",
                            "ip.checksum.status", "frame.comment")
        self.assertTrue(all(row[2:4] == ["1", "1"] for row in rows), rows)
        self.assertEqual([r[0] for r in rows if r[0]], ["EHLO", "MAIL", "RCPT", "DATA", "QUIT"])
        self.assertEqual([r[1] for r in rows if r[1]],
                         ["220", "250", "250", "250", "354", "250", "221"])
        self.assertTrue(any("EHLO relayed" in r[4] for r in rows))
        self.assertFalse(self.packets("frame.number", display="tcp.analysis.flags"))
        self.assertFalse(self.packets("frame.number", display="_ws.malformed"))

    @unittest.skipUnless(TSHARK, "tshark is not installed")
    def test_two_legs(self):
        text = OPEN + CONNECT + GREETING
        text += command(4, "EHLO", 0, "ehlo a\n", "250 VRFY\r\n", 100, replied="250 mx\r\n")[:-2]
        text = text.replace(b'"action": "relayed"', b'"action": "rewritten", "forwarded": "ehlo a\\r\\n"')
        text += b"}\n" + line(5, "command", 200, verb="VRFY", at=7, received="VRFY b\r\n",
                              action="stripped", origin="proxy", replied="252 no\r\n", reply_us=1)
        text += line(6, "finding", 201, id="SV-03", name="x", severity="high", confidence="high",
                     side="server", record=4, field="reply", text="odd \u2028 thing")
        text += close(7, octets(15, 24, 30, 8))
        self.export(text)
        rows = self.packets("tcp.stream", "ip.src", "smtp.req.parameter", "smtp.req.command",
                            "smtp.response.code", "frame.comment", display="smtp")
        self.assertEqual([r[3] for r in rows if r[0] == "0" and r[3]], ["ehlo", "VRFY"])
        self.assertEqual([r[3] for r in rows if r[0] == "1" and r[3]], ["ehlo"])
        self.assertEqual([r[4] for r in rows if r[0] == "0" and r[4]], ["220", "250", "252"])
        self.assertTrue(any("finding SV-03, high: odd" in r[5] for r in rows), rows)
        ends = {tuple(r) for r in self.packets("tcp.stream", "ip.src", "ip.dst", "tcp.dstport",
                                               display="tcp.flags.syn==1 && tcp.flags.ack==0")}
        self.assertEqual(ends, {("0", "192.0.2.7", "192.0.2.1", "25"),
                                ("1", "198.51.100.1", "198.51.100.2", "25")})

    @unittest.skipUnless(TSHARK, "tshark is not installed")
    def test_ends(self):
        for first, how, want in (("client", "fin", ["0x0011", "0x0011"]),
                                 ("client", "reset", ["0x0014"]), ("nobody", "none", [])):
            self.export(OPEN + GREETING + close(4, octets(0, 14), first=first, how=how))
            flags = [f for f, in self.packets("tcp.flags", display="tcp.flags.fin==1 || "
                                                                   "tcp.flags.reset==1")]
            self.assertEqual(flags, want)

    def test_secrets_are_holes(self):
        auth = command(4, "AUTH", 0, "AUTH PLAIN ***\r\n", "235 ok\r\n", 100, arg="PLAIN ***",
                       redacted=[{"at": 11, "octets": 40}])
        quit_ = command(5, "QUIT", 53, "QUIT\r\n", "221 bye\r\n", 300)
        self.export(OPEN + GREETING + auth + quit_ + close(6, octets(59, 31)))
        with open(self.file, "rb") as f:
            self.assertNotIn(b"***", f.read())
        got = self.again()
        self.assertEqual(only(got, "opaque")["missing"], {"client": 40, "server": 0})
        self.assertEqual(only(got, "close")["octets"]["client_in"], 59)

    def test_stars_of_a_banner_stay(self):
        self.export(OPEN + line(3, "greeting", 10, at=0, origin="upstream",
                                reply="220 *** ****\r\n", code=220) + close(4, octets(0, 14)))
        self.assertEqual(only(self.again(), "greeting")["reply"], "220 *** ****\r\n")

    def test_what_is_missing_is_said(self):
        self.export(line(3, "command", 10, verb="NOOP", at=500, received="NOOP\r\n",
                         action="relayed", origin="none"))
        self.assertIn(b"for documentation", self.read())
        self.assertIn(b"500 bytes are not in the transcript", self.read())
        self.export(OPEN + line(2, "connect", 5, upstream="198.51.100.2:25", us=3, error="refused") +
                    close(3, octets(0, 0)))
        self.assertIn(b"not connected: refused", self.read())

    def read(self):
        with open(self.file, "rb") as f:
            return f.read()

    def test_one_session_of_many(self):
        packets = [p for n in range(3) for p in Talk(client=("192.0.2.9", 5000 + n)).mail(BODY).packets]
        records, transcript = self.imported(data=wire.pcap(packets))
        wanted = records[0]["sid"]
        for part in (wanted, wanted[-6:]):
            self.export(transcript, "--session", part)
            self.assertEqual(kinds(self.again()).count("open"), 1)
        self.export(transcript, "--session", "nothing", code=1)
        self.assertIn("no session nothing", self.said)

    def test_samples(self):
        """Everything the writer can write."""
        for sample in SAMPLES:
            path = os.path.join(self.dir, os.path.basename(sample))
            subprocess.run([sample, path], check=True)
            TOOLS.run("export", path, "--pcapng", self.file)
            self.again("--port", "25", "--port", "2525", "--port", "465")
            if TSHARK:
                self.assertFalse(self.packets("frame.number", display="_ws.malformed && !tls"))

    def test_errors(self):
        for args in ([], ["x"], ["x", "y", "--pcapng", "z"], ["--nothing"]):
            _, said = TOOLS.run("export", *args, code=2)
            self.assertIn("--help", said)
        self.assertIn("Usage: smtpscope export", TOOLS.run("export", "--help")[0].decode())
        _, said = TOOLS.run("export", "/nowhere/x", "--pcapng", self.file, code=1)
        self.assertIn("/nowhere/x", said)
        _, said = TOOLS.run("export", "-", "--pcapng", "/nowhere/x", data=b"", code=1)
        self.assertIn("cannot write /nowhere/x", said)
        if os.path.exists("/dev/full"):
            _, said = TOOLS.run("export", "-", "--pcapng", "/dev/full", data=OPEN, code=1)
            self.assertIn("No space left", said)
        self.export(OPEN + b"{nonsense\n" + GREETING, code=1)
        self.assertIn("2: not JSON", self.said)
        self.assertEqual(kinds(self.again())[:2], ["open", "connect"])


if __name__ == "__main__":
    unittest.main(verbosity=1)
