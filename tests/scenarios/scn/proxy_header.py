"""PROXY protocol headers (haproxy.org, proxy-protocol.txt): ${proxy.v2} in a scenario's text,
and `recv proxy`."""
import re
import socket
import struct

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
FOUR = ("192.0.2.7", "198.51.100.9", 4711, 25)
SIX = ("2001:db8::7", "2001:db8::9", 4711, 25)
LOCAL, PROXY = 0x20, 0x21
TCP4, TCP6 = 0x11, 0x21


def pack(command, family, rest):
    return SIGNATURE + struct.pack("!BBH", command, family, len(rest)) + rest


def addresses(source, destination, *ports):
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    return (socket.inet_pton(family, source) + socket.inet_pton(family, destination)
            + struct.pack("!HH", *ports))


def tlv(kind, value):
    return struct.pack("!BH", kind, len(value)) + value


# The TLVs of a balancer that ended TLS itself would be more; these are ALPN, authority, NOOP.
TLVS = tlv(1, b"smtp") + tlv(2, b"mx.test") + tlv(4, b"\0" * 5)
HEADERS = {
    "v1": b"PROXY TCP4 192.0.2.7 198.51.100.9 4711 25\r\n",
    "v1six": b"PROXY TCP6 2001:db8::7 2001:db8::9 4711 25\r\n",
    "v1unknown": b"PROXY UNKNOWN\r\n",
    "v2": pack(PROXY, TCP4, addresses(*FOUR)),
    "v2six": pack(PROXY, TCP6, addresses(*SIX)),
    "v2tlv": pack(PROXY, TCP4, addresses(*FOUR) + TLVS),
    "v2local": pack(LOCAL, 0, b""),
}


class Bad(Exception):
    """It is no header."""


def split(data):
    """(version, "SOURCE DESTINATION" or "unknown", octets) of the header at the front;
    None: more is needed."""
    if data[:1] == b"P":
        if b"\r\n" not in data[:107]:
            return None
        line = data[:data.index(b"\r\n")].decode("latin-1")
        m = re.fullmatch(r"PROXY (?:UNKNOWN.*|TCP([46]) (\S+) (\S+) (\d+) (\d+))", line)
        if not m:
            raise Bad(line)
        return "v1", spoken(*m.groups()[1:]) if m[1] else "unknown", len(line) + 2
    if len(data) < 16:
        return None
    command, family, length = struct.unpack_from("!BBH", data, 12)
    if data[:12] != SIGNATURE or command not in (LOCAL, PROXY):
        raise Bad(repr(data[:16]))
    if len(data) < 16 + length:
        return None
    size, code = (16, socket.AF_INET6) if family == TCP6 else (4, socket.AF_INET)
    text = "unknown"
    if command == PROXY and family in (TCP4, TCP6):
        hosts = [socket.inet_ntop(code, data[16 + n * size:16 + (n + 1) * size]) for n in (0, 1)]
        text = spoken(*hosts, *struct.unpack_from("!HH", data, 16 + 2 * size))
    return "v2", text, 16 + length


def spoken(source, destination, *ports):
    return " ".join(f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
                    for host, port in zip((source, destination), ports))
