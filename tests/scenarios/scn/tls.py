"""One end of a TLS connection on memory BIOs: octets in, octets out, no socket.

So a scenario can cut a handshake at any octet, end without close_notify, put octets of its
own between records, and count what was sent.
"""
import ssl
import warnings

from scn import certificates

VERSIONS = {"1.0": ssl.TLSVersion.TLSv1, "1.1": ssl.TLSVersion.TLSv1_1,
            "1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
PIECE = 16384  # plaintext of one record


def context(directory, server, options):
    """What `options` of a step say: version, cert, ask, alpn, verify, ciphers, keys."""
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    ctx.check_hostname = False
    ctx.verify_mode = ssl.CERT_NONE
    # An expectation may be about old versions; whether they are spoken is the proxy's affair.
    ctx.set_ciphers(options.get("ciphers", "ALL:@SECLEVEL=0"))
    if "version" in options:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            ctx.minimum_version = ctx.maximum_version = VERSIONS[options["version"]]
    if "alpn" in options:
        ctx.set_alpn_protocols(options["alpn"].split(","))
    name = options.get("cert", "good" if server else None)
    if name:
        ctx.load_cert_chain(f"{directory}/{name}.pem", f"{directory}/{name}.key")
    if "verify" in options or "ask" in options:
        ctx.load_verify_locations(f"{directory}/ca.pem")
        ctx.verify_mode = ssl.CERT_OPTIONAL if "ask" in options else ssl.CERT_REQUIRED
        ctx.check_hostname = "verify" in options
    return ctx


class Tls:
    def __init__(self, directory, server, options, before=None):
        """before: the Tls whose session is to be taken up again."""
        self.directory, session = directory, None
        self.put, self.get = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.name_seen = ""
        if before:
            self.context, session = before.context, before.session
        else:
            self.context = context(directory, server, options)
        if server:
            self.context.sni_callback = self.saw_name
        self.obj = self.context.wrap_bio(self.put, self.get, server_side=server,
                                         server_hostname=options.get("name"), session=session)
        self.session = None  # to be taken up again
        self.closed = False  # close_notify came
        self.finished = False

    def saw_name(self, _obj, name, _ctx):
        self.name_seen = name or ""

    def wire(self):
        """What is to be sent now."""
        return self.get.read()

    def handshake(self, wire=b""):
        """True: complete. Raises ssl.SSLError."""
        self.put.write(wire)
        try:
            self.obj.do_handshake()
            return True
        except ssl.SSLWantReadError:
            return False

    def decrypt(self, wire=b""):
        """All plaintext there is; the end of the stream shows in `closed`."""
        self.put.write(wire)
        parts = []
        while not self.closed:
            try:
                data = self.obj.read(1 << 18)
                self.closed = not data
                parts.append(data)
            except ssl.SSLWantReadError:
                break
            except ssl.SSLZeroReturnError:
                self.closed = True
        self.session = self.obj.session or self.session
        return b"".join(parts)

    def encrypt(self, data):
        self.obj.write(data)
        return self.wire()

    def finish(self):
        """close_notify, once."""
        if self.finished:
            return b""
        self.finished = True
        try:
            self.obj.unwrap()
        except ssl.SSLError:
            pass  # it wants the other side's, which comes or not
        return self.wire()

    def facts(self):
        cipher, version, _ = self.obj.cipher()
        return {"version": self.obj.version() or version, "cipher": cipher,
                "alpn": self.obj.selected_alpn_protocol() or "none",
                "cert": certificates.name_of(self.directory, self.obj.getpeercert(True)),
                "name": self.name_seen or "none",
                "resumed": "yes" if self.obj.session_reused else "no"}
