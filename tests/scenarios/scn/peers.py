"""Clients and servers: a thread each, blocking sockets, one deadline per step.

A script reads from top to bottom exactly as it happens on the wire. While an actor sends it
also reads (into `pending`), so that a long message does not deadlock against its replies,
unless it was told to stop_reading.
"""
import hashlib
import re
import select
import socket
import struct
import threading
import time

from scn import proxy_header
from scn.failed import Failed, show
from scn.script import size_of
from scn.tls import PIECE
from scn.tls_steps import Broken, TlsSteps

TCP_INFO_DATA_SEGS_IN = 152  # offset in struct tcp_info, linux/tcp.h


def body_lines(octets):
    """Mail data of exactly that size: numbered lines, some of them with a leading dot."""
    number = 0
    while octets >= 160:
        yield (b"%sline %d " % (b"." if number % 50 == 7 else b"", number)).ljust(78, b"=") + b"\r\n"
        octets -= 80
        number += 1
    yield b"x" * (octets - 2) + b"\r\n"


def stuffed(lines):
    return b"".join(b"." + line if line.startswith(b".") else line for line in lines)


class Peer(TlsSteps, threading.Thread):
    """Walks a block of steps; do_NAME runs step NAME."""

    def __init__(self, world, actor):
        super().__init__(daemon=True, name=actor.name)
        self.world, self.actor, self.error = world, actor, None
        self.sock = None
        self.begin_connection()
        self.sent, self.got, self.body = bytearray(), bytearray(), ""
        self.deadline = 0.0
        self.lines = []  # where we are, innermost last

    # -- life
    def run(self):
        try:
            self.step_begins()
            self.open()
            self.play(self.actor.block)
        except Exception as e:  # whatever it is, it is this scenario's failure
            name = "" if isinstance(e, Failed) else f"{type(e).__name__}: "
            line = self.lines[-1] if self.lines else self.actor.line
            self.error = f"{self.world.path}:{line}: {self.name}: {name}{e}"
            self.log("!", self.error)
            self.world.give_up()
        finally:
            if self.sock:
                self.sock.close()

    def play(self, block):
        for line, words in block:
            self.lines.append(line)
            self.step_begins()
            self.unused &= words[0] in ("connect", "accept", "repeat")
            args = [self.world.expand(w) if isinstance(w, bytes) else w for w in words[1:]]
            getattr(self, "do_" + words[0])(*args)
            self.lines.pop()

    def step_begins(self):
        self.deadline = time.monotonic() + self.world.step_seconds

    def left(self):
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise Failed(f"nothing more within {self.world.step_seconds:g} s"
                         + (f"; unread: {show(self.pending)}" if self.pending else ""))
        return left

    def log(self, mark, data):
        self.world.log(self.name, mark, show(data) if isinstance(data, (bytes, bytearray)) else data)

    # -- octets
    def begin_connection(self):
        self.reading, self.pending, self.unsent, self.layer = True, b"", bytearray(), None
        self.broken, self.unused = None, True

    def readable(self):
        """Waits; False when it was in vain so far."""
        if not select.select([self.sock], [], [], self.left())[0]:
            self.left()
            return False
        return True

    def fill_pending(self):
        """Waits for octets; False at the end of the stream."""
        if self.broken:
            raise self.broken
        if not self.readable():
            return True
        data = self.sock.recv(1 << 18)
        if data and self.layer:
            self.take_plain(data)
            return True
        self.log("<", data if data else "(closed)")
        self.pending += data
        self.got += data
        return bool(data)

    def need(self):
        if not self.fill_pending():
            raise Failed(f"the other side closed; unread: {show(self.pending)}")

    def take(self, n):
        data, self.pending = self.pending[:n], self.pending[n:]
        return data

    def push(self, patience=None):
        """Sends what is unsent, reading meanwhile. False: nothing moved for `patience`."""
        while self.unsent:
            wait = self.left() if patience is None else patience
            readable, writable, _ = select.select([self.sock] if self.reading else [],
                                                  [self.sock], [], wait)
            if writable:
                with memoryview(self.unsent) as view:
                    n = self.sock.send(view[:1 << 18], socket.MSG_DONTWAIT)
                del self.unsent[:n]
                self.step_begins()
            if readable and not self.fill_meanwhile():
                self.reading = False  # its end: recv and expect will see it again
            if not readable and not writable and patience is not None:
                return False
        return True

    def fill_meanwhile(self):
        try:
            return self.fill_pending()
        except Broken:
            return False

    def write(self, data, patience=None):
        """Sends all of data; returns how much, when patience was over before."""
        size = 4 * PIECE if self.layer else 1 << 18
        for at in range(0, len(data), size):
            piece = bytes(data[at:at + size])
            self.unsent += self.layer.encrypt(piece) if self.layer else piece
            self.sent += piece
            if not self.push(patience):
                left = 0 if self.layer else len(self.unsent)
                del self.sent[len(self.sent) - left:], self.unsent[:left]
                return at + len(piece) - left
        return len(data)

    # -- steps: sending
    def do_send(self, data):
        self.log("~>" if self.layer else ">", data)
        self.write(data)

    def do_send_file(self, path):
        with open(path, "rb") as f:
            self.do_send(f.read())

    def do_send_body(self, size):
        """Mail data of that many octets, dots stuffed, and its end."""
        lines = list(body_lines(size_of(size)))
        wire = stuffed(lines)
        self.body = hashlib.sha256(wire).hexdigest()
        self.log(">", f"({len(wire)} octets of mail data)")
        self.write(wire + b".\r\n")

    def do_dribble(self, size, data):
        self.log(">", data)
        for i in range(0, len(data), int(size)):
            self.write(data[i:i + int(size)])
            time.sleep(0.001)

    def do_fill(self, data):
        """Sends data again and again until the other side takes no more."""
        total, unit = 0, data * (65536 // len(data) + 1)
        while total < 256 << 20:
            n = self.write(unit, patience=1.0)
            total += n
            if n < len(unit):
                self.log(">", f"({total} octets, then no more were taken)")
                return
        raise Failed(f"{total} octets were taken without an end")

    # -- steps: receiving
    def do_recv(self, *how):
        if isinstance(how[0], bytes):
            self.recv_exact(how[0])
        else:
            name = {"~": "regex"}.get(how[0], how[0])
            getattr(self, "recv_" + name)(*how[1:])

    def recv_exact(self, want):
        while len(self.pending) < len(want) and want.startswith(self.pending):
            self.need()
        got = self.take(len(want))
        if got != want:
            raise Failed(f"wanted {show(want)}, got {show(got + self.pending)}")

    def recv_once(self, want):
        """Exactly these octets, and they come in one read."""
        if self.pending:
            raise Failed(f"already there: {show(self.pending)}")
        self.need()
        self.recv_exact(want)
        if self.pending:
            raise Failed(f"and behind it: {show(self.pending)}")

    def recv_bytes(self, size):
        left = size_of(size)
        while left > 0:
            if not self.pending:
                self.need()
                self.step_begins()
            left -= len(self.take(left))

    def recv_reply(self, code, text=b""):
        reply = b""
        while not re.match(rb"...[ \r\n]", reply[reply.rfind(b"\n", 0, -1) + 1:]):
            while b"\n" not in self.pending:
                self.need()
            reply += self.take(self.pending.index(b"\n") + 1)
            if not reply.startswith(code.encode()):
                raise Failed(f"wanted reply {code}, got {show(reply)}")
        if text not in reply:
            raise Failed(f"wanted {show(text)} in {show(reply)}")

    def recv_until(self, mark):
        while mark not in self.pending:
            self.need()
        return self.take(self.pending.index(mark) + len(mark))

    def recv_regex(self, pattern):
        """Matches at what is next; the octets of the match are used up."""
        while not (m := re.match(pattern, self.pending, re.DOTALL)):
            self.need()
        self.take(m.end())

    def recv_body(self):
        """Mail data up to its end, however long; remembered as a digest."""
        digest, total, tail = hashlib.sha256(), 0, b""
        while True:
            data = tail + self.pending
            self.pending = b""
            if total == 0 and data.startswith(b".\r\n"):
                end = 0
            else:
                at = data.find(b"\r\n.\r\n")
                end = at + 2 if at >= 0 else -1
            if end >= 0:
                digest.update(data[:end])
                self.pending = data[end + 3:]
                self.body = digest.hexdigest()
                return
            keep = min(len(data), 4)
            digest.update(data[:len(data) - keep])
            total += len(data) - keep
            tail = data[len(data) - keep:]
            self.need()
            self.step_begins()

    def recv_proxy(self, version, text=b""):
        """A PROXY header of that version; text: part of "SOURCE DESTINATION"."""
        while not (found := proxy_header.split(self.pending)):
            self.need()
        got, what, octets = found
        self.take(octets)
        if got != version or text.decode() not in what:
            raise Failed(f"wanted a header {version} with {text.decode()!r}, got {got}: {what}")

    # -- steps: endings
    def do_expect(self, what, *args):
        getattr(self, "expect_" + what)(*args)

    def ending(self):
        """"close", "truncated", "reset", or the octets that came instead."""
        try:
            while not self.pending:
                if not self.fill_pending():
                    return "truncated" if self.layer and not self.layer.closed else "close"
            return self.pending
        except ConnectionResetError:
            self.log("<", "(reset)")
            return "reset"

    def expect_close(self):
        if (how := self.ending()) != "close":
            raise Failed(f"wanted close, got {how if isinstance(how, str) else show(how)}")

    def expect_reset(self):
        if (how := self.ending()) != "reset":
            raise Failed(f"wanted reset, got {how if isinstance(how, str) else show(how)}")

    def expect_end(self):
        """Close or reset, whichever the kernel made of it; octets before it do not matter."""
        try:
            while self.fill_pending():
                pass
        except (ConnectionResetError, Broken) as e:
            self.log("<", f"({e if isinstance(e, Broken) else 'reset'})")

    def expect_silence(self, ms):
        end = time.monotonic() + int(ms.removesuffix("ms")) / 1000
        open_still = True
        while not self.pending and open_still:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.sock], [], [], left)[0]:
                return
            open_still = self.fill_pending()
        raise Failed(f"wanted silence, got {show(self.pending) if self.pending else 'close'}")

    def expect_octets(self):
        """Something came; it stays where it is, for a handshake."""
        if not self.pending and not select.select([self.sock], [], [], self.left())[0]:
            raise Failed("nothing came")

    def expect_segments(self, count):
        """So many data segments came in on this connection: on loopback one per write."""
        info = self.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 200)
        seen = struct.unpack_from("I", info, TCP_INFO_DATA_SEGS_IN)[0]
        if seen != int(count):
            raise Failed(f"wanted {count} data segments, got {seen}")

    def do_half_close(self):
        self.log(">", "(half close)")
        self.say_goodbye()
        self.shut()

    def shut(self):
        self.sock.shutdown(socket.SHUT_WR)

    def do_close(self):
        self.log(">", "(close)")
        self.say_goodbye()
        self.sock.close()

    def say_goodbye(self):
        """close_notify, where there is TLS."""
        if self.layer:
            self.unsent += self.layer.finish()
            self.push()

    def do_reset(self):
        self.log(">", "(reset)")
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    # -- steps: order and pace
    def do_pause(self, ms):
        time.sleep(int(ms.removesuffix("ms")) / 1000)

    def do_stop_reading(self):
        self.reading = False

    def do_start_reading(self):
        self.reading = True

    def do_repeat(self, times, block):
        for _ in range(int(times)):
            self.play(block)

    def do_sync(self, name):
        self.world.sync(name)

    # -- sockets
    def set_options(self, sock):
        if "rcvbuf" in self.actor.options:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF,
                            size_of(self.actor.options["rcvbuf"]))


class Client(Peer):
    def open(self):
        host, port = self.world.address(self.actor.options["to"])
        self.sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.set_options(self.sock)
        self.sock.settimeout(self.left())
        if "from" in self.actor.options:
            self.sock.bind((self.actor.options["from"], 0))
        self.sock.connect((host, port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def do_connect(self):
        """A new connection to the same place; the first one, while nothing was done with it."""
        if self.unused:
            return
        self.sock.close()
        self.begin_connection()
        self.open()


class Server(Peer):
    """Listens from the moment it is declared; accepts one connection, or `each N`."""

    is_server = True

    def __init__(self, world, actor):
        super().__init__(world, actor)
        family, host = ((socket.AF_INET6, "::1") if "ipv6" in actor.options
                        else (socket.AF_INET, "127.0.0.1"))
        self.listener = socket.socket(family)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.set_options(self.listener)
        self.listener.bind((host, 0))
        self.address = self.listener.getsockname()[:2]
        self.fillers = []
        if "blackhole" in actor.options:
            self.become_black_hole(family)
        elif "refusing" not in actor.options:
            self.listener.listen(64)

    def become_black_hole(self, family):
        """With its queue full, Linux answers no SYN at all."""
        self.listener.listen(0)
        for _ in range(3):
            s = socket.socket(family)
            s.setblocking(False)
            s.connect_ex(self.address)
            self.fillers.append(s)

    def open(self):
        if "each" not in self.actor.options:
            self.take_next()

    def play(self, block):
        if "each" not in self.actor.options or self.sock:
            return super().play(block)
        parts = []
        for n in range(int(self.actor.options["each"])):
            part = Part(self, n + 1)
            part.start()
            parts.append(part)
        for part in parts:
            part.join()
            self.sent += part.sent
            self.got += part.got
        errors = [part.error for part in parts if part.error]
        if errors:
            raise Failed(errors[0])

    def do_accept(self):
        """Drops the connection it has, unless nothing was done with it, and takes the next."""
        if self.unused:
            return
        self.sock.close()
        self.begin_connection()
        self.take_next()

    def take_next(self):
        self.listener.settimeout(self.left())
        try:
            self.sock = self.listener.accept()[0]
        except TimeoutError:
            raise Failed("nobody connected") from None
        self.sock.settimeout(None)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.log("=", "(accepted)")


class Part(Server):
    """One of the connections of `server NAME each N`."""

    def __init__(self, whole, number):
        Peer.__init__(self, whole.world, whole.actor._replace(
            name=f"{whole.name}/{number}", options={}))
        self.listener = whole.listener
