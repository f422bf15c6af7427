"""The steps of clients and servers that concern TLS."""
import re
import ssl

from scn.failed import Failed, show
from scn.tls import Tls


class Cut(Exception):
    """As many octets of the handshake were sent as were to be sent."""


class Broken(Failed):
    """What came inside TLS was not correct, or the other side said so."""


class TlsSteps:
    """Part of Peer. self.layer is the TLS in force, None in the clear."""

    is_server = False
    earlier = None  # the TLS in force before, for `resume`
    last_cut = 0
    broken = None  # what was wrong with the octets that came

    def do_tls(self, *fields):
        """A handshake, or as much of one as is asked for; `behind` goes before it, at once."""
        if self.pending and not self.is_server:
            raise Failed(f"octets in the clear where TLS begins: {show(self.pending)}")
        options = {field.name: self.world.expand(field.value.encode("latin-1")).decode("latin-1")
                   for field in fields}
        before = self.earlier if "resume" in options else None
        self.layer = Tls(self.world.certificates(), self.is_server, options, before)
        self.allowance = self.octets_allowed(options)
        try:
            self.shake_hands(options)
        except Cut:
            self.end_cut(options["then"])
            return
        except (ssl.SSLError, ConnectionError, EOFError) as e:
            self.failed_handshake(options, e)
            return
        if "fails" in options:
            raise Failed(f"the handshake succeeded: {self.layer.facts()}")
        if "cut" in options:
            self.end_cut(options["then"])
        else:
            self.log("=", f"(TLS: {self.layer.facts()})")

    def octets_allowed(self, options):
        """`cut=100`: a hundred octets; `cut=+7`: seven more than the last time."""
        if "cut" not in options:
            return None
        n = int(options["cut"])
        self.last_cut = self.last_cut + n if options["cut"].startswith("+") else n
        return self.last_cut

    def shake_hands(self, options):
        before = options.get("behind", "").encode("latin-1")
        # A server may have read the hello with what came before it: a PROXY header.
        wire = self.take(len(self.pending))
        del self.got[len(self.got) - len(wire):]
        done = self.layer.handshake(wire)
        self.send_wire(before + self.layer.wire())
        while not done:
            wire = self.wait_wire()
            try:
                done = self.layer.handshake(wire)
            finally:
                self.send_wire(self.layer.wire())
        # What a server of TLS 1.3 thinks of it, the client hears only now.
        while "fails" in options:
            self.layer.decrypt(self.wait_wire())
        self.take_plain(b"")

    def wait_wire(self):
        """Octets as they come; EOFError at the end of the stream."""
        while not self.readable():
            pass
        data = self.sock.recv(1 << 18)
        if not data:
            raise EOFError("close")
        return data

    def send_wire(self, wire):
        if self.allowance is not None:
            wire = wire[:self.allowance]
            self.allowance -= len(wire)
        self.unsent += wire
        self.push()
        if self.allowance == 0:
            raise Cut

    def end_cut(self, how):
        self.layer = None
        if how != "stall":
            getattr(self, "do_" + how)()

    def failed_handshake(self, options, error):
        how = "reset" if isinstance(error, ConnectionError) else str(error)
        self.log("<", f"(TLS failed: {how})")
        self.layer = None
        if "fails" not in options:
            raise Failed(f"TLS failed: {how}") from None
        if not re.search(options["fails"], how):
            raise Failed(f"TLS failed with {how!r}, wanted {options['fails']!r}")

    def take_plain(self, wire):
        """Decrypts what came; the plaintext is pending then."""
        try:
            data = self.layer.decrypt(wire)
        except ssl.SSLError as e:
            self.unsent += self.layer.wire()
            self.broken = Broken(f"TLS: {e}; unread: {show(self.pending)}")
            raise self.broken from None
        self.unsent += self.layer.wire()
        if data:
            self.log("<~", data)
        if self.layer.closed and wire:
            self.log("<~", "(close_notify)")
        self.pending += data
        self.got += data
        self.earlier = self.layer

    def expect_tls(self, *fields):
        if not self.layer:
            raise Failed("no TLS is in force")
        facts = self.layer.facts()
        for field in fields:
            got = facts[field.name]
            if not (got == field.value if field.op == "=" else re.search(field.value, got)):
                raise Failed(f"wanted {field.name}{field.op}{field.value}, got {facts}")

    def expect_broken(self, pattern):
        try:
            how = self.ending()
        except Broken as e:
            if not re.search(pattern.decode(), str(e)):
                raise
            return
        raise Failed(f"wanted TLS to break, got {how}")

    def expect_truncated(self):
        if (how := self.ending()) != "truncated":
            raise Failed(f"wanted an end without close_notify, got {how}")

    def do_truncate(self):
        """Ends its side without close_notify."""
        self.log(">", "(FIN without close_notify)")
        self.shut()

    def do_send_clear(self, data):
        """Octets that no TLS has touched."""
        self.log(">", data)
        self.unsent += data
        self.push()
