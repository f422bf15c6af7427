"""The server of one session: reads strictly, replies as planned, remembers what it was told.

Every reply carries "[uN]", N being the place of the command in `events`.
"""
import asyncio
import random

from canonical import end_of_data
from peer import Peer, Reset


class Event:
    def __init__(self, kind, line=b"", body=b""):
        self.kind, self.line, self.body = kind, line, body  # greeting line auth bdat dot
        self.verb = line.strip().split(b" ")[0].split(b"\t")[0].upper()
        self.complete, self.code, self.matched = False, 0, None

    def __repr__(self):
        return f"{self.kind} {self.line[:60]!r} body {len(self.body)}" \
               f"{'' if self.complete else ' cut'} <- {self.code or '-'}"


class Gone(Exception):
    """The server has closed, or has nothing more to hear."""


class Upstream:
    BLOB = b"\x16\x03\x03\x01\x00server hello" + bytes(range(255, -1, -1)) * 2

    def __init__(self, plan):
        self.plan, self.how = plan, plan.upstream
        self.random = random.Random(self.how.seed)
        self.events, self.peer, self.buffer = [], None, bytearray()
        self.mute = self.disrupted = self.opaque = self.early = False
        self.mail = self.rcpt = self.ended_clean = False
        self.answered_ahead = 0  # commands whose reply was given before they came
        self.finished = asyncio.Event()

    # ---- replies

    def pieces(self, octets):
        r, how = self.random, self.how.segments
        if how == "whole" or len(octets) < 2:
            return [octets]
        if how == "octets":
            return [octets[:1], octets[1:2], octets[2:5], octets[5:]]
        at = r.randrange(1, len(octets))
        return [octets[:at], octets[at:]]

    async def say(self, octets):
        for piece in self.pieces(octets):
            if piece:
                await self.peer.send(piece)
                await asyncio.sleep(0)

    def reply(self, code, number, lines=()):
        r, tag = self.random, b"[u%d]" % number
        texts = [b"%s text" % tag, *lines]
        if not lines and r.random() < self.how.lines:
            texts += [b"and more"] * r.choice([1, 3])
        end = b"\n" if self.how.odd and r.random() < 0.5 else b"\r\n"
        if self.how.odd and r.random() < 0.2:
            texts[0] += b" \xff"
        return b"".join(b"%d%s%s%s" % (code, b" " if i == len(texts) - 1 else b"-", t, end)
                        for i, t in enumerate(texts))

    def choose(self, event):
        """The code of the reply, as a server would have it, or refused at random."""
        verb, r = event.verb, self.random
        refused = r.random() < self.how.refuses
        bad = r.choice([451, 550, 503, 452])
        if event.kind == "auth":
            return 501 if event.line.strip() == b"*" else r.choice([334, 235, 535])
        if event.kind == "dot":
            self.mail = self.rcpt = False
            return bad if refused else 250
        if verb in (b"EHLO", b"HELO"):
            return 502 if refused and r.random() < 0.2 else 250
        if verb == b"MAIL":
            if self.mail or refused:
                return 503 if self.mail else bad
            self.mail = True
            return 250
        if verb == b"RCPT":
            if not self.mail or refused:
                return bad if self.mail else 503
            self.rcpt = True
            return 250
        if verb == b"DATA" and event.line.strip().upper() != b"DATA":
            return 501
        if verb == b"DATA":
            return int(self.how.data) if self.rcpt else 554
        if verb == b"BDAT":
            good = self.rcpt and not refused
            if event.line.upper().rstrip().endswith(b"LAST"):
                self.mail = self.rcpt = False
            return 250 if good else 503
        if verb == b"RSET":
            self.mail = self.rcpt = False
            return 250
        return {b"QUIT": 221, b"NOOP": 250, b"HELP": 214, b"VRFY": 252, b"EXPN": 252,
                b"AUTH": r.choice([334, 334, 235, 535, 504]),
                b"STARTTLS": 454 if refused else 220}.get(verb, 500)

    async def answer(self, event):
        """Replies to the event, which is the last; does what was planned for it."""
        number = len(self.events) - 1
        if self.answered_ahead:
            self.answered_ahead -= 1
            event.code = event.code or 250
            return
        trouble = self.how.trouble[1] if self.how.trouble[0] == number else ""
        code = self.choose(event)
        lines = self.how.keywords if event.verb == b"EHLO" and code == 250 else ()
        text = self.reply(code, number, lines)
        event.code = 421 if trouble == "421" else code
        if trouble:
            await self.troubled(trouble, text, number)
        else:
            await self.say(text)

    async def troubled(self, what, text, number):
        if what == "421":
            self.disrupted = True
            await self.say(self.reply(421, number))
            await self.leave()
        elif what == "421-unasked":
            self.disrupted = True
            await self.say(text + self.reply(421, number + 1000))
            await self.leave()
        elif what in ("fin", "rst"):
            self.disrupted = True
            await self.leave(what)
        elif what == "mute":
            self.disrupted = self.mute = True
            while await self.more():
                self.buffer.clear()
            raise Gone
        elif what == "garbage":
            self.disrupted = True
            await self.say(b"hello there\r\n")
        elif what == "mismatch":
            self.disrupted = True
            await self.say(b"250-[u%d] a\r\n550 b\r\n" % number)
        elif what == "unasked":
            self.disrupted = self.early = True
            await self.say(text + self.reply(250, number + 1000))
        elif what == "early":
            self.disrupted = self.early = True
            self.answered_ahead = 1
            await self.say(text + self.reply(250, number + 1))
        else:
            if what == "late":
                await asyncio.sleep(0.05)
            await self.say(text)

    async def leave(self, how="fin"):
        if how == "rst":
            await self.peer.reset()
        else:
            await self.peer.fin()
            while await self.more():
                pass
        raise Gone

    # ---- what comes

    async def more(self):
        try:
            octets = await self.peer.receive()
        except Reset:
            return False
        self.buffer += octets
        return bool(octets)

    async def take_line(self):
        while b"\n" not in self.buffer:
            if not await self.more():
                raise Gone
        end = self.buffer.index(b"\n") + 1
        line = bytes(self.buffer[:end])
        del self.buffer[:end]
        return line

    async def mid_data(self, event):
        """Trouble in the middle of content, once."""
        what, at = self.how.trouble[1], self.how.trouble[0]
        if not what.startswith("mid-data") or len(self.events) - 1 < at or not self.buffer:
            return
        self.how.trouble = (0, "")
        self.disrupted = True
        if what in ("mid-data-fin", "mid-data-rst"):
            event.body = bytes(self.buffer)
            await self.leave(what[9:])
        code = int(what[9:])
        await self.say(self.reply(code, len(self.events) - 1))
        event.code = code
        if code == 421:
            event.body = bytes(self.buffer)
            await self.leave()
        self.answered_ahead += 1

    async def take_content(self, event, length):
        """length: says how many octets of the buffer the content has, -1: it is not whole."""
        while (n := length()) < 0:
            await self.mid_data(event)
            if not await self.more():
                event.body = bytes(self.buffer)
                raise Gone
        event.body = bytes(self.buffer[:n])
        del self.buffer[:n]
        event.complete = True

    def note(self, kind, line=b""):
        self.events.append(Event(kind, line))
        return self.events[-1]

    async def take_data(self):
        event = self.note("dot", b".\r\n")
        await self.take_content(event, lambda: end_of_data(bytes(self.buffer)))
        event.body = event.body[:-3]
        await self.answer(event)

    async def take_chunk(self, line):
        event = self.note("bdat", line)
        try:
            size = int(line.split()[1])
        except (IndexError, ValueError):
            event.complete = True
            await self.answer(event)
            return
        await self.take_content(event, lambda: size if len(self.buffer) >= size else -1)
        await self.answer(event)

    async def take_command(self, context):
        line = await self.take_line()
        event = Event("line", line)
        if event.verb == b"BDAT":
            await self.take_chunk(line)
            return
        event = self.note("line", line)
        event.complete = True
        await self.answer(event)
        if event.verb == b"DATA" and event.code // 100 == 3:
            await self.take_data()
        while event.verb == b"AUTH" and self.events[-1].code == 334:
            event = self.note("auth", await self.take_line())
            event.complete, event.verb = True, b"AUTH"
            await self.answer(event)
        if event.verb == b"STARTTLS" and event.code == 220:
            await self.start_tls(context)
        if event.verb == b"QUIT" and event.code == 221:
            await self.leave()

    async def start_tls(self, context):
        if self.plan.tls == "no":
            self.opaque = True
            if await self.more(): # behind the 220 it would be refused
                await self.peer.send(self.BLOB)
            while await self.more():
                pass
            raise Gone
        self.mail = self.rcpt = False
        await self.peer.start_tls(context, server_side=True)

    # ---- the connection

    async def greet(self):
        event = self.note("greeting")
        event.complete = True
        what = self.how.greeting
        if what != b"220":
            self.disrupted = True
        if what == b"close":
            await self.leave()
        if what == b"":
            self.mute = True
            while await self.more():
                pass
            raise Gone
        if what.isdigit():
            event.code = int(what)
            await self.say(self.reply(int(what), 0))
        else:
            await self.say(what + b"\r\n")
        if what == b"421":
            await self.leave()

    async def run(self, sock, header, context):
        self.peer = Peer(sock)
        self.header = header
        try:
            if self.plan.tls == "implicit":
                await self.peer.start_tls(context, server_side=True)
            await self.greet()
            while True:
                await self.take_command(context)
        except (Gone, Reset):
            pass
        finally:
            self.ended_clean = self.peer.ended and not self.peer.was_reset
            await self.peer.close()
            self.finished.set()
