#!/usr/bin/env python3
"""Checks transcripts against the JSON Schema that the build makes of records.def, line by line.

    validate.py SCHEMA FILE...        exit 1 and FILE:LINE: PATH: WHAT for each line that is wrong
    validate.py SCHEMA --self-test    proves that wrong records are refused

Knows the part of JSON Schema 2020-12 that the schema uses; a keyword it does not know is an
error, so that the schema cannot say what is not checked. Standard library only.
"""
import copy
import json
import os
import re
import sys

TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int}
IGNORED = {"$schema", "$defs", "title", "description"}
SHOWN = 20


def same(a, b):
    """JSON equality: true is not 1."""
    return type(a) is type(b) and a == b


def is_type(value, name):
    if name == "integer" and isinstance(value, bool):
        return False
    return isinstance(value, TYPES[name])


class Schema:
    def __init__(self, root):
        self.root = root
        self.patterns = {}
        self.kinds = {d["properties"]["kind"]["const"]: d for d in root["$defs"].values()
                      if "kind" in d.get("properties", {})}

    def resolve(self, ref):
        node = self.root
        for part in ref.lstrip("#/").split("/"):
            node = node[part]
        return node

    def matches(self, pattern, text):
        if pattern not in self.patterns:
            self.patterns[pattern] = re.compile(pattern.replace("$", r"\Z"))
        return self.patterns[pattern].search(text) is not None

    def record(self, value):
        """Errors of one record. Its kind chooses the branch of oneOf, so that the error is
        about the record that was meant; the kinds exclude each other by their const."""
        if not isinstance(value, dict):
            return ["not an object"]
        kind = value.get("kind")
        if not isinstance(kind, str) or kind not in self.kinds:
            return [f"kind: {kind!r} is none of {', '.join(sorted(self.kinds))}"]
        return list(self.errors(self.kinds[kind], value, ""))

    def errors(self, schema, value, path):
        for word, want in schema.items():
            if word in IGNORED:
                continue
            check = getattr(self, "check_" + word.lstrip("$"), None)
            if check is None:
                raise SystemExit(f"schema: keyword {word!r} is not known to validate.py")
            yield from check(want, value, path or ".", schema)

    def check_ref(self, want, value, path, _):
        yield from self.errors(self.resolve(want), value, path)

    def check_type(self, want, value, path, _):
        if not is_type(value, want):
            yield f"{path}: {json.dumps(value)[:60]} is no {want}"

    def check_const(self, want, value, path, _):
        if not same(value, want):
            yield f"{path}: {json.dumps(value)[:60]} is not {json.dumps(want)}"

    def check_enum(self, want, value, path, _):
        if not any(same(value, w) for w in want):
            yield f"{path}: {json.dumps(value)[:60]} is none of {json.dumps(want)}"

    def check_pattern(self, want, value, path, _):
        if isinstance(value, str) and not self.matches(want, value):
            yield f"{path}: {value[:60]!r} does not match {want}"

    def check_minimum(self, want, value, path, _):
        if is_type(value, "integer") and value < want:
            yield f"{path}: {value} is below {want}"

    def check_maximum(self, want, value, path, _):
        if is_type(value, "integer") and value > want:
            yield f"{path}: {value} is above {want}"

    def check_minItems(self, want, value, path, _):
        if isinstance(value, list) and len(value) < want:
            yield f"{path}: {len(value)} elements, at least {want}"

    def check_maxItems(self, want, value, path, _):
        if isinstance(value, list) and len(value) > want:
            yield f"{path}: {len(value)} elements, at most {want}"

    def check_items(self, want, value, path, _):
        if isinstance(value, list):
            for i, item in enumerate(value):
                yield from self.errors(want, item, f"{path}[{i}]")

    def check_prefixItems(self, want, value, path, _):
        if isinstance(value, list):
            for i, (schema, item) in enumerate(zip(want, value)):
                yield from self.errors(schema, item, f"{path}[{i}]")

    def check_minProperties(self, want, value, path, _):
        if isinstance(value, dict) and len(value) < want:
            yield f"{path}: {len(value)} members, at least {want}"

    def check_required(self, want, value, path, _):
        if isinstance(value, dict):
            for name in want:
                if name not in value:
                    yield f"{path}: {name} is missing"

    def check_properties(self, want, value, path, _):
        if isinstance(value, dict):
            for name, schema in want.items():
                if name in value:
                    yield from self.errors(schema, value[name], f"{path.rstrip('.')}.{name}")

    def check_additionalProperties(self, want, value, path, schema):
        if not isinstance(value, dict):
            return
        for name in value:
            if name in schema.get("properties", {}):
                continue
            if want is False:
                yield f"{path}: {name} is not known"
            else:
                yield from self.errors(want, value[name], f"{path.rstrip('.')}.{name}")


def unique(pairs):
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{name} stands there twice")
    return dict(pairs)


def schema_beside(program):
    """The schema of the build that this program of proxy/app belongs to."""
    return os.path.join(os.path.dirname(os.path.abspath(program)), "..", "..",
                        "transcript.schema.json")


def load_schema(path):
    with open(path, encoding="utf-8") as f:
        return Schema(json.load(f))


def line_errors(schema, line):
    if not line.endswith(b"\n"):
        return ["cut short: no newline at its end"]
    try:
        return schema.record(json.loads(line.decode("utf-8"), object_pairs_hook=unique))
    except ValueError as e:
        return [f"not JSON: {e}"]


def check_file(schema, path):
    """Number of wrong lines, each told; n must rise within a session."""
    wrong, last = 0, {}
    with open(path, "rb") as f:
        for number, line in enumerate(f, 1):
            errors = line_errors(schema, line)
            if not errors:
                record = json.loads(line)
                if record["n"] <= last.get(record["sid"], 0):
                    errors = [f".n: {record['n']} behind {last[record['sid']]}"]
                last[record["sid"]] = record["n"]
            wrong += bool(errors)
            for error in errors if wrong <= SHOWN else []:
                print(f"{path}:{number}: {error}")
    return wrong


HEAD = {"v": 1, "t": "2026-11-23T09:00:00.000000Z", "sid": "01ARZ3NDEKTSV4RRFFQ69G5FAV", "n": 1,
        "vantage": "here"}
COMMAND = {**HEAD, "kind": "command", "verb": "NOOP", "at": 0, "received": "NOOP\u00ff\r\n",
           "action": "relayed", "origin": "upstream", "code": 250, "reads": [0],
           "notes": [{"id": "cmd-8bit", "at": 4, "count": 1}]}
CONTENT = {**HEAD, "kind": "content", "at": 0, "via": "data", "complete": True, "altered": False,
           "refused": False, "octets": 1, "lines": 0, "longest_line": 1,
           "endings": {"crlf": 0, "bare_lf": 0, "crcrlf": 0, "bare_cr": 0}, "nul": 0,
           "eight_bit": 0, "leading_dots": 0, "header_octets": 1, "signed_headers": False,
           "reads": {"n": 1, "at": [0]}, "us": 1,
           "digest": {"alg": "xxh3-128", "whole": "0" * 32, "blocks": [[1, "0" * 32]]}}
LOST = {**HEAD, "kind": "lost", "records": 3}
OPEN = {**HEAD, "kind": "open", "proxy": {"version": 2, "command": "local", "peer": "[::1]:4"}}
ADDED = {**HEAD, "kind": "command", "verb": "EHLO", "at": 0, "received": "",
         "forwarded": "EHLO x\r\n", "action": "added", "origin": "upstream", "code": 250}
TLS = {**HEAD, "kind": "tls", "side": "server", "how": "starttls", "ok": False, "us": 1,
       "version": "TLSv1.3", "certificate": {"subject": "CN=x", "not_after": "2026-01-02T03:04:05Z",
                                             "sha256": "0" * 64, "verify": "ok"},
       "failure": "unknown-ca", "text": "x", "detail": "y", "hello": "both",
       "alert": {"sent": {"number": 48, "name": "unknown_ca"}, "received": {"number": 255}}}
MISSING = object()
WRONG = [
    (COMMAND, ["v"], 2), (COMMAND, ["v"], True), (COMMAND, ["kind"], "comand"),
    (COMMAND, ["t"], "2026-11-23 09:00:00"), (COMMAND, ["sid"], "short"), (COMMAND, ["n"], 0),
    (COMMAND, ["n"], "1"), (COMMAND, ["vantage"], MISSING), (COMMAND, ["received"], MISSING),
    (COMMAND, ["received"], "\u0100"), (COMMAND, ["extra"], 1), (COMMAND, ["code"], 99),
    (COMMAND, ["action"], "dropped"), (COMMAND, ["reads"], []), (COMMAND, ["reads", 0], -1),
    (COMMAND, ["notes", 0, "id"], MISSING), (COMMAND, ["notes", 0, "more"], 1),
    (COMMAND, ["auth_line"], False), (CONTENT, ["digest", "blocks", 0, 0], "1"),
    (CONTENT, ["digest", "blocks", 0, 1], "0"), (CONTENT, ["digest", "blocks", 0], [1]),
    (CONTENT, ["endings", "crlf"], MISSING), (CONTENT, ["complete"], 1),
    (CONTENT, ["via"], "chunk"), (LOST, ["records"], 0), (LOST, ["records"], 1.5),
    (OPEN, ["proxy", "version"], 3), (OPEN, ["proxy", "version"], MISSING),
    (OPEN, ["proxy", "command"], "x"), (OPEN, ["proxy"], "v2"), (ADDED, ["action"], "ours"),
    (ADDED, ["received"], MISSING), (TLS, ["side"], "upstream"), (TLS, ["side"], MISSING),
    (TLS, ["how"], "other"), (TLS, ["ok"], 1), (TLS, ["us"], MISSING), (TLS, ["version"], ""),
    (TLS, ["server_name"], "\u00fc"), (TLS, ["detail"], "a\nb"), (TLS, ["resumed"], False),
    (TLS, ["certificate"], {}), (TLS, ["certificate", "sha256"], "0" * 63),
    (TLS, ["certificate", "not_after"], "2026-01-02"), (TLS, ["certificate", "more"], 1),
    (TLS, ["alert"], {}), (TLS, ["alert", "sent", "number"], 256),
    (TLS, ["alert", "sent", "name"], "Unknown"), (TLS, ["alert", "received", "number"], MISSING),
    (TLS, ["hello"], "some"), (TLS, ["failure"], "No"),
]


def changed(record, path, value):
    record = copy.deepcopy(record)
    node = record
    for part in path[:-1]:
        node = node[part]
    if value is MISSING:
        del node[path[-1]]
    else:
        node[path[-1]] = value
    return record


def self_test(schema):
    failures = 0
    for record in (COMMAND, CONTENT, LOST, OPEN, ADDED, TLS):
        errors = schema.record(record)
        failures += bool(errors)
        if errors:
            print(f"self-test: a right {record['kind']} is refused: {errors}")
    for record, path, value in WRONG:
        if not schema.record(changed(record, path, value)):
            failures += 1
            print(f"self-test: {record['kind']} with {path} = {value!r} is taken")
    for line in (b'{"v":1}', b'{"v":1\n', b'{"v":1,"v":1}\n', b'"\xff"\n', b"[]\n"):
        if not line_errors(schema, line):
            failures += 1
            print(f"self-test: the line {line!r} is taken")
    refs = [branch["$ref"] for branch in schema.root["oneOf"]]
    if sorted(refs) != sorted("#/$defs/" + kind for kind in schema.kinds):
        failures += 1
        print("self-test: oneOf and the kinds differ")
    print(f"self-test: {len(WRONG) + 12} checks, {failures} failed")
    return failures


def main(args):
    if len(args) < 2:
        print(__doc__.strip())
        return 0 if args[:1] in (["-h"], ["--help"]) else 2
    schema, args = load_schema(args[0]), args[1:]
    if args == ["--self-test"]:
        return 1 if self_test(schema) else 0
    return 1 if sum(check_file(schema, path) for path in args) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
