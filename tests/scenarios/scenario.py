#!/usr/bin/env python3
"""Plays scenario files: scripted clients and servers around the real smtpscope.

  scenario.py [-j N] [-b SMTPSCOPE] [-d DIR] [-k] [FILE...]      (default: all *.scn here)

Each file is played by a process of its own, in a directory of its own, which is kept when
the scenario fails (-k: always): the proxy's configuration, transcript and standard error,
and `log`, everything every actor did in one column each. SCENARIO_SCALE multiplies the
deadline of a step (10 s). Exit: 0 all passed, 1 something failed, 2 usage; a single file
that is skipped: 77. README.md next door has the language.
"""
import argparse
import glob
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

from scn import certificates, script, world  # noqa: E402  (the path comes first)

PASSED, FAILED, SKIPPED = 0, 1, 77
WORST_SECONDS = 180


def play(path, directory, smtpscope, keep):
    """One scenario, here: prints what went wrong, returns the exit code."""
    stage = world.World(path, directory, smtpscope, os.path.dirname(directory))
    wanted, problems = None, []
    try:
        with open(path, encoding="utf-8") as f:
            wanted = script.expected_failure(f.read())
        stage.play()
        problems = stage.problems
    except script.ScriptError as e:
        problems = [str(e)]
    except world.Skipped as e:
        print(e)
        world.clean(stage, False)
        return SKIPPED
    if wanted is not None:
        problems = ([f"{path}: it had to fail, and passed"] if not problems else
                    [] if any(wanted in p for p in problems) else
                    [f"{path}: it had to fail with {wanted!r}, and failed with:", *problems])
    world.clean(stage, keep or problems)
    print("\n".join(problems))
    return FAILED if problems else PASSED


def play_apart(path, base, options):
    """One scenario in a process of its own; returns (exit code, text, seconds, directory)."""
    directory = os.path.join(base, os.path.basename(path).removesuffix(".scn"))
    os.makedirs(directory)
    began = time.monotonic()
    command = [sys.executable, os.path.abspath(__file__), "--one", directory,
               "-b", options.smtpscope, path] + (["-k"] if options.keep else [])
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             start_new_session=True)
    limit = WORST_SECONDS * max(1.0, float(os.environ.get("SCENARIO_SCALE", "1")))
    try:
        out, code = child.communicate(timeout=limit)[0].decode("utf-8", "replace"), child.returncode
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        out, code = child.communicate()[0].decode("utf-8", "replace") + "never came to an end", FAILED
    return code, out.strip(), time.monotonic() - began, directory


def tell(path, code, text, seconds, directory):
    name = os.path.basename(path).removesuffix(".scn")
    word = {PASSED: "PASS", SKIPPED: "SKIP"}.get(code, "FAIL")
    print(f"{word} {name} ({seconds:.2f} s)" + (f": {text}" if code == SKIPPED else ""), flush=True)
    if word != "FAIL":
        return
    print("     " + text.replace("\n", "\n     "))
    try:
        with open(os.path.join(directory, "log"), encoding="utf-8") as f:
            lines = f.read().splitlines()[-40:]
        print(f"     kept in {directory}; the end of its log:\n       " + "\n       ".join(
            line[:300] for line in lines), flush=True)
    except OSError:
        pass


def play_all(options, paths):
    base = options.directory or tempfile.mkdtemp(prefix="smtpscope-scenarios-")
    os.makedirs(base, exist_ok=True)
    certificates.make(os.path.join(base, "certificates"))
    count = {"PASS": 0, "FAIL": 0, "SKIP": 0}
    with ThreadPoolExecutor(options.jobs) as pool:
        runs = [(path, pool.submit(play_apart, path, base, options)) for path in paths]
        for path, run in runs:
            code, text, seconds, directory = run.result()
            tell(path, code, text, seconds, directory)
            count[{PASSED: "PASS", SKIPPED: "SKIP"}.get(code, "FAIL")] += 1
    if not count["FAIL"] and not options.keep:
        shutil.rmtree(os.path.join(base, "certificates"))
        try:
            os.rmdir(base)
        except OSError:
            pass
    print(f"{count['PASS']} passed, {count['FAIL']} failed, {count['SKIP']} skipped")
    if count["FAIL"] or not paths:
        return FAILED
    return SKIPPED if count["PASS"] == 0 else PASSED


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-j", dest="jobs", type=int, default=2, help="how many at a time")
    parser.add_argument("-b", dest="smtpscope", default=os.environ.get("SMTPSCOPE"),
                        help="the program (default: $SMTPSCOPE, build/dev)")
    parser.add_argument("-d", dest="directory", help="where the runs have their directories")
    parser.add_argument("-k", dest="keep", action="store_true", help="keep directories of passed runs")
    parser.add_argument("--check", action="store_true", help="read the files, play nothing")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("files", nargs="*")
    options = parser.parse_args()
    options.smtpscope = os.path.abspath(options.smtpscope or os.path.join(
        HERE, "..", "..", "build", "dev", "proxy", "app", "smtpscope"))
    paths = options.files or sorted(glob.glob(os.path.join(HERE, "*.scn")))
    missing = [p for p in paths if not os.path.isfile(p)]
    if missing:
        parser.error(f"no such file: {missing[0]}")
    if options.one:
        return play(paths[0], options.one, options.smtpscope, options.keep)
    if options.check:
        for path in paths:
            try:
                script.load(path)
            except script.ScriptError as e:
                with open(path, encoding="utf-8") as f:
                    if (script.expected_failure(f.read()) or "\0") not in str(e):
                        sys.exit(str(e))
        print(f"{len(paths)} files can be played")
        return PASSED
    if not os.access(options.smtpscope, os.X_OK):
        parser.error(f"{options.smtpscope} is not a program: build it, or say -b")
    return play_all(options, [os.path.relpath(p) for p in paths])


if __name__ == "__main__":
    sys.exit(main())
