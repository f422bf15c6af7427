"""Captures as lists of packets: read, taken apart, put together, written in every form.

A packet is a Packet: microseconds since 1970, the frame's octets, their true number. Frames
that come in are Ethernet or raw IP; what goes out has any link layer of LINKS.
"""
import dataclasses
import ipaddress
import struct

ETHERNET, RAW, NULL, LOOP, SLL, SLL2 = 1, 101, 0, 108, 113, 276
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
CLIENT, SERVER = ("192.0.2.10", 40000), ("192.0.2.25", 25)
CLIENT6, SERVER6 = ("2001:db8::10", 40000), ("2001:db8::25", 25)


@dataclasses.dataclass
class Packet:
    us: int
    data: bytes
    length: int = 0

    def __post_init__(self):
        self.length = self.length or len(self.data)


# ---- IP and TCP ------------------------------------------------------------------------------
def checksum(octets):
    if len(octets) % 2:
        octets += b"\0"
    total = sum(struct.unpack(f">{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ip4(source, destination, protocol, payload, ident=1, offset=0, more=False, options=b""):
    head = struct.pack(">BBHHHBBH4s4s", 0x45 + len(options) // 4, 0,
                       20 + len(options) + len(payload), ident,
                       (0x2000 if more else 0) | offset // 8, 64, protocol, 0,
                       ipaddress.ip_address(source).packed,
                       ipaddress.ip_address(destination).packed) + options
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + payload


def ip6(source, destination, protocol, payload):
    return struct.pack(">IHBB16s16s", 6 << 28, len(payload), protocol, 64,
                       ipaddress.ip_address(source).packed,
                       ipaddress.ip_address(destination).packed) + payload


def ip(source, destination, payload):
    make = ip6 if ":" in source else ip4
    return make(source, destination, 6, payload)


def tcp(source, destination, seq, ack, flags, payload=b"", window=65535, options=b""):
    """An IP packet with a segment; ends are (address, port). Options: whole words of four octets."""
    head = struct.pack(">HHIIBBHHH", source[1], destination[1], seq % 2**32, ack % 2**32,
                       5 + len(options) // 4 << 4, flags, window, 0, 0) + options
    src, dst = (ipaddress.ip_address(a[0]).packed for a in (source, destination))
    length = len(head) + len(payload)
    pseudo = src + dst + (struct.pack(">BBH", 0, 6, length) if len(src) == 4
                          else struct.pack(">IHBB", length, 0, 0, 6))
    whole = head[:16] + struct.pack(">H", checksum(pseudo + head + payload)) + head[18:] + payload
    return ip(source[0], destination[0], whole)


# ---- a conversation --------------------------------------------------------------------------
class Talk:
    """Both ends of a TCP connection, as the packets between them (raw IP)."""

    def __init__(self, client=CLIENT, server=SERVER, us=1700000000_000000, isn=(1000, 9000),
                 options=(b"", b"")):
        self.options = options  # of the SYNs
        self.ends, self.us, self.step = (client, server), us, 100
        self.seq = [isn[0] % 2**32, isn[1] % 2**32]
        self.packets = []

    def add(self, side, flags, payload=b"", seq=None, ack=None, options=b""):
        seq = self.seq[side] if seq is None else seq
        ack = (self.seq[1 - side] if flags & ACK else 0) if ack is None else ack
        self.us += self.step
        self.packets.append(Packet(self.us, tcp(self.ends[side], self.ends[1 - side], seq, ack,
                                                flags, payload, options=options)))
        return self

    def say(self, side, payload, size=1448):
        for at in range(0, len(payload), size):
            part = payload[at:at + size]
            self.add(side, ACK | PSH, part)
            self.seq[side] += len(part)
        return self

    def client(self, payload, size=1448):
        return self.say(0, payload, size).add(1, ACK)

    def server(self, payload, size=1448):
        return self.say(1, payload, size).add(0, ACK)

    def hello(self):
        self.add(0, SYN, options=self.options[0])
        self.seq[0] += 1
        self.add(1, SYN | ACK, options=self.options[1])
        self.seq[1] += 1
        return self.add(0, ACK)

    def bye(self, first=0):
        for side in (first, 1 - first):
            self.add(side, FIN | ACK)
            self.seq[side] += 1
        return self.add(first, ACK)

    def mail(self, body, size=1448):
        """A whole session with one message."""
        self.hello().server(b"220 mx.test ESMTP\r\n")
        for command, reply in ((b"EHLO c.test\r\n", b"250-mx.test\r\n250 SIZE\r\n"),
                               (b"MAIL FROM:<a@c.test>\r\n", b"250 2.1.0 Ok\r\n"),
                               (b"RCPT TO:<b@mx.test>\r\n", b"250 2.1.5 Ok\r\n"),
                               (b"DATA\r\n", b"354 go on\r\n")):
            self.client(command).server(reply)
        self.client(body + b".\r\n", size).server(b"250 2.0.0 Ok\r\n")
        return self.client(b"QUIT\r\n").server(b"221 2.0.0 Bye\r\n").bye()


# ---- packets taken apart ---------------------------------------------------------------------
def packet_of(frame, link):
    """The IP packet of a frame."""
    if link == ETHERNET:
        return frame[14:]
    return frame if link in (RAW, 12) else frame[{SLL: 16, SLL2: 20, NULL: 4, LOOP: 4}[link]:]


@dataclasses.dataclass
class Segment:
    source: tuple
    destination: tuple
    seq: int
    ack: int
    flags: int
    payload: bytes


def segment_of(packet):
    """None: no TCP (unfragmented packets without extension headers only)."""
    if packet[0] >> 4 == 4:
        head, total = (packet[0] & 15) * 4, struct.unpack(">H", packet[2:4])[0]
        protocol, source, destination = packet[9], packet[12:16], packet[16:20]
    else:
        head, total = 40, 40 + struct.unpack(">H", packet[4:6])[0]
        protocol, source, destination = packet[6], packet[8:24], packet[24:40]
    if protocol != 6:
        return None
    body = packet[head:total]
    sport, dport, seq, ack, offset, flags = struct.unpack(">HHIIBB", body[:14])
    return Segment((str(ipaddress.ip_address(source)), sport),
                   (str(ipaddress.ip_address(destination)), dport), seq, ack, flags,
                   body[(offset >> 4) * 4:])


def moved(packet, addresses):
    """The same packet with other addresses: {old: new}, of either family."""
    s = segment_of(packet.data)
    ends = ((addresses.get(a[0], a[0]), a[1]) for a in (s.source, s.destination))
    return Packet(packet.us, tcp(*ends, s.seq, s.ack, s.flags, s.payload))


def fragments(packet, size, ident):
    """An IPv4 packet as fragments of `size` octets."""
    body, source, destination = packet.data[20:], packet.data[12:16], packet.data[16:20]
    names = (str(ipaddress.ip_address(source)), str(ipaddress.ip_address(destination)))
    return [Packet(packet.us, ip4(*names, 6, body[at:at + size], ident, at,
                                  at + size < len(body)))
            for at in range(0, len(body), size)]


def fragments6(packet, size, ident):
    body = packet.data[40:]
    names = [str(ipaddress.ip_address(packet.data[at:at + 16])) for at in (8, 24)]
    return [Packet(packet.us, ip6(*names, 44, struct.pack(
        ">BBHI", 6, 0, at | (at + size < len(body)), ident) + body[at:at + size]))
        for at in range(0, len(body), size)]


def snapped(packet, length):
    return Packet(packet.us, packet.data[:length], packet.length)


# ---- link layers -----------------------------------------------------------------------------
MAC = bytes.fromhex("020000000002020000000001")


def ethertype(packet):
    return struct.pack(">H", 0x86dd if packet[0] >> 4 == 6 else 0x0800)


LINKS = {
    "ethernet": (ETHERNET, lambda p: MAC + ethertype(p) + p),
    "padded": (ETHERNET, lambda p: MAC + ethertype(p) + p + b"\0" * max(0, 46 - len(p))),
    "vlan": (ETHERNET, lambda p: MAC + b"\x81\x00\x00\x07" + ethertype(p) + p),
    "8021ad": (ETHERNET, lambda p: MAC + b"\x88\xa8\x00\x09\x81\x00\x00\x07" + ethertype(p) + p),
    "qinq": (ETHERNET, lambda p: MAC + b"\x91\x00\x00\x09\x81\x00\x00\x07" + ethertype(p) + p),
    "sll": (SLL, lambda p: b"\0\0\0\1\0\6" + MAC[:6] + b"\0\0" + ethertype(p) + p),
    "sll2": (SLL2, lambda p: ethertype(p) + b"\0\0\0\0\0\2\0\1\0\6" + MAC[:6] + b"\0\0" + p),
    "sll2-vlan": (SLL2, lambda p: b"\x81\x00" + b"\0\0\0\0\0\2\0\1\0\6" + MAC[:6] + b"\0\0" +
                  b"\0\7" + ethertype(p) + p),
    "raw": (RAW, lambda p: p),
    "null": (NULL, lambda p: struct.pack("<I", 10 if p[0] >> 4 == 6 else 2) + p),
    "loop": (LOOP, lambda p: struct.pack(">I", 24 if p[0] >> 4 == 6 else 2) + p),
}


def framed(packets, link):
    number, wrap = LINKS[link]
    out = []
    for p in packets:
        frame = wrap(p.data)
        out.append(Packet(p.us, frame, len(frame) + p.length - len(p.data)))
    return number, out


# ---- files -----------------------------------------------------------------------------------
def pcap(packets, link=RAW, order="<", nano=False):
    unit = 1000 if nano else 1
    out = [struct.pack(order + "IHHiIII", 0xa1b23c4d if nano else 0xa1b2c3d4, 2, 4, 0, 0, 1 << 18,
                       link)]
    for p in packets:
        out.append(struct.pack(order + "IIII", p.us // 10**6, p.us % 10**6 * unit, len(p.data),
                               p.length) + p.data)
    return b"".join(out)


def block(order, kind, body):
    body += b"\0" * (-len(body) % 4)
    return struct.pack(order + "II", kind, len(body) + 12) + body + struct.pack(order + "I",
                                                                             len(body) + 12)


def pcapng(packets, link=RAW, order="<", nano=False):
    unit = 1000 if nano else 1
    resolution = struct.pack(order + "HHB3xHH", 9, 1, 9, 0, 0) if nano else b""
    out = [block(order, 0x0a0d0d0a, struct.pack(order + "IHHq", 0x1a2b3c4d, 1, 0, -1)),
           block(order, 1, struct.pack(order + "HHI", link, 0, 1 << 18) + resolution)]
    for p in packets:
        t = p.us * unit
        out.append(block(order, 6, struct.pack(order + "IIIII", 0, t >> 32, t & 0xffffffff,
                                              len(p.data), p.length) + p.data))
    return b"".join(out)


FORMS = {
    "pcap": lambda p, link: pcap(p, link),
    "pcap-big-endian": lambda p, link: pcap(p, link, ">"),
    "pcap-nano": lambda p, link: pcap(p, link, "<", True),
    "pcap-nano-big-endian": lambda p, link: pcap(p, link, ">", True),
    "pcapng": lambda p, link: pcapng(p, link),
    "pcapng-big-endian": lambda p, link: pcapng(p, link, ">"),
    "pcapng-nano": lambda p, link: pcapng(p, link, "<", True),
}


def read_pcap(octets):
    """(link, packets) of a file in pcap form, as tcpdump writes it here."""
    order = "<" if octets[0] in (0xd4, 0x4d) else ">"
    nano = octets[:4] in (b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d")
    link, at, out = struct.unpack(order + "I", octets[20:24])[0], 24, []
    while at < len(octets):
        seconds, part, kept, length = struct.unpack(order + "IIII", octets[at:at + 16])
        out.append(Packet(seconds * 10**6 + (part // 1000 if nano else part),
                          octets[at + 16:at + 16 + kept], length))
        at += 16 + kept
    return link, out
