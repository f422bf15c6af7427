"""What the tests share: messages, calls of programs, what transcripts must say."""
import json
import os
import shutil
import smtplib
import subprocess

import cast
from cast import Skipped

HEADER = (b"From: a@example.org\r\nTo: b@example.net\r\nSubject: %s\r\n"
          b"Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nMessage-ID: <%s@example.org>\r\n"
          b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
          b"Content-Transfer-Encoding: 8bit\r\n\r\n")


def content(name, body):
    return HEADER % (name.encode(), name.encode()) + body


BODIES = {
    "short": b"hi\r\n",
    "dots": b".\r\n..\r\n.x\r\n...\r\nx.\r\n.\r\n",
    "long-lines": b"".join(bytes([97 + n]) * 998 + b"\r\n" for n in range(20)),
    "eight-bit": "Grüße, Ελλάδα, 日本\r\n".encode() + bytes(range(0xA0, 0x100)) + b"\r\n",
    "5-mib": b"".join(b"%07d %s\r\n" % (n, b".:" * 35) for n in range(65536)),
}
TOO_LONG = {"very-long-lines": b"y" * 5000 + b"\r\n.\r\n" + b"z" * 3000 + b"\r\n"}


def send_smtplib(address, name, wire, options=()):
    """One message by Python's smtplib; it stuffs dots itself."""
    host, port = address.split(":")
    with smtplib.SMTP(host, int(port), "client.test", timeout=cast.PATIENCE) as client:
        client.sendmail(f"{name}@example.org", ["b@example.net"], wire, list(options))


def records(proxy, kind):
    with open(proxy.transcript, encoding="utf-8") as f:
        return [r for r in map(json.loads, f) if r["kind"] == kind]


def equal(got, want, what):
    if got != want:
        at = next((i for i, (a, b) in enumerate(zip(got, want)) if a != b), min(len(got), len(want)))
        raise AssertionError(f"{what}: {len(got)} octets, wanted {len(want)}; they part at {at}: "
                             f"{got[at:at + 60]!r}, wanted {want[at:at + 60]!r}")


def check_transcript(proxy, messages):
    """After the proxy ended: as many whole messages recorded, each session closed."""
    whole = [r for r in records(proxy, "content") if r["complete"]]
    assert len(whole) == messages, f"{len(whole)} whole messages recorded, wanted {messages}"
    opened, closed = len(records(proxy, "open")), len(records(proxy, "close"))
    assert opened == closed, f"{opened} sessions opened, {closed} closed"


def need(program):
    if shutil.which(program) is None:
        raise Skipped(f"needs {program}")


def make_file(run, name, data):
    path = os.path.join(run.base, name)
    with open(path, "wb") as f:
        f.write(data)
    return path


def call(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=cast.PATIENCE * 3, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{command[0]} ended with {done.returncode}: "
                             f"{done.stdout.decode('utf-8', 'replace')[-2000:]}")
