"""Tests over TLS: terminated, on one leg and on both, with the TLS libraries of others."""
import json
import os
import re
import smtplib
import ssl
import subprocess

import cast
from cast import Exim, Postfix, Proxy, Sink, Skipped
from common import (BODIES, call, check_transcript, content, equal, make_file, need, records)
from plain import received_is

STARTTLS = 'tls = {{ certificate = "{cert}"; key = "{key}"; {more} }};'
VERIFIED = 'upstream = "require"; verify = "ca"; ca = "{ca}"; name = "mx.test";'


def terminating(run, more="", name="good-ec"):
    """Text of a listener that ends TLS, for mx.test."""
    return STARTTLS.format(cert=run.certificate(name), key=run.key(name), more=more)


def verified(run):
    return VERIFIED.format(ca=run.certificate("ca"))


def trusting(run):
    return ssl.create_default_context(cafile=run.certificate("ca"))


def handshakes(proxy, **wanted):
    return [r for r in records(proxy, "tls") if all(r.get(k) == v for k, v in wanted.items())]


class ToMxTest(smtplib.SMTP):
    """Connects to an address, and asks for the certificate of mx.test."""

    def starttls(self, *, context):
        self._host = "mx.test"
        return super().starttls(context=context)


class ToMxTestAtOnce(smtplib.SMTP_SSL):
    def _get_socket(self, host, port, timeout):
        plain = smtplib.SMTP._get_socket(self, host, port, timeout)
        return self.context.wrap_socket(plain, server_hostname="mx.test")


def send_encrypted(address, bodies, context, at_once=False):
    """Each body as a message in a session of its own; returns the TLS versions spoken."""
    host, port = address.split(":")
    spoken = set()
    for name, body in bodies.items():
        if at_once:
            client = ToMxTestAtOnce(host, int(port), "client.test", timeout=cast.PATIENCE,
                                    context=context)
        else:
            client = ToMxTest(host, int(port), "client.test", timeout=cast.PATIENCE)
            client.starttls(context=context)
        with client:
            spoken.add(client.sock.version())
            client.sendmail(f"{name}@example.org", ["b@example.net"], content(name, body))
    return spoken


def arrived(sink, bodies, traced=False):
    for message in sink.wait(len(bodies)):
        name = message.sender.split("@")[0]
        if traced:
            received_is(message, content(name, bodies[name]), name)
        else:
            equal(message.content, content(name, bodies[name]), name)


def postfix_with_tls(run, relay, more=""):
    return Postfix(run, relay, f"""\
smtpd_tls_cert_file = {run.certificate("good")}
smtpd_tls_key_file = {run.key("good")}
smtpd_tls_security_level = encrypt
smtpd_tls_loglevel = 1
{more}""")


# ---- Python --------------------------------------------------------------------------------
def test_tls_smtplib_starttls(run):
    """Python's smtplib, which verifies: TLS 1.3, and TLS 1.2."""
    sink = Sink(run)
    proxy = Proxy(run, sink.address, terminating(run))
    old = trusting(run)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    assert send_encrypted(proxy.address, BODIES, trusting(run)) == {"TLSv1.3"}
    arrived(sink, BODIES)
    sink.messages.clear()
    assert send_encrypted(proxy.address, BODIES, old) == {"TLSv1.2"}
    arrived(sink, BODIES)
    run.stop()
    check_transcript(proxy, 2 * len(BODIES))
    assert len(handshakes(proxy, side="client", ok=True)) == 2 * len(BODIES)


def test_tls_smtplib_smtps(run):
    sink = Sink(run)
    proxy = Proxy(run, sink.address, terminating(run, "implicit = true;"))
    send_encrypted(proxy.address, BODIES, trusting(run), at_once=True)
    arrived(sink, BODIES)
    run.stop()
    check_transcript(proxy, len(BODIES))


# ---- swaks ---------------------------------------------------------------------------------
def test_tls_swaks_to_postfix_that_requires_it(run):
    """TLS on both legs, the upstream's verified; what `show` makes of it."""
    need("swaks")
    sink = Sink(run)
    postfix = postfix_with_tls(run, sink.address)
    proxy = Proxy(run, postfix.address, terminating(run, verified(run)))
    path = make_file(run, "mail", content("short", BODIES["short"]).replace(b"\r\n", b"\n"))
    call("swaks", "--tls", "--tls-verify", "--tls-ca-path", run.certificate("ca"), "--server",
         proxy.address, "--helo", "client.test", "--from", "short@example.org", "--to",
         "b@example.net", "--data", "@" + path)
    sink.wait(1)
    run.stop()
    check_transcript(proxy, 1)
    (client,), (server,) = handshakes(proxy, side="client"), handshakes(proxy, side="server")
    assert client["ok"] and server["ok"] and server["certificate"]["verify"] == "ok", server
    assert server["version"] == client["version"] == "TLSv1.3"
    shown = proxy.show()
    assert re.search(r"^ ~>  MAIL FROM:<short@example.org>", shown, re.M), shown
    assert re.search(r"^<~   250 ", shown, re.M), shown
    assert re.search(r"^ ->  EHLO client.test\n(?s:.)*^ ~>  EHLO client.test", shown, re.M), shown
    assert not re.search(r"^ ->  (MAIL|RCPT|DATA)", shown, re.M), shown
    assert "TLS connection established from" in postfix.text()


def test_tls_swaks_at_once(run):
    need("swaks")
    sink = Sink(run)
    postfix = postfix_with_tls(run, sink.address)
    proxy = Proxy(run, postfix.address, terminating(run, "implicit = true; " + verified(run)))
    call("swaks", "--tlsc", "--server", proxy.address, "--helo", "client.test", "--from",
         "short@example.org", "--to", "b@example.net", "--body", "hi")
    sink.wait(1)
    run.stop()
    check_transcript(proxy, 1)
    own = [r["verb"] for r in records(proxy, "command") if r["action"] == "added"]
    assert own[:2] == ["EHLO", "STARTTLS"], own


def test_tls_swaks_passed_through(run):
    """starttls = passthrough: Postfix and swaks speak TLS with each other; we only watch."""
    need("swaks")
    sink = Sink(run)
    postfix = postfix_with_tls(run, sink.address)
    proxy = Proxy(run, postfix.address)
    call("swaks", "--tls", "--tls-verify", "--tls-ca-path", run.certificate("ca"), "--server",
         proxy.address, "--helo", "client.test", "--from", "a@example.org", "--to",
         "b@example.net", "--body", "hi")
    sink.wait(1)
    run.stop()
    (seen,) = records(proxy, "tls")
    assert seen["side"] == "through" and seen["ok"] and seen["version"] == "TLSv1.3", seen


# ---- mail servers --------------------------------------------------------------------------
def test_tls_postfix_client(run):
    """Postfix as the client, which must see a certificate of mx.test."""
    sink = Sink(run)
    proxy = Proxy(run, sink.address, terminating(run))
    postfix = Postfix(run, proxy.address, f"""\
smtp_tls_security_level = secure
smtp_tls_secure_cert_match = mx.test
smtp_tls_CAfile = {run.certificate("ca")}
smtp_tls_loglevel = 1
""")
    through(postfix.address, BODIES)
    arrived(sink, BODIES, traced=True)
    run.stop()
    assert "Verified TLS connection established to" in postfix.text()
    assert handshakes(proxy, side="client", ok=True) and not handshakes(proxy, ok=False)


def test_tls_postfix_client_refuses(run):
    """A certificate of another name: Postfix sends nothing, and the record says who left."""
    sink = Sink(run)
    proxy = Proxy(run, sink.address, terminating(run, name="elsewhere"))
    postfix = Postfix(run, proxy.address, f"""\
smtp_tls_security_level = secure
smtp_tls_secure_cert_match = mx.test
smtp_tls_CAfile = {run.certificate("ca")}
""")
    through(postfix.address, {"short": BODIES["short"]})
    cast.until(lambda: "Server certificate not verified" in postfix.text(), "Postfix to refuse")
    run.stop()
    assert not sink.messages and not records(proxy, "content")


def through(address, bodies):
    host, port = address.split(":")
    for name, body in bodies.items():
        with smtplib.SMTP(host, int(port), "client.test", timeout=cast.PATIENCE) as client:
            client.sendmail(f"{name}@example.org", ["b@example.net"], content(name, body),
                            ["BODY=8BITMIME"])


def test_tls_postfix_both_sides(run):
    """smtplib, TLS, this proxy, TLS, Postfix; every body."""
    sink = Sink(run)
    postfix = postfix_with_tls(run, sink.address)
    proxy = Proxy(run, postfix.address, terminating(run, verified(run)))
    send_encrypted(proxy.address, BODIES, trusting(run))
    arrived(sink, BODIES, traced=True)
    run.stop()
    check_transcript(proxy, len(BODIES))
    assert len(handshakes(proxy, side="server", ok=True)) == len(BODIES)


def test_tls_exim_client(run):
    """Exim, on GnuTLS in Debian, must verify; it sends BDAT inside TLS."""
    sink = Sink(run, keywords=["CHUNKING"])
    proxy = Proxy(run, sink.address, terminating(run))
    exim = Exim(run, proxy.address, transport=f"""\
  hosts_require_tls = *
  tls_verify_certificates = {run.certificate("ca")}
  tls_verify_hosts = *
  tls_verify_cert_hostnames =
""")
    through(exim.address, BODIES)
    arrived(sink, BODIES, traced=True)
    run.stop()
    assert handshakes(proxy, side="client", ok=True) and not handshakes(proxy, ok=False)
    assert any(r["verb"] == "BDAT" for r in records(proxy, "command"))


def test_tls_exim_upstream(run):
    sink = Sink(run)
    exim = Exim(run, sink.address, server=f"""\
tls_advertise_hosts = *
tls_certificate = {run.certificate("good")}
tls_privatekey = {run.key("good")}
""")
    proxy = Proxy(run, exim.address, terminating(run, verified(run)))
    send_encrypted(proxy.address, BODIES, trusting(run))
    arrived(sink, BODIES, traced=True)
    run.stop()
    check_transcript(proxy, len(BODIES))
    assert all(r["certificate"]["verify"] == "ok" for r in handshakes(proxy, side="server"))


# ---- nodemailer ----------------------------------------------------------------------------
NODEMAILER = """\
const fs = require("fs");
const transport = require("nodemailer").createTransport({
  host: "127.0.0.1", port: +process.argv[2], requireTLS: true, name: "client.test",
  tls: { ca: fs.readFileSync(process.argv[3]), servername: "mx.test" } });
transport.sendMail({ envelope: { from: "short@example.org", to: "b@example.net" },
                     raw: fs.readFileSync(process.argv[4]) })
  .then(() => process.exit(0), e => { console.log(e); process.exit(1); });
"""


def nodemailer():
    """Its folder, fetched by npm into build/peers, once."""
    need("node")
    need("npm")
    folder = os.path.abspath(os.path.join(cast.CACHE, "npm"))
    if not os.path.isdir(os.path.join(folder, "node_modules", "nodemailer")):
        os.makedirs(folder, exist_ok=True)
        try:
            got = subprocess.run(["npm", "install", "--prefix", folder, "--no-audit", "--no-fund",
                                  "--ignore-scripts", "nodemailer"], stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, timeout=60, text=True, check=False)
        except subprocess.TimeoutExpired:
            raise Skipped("npm does not come to an end") from None
        if got.returncode != 0:
            raise Skipped("npm cannot fetch nodemailer: " + got.stdout.strip()[-200:])
    return folder


def test_tls_nodemailer(run):
    folder = nodemailer()
    sink = Sink(run)
    proxy = Proxy(run, sink.address, terminating(run))
    script = make_file(run, "send.js", NODEMAILER.encode())
    mail = make_file(run, "mail", content("short", BODIES["short"]))
    port = proxy.address.split(":")[1]
    done = subprocess.run(["node", script, port, run.certificate("ca"), mail],
                          env=dict(os.environ, NODE_PATH=os.path.join(folder, "node_modules")),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=cast.PATIENCE * 2, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    arrived(sink, {"short": BODIES["short"]})
    run.stop()
    check_transcript(proxy, 1)


# ---- openssl: what must not be possible -----------------------------------------------------
def s_client(address, *options, say="QUIT\n", starttls=True):
    """Runs openssl s_client and returns what it said; say: typed into it."""
    need("openssl")
    command = ["openssl", "s_client", "-connect", address, "-crlf", "-ign_eof", *options]
    if starttls:
        command += ["-starttls", "smtp", "-name", "client.test"]
    done = subprocess.run(command, input=say.encode(), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=cast.PATIENCE, check=False)
    return done.stdout.decode("utf-8", "replace")


def test_tls_openssl_client(run):
    """s_client -starttls smtp: verified, with the chain; and from the first octet."""
    proxy = Proxy(run, "reflect", terminating(run, name="chain"))
    said = s_client(proxy.address, "-CAfile", run.certificate("ca"), "-servername", "mx.test",
                    "-verify_hostname", "mx.test", "-verify_return_error")
    assert "Verify return code: 0 (ok)" in said and "\n221 " in said, said
    run.stop()
    (seen,) = handshakes(proxy, side="client")
    assert seen["ok"] and seen["server_name"] == "mx.test", seen


def test_tls_nothing_old(run):
    """Nothing below TLS 1.2, no compression, no renegotiation, not by the client's wish."""
    proxy = Proxy(run, "reflect", terminating(run, "implicit = true;", name="good"))

    def client(*options, **more):
        return s_client(proxy.address, *options, starttls=False, **more)
    for version in ("-tls1", "-tls1_1"):
        said = client(version, "-cipher", "ALL:@SECLEVEL=0")
        assert "alert protocol version" in said, said
    assert "New, TLSv1.2, Cipher is " in client("-tls1_2")
    weak = client("-tls1_2", "-cipher", "RC4:3DES:eNULL:aNULL:EXPORT:@SECLEVEL=0")
    assert "alert handshake failure" in weak or "no ciphers available" in weak, weak
    for options in ((), ("-tls1_2",)):
        said = client("-comp", *options)
        assert "Compression: NONE" in said, said
    said = renegotiate(proxy.address)
    assert "RENEGOTIATING" in said and "no renegotiation" in said, said
    run.stop()
    versions = [r.get("failure") for r in records(proxy, "tls") if not r["ok"]]
    assert versions.count("version") == 2, versions


def renegotiate(address):
    """A line with R alone makes s_client ask for it."""
    command = ["openssl", "s_client", "-connect", address, "-tls1_2", "-crlf"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as child:
        said = b""
        # The greeting must have come: application data in a new handshake is another mistake.
        while (not (b"Extended master secret" in said and b"\n220 " in said) and
               (got := child.stdout.read1(65536))):
            said += got
        child.stdin.write(b"R\n")
        child.stdin.flush()
        while b"RENEGOTIATING" not in said and (got := child.stdout.read1(65536)):
            said += got
        try:
            said += child.communicate(b"QUIT\n", timeout=cast.PATIENCE)[0]
        except subprocess.TimeoutExpired:
            child.kill()
        return said.decode("utf-8", "replace")


def test_tls_tickets(run):
    """A session is taken up again, TLS 1.2 and 1.3."""
    proxy = Proxy(run, "reflect", terminating(run, "implicit = true;"))
    for version in ("-tls1_2", "-tls1_3"):
        kept = os.path.join(run.base, "session" + version)
        s_client(proxy.address, version, "-sess_out", kept, starttls=False)
        said = s_client(proxy.address, version, "-sess_in", kept, starttls=False)
        assert "Reused, TLSv1" in said, said
    run.stop()
    assert len([r for r in records(proxy, "tls") if r.get("resumed")]) == 2


def test_tls_openssl_server(run):
    """openssl s_server as an upstream of old TLS only, and one whose key is not the pinned."""
    need("openssl")
    port = cast.free_port()
    server = cast.Program(run, "s_server", [
        "openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", run.certificate("good"),
        "-key", run.key("good"), "-tls1_1", "-cipher", "ALL:@SECLEVEL=0", "-quiet"])
    cast.until(lambda: cast.listens(f"127.0.0.1:{port}"), "s_server to listen")
    proxy = Proxy(run, f"127.0.0.1:{port}", 'tls = { upstream = "implicit"; };')
    host, proxy_port = proxy.address.split(":")
    try:
        smtplib.SMTP(host, int(proxy_port), timeout=cast.PATIENCE)
        raise AssertionError("a session over TLS 1.1")
    except smtplib.SMTPConnectError as e:
        assert e.smtp_code == 421, e
    server.stop()
    run.stop()
    (seen,) = handshakes(proxy, side="server")
    assert not seen["ok"] and seen["failure"] == "version", json.dumps(seen)
