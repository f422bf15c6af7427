"""One end of a connection: octets in and out, TLS by memory BIOs, so that every cut is ours."""
import asyncio
import socket
import ssl
import struct


class Reset(Exception):
    pass


class Peer:
    """sent and got are what was said, TLS taken off; wire_* is what was on the wire."""

    def __init__(self, sock):
        self.sock, self.loop = sock, asyncio.get_running_loop()
        self.sent, self.got = bytearray(), bytearray()
        self.wire_sent, self.wire_got = bytearray(), bytearray()
        self.tls, self.below, self.above = None, None, None
        self.ended, self.was_reset, self.closed, self.said_fin = False, False, False, False
        self.reader = None
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    async def write_wire(self, octets):
        self.wire_sent += octets
        try:
            await self.loop.sock_sendall(self.sock, octets)
        except OSError as e:
            raise Reset from e

    async def read_wire(self):
        """b"" at the end."""
        try:
            octets = await self.loop.sock_recv(self.sock, 65536)
        except OSError as e:
            self.was_reset = self.ended = True
            raise Reset from e
        self.wire_got += octets
        return octets

    async def send(self, octets):
        if self.closed or self.said_fin:
            raise Reset
        self.sent += octets
        if self.tls:
            self.tls.write(octets)
            octets = self.above.read()
        await self.write_wire(octets)

    async def receive(self):
        """What has come, b"" at the end."""
        while True:
            if self.tls:
                try:
                    octets = self.tls.read(65536)
                    self.got += octets
                    self.ended = self.ended or not octets
                    return octets
                except ssl.SSLWantReadError:
                    pass
                except ssl.SSLError:
                    self.ended = self.was_reset = True
                    return b""
            octets = await self.read_wire()
            if not octets:
                self.ended = True
                return b""
            if not self.tls:
                self.got += octets
                return octets
            self.below.write(octets)

    async def start_tls(self, context, server_side):
        self.below, self.above = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(self.below, self.above, server_side=server_side,
                               server_hostname=None if server_side else "mx.test")
        while True:
            try:
                tls.do_handshake()
                done = True
            except ssl.SSLWantReadError:
                done = False
            except ssl.SSLError as e:
                raise Reset from e
            if octets := self.above.read():
                await self.write_wire(octets)
            if done:
                self.tls = tls
                return
            octets = await self.read_wire()
            if not octets:
                self.ended = True
                raise Reset
            self.below.write(octets)

    async def fin(self):
        """Nothing more is said; what comes is still read."""
        if self.closed or self.said_fin:
            return
        self.said_fin = True
        if self.tls:
            try:
                self.tls.unwrap()
            except ssl.SSLError:
                pass
            try:
                await self.write_wire(self.above.read())
            except Reset:
                pass
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def read_all(self, hear):
        """From now on all that comes goes to hear(octets), b"" at the end."""
        async def loop():
            while True:
                try:
                    octets = await self.receive()
                except Reset:
                    octets = b""
                hear(octets)
                if not octets:
                    return
        self.reader = asyncio.create_task(loop())

    async def stop_reading(self):
        reader, self.reader = self.reader, None
        if reader:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)

    async def reset(self):
        await self.stop_reading()
        if not self.closed:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.was_reset = True
        await self.close()

    async def close(self):
        await self.stop_reading()
        if not self.closed:
            self.closed = True
            self.sock.close()
