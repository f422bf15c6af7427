#!/usr/bin/env python3
"""smtpscope-import over captures made here, byte by byte.  test_import.py PROGRAMS"""
import os
import random
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

import wire  # noqa: E402
from tool import Tools, kinds, only, plain  # noqa: E402
from wire import ACK, FIN, PSH, RST, SYN, Talk  # noqa: E402

BODY = b"Subject: t\r\n\r\n" + b"".join(b"line %05d of the body\r\n" % i for i in range(2000))
WHOLE = ["open", "connect", "greeting"] + ["command"] * 4 + ["content", "command", "command",
                                                             "close"]
ANYWHERE = ("client", "server", "upstream", "local", "reads")
TOOLS = Tools(sys.argv.pop(1))


def mail(**kind):
    return Talk(**kind).mail(BODY)


def records(packets, *args, link="raw", form="pcap", **how):
    number, frames = wire.framed(packets, link)
    return TOOLS.records(wire.FORMS[form](frames, number), *args, **how)


def data(packets, side=0):
    """Indexes of the packets of a side that carry bytes."""
    address = (wire.CLIENT, wire.SERVER)[side]
    return [i for i, p in enumerate(packets)
            if (s := wire.segment_of(p.data)).source == address and s.payload]


class Forms(unittest.TestCase):
    """The same session, however it is written down."""

    @classmethod
    def setUpClass(cls):
        cls.want = plain(records(mail().packets))

    def test_a_whole_session(self):
        got = records(mail().packets)
        self.assertEqual(kinds(got), WHOLE)
        self.assertEqual(only(got, "open")["client"], "192.0.2.10:40000")
        self.assertEqual(only(got, "open")["t"], "2023-11-14T22:13:20.000100Z")
        self.assertEqual(only(got, "open")["vantage"], "-")
        self.assertEqual(only(got, "connect")["us"], 100)
        self.assertEqual(only(got, "content")["octets"], len(BODY))
        close = only(got, "close")
        self.assertEqual((close["reason"], close["first"], close["how"]),
                         ("quit", "client", "fin"))
        self.assertIn("1 sessions, 0 gaps", TOOLS.said)

    def test_links_and_forms(self):
        for link in wire.LINKS:
            for form in wire.FORMS:
                with self.subTest(link=link, form=form):
                    self.assertEqual(plain(records(mail().packets, link=link, form=form)),
                                     self.want)

    def test_ipv6(self):
        want = plain(records(mail().packets), ANYWHERE)
        for link in wire.LINKS:
            with self.subTest(link=link):
                got = records(mail(client=wire.CLIENT6, server=wire.SERVER6).packets, link=link)
                self.assertEqual(plain(got, ANYWHERE), want)
                self.assertEqual(only(got, "open")["server"], "[2001:db8::25]:25")

    def test_sequence_numbers_wrap(self):
        for isn in ((2**32 - 1, 2**32 - 1), (2**32 - 20, 2**31 - 3), (2**31 - 9, 0)):
            with self.subTest(isn=isn):
                self.assertEqual(plain(records(mail(isn=isn).packets)), self.want)

    def test_other_ports(self):
        server = ("192.0.2.25", 10025)
        got = records(mail(server=server).packets)
        self.assertEqual(plain(got, ANYWHERE), plain(records(mail().packets), ANYWHERE))
        self.assertEqual(records(mail(server=server).packets, "--port", "25"), [])
        self.assertEqual(kinds(records(mail(server=server).packets, "--port", "25", "--port",
                                       "10025")), WHOLE)
        quiet = Talk(server=server).hello().server(b"220 ftp ready\r\n").client(b"USER x\r\n").bye()
        self.assertEqual(records(quiet.packets), [])


class Order(unittest.TestCase):
    """Packets as networks and captures deliver them: the session is the same."""

    @classmethod
    def setUpClass(cls):
        cls.want = plain(records(mail().packets), ("reads",))

    def same(self, packets, **how):
        self.assertEqual(plain(records(packets, **how), ("reads",)), self.want)

    def test_every_packet_twice(self):
        self.same([p for p in mail().packets for _ in range(2)])

    def test_neighbours_swapped(self):
        for start in (0, 1):
            packets = mail().packets
            for i in range(start, len(packets) - 1, 2):
                packets[i], packets[i + 1] = packets[i + 1], packets[i]
            with self.subTest(start=start):
                self.same(packets)

    def test_shuffled_within_a_window(self):
        for seed in range(20):
            chance = random.Random(seed)
            whole = mail().packets
            packets = whole[:3] + [p for _, p in sorted(
                enumerate(whole[3:]), key=lambda i: i[0] + chance.uniform(0, 8))]
            with self.subTest(seed=seed):
                self.same(packets)

    def test_lost_and_sent_again(self):
        packets = mail().packets
        lost = data(packets)[9]
        self.same(packets[:lost] + packets[lost + 1:lost + 12] + [packets[lost]] +
                  packets[lost + 12:])
        self.assertIn("0 gaps", TOOLS.said)

    def test_sent_again_in_other_pieces(self):
        packets = mail().packets
        at = data(packets)[6]
        s = [wire.segment_of(packets[i].data) for i in (at, at + 1, at + 2)]
        joined = b"".join(x.payload for x in s)
        again = wire.Packet(packets[at + 2].us, wire.tcp(
            s[0].source, s[0].destination, s[0].seq + 700, s[0].ack, ACK, joined[700:-300]))
        self.same(packets[:at + 2] + [again] + packets[at + 2:])
        self.same(packets[:at + 1] + [again] + packets[at + 2:])
        self.same(packets[:at] + [again] + packets[at:])

    def test_other_octets_come_again(self):
        packets = mail().packets
        at = data(packets)[8]
        s = wire.segment_of(packets[at].data)
        forged = wire.Packet(packets[at].us, wire.tcp(s.source, s.destination, s.seq, s.ack, ACK,
                                                      b"x" * len(s.payload)))
        self.same(packets[:at + 1] + [forged] + packets[at + 1:])
        self.assertIn("1 segments came again with other bytes", TOOLS.said)
        ahead = wire.tcp(s.source, s.destination, s.seq + 100, s.ack, ACK, s.payload[100:])
        other = wire.tcp(s.source, s.destination, s.seq + 100, s.ack, ACK, b"y" * 60)
        self.same(packets[:at] + [wire.Packet(packets[at].us, ahead),
                                  wire.Packet(packets[at].us, other)] + packets[at:])
        self.assertIn("1 segments came again with other bytes", TOOLS.said)

    def test_keepalives_and_window_probes(self):
        packets = mail().packets
        out = []
        for i, p in enumerate(packets):
            out.append(p)
            s = wire.segment_of(p.data)
            if s.payload and i % 3 == 0:
                end = s.seq + len(s.payload)
                for probe in (b"", b"\0", b"z"):
                    out.append(wire.Packet(p.us, wire.tcp(s.source, s.destination, end - 1,
                                                          s.ack, ACK, probe, window=0)))
        self.same(out)

    def test_a_reply_ahead_of_its_command_in_the_file(self):
        packets = mail().packets
        at = data(packets)[1]
        reply = next(i for i in data(packets, 1) if i > at)
        self.same(packets[:at] + [packets[reply]] + packets[at:reply] + packets[reply + 1:])

    def test_fragments(self):
        for size in (8, 256, 1024):
            with self.subTest(size=size):
                self.same([f for i, p in enumerate(mail().packets)
                           for f in (wire.fragments(p, size, i) if len(p.data) > 80 else [p])])

    def test_fragments_of_ipv6_backwards(self):
        six = mail(client=wire.CLIENT6, server=wire.SERVER6).packets
        got = records([f for i, p in enumerate(six)
                       for f in (wire.fragments6(p, 512, i)[::-1] if len(p.data) > 800 else [p])])
        self.assertEqual(plain(got, ANYWHERE), plain(records(mail().packets), ANYWHERE))


class Gaps(unittest.TestCase):
    """What is not in the capture is never guessed."""

    def opaque(self, packets, missing, before, **how):
        got = records(packets, **how)
        opaque = only(got, "opaque")
        self.assertEqual(opaque["why"], "capture-gap")
        self.assertEqual((opaque["missing"]["client"], opaque["missing"]["server"]), missing)
        self.assertEqual(kinds(got)[:len(before)], before)
        close = only(got, "close")
        self.assertEqual(close["octets"]["client_in"], len(BODY) + 3 + 68)
        return got

    def test_every_data_packet_lost_alone(self):
        whole = mail().packets
        for side in (0, 1):
            for lost in data(whole, side):
                size = len(wire.segment_of(whole[lost].data).payload)
                with self.subTest(side=side, lost=lost):
                    self.opaque(whole[:lost] + whole[lost + 1:],
                                (size, 0) if side == 0 else (0, size), ["open", "connect"])

    def test_cut_off(self):
        packets = mail().packets
        at = data(packets)[9]
        size = len(wire.segment_of(packets[at].data).payload)
        kept = wire.snapped(packets[at], 20 + 20 + 96)
        got = self.opaque(packets[:at] + [kept] + packets[at + 1:], (size - 96, 0),
                          WHOLE[:7] + ["content", "opaque"])
        content = only(got, "content")
        self.assertFalse(content["complete"])
        self.assertNotIn("notes", content)
        self.assertEqual(content["octets"], 5 * 1448 + 96)

    def test_all_cut_off(self):
        got = records([wire.snapped(p, 68) for p in mail().packets])
        self.assertEqual(only(got, "opaque")["why"], "capture-gap")
        self.assertGreater(only(got, "opaque")["missing"]["client"], len(BODY) - 100 * 1448)

    def test_one_direction_only(self):
        for side, address in ((0, wire.CLIENT), (1, wire.SERVER)):
            got = records([p for p in mail().packets
                           if wire.segment_of(p.data).source == address])
            close = only(got, "close")["octets"]
            with self.subTest(side=side):
                self.assertGreater(close["client_in"], len(BODY))
                self.assertGreater(close["server_in"], 100)
                self.assertEqual(only(got, "opaque")["why"],
                                 ("capture-gap", "capture-gap")[side])

    def test_begins_in_the_middle(self):
        for start in range(1, 40):
            with self.subTest(start=start):
                got = records(mail().packets[start:])
                if start <= 3:  # the greeting is there
                    self.assertEqual(kinds(got)[-9:], WHOLE[2:])
                elif got:
                    self.assertEqual(kinds(got), ["open", "opaque", "close"])
                    self.assertEqual(got[1]["why"], "capture-start")
                    self.assertEqual(got[0]["client"], "192.0.2.10:40000")

    def test_last_words_are_no_session(self):
        self.assertEqual(records(mail().packets[-4:]), [])

    def test_ends_in_the_middle(self):
        packets = mail().packets
        for end in range(1, len(packets)):
            with self.subTest(end=end):
                close = records(packets[:end])[-1]
                self.assertEqual(close["kind"], "close")
                self.assertIn(close["reason"], ("capture-end", "upstream-down", "quit"))
                if close["reason"] == "capture-end":
                    self.assertEqual((close["first"], close["how"]), ("nobody", "none"))

    def test_fragment_lost(self):
        packets = mail().packets
        at = data(packets)[9]
        size = len(wire.segment_of(packets[at].data).payload)
        self.opaque(packets[:at] + wire.fragments(packets[at], 512, 7)[1:] + packets[at + 1:],
                    (size, 0), ["open", "connect"])

    def test_overlapping_fragments_are_refused(self):
        packets = mail().packets
        at = data(packets)[9]
        size = len(wire.segment_of(packets[at].data).payload)
        parts = wire.fragments(packets[at], 512, 7)
        forged = wire.Packet(parts[1].us, parts[1].data[:-8] + b"forged!!")
        self.opaque(packets[:at] + [parts[0], parts[1], forged] + parts[2:] + packets[at + 1:],
                    (size, 0), ["open", "connect"])

    def test_never_acknowledged_never_arrived(self):
        talk = Talk().hello().server(b"220 mx ESMTP\r\n").client(b"EHLO a\r\n")
        talk.add(0, ACK | PSH, b"x" * 50, seq=talk.seq[0] + 500).add(0, RST | ACK)
        got = records(talk.packets)
        self.assertEqual(only(got, "close")["octets"]["client_in"], 8)
        self.assertIn("0 gaps", TOOLS.said)


class Recognized(unittest.TestCase):
    """On ports that are nobody's: what is SMTP, and who is the client."""
    CLIENT, SERVER = ("192.0.2.10", 2525), ("198.51.100.20", 10025)

    def talk(self, *lines, client=CLIENT):
        talk = Talk(client=client, server=self.SERVER).hello()
        for side, line in enumerate(lines):
            (talk.client if side % 2 else talk.server)(line)
        return talk.bye().packets

    def test_greeting_without_the_word(self):
        for hello in (b"EHLO c\r\n", b"helo c\r\n"):
            got = records(self.talk(b"220-mx ready\r\n", hello, b"250 mx\r\n"))
            with self.subTest(hello=hello):
                self.assertEqual(kinds(got), ["open", "connect", "greeting", "command", "close"])
                self.assertEqual(got[0]["client"], "192.0.2.10:2525")

    def test_greeting_in_pieces(self):
        talk = Talk(client=self.CLIENT, server=self.SERVER).hello()
        talk.server(b"220-").server(b"mx\r\n220 go\r\n").client(b"EHLO c\r\n")
        got = records(talk.server(b"250 mx\r\n").bye().packets)
        self.assertEqual(only(got, "greeting")["reply"], "220-mx\r\n220 go\r\n")

    def test_others_that_greet_with_220(self):
        self.assertEqual(records(self.talk(b"220 ftp\r\n", b"USER a\r\n", b"331 b\r\n")), [])
        self.assertEqual(records(self.talk(b"220 ftp\r\n")), [])
        self.assertEqual(records(self.talk(b"220 " + b"x" * 5000, b"EHLO c\r\n")), [])

    def test_the_ends_are_those_of_the_syn(self):
        """The client's port is one of servers: what follows is not its session as a server."""
        packets = self.talk(b"220 ftp\r\n", b"USER a\r\n", b"331 b\r\n", b"PASS c\r\n")
        self.assertEqual(records(packets), [])
        self.assertEqual(records(packets, "--port", "2525"), [])
        packets = self.talk(b"220 x\r\n", b"EHLO c\r\n", b"250 mx\r\n")
        self.assertEqual(records(packets, "--port", "2525"), [])
        self.assertEqual(len(records(packets, "--port", "10025")), 5)


class NothingRefused(unittest.TestCase):
    def test_what_passed_was_not_refused(self):
        for body in (b"a\r\n. \r\nb\r\n", b"a\n.\nb\r\n", b"a\r\n.\rb\r\n",
                     b"a" + b"\r" * 1500 + b"b\r\n", b"a\0b\r\n"):
            got = only(records(Talk().mail(body).packets), "content")
            with self.subTest(body=body[:20]):
                self.assertEqual((got["refused"], got["altered"]), (False, False))
                self.assertNotIn("refused_by", got)


class Ends(unittest.TestCase):
    def ended(self, talk, reason, first, how):
        close = records(talk.packets)[-1]
        self.assertEqual((close["reason"], close["first"], close["how"]), (reason, first, how))
        return close

    def test_who_was_first(self):
        def begun():
            return Talk().hello().server(b"220 mx ESMTP\r\n").client(b"EHLO a\r\n")
        self.ended(begun().bye(0), "client-eof-before-reply", "client", "fin")
        self.ended(begun().bye(1), "upstream-eof", "server", "fin")
        self.ended(begun().add(0, RST), "client-reset", "client", "reset")
        self.ended(begun().add(1, RST | ACK), "upstream-reset", "server", "reset")
        closed = begun().add(0, FIN | ACK)
        closed.seq[0] += 1
        self.ended(closed.say(1, b"250 a\r\n").add(0, RST), "client-eof-before-reply", "client",
                   "fin")
        self.ended(begun().add(1, RST, seq=3), "capture-end", "nobody", "none")
        self.ended(Talk().hello().bye(), "client-left", "client", "fin")

    def test_a_fin_that_was_not_captured_is_no_gap(self):
        talk = Talk().hello().server(b"220 mx ESMTP\r\n").client(b"EHLO a\r\n")
        packets = talk.bye(1).packets
        got = records(packets[:-3] + packets[-2:])
        self.assertNotIn("opaque", kinds(got))
        self.assertEqual(only(got, "close")["first"], "client")
        self.assertIn("0 gaps", TOOLS.said)

    def test_not_taken(self):
        close = self.ended(Talk().add(0, SYN).add(1, RST | ACK, seq=0, ack=1001),
                           "upstream-down", "nobody", "none")
        self.assertTrue(close["error"])
        for talk, error in ((Talk().add(0, SYN).add(1, RST | ACK, seq=0, ack=1001),
                             "connection refused"),
                            (Talk().add(0, SYN).add(0, SYN).add(0, SYN), "no answer")):
            self.assertEqual(only(records(talk.packets), "connect")["error"], error)

    def test_what_comes_late_is_no_new_session(self):
        talk = mail()
        got = records(talk.packets + talk.packets[5:])
        self.assertEqual(kinds(got), WHOLE)

    def test_the_same_ports_again(self):
        first, second = mail(), mail(us=1700000100_000000, isn=(77, 99))
        got = records(first.packets + second.packets)
        self.assertEqual(kinds(got), WHOLE * 2)
        got = records(first.packets[:30] + second.packets)
        self.assertEqual([r["reason"] for r in got if r["kind"] == "close"],
                         ["capture-end", "quit"])

    def test_sessions_side_by_side(self):
        packets = []
        for n in range(40):
            packets += mail(client=("192.0.2.10", 40000 + n)).packets
        packets.sort(key=lambda p: p.us)
        got = records(packets)
        self.assertIn("40 sessions", TOOLS.said)
        by_sid = {}
        for record in got:
            by_sid.setdefault(record["sid"], []).append(record)
        for session in by_sid.values():
            self.assertEqual(kinds(session), WHOLE)
            self.assertEqual([r["n"] for r in session], list(range(1, len(WHOLE) + 1)))


class Tls(unittest.TestCase):
    HELLO = bytes.fromhex("160301002f0100002b0303" + "11" * 32 + "000002c02b0100")

    def test_implicit(self):
        talk = Talk(server=("192.0.2.25", 465)).hello().client(self.HELLO)
        got = records(talk.server(b"\x15\x03\x03\x00\x02\x02\x28").bye().packets)
        self.assertEqual(kinds(got), ["open", "connect", "tls", "opaque", "close"])
        self.assertEqual(only(got, "opaque")["why"], "implicit-tls")
        self.assertEqual(only(got, "tls")["failure"], "alert")

    def test_starttls(self):
        talk = Talk().hello().server(b"220 mx ESMTP\r\n").client(b"STARTTLS\r\n")
        talk.server(b"220 go\r\n").client(self.HELLO).server(b"\x15\x03\x03\x00\x02\x02\x28").bye()
        got = records(talk.packets)
        self.assertEqual(kinds(got), WHOLE[:3] + ["command", "tls", "opaque", "close"])
        self.assertEqual(only(got, "opaque")["octets"], {"client": 50, "server": 7})

    def test_a_gap_in_the_handshake_is_no_failed_handshake(self):
        talk = Talk().hello().server(b"220 mx ESMTP\r\n").client(b"STARTTLS\r\n")
        talk.server(b"220 go\r\n").client(self.HELLO)
        lost = len(talk.packets)
        talk.server(b"s" * 1000).client(b"c" * 50).bye()
        got = records(talk.packets[:lost] + talk.packets[lost + 1:])
        self.assertNotIn("tls", kinds(got))
        self.assertEqual(only(got, "opaque")["why"], "starttls")
        self.assertEqual(only(got, "opaque")["missing"], {"client": 0, "server": 1000})


class Findings(unittest.TestCase):
    def test_a_box_is_found(self):
        talk = Talk().hello().server(b"220 ****************\r\n").client(b"EHLO a\r\n")
        talk.server(b"250-mx\r\n250-XXXXXXXA\r\n250 SIZE\r\n").client(b"QUIT\r\n")
        got = records(talk.server(b"221 x\r\n").bye().packets, findings=True)
        self.assertEqual([r["id"] for r in got if r["kind"] == "finding"], ["SV-01", "SV-02"])
        self.assertEqual([r["n"] for r in got], list(range(1, len(got) + 1)))

    def test_options_of_the_first_segments(self):
        """A firewall cleared the window scale of the client's SYN; the mail is the same."""
        full = b"\x02\x04\x05\xb4\x04\x02\x08\x0a" + bytes(8) + b"\x01\x03\x03\x07"
        less = full.replace(b"\x01\x03\x03\x07", b"\x01\x01\x01\x01")
        near, far = mail(options=(full, full)), mail(options=(less, full))
        self.assertEqual(only(records(near.packets), "open")["syn"],
                         {"client": "mss 1460, sack, timestamps, scale 7",
                          "server": "mss 1460, sack, timestamps, scale 7"})
        self.assertEqual(only(records(far.packets), "open")["syn"]["client"],
                         "mss 1460, sack, timestamps")
        with tempfile.TemporaryDirectory() as d:
            names = [os.path.join(d, name) for name in ("near.pcap", "far.pcap")]
            for name, talk in zip(names, (near, far)):
                with open(name, "wb") as f:
                    f.write(wire.pcap(talk.packets))
            out, _ = TOOLS.run("diff", *names, code=1)
            self.assertIn(b"medium TV-22 tcp-options (scale", out)
            self.assertIn(b"the window scale of the client's SYN was removed: scale 7 was sent, none arrived",
                          out)
            out, _ = TOOLS.run("diff", names[0], names[0])
            self.assertIn(b"Nothing was changed", out)

    def test_a_capture_that_misses_something_is_no_finding(self):
        whole = mail().packets
        for packets in ([whole[:i] for i in range(4, len(whole), 5)] +
                        [whole[:i] + whole[i + 1:] for i in range(4, len(whole), 5)] +
                        [whole[20:], [wire.snapped(p, 68) for p in whole]]):
            self.assertNotIn("finding", kinds(records(packets, findings=True)))


class Files(unittest.TestCase):
    def test_truncated(self):
        octets = wire.pcap(mail().packets)
        for cut in (30, len(octets) // 2, len(octets) - 3):
            got = TOOLS.records(octets[:cut], code=1)
            self.assertIn("truncated", TOOLS.said)
            if got:
                self.assertEqual(got[-1]["kind"], "close")

    def test_no_capture(self):
        for octets in (b"", b"hello", b"\0" * 100):
            self.assertEqual(TOOLS.records(octets, code=1), [])
            self.assertIn("no capture in pcap or pcapng form", TOOLS.said)
        self.assertEqual(TOOLS.records(wire.pcap([], 147), code=1), [])
        self.assertIn("link type", TOOLS.said)

    def test_usage(self):
        for args in ([], ["a", "b"], ["--port", "0", "x"], ["--port", "25x", "x"],
                     ["--content", "some", "x"], ["--content", "full", "x"], ["--nothing"],
                     ["--spool", "/", "x"]):
            _, said = TOOLS.run("import", *args, code=2)
            self.assertIn("--help", said)
        self.assertIn("Usage: smtpscope import", TOOLS.run("import", "--help")[0].decode())
        _, said = TOOLS.run("import", "/nowhere/x.pcap", code=1)
        self.assertIn("/nowhere/x.pcap: No such file", said)
        _, said = TOOLS.run("import", "-o", "/nowhere/x", "x.pcap", code=1)
        self.assertIn("cannot write /nowhere/x", said)

    def test_output_and_names(self):
        with tempfile.TemporaryDirectory() as d:
            capture, out = os.path.join(d, "box.pcap"), os.path.join(d, "%Y.jsonl")
            with open(capture, "wb") as f:
                f.write(wire.pcap(mail().packets))
            for _ in range(2):
                TOOLS.run("import", capture, "-o", out)
                with open(out, "rb") as f:
                    lines = f.read().splitlines()
                self.assertEqual(len(lines), len(WHOLE))
                self.assertIn(b'"vantage":"box.pcap"', lines[0])
            got, _ = TOOLS.run("import", "--vantage", "in front", capture)
            self.assertIn(b'"vantage":"in front"', got)

    def test_content(self):
        self.assertIn("headers", only(records(mail().packets, "--content", "headers"), "content"))
        with tempfile.TemporaryDirectory() as d:
            got = only(records(mail().packets, "--content", "full", "--spool", d), "content")
            with open(os.path.join(d, got["spool"]["file"]), "rb") as f:
                self.assertEqual(f.read(), BODY)

    def test_a_full_disk_is_told(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("no /dev/full here")
        with tempfile.NamedTemporaryFile() as f:
            f.write(wire.pcap(mail().packets))
            f.flush()
            _, said = TOOLS.run("import", f.name, "-o", "/dev/full", code=1)
        self.assertIn("No space left", said)

    def test_passwords_stay_out(self):
        talk = Talk().hello().server(b"220 mx ESMTP\r\n")
        talk.client(b"AUTH PLAIN AHVzZXIAc2VjcmV0\r\n").server(b"235 ok\r\n").bye()
        self.assertNotIn("AHVzZXIAc2VjcmV0", str(records(talk.packets)))


if __name__ == "__main__":
    unittest.main(verbosity=1)
