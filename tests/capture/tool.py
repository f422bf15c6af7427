"""The programs under test, and transcripts without what differs from run to run."""
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "transcript"))
sys.dont_write_bytecode = True

import validate  # noqa: E402  (the path comes first)

DEADLINE = 60
CHANCE = {"sid", "vantage", "t", "us", "first_us", "reply_us", "forward_us", "tcp", "listener", "syn"}


class Tools:
    def __init__(self, programs):
        self.programs = programs
        self.schema = validate.load_schema(
            validate.schema_beside(os.path.join(programs, "smtpscope-import")))

    def run(self, tool, *args, data=None, code=0):
        """(standard output, standard error) of smtpscope-TOOL."""
        program = os.path.join(self.programs, "smtpscope-" + tool)
        got = subprocess.run([program, *args], input=data, capture_output=True, check=False,
                             timeout=DEADLINE)
        assert got.returncode == code, f"{tool} {args}: exit {got.returncode}\n{got.stderr}"
        return got.stdout, got.stderr.decode()

    def records(self, octets, *args, code=0, findings=False):
        """Imports a capture; every record keeps to the schema and can be shown."""
        args += () if findings else ("--no-findings",)
        out, self.said = self.run("import", *args, "-", data=octets, code=code)
        records = [json.loads(line) for line in out.splitlines()]
        for record in records:
            errors = self.schema.record(record)
            assert not errors, f"{errors}\n{record}"
        if records:
            self.run("show", "-", data=out)
        return records


def only(records, kind):
    found = [r for r in records if r["kind"] == kind]
    assert len(found) == 1, f"{len(found)} records of kind {kind}: {found}"
    return found[0]


def kinds(records):
    return [r["kind"] for r in records]


def plain(records, without=()):
    """What was said and in which order, nothing of when and where it was seen."""
    out = []
    for record in records:
        kept = {k: v for k, v in record.items() if k not in CHANCE and k not in without}
        out.append(kept)
    return out
