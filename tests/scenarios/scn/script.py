"""The language of scenario files: text -> statements, every one checked.

A statement is (line, [word, ...]); a word is a str (bare), bytes (quoted), a Field
(name=value in a transcript block) or a list of statements ({ ... }). The whole file is
checked against the tables below before anything starts, so that a typing error is named
with its line and never looks like an error of the protocol.
"""
import difflib
import re
from typing import NamedTuple

from scn import certificates, proxy_header

class ScriptError(Exception):
    """What is wrong with a scenario file, as file:line: text."""


class Field(NamedTuple):
    name: str
    op: str
    value: str


class Actor(NamedTuple):
    """A declared actor: its kind, the words between its name and its block, the block."""
    kind: str
    name: str
    line: int
    options: dict
    block: list


TOKEN = re.compile(r"""\s*(?:
    (\#.*)
  | "((?:[^"\\]|\\.)*)"
  | '([^']*)'
  | ([{}])
  | ([a-z_0-9.]+(?:=|!=|~|>|<))(?:"((?:[^"\\]|\\.)*)"|([^\s{}"'\#]*))
  | ([^\s{}"'\#]+(?:\#\d+)?)
)""", re.VERBOSE)

VARIABLE = re.compile(r"\$\{([a-z0-9_]+)(?:\.([a-z0-9-]+))?\}")


def unescape(text):
    """C escapes to the character of each octet: "\\x41\\r\\n"."""
    return text.encode("latin-1", "backslashreplace").decode("unicode_escape")


def tokens(text, path):
    for number, line in enumerate(text.splitlines(), 1):
        at = 0
        while line[at:].strip():
            m = TOKEN.match(line, at)
            if not m:
                raise ScriptError(f"{path}:{number}: cannot read: {line[at:].strip()}")
            at = m.end()
            comment, quoted, raw, brace, field, value, bare, word = m.groups()
            if quoted is not None:
                yield number, unescape(quoted).encode("latin-1")
            elif raw is not None:
                yield number, raw.encode()
            elif brace:
                yield number, brace
            elif field:
                name, op = re.fullmatch(r"([a-z_0-9.]+)(=|!=|~|>|<)", field).groups()
                yield number, Field(name, op, unescape(value) if value is not None else bare)
            elif not comment:
                yield number, word
        yield number, "\n"


def parse(text, path):
    stream = tokens(text, path)

    def block(depth, opened):
        statements, words, first = [], [], 0
        for number, token in stream:
            first = first if words else number
            if token == "{":
                words.append(block(depth + 1, number))
            elif token in ("\n", "}"):
                if words:
                    statements.append((first, words))
                    words = []
                if token == "}":
                    if depth == 0:
                        raise ScriptError(f"{path}:{number}: }} without {{")
                    return statements
            else:
                words.append(token)
        if depth:
            raise ScriptError(f"{path}:{opened}: {{ is never closed")
        return statements

    return block(0, 0)


# ---- what may be said ----------------------------------------------------------------------
# Each entry: the forms a statement may take after its first word. "=x" is the word x itself.

PEER_STEPS = {
    "send": ["str"],
    "send_file": ["str"],
    "send_body": ["size"],
    "fill": ["str"],
    "dribble": ["int str"],
    "recv": ["str", "=reply code", "=reply code str", "=until str", "=~ str", "=once str",
             "=bytes size", "=body", "=proxy version", "=proxy version str"],
    "expect": ["=close", "=reset", "=end", "=truncated", "=silence ms", "=segments int",
               "=octets",
               "=tls facts", "=broken str"],
    "send_clear": ["str"],
    "truncate": [""],
    "pause": ["ms"],
    "half_close": [""],
    "close": [""],
    "reset": [""],
    "stop_reading": [""],
    "start_reading": [""],
    "repeat": ["int steps"],
    "sync": ["barrier"],
}
STEPS = {
    "client": dict(PEER_STEPS, connect=[""], tls=["handshake"]),
    "server": dict(PEER_STEPS, accept=[""], tls=["handshake"]),
    "proxy": {
        "listener": ["str"],   # text of the listener group
        "transcript": ["str"], # text of the transcript group
        "conf": ["str"],       # text at the top of the file
        "file": ["str"],       # the whole file
        "args": ["str"],       # arguments instead of a file: "run --listen ..."
        "env": ["bare str"],
        "fsize": ["size"],     # RLIMIT_FSIZE
        "wants": ["int"],      # listening addresses to wait for
        "version": ["bare"],
    },
}
# Of the step `tls`: what the value of each option looks like.
CERTIFICATE = "|".join(certificates.NAMES)
HANDSHAKE = {
    "version": r"1\.[0-3]",
    "cert": CERTIFICATE,             # a server's: good
    "ciphers": r"\S+",
    "alpn": r"\S+",                  # separated by commas
    "name": r"\S+",                  # client: the server name to send
    "verify": "yes",                 # client: by our authority, and the name
    "ask": "yes",                    # server: for a client certificate
    "resume": "yes",                 # client: the session of the handshake before
    "behind": r"[\0-\xff]+",         # octets in the clear, in one write with the hello
    "cut": r"\+?\d+",                # send that many octets of the handshake ...
    "then": "close|reset|truncate|stall",  # ... and then that
    "fails": r"[\0-\xff]*",          # it has to fail, saying something like this
}
FACTS = ("version", "cipher", "alpn", "cert", "name", "resumed")
# ${WORD.NAME}: of the certificates of the run, and PROXY headers
OF_RUN = {"cert": certificates.NAMES, "key": certificates.NAMES, "pin": certificates.NAMES,
          "sha256": certificates.NAMES, "proxy": proxy_header.HEADERS}
OPTIONS = {
    "client": {"to": "target", "from": "bare", "rcvbuf": "size"},
    "server": {"ipv6": None, "refusing": None, "blackhole": None, "each": "int",
               "rcvbuf": "size"},
    "proxy": {"to": "targets"},
}
TOP = {
    "scenario": ["str"],
    "requires": ["bare"],
    "fails": ["str"],
    "barrier": ["bare int"],
    "start": ["actors"],
    "run": ["actors"],
    "wait": ["actors"],
    "stop": ["proxy"],
    "kill": ["proxy"],
    "signal": ["proxy bare"],
    "exit": ["proxy int"],
    "alive": ["proxy"],
    "log": ["proxy str"],
    "config": ["proxy strs"],
    "fsize": ["proxy size"],
    "memory": ["proxy =mark", "proxy =below size", "proxy =grew size"],
    "transcript": ["proxy records", "proxy =live records", "proxy =session int records",
                   "proxy =file str records"],
    "same": ["data data", "data str"],
    "shell": ["str", "int str", "str =says str", "int str =says str"],
    "sync": ["barrier"],
}
RECORDS = {
    "see": ["kind fields"],
    "any": ["kind fields"],
    "never": ["=text str", "kind fields"],
    "end": ["kind fields"],
    "count": ["int kind fields"],
}
KINDS = ("open", "connect", "tls", "greeting", "command", "content", "opaque", "finding", "close",
         "lost", "start", "stop", "record")
REQUIREMENTS = ("root", "ipv6", "tmpfs")

SIZE = re.compile(r"(\d+)([KM]?)")
UNIT = {"": 1, "K": 1024, "M": 1024 * 1024}


def size_of(word):
    number, unit = SIZE.fullmatch(word).groups()
    return int(number) * UNIT[unit]


def near(word, known):
    close = difflib.get_close_matches(str(word), list(known), 1, 0.5)
    return f", did you mean '{close[0]}'?" if close else ""


class Checker:
    """Checks a parsed file; afterwards `actors` and `barriers` hold what it declares."""

    def __init__(self, path, statements):
        self.path, self.statements = path, statements
        self.actors, self.barriers, self.line = {}, {}, 0

    def fail(self, text):
        raise ScriptError(f"{self.path}:{self.line}: {text}")

    def check(self):
        for self.line, words in self.statements:
            if words[0] in STEPS:
                self.declare(words)
            elif words[0] == "barrier" and len(words) == 3 and words[1] in self.barriers:
                self.fail(f"barrier {words[1]} is declared twice")
            elif words[0] == "barrier":
                self.forms("barrier", TOP["barrier"], words[1:])
                self.barriers[words[1]] = int(words[2])
        for self.line, words in self.statements:
            if words[0] in STEPS:
                self.actor(self.actors[words[1]])
            elif not isinstance(words[0], str) or words[0] not in TOP:
                self.fail(f"no command '{words[0]}'{near(words[0], [*TOP, *STEPS])}")
            else:
                self.forms(words[0], TOP[words[0]], words[1:])
        return self

    def declare(self, words):
        kind, words = words[0], list(words)
        if len(words) < 2 or not isinstance(words[1], str) or words[1] in self.actors \
                or words[1] in OF_RUN:
            self.fail(f"{kind} wants a name of its own")
        name, block, options = words[1], [], {}
        if isinstance(words[-1], list):
            block = words.pop()
        rest = words[2:]
        while rest:
            option = rest.pop(0)
            if not isinstance(option, str) or option not in OPTIONS[kind]:
                self.fail(f"{kind} has no option '{option}'{near(option, OPTIONS[kind])}")
            what = OPTIONS[kind][option]
            if what == "targets":
                options[option], rest = rest, []
            elif what:
                if not rest:
                    self.fail(f"{option} wants a value")
                options[option] = rest.pop(0)
            else:
                options[option] = True
        self.actors[name] = Actor(kind, name, self.line, options, block)

    def actor(self, actor):
        targets = actor.options.get("to", [])
        for target in [targets] if isinstance(targets, str) else targets:
            if target.split("#")[0] not in self.actors:
                self.fail(f"no actor '{target}'{near(target, self.actors)}")
        if actor.kind == "client" and "to" not in actor.options:
            self.fail(f"client {actor.name} wants: to ACTOR")
        for option in ("each", "rcvbuf"):
            if option in actor.options and not SIZE.fullmatch(actor.options[option]):
                self.fail(f"{option} wants a number")
        self.steps(actor.name, STEPS[actor.kind], actor.block)

    def steps(self, name, table, block):
        for self.line, words in block:
            if not isinstance(words[0], str) or words[0] not in table:
                self.fail(f"{name}: no step '{words[0]}'{near(words[0], table)}")
            if words[0] == "repeat" and isinstance(words[-1], list):
                line = self.line
                self.steps(name, table, words[-1])
                self.line = line
            self.forms(f"{name}: {words[0]}", table[words[0]], words[1:])

    def records(self, block):
        for self.line, words in block:
            if not isinstance(words[0], str) or words[0] not in RECORDS:
                self.fail(f"transcript has no '{words[0]}'{near(words[0], RECORDS)}")
            self.forms(words[0], RECORDS[words[0]], words[1:])

    def forms(self, what, forms, args):
        for word in args:
            if isinstance(word, bytes):
                self.variables(word)
            elif isinstance(word, Field):
                self.variables(word.value.encode("latin-1"))
        if not any(self.fits(form.split(), args) for form in forms):
            wanted = " | ".join(form.replace("=", "") or "nothing more" for form in forms)
            self.fail(f"{what} takes: {wanted}")
        if args and isinstance(args[-1], list) and "records" in " ".join(forms):
            self.records(args[-1])

    def fits(self, kinds, args):
        args = list(args)
        for kind in kinds:
            if kind == "fields":
                return all(isinstance(a, Field) for a in args)
            if kind in ("handshake", "facts"):
                return all(isinstance(a, Field) for a in args) and getattr(self, kind)(args)
            if kind == "actors":
                return bool(args) and all(isinstance(a, str) and a in self.actors for a in args)
            if kind == "strs":
                return bool(args) and all(isinstance(a, bytes) for a in args)
            if not args or not self.fits_one(kind, args.pop(0)):
                return False
        return not args

    def handshake(self, options):
        names = [option.name for option in options]
        for option in options:
            if option.name not in HANDSHAKE:
                self.fail(f"tls has no option '{option.name}'{near(option.name, HANDSHAKE)}")
            pattern = HANDSHAKE[option.name]
            if option.op != ("~" if option.name == "fails" else "=") \
                    or not ("${" in option.value or re.fullmatch(pattern, option.value)):
                self.fail(f"tls: {option.name}{option.op}{option.value} is not understood: {pattern}")
        if ("cut" in names) != ("then" in names):
            self.fail("tls: cut and then go together")
        return True

    def facts(self, fields):
        for field in fields:
            if field.name not in FACTS or field.op not in "=~":
                self.fail(f"tls shows no '{field.name}{field.op}'{near(field.name, FACTS)}")
        return True

    def fits_one(self, kind, word):
        if kind in ("steps", "records"):
            return isinstance(word, list)
        if kind == "str":
            return isinstance(word, bytes)
        if not isinstance(word, str):
            return False
        if kind.startswith("="):
            return word == kind[1:]
        if kind == "proxy":
            return word in self.actors and self.actors[word].kind == "proxy"
        if kind == "data":
            name, _, what = word.partition(".")
            return name in self.actors and what in ("sent", "got", "body")
        tests = {"int": r"\d+", "code": r"[2-5]\d\d", "size": SIZE.pattern, "ms": r"\d+ms",
                 "bare": r"\S+", "barrier": r"\S+", "kind": r"\S+", "version": r"v[12]"}
        if not re.fullmatch(tests[kind], word):
            return False
        if kind == "barrier" and word not in self.barriers:
            self.fail(f"no barrier '{word}'{near(word, self.barriers)}")
        if kind == "kind" and word not in KINDS:
            self.fail(f"no kind of record '{word}'{near(word, KINDS)}")
        return True

    def variables(self, text):
        for name, what in VARIABLE.findall(text.decode("latin-1")):
            if not what and name in ("dir", "smtpscope", "tests"):
                continue
            if name in OF_RUN:
                if what not in OF_RUN[name]:
                    self.fail(f"no variable ${{{name}.{what}}}{near(what, OF_RUN[name])}")
                continue
            if name not in self.actors:
                self.fail(f"no variable ${{{name}}}{near(name, self.actors)}")
            if not re.fullmatch(r"addr\d?|port\d?|pid", what):
                self.fail(f"{name} has no '{what}': addr, port or pid")


def load(path):
    """-> (statements, checker); raises ScriptError."""
    with open(path, encoding="utf-8") as f:
        statements = parse(f.read(), path)
    return statements, Checker(path, statements).check()


def expected_failure(text):
    """The text after `fails`: a scenario of the runner itself that has to fail with it."""
    m = re.search(r'^fails\s+"(.*)"', text, re.MULTILINE)
    return m and unescape(m[1])
