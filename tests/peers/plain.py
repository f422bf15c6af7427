"""Tests in the clear: real clients, real servers, and the smuggling family."""
import json
import os
import shutil
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import cast
from cast import Exim, Postfix, Proxy, Sink, SmtpSink
from common import (BODIES, TOO_LONG, call, check_transcript, content, equal, make_file, need,
                    records, send_smtplib)

HERE = os.path.dirname(os.path.abspath(__file__))
VECTORS = os.path.join(HERE, "..", "vectors", "vectors.jsonl")


# ---- clients -------------------------------------------------------------------------------
def test_smtplib(run):
    sink = Sink(run)
    proxy = Proxy(run, sink.address)
    sent = {name: content(name, body) for name, body in {**BODIES, **TOO_LONG}.items()}
    for name, wire in sent.items():
        send_smtplib(proxy.address, name, wire)
    for message in sink.wait(len(sent)):
        name = message.sender.split("@")[0]
        equal(message.content, sent[name], name)
    run.stop()
    check_transcript(proxy, len(sent))


def test_swaks(run):
    need("swaks")
    sink = Sink(run)
    proxy = Proxy(run, sink.address)
    bodies = {**BODIES, "dots": BODIES["dots"] + b"end\r\n"}  # swaks drops a lone dot at the end
    for name in ("short", "dots", "eight-bit"):
        path = os.path.join(run.base, name)
        with open(path, "wb") as f:
            f.write(content(name, bodies[name]).replace(b"\r\n", b"\n"))
        call("swaks", "--server", proxy.address, "--helo", "client.test", "--from",
             f"{name}@example.org", "--to", "b@example.net", "--data", "@" + path)
    for message in sink.wait(3):
        name = message.sender.split("@")[0]
        equal(message.content.rstrip(b"\r\n") + b"\r\n", content(name, bodies[name]), name)
    run.stop()
    check_transcript(proxy, 3)


def test_curl(run):
    need("curl")
    sink = Sink(run)
    proxy = Proxy(run, sink.address)
    for name, body in BODIES.items():
        path = os.path.join(run.base, name)
        with open(path, "wb") as f:
            f.write(content(name, body))
        call("curl", "-sS", "--mail-from", f"{name}@example.org", "--mail-rcpt", "b@example.net",
             "-T", path, f"smtp://{proxy.address}/client.test")
    for message in sink.wait(len(BODIES)):
        name = message.sender.split("@")[0]
        equal(message.content, content(name, BODIES[name]), name)
    run.stop()
    check_transcript(proxy, len(BODIES))


def test_smtp_source(run):
    """Postfix's generator into Postfix's sink: 400 messages, 8 sessions at a time."""
    source = shutil.which("smtp-source") or "/usr/sbin/smtp-source"
    need(source)
    sink = SmtpSink(run, dump=True)
    proxy = Proxy(run, sink.address)
    call(source, "-s", "8", "-m", "400", "-l", "3000", "-f", "a@example.org", "-t",
         "b@example.net", proxy.address)
    files = sink.files()
    assert len(files) == 400, f"{len(files)} messages stored"
    bodies = set()
    for path in files:
        with open(path, "rb") as f:
            bodies.add(f.read().split(b"\n\n", 1)[1])
    assert len(bodies) == 1, "messages differ"
    run.stop()
    check_transcript(proxy, 400)


def test_smtp_source_direct_equals_proxied(run):
    """What smtp-sink stores is the same with and without the proxy."""
    source = shutil.which("smtp-source") or "/usr/sbin/smtp-source"
    need(source)
    stored = []
    sink = SmtpSink(run, dump=True)
    proxy = Proxy(run, sink.address)
    for address in (sink.address, proxy.address):
        before = set(sink.files())
        call(source, "-m", "1", "-F", make_file(run, "mail", b"Subject: x\n\n.dot\nx\n"),
             "-f", "a@example.org", "-t", "b@example.net", address)
        (path,) = set(sink.files()) - before
        with open(path, "rb") as f:
            stored.append(f.read().split(b"\n\n", 1)[1])
    equal(stored[1], stored[0], "content through the proxy")
    run.stop()
    check_transcript(proxy, 1)


# ---- mail servers --------------------------------------------------------------------------
def received_is(message, wire, name):
    """The server puts its trace in front (RFC 5321 4.4); behind it everything is as sent."""
    at = message.content.find(b"From: a@example.org\r\n")
    assert at > 0 and b"Received:" in message.content[:at], f"{name}: no trace of the server"
    equal(message.content[at:], wire, name)


def through(run, entry, sink, bodies):
    for name, body in bodies.items():
        send_smtplib(entry, name, content(name, body), ["BODY=8BITMIME"])
    for message in sink.wait(len(bodies)):
        name = message.sender.split("@")[0]
        received_is(message, content(name, bodies[name]), name)


def test_postfix_upstream(run):
    sink = Sink(run)
    postfix = Postfix(run, sink.address)
    proxy = Proxy(run, postfix.address)
    through(run, proxy.address, sink, BODIES)
    run.stop()
    check_transcript(proxy, len(BODIES))


def test_postfix_client(run):
    sink = Sink(run)
    proxy = Proxy(run, sink.address)
    postfix = Postfix(run, proxy.address)
    through(run, postfix.address, sink, BODIES)
    run.stop()
    check_transcript(proxy, len(BODIES))


def test_exim_upstream(run):
    sink = Sink(run)
    exim = Exim(run, sink.address)
    proxy = Proxy(run, exim.address)
    through(run, proxy.address, sink, BODIES)
    run.stop()
    check_transcript(proxy, len(BODIES))


def test_exim_client_bdat(run):
    """Exim sends BDAT to a server that offers CHUNKING; the proxy lets it pass."""
    sink = Sink(run, keywords=["CHUNKING"])
    proxy = Proxy(run, sink.address)
    exim = Exim(run, proxy.address)
    through(run, exim.address, sink, BODIES)
    run.stop()
    check_transcript(proxy, len(BODIES))
    chunks = [r for r in records(proxy, "command") if r["verb"] == "BDAT"]
    assert chunks and sink.chunks == len(chunks), f"{len(chunks)} chunks recorded, {sink.chunks} came"


def test_exim_client_data(run):
    """The same without CHUNKING."""
    sink = Sink(run)
    proxy = Proxy(run, sink.address)
    exim = Exim(run, proxy.address)
    through(run, exim.address, sink, BODIES)
    run.stop()
    check_transcript(proxy, len(BODIES))


# ---- smuggling -----------------------------------------------------------------------------
def smuggling_vectors():
    """(id, mail data with whatever is behind it) of the SMG family."""
    with open(VECTORS, encoding="utf-8") as f:
        for vector in map(json.loads, f):
            if vector["id"].startswith("SMG") and vector["state"] == "data":
                yield vector["id"], vector["input"].encode().decode("unicode_escape").encode("latin-1")


def play_vector(address, name, data):
    """One session that sends the vector as mail data; returns all replies."""
    host, port = address.split(":")
    replies = b""
    with socket.create_connection((host, int(port)), cast.PATIENCE) as s:
        stream = s.makefile("rb")

        def reply():
            while line := stream.readline():
                if line[3:4] != b"-":
                    return line
            return b""
        reply()
        for command in ("EHLO client.test", f"MAIL FROM:<{name}@vector.test>",
                        "RCPT TO:<b@example.net>", "DATA"):
            s.sendall(command.encode() + b"\r\n")
            answer = reply()
            assert answer[:1] in b"23", f"{name}: {command}: {answer!r}"
        s.sendall(b"Subject: %s\r\n\r\n" % name.encode() + data)
        s.settimeout(0.7)
        try:
            while got := s.recv(65536):
                replies += got
        except OSError:
            pass
        try:
            # a message that is still open ends here: the vector's own session is one message
            s.sendall(b"\r\n.\r\nQUIT\r\n")
            s.shutdown(socket.SHUT_WR)
            s.settimeout(5)
            while got := s.recv(65536):
                replies += got
        except OSError:
            pass
    return replies


def smuggled(sink, names):
    """Senders that no vector announced, and vectors that made more than one message."""
    senders = [m.sender for m in sink.messages]
    strangers = [s for s in senders if s not in names]
    doubles = [s for s in set(senders) if senders.count(s) > 1]
    return strangers + doubles


def play_family(address, server, sink):
    vectors = dict(smuggling_vectors())
    assert len(vectors) > 30, f"only {len(vectors)} vectors"
    with ThreadPoolExecutor(12) as pool:
        runs = [pool.submit(play_vector, address, name.lower(), data)
                for name, data in vectors.items()]
    for done in runs:
        done.result()
    server.wait_idle()
    time.sleep(0.5)
    return smuggled(sink, {f"{name.lower()}@vector.test" for name in vectors})


def smuggle(run, kind):
    sink = Sink(run)
    server = kind(run, sink.address)
    proxy = Proxy(run, server.address)
    found = play_family(proxy.address, server, sink)
    assert not found, f"more than one message out of one: {found}"
    arrived = len(sink.messages)
    # The same without the proxy: if nothing were smuggled then, the test would prove nothing.
    sink.messages.clear()
    direct = play_family(server.address, server, sink)
    run.stop()
    return f"{arrived} of the family delivered, none twice; without the proxy {len(direct)} smuggled"


def test_smuggling_postfix(run):
    return smuggle(run, Postfix)


def test_smuggling_exim(run):
    return smuggle(run, Exim)


# Sizes that Exim 4.96 reads as 5: it keeps them in 32 bits.
WIDE_SIZES = ("4294967301", "8589934597", "18446744069414584325")
HIDDEN = b"Subject: hidden\r\n\r\nhidden\r\n"


def play_chunk(address, size):
    """One mail in one chunk, in which the commands of another one are hidden."""
    host, port = address.split(":")
    content = (b"Hi\r\n\r" + b"MAIL FROM:<hidden@vector.test>\r\nRCPT TO:<b@example.net>\r\n"
               + b"BDAT %d LAST\r\n" % len(HIDDEN) + HIDDEN)
    with socket.create_connection((host, int(port)), cast.PATIENCE) as s:
        stream = s.makefile("rb")
        for command in ("", "EHLO client.test", "MAIL FROM:<open@vector.test>",
                        "RCPT TO:<b@example.net>"):
            if command:
                s.sendall(command.encode() + b"\r\n")
            while (line := stream.readline())[3:4] == b"-":
                pass
            assert line[:1] == b"2", f"{command}: {line!r}"
        s.sendall(f"BDAT {size} LAST\r\n".encode() + content + b"QUIT\r\n")
        try:
            while s.recv(65536):
                pass
        except ConnectionResetError:
            pass


def hidden_mails(address, server, sink):
    for size in WIDE_SIZES:
        play_chunk(address, size)
    server.wait_idle()
    time.sleep(0.5)
    return [m.sender for m in sink.messages if m.sender == "hidden@vector.test"]


def test_chunk_sizes_exim(run):
    """A chunk is as long for Exim as for the proxy, whatever the client says."""
    sink = Sink(run)
    server = Exim(run, sink.address)
    proxy = Proxy(run, server.address)
    found = hidden_mails(proxy.address, server, sink)
    assert not found and not sink.messages, f"run out of a chunk: {found}, {sink.messages}"
    sink.messages.clear()
    direct = hidden_mails(server.address, server, sink)
    run.stop()
    assert direct, "this Exim keeps sizes in more than 32 bits: the test proves nothing"
    return f"none delivered; without the proxy {len(direct)} of {len(WIDE_SIZES)} smuggled"
