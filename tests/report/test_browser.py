#!/usr/bin/env python3
"""test_browser.py SMTPSCOPE-REPORT [KEEP] - the page as Chromium shows it: axe, no request, no message,
no scrolling sideways, keyboard, print. KEEP is a folder for pictures. Skipped (77) where Chromium, Node or
the modules of package.json are missing; scripts/install-deps browser installs them."""
import os
import shutil
import subprocess
import sys
import tempfile

import transcripts

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "../..")
PROGRAM = os.path.abspath(sys.argv[1])
KEEP = os.path.abspath(sys.argv[2]) if len(sys.argv) > 2 else ""
MODULES = os.environ.get("SMTPSCOPE_BROWSER_MODULES", os.path.join(ROOT, "build/browser/node_modules"))
DIFF = os.path.join(os.path.dirname(PROGRAM), "smtpscope-diff")


def skip(why):
    print("skipped: %s (scripts/install-deps browser)" % why)
    print("0 passed, 0 failed, 1 skipped")
    sys.exit(77)


def can_write_pages(program):
    return os.path.exists(program) and b"--html" in subprocess.run([program, "--help"], capture_output=True,
                                                                   check=False).stdout


def make(folder):
    catalogue = ["--catalogue", os.path.join(HERE, "catalogue.conf")]
    pages = []
    for name, records in transcripts.ALL.items():
        transcripts.write(os.path.join(folder, name + ".jsonl"), records())
    for name in ("asa", "clean", "repaired", "hostile"):
        page = os.path.join(folder, name + ".html")
        subprocess.run([PROGRAM, name + ".jsonl", "--html", page, *catalogue], cwd=folder, check=False)
        pages.append(page)
    if can_write_pages(DIFF):
        page = os.path.join(folder, "diff.html")
        subprocess.run([DIFF, "asa.jsonl", "far.jsonl", "--html", page, *catalogue], cwd=folder, check=False,
                       stdout=subprocess.DEVNULL)
        pages.append(page)
    return pages


def main():
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    node = shutil.which("node")
    if not chromium:
        skip("no chromium")
    if not node:
        skip("no node")
    for module in ("playwright-core", "axe-core", "html-validate"):
        if not os.path.isdir(os.path.join(MODULES, module)):
            skip("no %s in %s" % (module, MODULES))
    with tempfile.TemporaryDirectory() as folder:
        pages = make(folder)
        done = subprocess.run([node, os.path.join(HERE, "browser.mjs"), MODULES, chromium, KEEP, *pages],
                              stdout=subprocess.PIPE, text=True, timeout=580, check=False)
    lines = done.stdout.splitlines()
    passed = sum(line.startswith("PASS ") for line in lines)
    failed = [line for line in lines if not line.startswith("PASS ")]
    print("\n".join(failed))
    bad = len(failed) + (done.returncode != 0)
    print("%d passed, %d failed, 0 skipped" % (passed, bad))
    sys.exit(1 if bad or passed == 0 else 0)


if __name__ == "__main__":
    main()
