"""Expectations about a transcript: records seen in order, never seen, seen at the end, counted."""
import glob
import json
import re
import time

from scn.failed import Failed


def read(pattern):
    """All whole lines of the files that match, oldest first."""
    records = []
    for path in sorted(glob.glob(pattern)):
        with open(path, "rb") as f:
            text = f.read()
        for number, line in enumerate(text[:text.rfind(b"\n") + 1].splitlines(), 1):
            try:
                records.append(json.loads(line))
            except ValueError as e:
                raise Failed(f"{path}:{number}: not JSON: {e}: {line[:200]!r}") from None
    return records


def values(record, name):
    """All values at a dotted path; a list on the way stands for each of its elements."""
    found = [record]
    for part in name.split("."):
        found = [x for f in found for x in (f if isinstance(f, list) else [f])]
        found = [f[part] for f in found if isinstance(f, dict) and part in f]
    return [x for f in found for x in (f if isinstance(f, list) else [f])]


def text_of(value):
    return json.dumps(value) if isinstance(value, bool) else str(value)


def fits_field(record, field):
    found = values(record, field.name)
    texts = [text_of(v) for v in found]
    if field.op == "=":
        return bool(found) if field.value == "*" else field.value in texts
    if field.op == "!=":
        return not found if field.value == "*" else field.value not in texts
    if field.op == "~":
        return any(re.search(field.value, t, re.DOTALL) for t in texts)
    numbers = [v for v in found if isinstance(v, (int, float))]
    limit = float(field.value)
    return any(v > limit if field.op == ">" else v < limit for v in numbers)


def fits(record, kind, fields):
    return kind in ("record", record.get("kind")) and all(fits_field(record, f) for f in fields)


def describe(kind, fields):
    return " ".join([kind, *(f.name + f.op + f.value for f in fields)])


def problem(world, records, block):
    """What is wrong first, as text, or None."""
    at, path = 0, world.path
    for line, words in block:
        verb, args = words[0], [expanded(world, word) for word in words[1:]]
        if verb == "never" and args[0] == "text":
            text = args[1].decode("latin-1")
            bad = [r for r in records if text in json.dumps(r, ensure_ascii=False)]
            if bad:
                return f"{path}:{line}: never text {text!r}, but: {json.dumps(bad[0])[:600]}"
            continue
        number = args.pop(0) if verb == "count" else None
        kind, fields = args[0], args[1:]
        what = describe(kind, fields)
        hits = [i for i, r in enumerate(records) if fits(r, kind, fields)]
        if verb == "count":
            if len(hits) != int(number):
                return f"{path}:{line}: {len(hits)} times, wanted {number}: {what}"
        elif verb == "any" and not hits:
            return f"{path}:{line}: not there: {what}{nearest(records, kind)}"
        elif verb == "never" and hits:
            return f"{path}:{line}: never {what}, but: {json.dumps(records[hits[0]])[:600]}"
        elif verb == "end" and (not records or len(records) - 1 not in hits):
            last = json.dumps(records[-1])[:600] if records else "nothing"
            return f"{path}:{line}: the last record is not {what}, but {last}"
        elif verb == "see":
            later = [i for i in hits if i >= at]
            if not later:
                where = "not there" if not hits else "not behind the record seen before"
                return f"{path}:{line}: {where}: {what}{nearest(records[at:], kind)}"
            at = later[0] + 1
    return None


def expanded(world, word):
    if isinstance(word, bytes):
        return world.expand(word)
    if isinstance(word, str):
        return word
    return word._replace(value=world.expand(word.value.encode("latin-1")).decode("latin-1"))


def nearest(records, kind):
    """What there is of that kind, to be told next to what is missing."""
    same = [r for r in records if r.get("kind") == kind][:12]
    return "".join("\n      there is: " + json.dumps(r)[:600] for r in same) or "; none of its kind"


def session(records, number):
    """The records of the Nth session, in the order of their `open`."""
    sids = [r.get("sid") for r in records if r.get("kind") == "open"]
    if number > len(sids):
        return []
    return [r for r in records if r.get("sid") == sids[number - 1]]


def check(world, proxy, words, pattern=None):
    """The command `transcript PROXY [live | session N | file PATTERN] { ... }`."""
    block, live, number = words[-1], "live" in words[:-1], None
    if "session" in words[:-1]:
        number = int(words[words.index("session") + 1])
    if proxy.running() and not live:
        raise Failed(f"stop {proxy.name} first, or ask for `transcript {proxy.name} live`")
    deadline = time.monotonic() + (world.step_seconds if live else 0)
    while True:
        records = read(pattern or proxy.transcript + "*")
        if number is not None:
            records = session(records, number)
        wrong = problem(world, records, block)
        if wrong is None:
            return
        if time.monotonic() >= deadline:
            raise Failed(wrong.removeprefix(world.path + ":"))
        time.sleep(0.02)
