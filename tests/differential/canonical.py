"""What must reach an upstream of a client's mail data and commands, written a second time.

The rules are those of the shipped policy (conf/smtpscope.conf), as tables and expressions, so that
nothing here can share a mistake with proxy/smtp.
"""
import re

CR, LF, DOT, NUL, SP = 13, 10, 46, 0, 32
LOOKALIKE = re.compile(rb"(?:^|(?<=[\r\n]))\.[ \t]*[\r\n]")
ANOMALY = re.compile(rb"(?<!\r)\n|\r(?!\n)|\0|(?:^|(?<=\r\n))\.(?!\.)")


def end_of_data(octets):
    """Octets up to and with the first ". CRLF" that is a line of its own, or -1."""
    if octets.startswith(b".\r\n"):
        return 3
    at = octets.find(b"\r\n.\r\n")
    return at + 5 if at >= 0 else -1


def is_refused(body):
    """Mail data that the shipped policy refuses. body: without its end of data."""
    if NUL in body:
        return True
    full = body + b".\r\n"
    return any(m.start() != len(body) for m in LOOKALIKE.finditer(full))


class Writer:
    """Writes text lines; a dot at the start of one is doubled."""

    def __init__(self):
        self.out, self.fresh = bytearray(), True

    def put(self, octet):
        if self.fresh and octet == DOT:
            self.out.append(DOT)
        self.out.append(octet)
        self.fresh = False

    def newline(self):
        self.out += b"\r\n"
        self.fresh = True


def canonical(body):
    """Mail data as it must arrive, dots stuffed; None: refused. body ends in CRLF, or is empty."""
    if is_refused(body):
        return None
    w, state, crs = Writer(), "line", 0
    for c in body:
        if state == "crs":
            if c == CR:
                crs += 1
                continue
            if c == LF:
                w.newline()
                state = "line"
                continue
            for _ in range(crs):
                w.put(SP)
            state = "text"
        elif state == "dot":
            if c == DOT:
                w.put(DOT)
                state = "text"
                continue
            state = "text"  # a dot that was not doubled goes, as a receiver would have it
        elif state == "line" and c == DOT:
            state = "dot"
            continue
        if c == CR:
            state, crs = "crs", 1
        elif c == LF:
            w.newline()  # for the sender no line ends here: the next dot is text
            state = "text"
        else:
            w.put(c)
            state = "text"
    return bytes(w.out)


def fits_strict(body):
    """Mail data without anything that the strict preset refuses."""
    return not ANOMALY.search(body) and not is_refused(body)


def command(line):
    """A command line such that a client's and its repaired form are equal."""
    text = re.sub(rb"\r*\n\Z", b"", line)
    text = re.sub(rb"[ \t<>]", b"", text).upper()
    if m := re.fullmatch(rb"BDAT0*(\d+)(LAST)?", text):
        return b"BDAT%s%s" % (m[1], m[2] or b"")
    return text


def is_canonical(octets):
    """I1 to I3 of mail data under way: no receiver sees an end in it."""
    if octets.endswith(b"\r"):
        octets = octets[:-1]
    return not ANOMALY.search(octets)
