"""`smtpscope simulate` between a client and a server, byte for byte.

Plain sockets on both sides where the octets and their boundaries matter; the reflector where a
conversation is to go on. Usage: test_simulator.py PROGRAM
"""
import contextlib
import os
import re
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import unittest

PROGRAM = ""
PATIENCE = 20 * float(os.environ.get("SMTPSCOPE_TEST_TIMEOUT", "1"))


class Process:
    """A command of smtpscope that says where it listens."""

    def __init__(self, *args):
        self.lines = []
        self.process = subprocess.Popen([PROGRAM, *args], stderr=subprocess.PIPE, text=True)
        self.said = threading.Condition()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        line = self.wait_for(r"listening on 127\.0\.0\.1:(\d+)")
        self.port = int(line.group(1))

    def read(self):
        for line in self.process.stderr:
            with self.said:
                self.lines.append(line)
                self.said.notify_all()
        with self.said:
            self.lines.append("")
            self.said.notify_all()

    def wait_for(self, pattern):
        def found():
            return next((m for m in (re.search(pattern, x) for x in self.lines) if m),
                        "" in self.lines)
        with self.said:
            m = self.said.wait_for(found, PATIENCE)
        if m is True or not m:
            raise AssertionError("".join(self.lines) or "nothing said")
        return m

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(PATIENCE)
        self.reader.join(PATIENCE)
        self.process.stderr.close()
        assert status == 0, f"exit status {status}: {''.join(self.lines)}"


class Peer:
    """A socket that is read as it comes."""

    def __init__(self, s):
        self.s = s
        s.settimeout(PATIENCE)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, octets):
        self.s.sendall(octets)

    def read(self):
        return self.s.recv(65536)

    def expect(self, octets):
        got = b""
        while len(got) < len(octets):
            more = self.s.recv(len(octets) - len(got))
            assert more, f"the end after {got!r}, wanted {octets!r}"
            got += more
        assert got == octets, f"got {got!r}, wanted {octets!r}"

    def rest(self):
        with self.s.makefile("rb") as f:
            return f.read()

    def until(self, octets):
        got = b""
        while not got.endswith(octets):
            more = self.s.recv(1)
            assert more, f"the end after {got!r}"
            got += more
        return got

    def expect_end(self):
        got = self.s.recv(1)
        assert got == b"", f"got {got!r}, wanted the end"

    def expect_reset(self):
        try:
            got = self.s.recv(1)
        except ConnectionResetError:
            return
        raise AssertionError(f"got {got!r}, wanted a reset")

    def expect_silence(self, seconds=0.3):
        self.s.settimeout(seconds)
        try:
            got = self.s.recv(1)
            raise AssertionError(f"got {got!r}, wanted silence")
        except socket.timeout:
            self.s.settimeout(PATIENCE)

    def secure(self, server_side, certificate=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server_side else
                                 ssl.PROTOCOL_TLS_CLIENT)
        if server_side:
            context.load_cert_chain(*certificate)
        else:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        self.s = context.wrap_socket(self.s, server_side=server_side)

    def reset(self):
        self.s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.s.close()

    def finish(self):
        self.s.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def wire(preset, *args):
    """A client and a server with the box between them."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(PATIENCE)
    upstream = f"127.0.0.1:{listener.getsockname()[1]}"
    with listener, Process("simulate", "--preset", preset, "--listen", "127.0.0.1:0",
                           "--upstream", upstream, *args) as box:
        with connected(box) as client:
            server = Peer(listener.accept()[0])
            with server.s:
                yield client, server, box


@contextlib.contextmanager
def reflected(preset, script="", *args):
    """A client; the box; the reflector."""
    with tempfile.NamedTemporaryFile("w", suffix=".script") as f:
        f.write(script)
        f.flush()
        with Process("reflect", "--listen", "127.0.0.1:0", "--hostname", "mx.test", "--script",
                     f.name, "--verbose") as far, \
             Process("simulate", "--preset", preset, "--listen", "127.0.0.1:0", "--upstream",
                     f"127.0.0.1:{far.port}", *args) as box:
            with connected(box) as client:
                yield client, far, box


@contextlib.contextmanager
def connected(box):
    client = Peer(socket.create_connection(("127.0.0.1", box.port), PATIENCE))
    with client.s:
        yield client


def expect_reset_at_once(box):
    """Behind the handshake; where that was faster than this program, it is connecting that fails."""
    try:
        with connected(box) as client:
            client.expect_reset()
    except ConnectionResetError:
        pass


def reply(client):
    """A whole reply."""
    lines = []
    while True:
        lines.append(client.until(b"\r\n"))
        if lines[-1][3:4] != b"-":
            return b"".join(lines)


def say(client, octets):
    client.send(octets)
    return reply(client)


def greet(client, server, name=b"mx.test"):
    server.send(b"220 " + name + b" ESMTP\r\n")
    client.until(b"\r\n")
    client.send(b"EHLO c.test\r\n")
    server.expect(b"EHLO c.test\r\n")
    server.send(b"250 mx.test\r\n")
    client.until(b"\r\n")


def to_data(client, server):
    greet(client, server)
    client.send(b"DATA\r\n")
    server.expect(b"DATA\r\n")
    server.send(b"354 go\r\n")
    client.expect(b"354 go\r\n")


class Clean(unittest.TestCase):
    def test_boundaries(self):
        with wire("clean") as (client, server, _):
            for piece in (b"220", b" mx\r\n250-x", b"\r\n"):
                server.send(piece)
                self.assertEqual(client.read(), piece)
            for piece in (b"E", b"HLO c\r\nDATA\r\n", b"\0\xff\n.\r", b"\n"):
                client.send(piece)
                self.assertEqual(server.read(), piece)

    def test_half_closed(self):
        with wire("clean") as (client, server, _):
            client.finish()
            server.expect_end()
            server.send(b"221 bye\r\n")
            client.expect(b"221 bye\r\n")
            server.finish()
            client.expect_end()

    def test_resets(self):
        with wire("clean") as (client, server, _):
            client.reset()
            server.expect_reset()
        with wire("clean") as (client, server, _):
            server.reset()
            client.expect_reset()

    def test_much(self):
        octets = os.urandom(1 << 20) * 8
        with wire("clean") as (client, server, _):
            sender = threading.Thread(target=lambda: (client.send(octets), client.finish()))
            sender.start()
            server.expect(octets)
            server.expect_end()
            sender.join()

    def test_resegmented(self):
        octets = bytes(range(256)) * 40
        with wire("clean-resegment", "--seed", "7") as (client, server, _):
            for i in range(0, len(octets), 100):
                client.send(octets[i:i + 100])
            client.finish()
            server.expect(octets)
            server.expect_end()

    def test_no_upstream(self):
        with socket.create_server(("127.0.0.1", 0)) as s:
            port = s.getsockname()[1]
        with Process("simulate", "--preset", "clean", "--listen", "127.0.0.1:0", "--upstream",
                     f"127.0.0.1:{port}") as box:
            expect_reset_at_once(box)
        with Process("simulate", "--preset", "avast", "--listen", "127.0.0.1:0", "--upstream",
                     f"127.0.0.1:{port}") as box, connected(box) as client:
            self.assertTrue(client.until(b"\r\n").startswith(b"421 Cannot connect"))
            client.expect_end()


class Cisco(unittest.TestCase):
    def test_asa(self):
        with reflected("asa-default", 'offer "STARTTLS"\n') as (client, far, _):
            self.assertRegex(reply(client), rb"^220 [20* ]+\r\n$")
            hello = say(client, b"EHLO c.test\r\n")
            self.assertIn(b"250-XXXXXXX", hello)
            self.assertNotIn(b"STARTTLS", hello)
            self.assertIn(b"250-PIPELINING\r\n", hello)
            self.assertTrue(say(client, b"STARTTLS\r\n").startswith(b"500"))
            far.wait_for("-> XXXXXXXX")
            self.assertTrue(say(client, b"MAIL FROM:<a|b@c.test>\r\n").startswith(b"250"))
            far.wait_for("MAIL FROM:<a b@c.test>")

    def test_pix6(self):
        with reflected("pix6") as (client, far, _):
            reply(client)
            self.assertEqual(say(client, b"EHLO c.test\r\n"), b"250 2.0.0 Ok\r\n")
            far.wait_for("-> NOOP       ")

    def test_split_end(self):
        with wire("asa841-eod") as (client, server, _):
            to_data(client, server)
            client.send(b"last line\r\n.")
            server.expect(b"last line\r\n")
            client.send(b"\r\n")
            server.expect_silence()
            client.send(b".\r\n")
            server.expect(b".\r\n")

    def test_limits(self):
        with wire("asa-default") as (client, server, _):
            greet(client, server)
            client.send(b"NOOP " + 507 * b"a" + b"\r\n")
            server.expect(b"NOOP " + 507 * b"a" + b"\r\n")
            client.send(b"NOOP " + 508 * b"a" + b"\r\n")
            client.expect_reset()
            server.expect_reset()


class Proxies(unittest.TestCase):
    def test_p3scan(self):
        with wire("p3scan") as (client, server, _):
            greet(client, server)
            client.send(b"DATA\r\n")
            client.expect(b"354 P3Scan 2.3.2 accepting data.\r\n")
            client.send(b"Subject: t\r\n\r\nhi\r\n")
            server.expect_silence()
            client.send(b".\r\n")
            server.expect(b"DATA\r\n")
            server.send(b"354 go\r\n")
            server.expect(b"Subject: t\r\nX-P3Scan: v2.3.2 by Jack S. Lai. No outbound virus "
                          b"detected.\r\n\r\nhi\r\n.\r\n")
            server.send(b"250 queued\r\n")
            client.expect(b"250 queued\r\n")

    def test_p3scan_big(self):
        body = (b"x" * 76 + b"\r\n") * 30000
        with wire("p3scan") as (client, server, _):
            greet(client, server)
            client.send(b"DATA\r\n")
            client.expect(b"354 P3Scan 2.3.2 accepting data.\r\n")
            sender = threading.Thread(target=lambda: client.send(b"\r\n" + body + b".\r\n"))
            sender.start()
            server.expect(b"DATA\r\n")
            server.send(b"354 go\r\n")
            server.until(b"detected.\r\n\r\n")
            server.expect(body + b".\r\n")
            sender.join()
            server.send(b"250 queued\r\n")
            client.expect(b"250 queued\r\n")

    def test_checkpoint(self):
        with wire("checkpoint") as (client, server, _):
            to_data(client, server)
            client.send(b"\r\nhi\r\n.\r\n")
            self.assertTrue(reply(client).startswith(b"250 "))
            server.expect(b"\r\nhi\r\n.\r\n")
            server.send(b"250 queued\r\n")
            client.send(b"NOOP\r\n")
            client.expect(b"220 OK\r\n")

    def test_watchguard(self):
        with reflected("watchguard(2)") as (client, far, _):
            reply(client)
            say(client, b"EHLO c.test\r\n")
            client.send(b"MAIL FROM:<a@c.test>\r\n" +
                        b"".join(b"RCPT TO:<r%d@d.test>\r\n" % i for i in range(4)))
            for _ in range(5):
                self.assertTrue(reply(client).startswith(b"250 "))
            say(client, b"NOOP\r\n")
            far.wait_for("-> NOOP")
            sent = [line for line in far.lines if "-> RCPT" in line]
            self.assertEqual(len(sent), 2)

    def test_paloalto(self):
        with wire("paloalto") as (client, server, _):
            to_data(client, server)
            client.send(b"\r\nEICAR-STANDARD-ANTIVIRUS-TEST-FILE\r\n.\r\n")
            self.assertTrue(reply(client).startswith(b"541 5.4.1 "))
            client.expect_reset()
            server.expect_silence()

    def test_striptls(self):
        with reflected("striptls-454", 'offer "STARTTLS"\n') as (client, far, _):
            reply(client)
            self.assertIn(b"STARTTLS", say(client, b"EHLO c.test\r\n"))
            self.assertTrue(say(client, b"STARTTLS\r\n").startswith(b"454 TLS not available"))
            say(client, b"NOOP\r\n")
            self.assertFalse([line for line in far.lines if "STARTTLS" in line and "->" in line])

    def test_footer(self):
        with wire("foot-text(all mail is read)") as (client, server, _):
            to_data(client, server)
            client.send(b"\r\nhi\r\n.\r\n")
            server.expect(b"\r\nhi\r\nall mail is read\r\n.\r\n")

    def test_hotel(self):
        with Process("simulate", "--preset", "hotel", "--listen", "127.0.0.1:0", "--upstream",
                     "127.0.0.1:9") as box, connected(box) as client:
            self.assertIn(b"relay.wanderingwifi.com", reply(client))
            client.send(b"QUIT\r\n")
            reply(client)
            client.expect_end()

    def test_bannerkill(self):
        with wire("bannerkill") as (client, server, _):
            server.send(b"220 mx\r\n")
            client.expect(b"220 mx\r\n")
            client.expect_reset()
            server.expect_reset()

    def test_block25(self):
        with Process("simulate", "--preset", "block25", "--listen", "127.0.0.1:0", "--upstream",
                     "127.0.0.1:9") as box:
            with self.assertRaises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", box.port))

    def test_tarpit(self):
        with wire("tarpit(20)") as (client, server, _):
            server.send(b"220 mx\r\n")
            reads = []
            while b"".join(reads) != b"220 mx\r\n":
                reads.append(client.read())
            self.assertGreater(len(reads), 1)

    def test_mutation(self):
        octets = bytes(range(256))
        for seed in range(1, 20):
            with wire("mutate(up,change,256)", "--seed", str(seed)) as (client, server, box):
                client.send(octets)
                client.finish()
                got = server.rest()
                said = box.wait_for(r"mutation: up change at (\d+), (..) -> (..)")
            at = int(said.group(1))
            wanted = bytearray(octets)
            self.assertEqual(wanted[at], int(said.group(2), 16))
            wanted[at] = int(said.group(3), 16)
            self.assertEqual(got, bytes(wanted))


def make_certificate(directory, name):
    files = [os.path.join(directory, name + end) for end in (".pem", ".key")]
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}", "-days", "2",
                    "-out", files[0], "-keyout", files[1]], check=True, capture_output=True)
    return files


class Intercepted(unittest.TestCase):
    def test_both_legs(self):
        with tempfile.TemporaryDirectory() as d:
            box_files = make_certificate(d, "box")
            mx_files = make_certificate(d, "mx")
            for preset in "striptls-intercept", "avast":
                with self.subTest(preset):
                    self.converse(preset, box_files, mx_files)

    def converse(self, preset, box_files, mx_files):
        with wire(preset, "--certificate", box_files[0], "--key", box_files[1]) as \
                (client, server, _):
            greet(client, server)
            client.send(b"STARTTLS\r\n")
            server.expect(b"STARTTLS\r\n")
            server.send(b"220 go\r\n")
            client.expect(b"220 go\r\n")
            other = threading.Thread(target=server.secure, args=(True, mx_files))
            other.start()
            client.secure(False)
            seen = ssl.DER_cert_to_PEM_cert(client.s.getpeercert(True))
            with open(box_files[0], encoding="ascii") as f:
                self.assertEqual(seen.strip(), f.read().strip())
            client.send(b"EHLO c.test\r\n")
            other.join(PATIENCE)
            server.expect(b"EHLO c.test\r\n")
            server.send(b"250 mx.test\r\n")
            client.expect(b"250 mx.test\r\n")
            client.s.close()
            server.expect_end()
            server.s.close()

    def test_passes_without_certificate(self):
        with wire("avast") as (client, server, _):
            greet(client, server)
            client.send(b"STARTTLS\r\n")
            server.expect(b"STARTTLS\r\n")
            server.send(b"220 go\r\n")
            client.expect(b"220 go\r\n")
            client.send(b"\x16\x03\x01\0\x01a")
            server.expect(b"\x16\x03\x01\0\x01a")

    def test_server_refuses(self):
        with tempfile.TemporaryDirectory() as d:
            files = make_certificate(d, "box")
            with wire("striptls-intercept", "--certificate", files[0], "--key", files[1]) as \
                    (client, server, _):
                greet(client, server)
                client.send(b"STARTTLS\r\n")
                server.expect(b"STARTTLS\r\n")
                server.send(b"220 go\r\n")
                client.expect(b"220 go\r\n")
                server.until(b"\x16\x03\x01")
                server.reset()
                with self.assertRaises(OSError):
                    client.secure(False)


class Usage(unittest.TestCase):
    def run_it(self, *args):
        return subprocess.run([PROGRAM, "simulate", *args], capture_output=True, text=True,
                              timeout=PATIENCE)

    def test_errors(self):
        for args, status, text in (
            ((), 2, "--preset is required"),
            (("--preset", "clean"), 2, "--upstream is required"),
            (("--preset", "asa-defualt", "--upstream", "127.0.0.1:9"), 2,
             'did you mean "asa-default"'),
            (("--preset", "idle(0)", "--upstream", "127.0.0.1:9"), 2, "seconds from 1"),
            (("--preset", "clean(1)", "--upstream", "127.0.0.1:9"), 2, "no parameter"),
            (("--preset", "clean", "--upstream", "nowhere"), 2, "--upstream nowhere"),
            (("--preset", "clean", "--upstream", "127.0.0.1:9", "--seed", "-1"), 2, "--seed -1"),
            (("--preset", "striptls-intercept", "--upstream", "127.0.0.1:9", "--listen",
              "127.0.0.1:0"), 1, "--certificate"),
        ):
            r = self.run_it(*args)
            self.assertEqual(r.returncode, status, (args, r.stderr))
            self.assertIn(text, r.stderr)

    def test_list(self):
        r = self.run_it("--list")
        self.assertEqual(r.returncode, 0)
        self.assertIn("asa-default", r.stdout)
        self.assertIn("pmtu", r.stdout)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
