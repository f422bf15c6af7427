"""What must be true of a session, by what its client and server sent and heard, and the records."""
import re

from canonical import canonical, command, fits_strict, is_canonical

TAG = re.compile(rb"\[u(\d+)\]")
# What the proxy may say itself that is no refusal.
OWN_GOOD = {(252, b"VRFY"), (220, b"STARTTLS"), (221, b"QUIT")}
# Close reasons that nothing here gives cause for.
NEVER = {"internal", "no-memory", "drain-timeout", "client-stalled", "upstream-stalled"}
OWN_BAD = {421, 454, 500, 501, 502, 503, 504, 530, 554}


# ---- observe mode: octets in are octets out

def check_wire(what, sent, got, whole, wrong):
    if not sent.startswith(got):
        at = next(i for i, (a, b) in enumerate(zip(sent + b"\0" * len(got), got)) if a != b)
        wrong.append(f"{what}: octet {at} is altered: "
                     f"{sent[at:at + 20]!r} became {got[at:at + 20]!r}")
    elif whole and len(got) < len(sent):
        wrong.append(f"{what}: {len(sent) - len(got)} octets of {len(sent)} are lost: "
                     f"{sent[len(got):][:40]!r}")


def check_observe(client, upstream, wrong):
    if upstream.peer is None:
        return
    c, u = client.peer, upstream.peer
    clean = client.ended_clean and upstream.ended_clean and c.said_fin
    check_wire("to the upstream", bytes(c.wire_sent), bytes(u.wire_got), clean, wrong)
    clean = client.ended_clean and upstream.ended_clean and u.said_fin
    check_wire("to the client", bytes(u.wire_sent), bytes(c.wire_got), clean, wrong)


# ---- enforce mode

def own_command(plan, event):
    """Said by the proxy itself: it cancels AUTH, and begins anew where TLS ends at it."""
    if event.kind == "auth":
        return event.line == b"*\r\n"
    return plan.tls in ("may", "require") and (
        event.verb == b"STARTTLS" or (event.verb == b"EHLO" and b".c.test" not in event.line))


def fits(sent, event):
    """Whether the server's event is what the client sent as this."""
    if sent.kind != event.kind:
        return False
    if event.kind == "dot":
        if not event.complete:
            return True  # is_canonical() says the rest
        return sent.given and canonical(sent.body) == event.body
    if event.kind == "bdat":
        return command(sent.line) == command(event.line) and (
            sent.body == event.body if event.complete else sent.body.startswith(event.body))
    if event.kind == "auth":
        return sent.line.rstrip(b"\r\n") == event.line.rstrip(b"\r\n")
    return command(sent.line) == command(event.line)


def match_events(plan, client, upstream, wrong):
    """Each thing the server was told is one that the client said, in order, once."""
    at, replied = 1, {}  # commands by the number in their reply
    for i, sent in enumerate(client.sent[:client.answered]):
        if tag := TAG.search(sent.text):
            replied.setdefault(int(tag[1]), i)
    for number, event in enumerate(upstream.events[1:], 1):
        if event.verb in (b"VRFY", b"EXPN") and event.kind == "line":
            wrong.append(f"reached the upstream: {event.line!r}")
        found = next((i for i in (replied.get(number, at), *range(at, len(client.sent)))
                      if at <= i < len(client.sent) and fits(client.sent[i], event)), None)
        if found is not None:
            event.matched, at = client.sent[found], found + 1
        elif not own_command(plan, event) and (event.kind != "dot" or event.complete or event.body):
            wrong.append(f"the client did not say: {event!r} {event.body[:80]!r}")
        if event.kind == "dot" and not is_canonical(event.body):
            wrong.append(f"mail data that can be misread: {event.body[:200]!r}")
        if event.kind == "dot" and event.complete and plan.listener == "strict" \
                and event.matched and not fits_strict(event.matched.body):
            wrong.append(f"strict let pass: {event.matched.body[:200]!r}")


def check_reply(client, upstream, sent, seen, wrong):
    """The reply to one thing that the client sent belongs to it."""
    tag = TAG.search(sent.text)
    if tag is None:
        if sent.code < 400 and (sent.code, sent.verb) not in OWN_GOOD:
            wrong.append(f"the proxy said yes by itself: {sent!r}")
        elif sent.code >= 400 and sent.code not in OWN_BAD:
            wrong.append(f"a reply of nobody: {sent!r}")
        return seen
    number = int(tag[1])
    if upstream.early:
        return number  # nobody can say whose reply comes too early
    if number <= seen:
        wrong.append(f"a reply out of order: {sent!r} behind number {seen}")
    if sent.code == 421:
        return number
    event = upstream.events[number] if number < len(upstream.events) else None
    if event is None or (number > 0 and event.matched is not sent) or event.code != sent.code:
        wrong.append(f"the reply to another command: {sent!r} has that to {event!r}")
    return number


def check_replies(client, upstream, wrong):
    seen = -1
    for sent in client.sent[:client.answered]:
        seen = check_reply(client, upstream, sent, seen, wrong)
    if upstream.early:
        return
    for code, text in client.extra[:-1] + [e for e in client.extra[-1:] if e[0] != 421]:
        wrong.append(f"a reply too many: {code} {text!r}")
    if re.search(rb"(?<!\r)\n|\r(?!\n)|\0", bytes(client.peer.got)):
        wrong.append("a reply that is not canonical")
    if client.garbled:
        wrong.append(f"not a reply: {client.garbled}")


def check_unanswered(client, upstream, wrong):
    """Whatever was said has its reply, unless the session was ended by somebody."""
    open_ = [c for c in client.sent[client.answered:] if c.whole]
    last = client.sent[client.answered - 1] if client.answered else None
    ended_by = [last.code if last else 0, *(code for code, _ in client.extra)]
    closed = 421 in ended_by or (last and last.code == 554) or (
        any(c.verb == b"QUIT" and c.code == 221 for c in client.sent))
    excused = upstream.disrupted or closed or client.peer.was_reset or client.failed_tls or \
        client.opaque or (client.peer.closed and not client.ended_clean) or upstream.peer is None
    broke_off = client.cut_done and any(c.kind in ("bdat", "dot") and not c.whole
                                        for c in client.sent)
    if open_ and not excused and not broke_off:
        wrong.append(f"without a reply: {open_[0]!r}")


def check_enforce(plan, client, upstream, wrong):
    if not upstream.opaque:
        match_events(plan, client, upstream, wrong)
        check_replies(client, upstream, wrong)
        check_unanswered(client, upstream, wrong)
        return
    match_events(plan, client, upstream, wrong)
    blob = bytes(client.peer.sent).partition(b"STARTTLS\r\n")[2]
    if not blob.startswith(bytes(upstream.buffer)):
        wrong.append("the stream after STARTTLS is altered")


# ---- the transcript

def check_counts(client, upstream, close, wrong):
    c, octets = client.peer, close["octets"]
    wire = [("client_in", c.sent, c.said_fin and client.ended_clean),
            ("client_out", c.got, client.ended_clean)]
    if upstream.peer is not None and not upstream.opaque:
        u = upstream.peer
        wire += [("server_in", u.sent, False),  # what comes after the end stays unread
                 ("server_out", upstream.header + u.got, upstream.ended_clean)]
    for name, octets_there, exact in wire:
        n = len(octets_there)
        incoming = name.endswith("_in")
        if (octets[name] > n if incoming else octets[name] < n) or (exact and octets[name] != n):
            wrong.append(f"transcript: {name} is {octets[name]}, it was {n}")


def check_commands(client, records, wrong):
    """A command's octets stand where the record says."""
    stream = bytes(client.peer.sent)
    for record in records:
        if record["kind"] != "command" or record.get("auth_line") or record["action"] == "added":
            continue
        octets = record["received"].encode("latin-1")
        if b"***" in octets or record["verb"] == "AUTH":
            continue
        if stream[record["at"]:record["at"] + len(octets)] != octets:
            wrong.append(f"transcript: at {record['at']} stands "
                         f"{stream[record['at']:][:40]!r}, not {octets[:40]!r}")


def check_transcript(plan, client, upstream, records, wrong):
    kinds = [r["kind"] for r in records]
    if not records:
        if client.peer is not None:
            wrong.append("transcript: the session is not there")
        return
    if kinds[0] != "open" or kinds[-1] != "close" or kinds.count("close") != 1:
        wrong.append(f"transcript: {' '.join(kinds)}")
        return
    if [r["n"] for r in records] != list(range(1, len(records) + 1)):
        wrong.append("transcript: n has a gap")
    close = records[-1]
    if close["reason"] in NEVER:
        wrong.append(f"transcript: closed as {close['reason']}")
    if plan.tls == "no":
        check_counts(client, upstream, close, wrong)
        check_commands(client, records, wrong)


def check(plan, client, upstream, records):
    """Everything that is wrong with the session, as text."""
    wrong = []
    if client.peer is None:
        return ["the client could not connect"]
    if client.stalled and not (plan.mode == "observe" and upstream.disrupted):
        wrong.append(f"nobody went on: the client waits behind {client.sent[-1]!r}")
    if plan.mode == "observe":
        check_observe(client, upstream, wrong)
    elif upstream.peer is not None:
        check_enforce(plan, client, upstream, wrong)
    if upstream.peer is not None and not upstream.finished.is_set():
        wrong.append("the upstream's connection was left open")
    check_transcript(plan, client, upstream, records, wrong)
    return wrong
