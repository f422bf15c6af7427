"""The client of one session: plays its plan and writes down which reply each command got."""
import asyncio
import socket

from peer import Peer, Reset
from plan import Command

BLOB = b"\x16\x03\x01\x02\x00client hello" + bytes(range(256)) * 3


def take_reply(buffer):
    """(code, text, octets) of the first whole reply, None, or ValueError. LF ends a line, too."""
    at, text = 0, []
    while (end := buffer.find(b"\n", at)) >= 0:
        line = bytes(buffer[at:end]).rstrip(b"\r")
        if len(line) < 3 or not line[:3].isdigit() or line[3:4] not in (b"", b" ", b"-"):
            raise ValueError(line)
        text.append(line[4:])
        at = end + 1
        if line[3:4] != b"-":
            return int(line[:3]), b" ".join(text), at
    return None


class Client:
    def __init__(self, plan, upstream, patience):
        self.plan, self.upstream, self.patience = plan, upstream, patience
        self.sent = [Command("greeting", b"")]
        self.answered = 0  # of sent
        self.extra = []    # replies that nothing asked for
        self.garbled = None
        self.cut_done = self.stalled = self.opaque = self.failed_tls = self.ended_clean = False
        self.peer, self.buffer, self.changed = None, bytearray(), asyncio.Event()

    # ---- replies

    def hear(self, octets):
        self.buffer += octets
        try:
            while not self.opaque and (reply := take_reply(self.buffer)):
                del self.buffer[:reply[2]]
                self.assign(*reply[:2])
        except ValueError as e:
            self.garbled = self.garbled or repr(e)
            self.buffer.clear()
        self.changed.set()

    def assign(self, code, text):
        if self.answered == len(self.sent):
            self.extra.append((code, text))
            return
        command = self.sent[self.answered]
        command.code, command.text = code, text
        self.answered += 1

    def over(self):
        return self.peer.ended or self.cut_done or self.extra

    async def wait(self, true):
        """False when it did not come true: the connection ended, or too much time went by."""
        loop = asyncio.get_running_loop()
        begin = loop.time()
        while not true():
            if self.peer.ended or self.peer.closed or self.garbled:
                return False
            left = begin + (0.15 if self.upstream.mute else self.patience) - loop.time()
            if left <= 0:
                self.stalled = not self.upstream.mute
                return False
            self.changed.clear()
            try:
                await asyncio.wait_for(self.changed.wait(), min(left, 0.2))
            except asyncio.TimeoutError:
                pass
        return True

    async def replies(self):
        return await self.wait(lambda: self.answered >= len(self.sent)) and not self.over()

    # ---- octets out

    def pieces(self, octets):
        r, how = self.plan.random, self.plan.segments
        if how == "whole" or len(octets) < 2:
            return [octets]
        if how == "octets":
            head = [octets[i:i + 1] for i in range(min(len(octets) - 1, 60))]
            return head + [octets[len(head):]]
        cuts = sorted(r.randrange(1, len(octets)) for _ in range(r.randrange(1, 6)))
        return [octets[a:b] for a, b in zip([0, *cuts], [*cuts, len(octets)]) if a < b]

    async def send(self, commands, octets=None):
        """Sends the commands, in pieces, as far as the plan's cut; then cuts."""
        peer, cut = self.peer, self.plan.cut
        ends, at = [], len(peer.sent)
        for command in commands:
            at += len(command.octets()) if command.kind != "dot" \
                else len(command.body) + len(command.line)
            ends.append((at, command))
        if octets is None:
            octets = b"".join(c.octets() if c.kind != "dot" else c.body + c.line for c in commands)
        stop = cut is not None and len(peer.sent) + len(octets) > cut[1]
        if stop:
            octets = octets[:max(0, cut[1] - len(peer.sent))]
        self.sent += commands
        for piece in self.pieces(octets) if octets else []:
            for end, command in ends:
                command.given = end <= len(peer.sent) + len(piece)
            await peer.send(piece)
            for end, command in ends:
                command.whole = end <= len(peer.sent)
            await asyncio.sleep(0.001 if self.plan.segments == "slow" else 0)
        if stop:
            self.cut_done = True
            if cut[0] == "fin":
                await peer.fin()
                await self.wait(lambda: peer.ended)
            elif cut[0] == "rst":
                await peer.reset()
            else:
                await peer.close()

    # ---- the conversation

    async def mail_data(self, later):
        dot = Command("dot", b".\r\n", self.plan.body())
        if self.plan.glues:
            later.append(dot)
            return True
        await self.send([dot])
        return await self.replies()

    async def auth_dialogue(self):
        r, answers = self.plan.random, self.plan.answers()
        while self.sent[-1].code // 100 == 3:
            line = r.choice(answers) if self.plan.hostile else answers[0]
            command = Command("auth", line)
            await self.send([command])
            if not await self.replies():
                return False
        return True

    async def pass_through(self):
        """After STARTTLS the stream is nobody's between us and the server."""
        self.opaque = True
        await self.peer.send(BLOB)
        await self.wait(lambda: bytes(self.buffer).endswith(self.upstream.BLOB))

    async def start_tls(self, context):
        if self.plan.tls == "no":
            await self.pass_through()
            return False
        await self.peer.stop_reading()
        try:
            await self.peer.start_tls(context, server_side=False)
        except Reset:
            self.failed_tls = True
            self.peer.ended = True
            return False
        self.peer.read_all(self.hear)
        return True

    async def play(self, context):
        later = []
        if not self.plan.early_talker and not await self.replies():
            return
        for group in self.plan.groups:
            await self.send(later + group)
            later = []
            if not await self.replies():
                return
            last = self.sent[-1]
            goes_on = True
            if last.line.strip().upper() == b"DATA" and last.code // 100 == 3:
                goes_on = await self.mail_data(later)
            elif last.verb == b"AUTH":
                goes_on = await self.auth_dialogue()
            elif last.line == b"STARTTLS\r\n" and last.code == 220:
                goes_on = await self.start_tls(context)
            elif last.verb == b"QUIT" and last.code == 221:
                await self.wait(lambda: self.peer.ended)
                return
            if not goes_on:
                return
        if later:
            await self.send(later)
            await self.replies()

    async def run(self, port, context):
        sock = socket.socket()
        sock.setblocking(False)
        sock.bind((self.plan.address, 0))
        try:
            await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
        except OSError:
            sock.close()
            return
        self.peer = Peer(sock)
        try:
            if self.plan.tls == "implicit":
                await self.peer.start_tls(context, server_side=False)
            self.peer.read_all(self.hear)
            await self.play(context)
            if not self.peer.ended and not self.peer.closed and not self.cut_done:
                if self.upstream.mute or self.plan.random.random() < 0.1:
                    await self.peer.close()
                else:
                    await self.peer.fin()
                    await self.wait(lambda: self.peer.ended)
        except Reset:
            self.failed_tls = self.failed_tls or not self.peer.reader
            if self.peer.reader and not self.peer.closed:
                await self.wait(lambda: self.peer.ended)
        finally:
            self.ended_clean = self.peer.ended and not self.peer.was_reset
            await self.peer.close()
