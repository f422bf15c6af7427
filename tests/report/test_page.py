#!/usr/bin/env python3
"""test_page.py SMTPSCOPE-REPORT [--update] - the page and the summary of transcripts that are always
the same. --update writes golden/ anew: look at the difference before it is committed."""
import base64
import hashlib
import os
import re
import subprocess
import sys
import tempfile
import unittest

import page
import transcripts

HERE = os.path.dirname(os.path.abspath(__file__))
UPDATE = "--update" in sys.argv
PROGRAM = os.path.abspath(next(a for a in sys.argv[1:] if not a.startswith("-")))
STYLE = os.path.join(HERE, "../../proxy/analysis/report/style.css")


class Report(unittest.TestCase):
    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        for name, make in transcripts.ALL.items():
            transcripts.write(cls.path(name + ".jsonl"), make())

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder.name, name)

    def run_it(self, *args, stdin=None):
        return subprocess.run([PROGRAM, *args], cwd=self.folder.name, input=stdin, capture_output=True, timeout=60)

    def report(self, *args, status, stdin=None):
        done = self.run_it("--catalogue", os.path.join(HERE, "catalogue.conf"), *args, stdin=stdin)
        self.assertEqual(done.stderr.decode(), "")
        self.assertEqual(done.returncode, status)
        return done.stdout.decode()

    def golden(self, name, text):
        path = os.path.join(HERE, "golden", name)
        if UPDATE:
            with open(path, "w", encoding="utf-8") as out:
                out.write(text)
        with open(path, encoding="utf-8") as known:
            self.assertEqual(text, known.read(), "if this is meant: test_page.py --update")

    # The style is a file of its own: the golden pages would only repeat it.
    def without_style(self, text):
        text = re.sub(r"<style>.*?</style>", "<style></style>", text, flags=re.S)
        return re.sub(r"'sha256-[^']*'", "'sha256-'", text)

    def test_page(self):
        for name, status in (("asa", 1), ("clean", 0), ("repaired", 0)):
            with self.subTest(name):
                text = self.report(name + ".jsonl", "--html", "-", status=status)
                self.assertEqual(page.Page(text).wrong, [])
                self.golden(name + ".html", self.without_style(text))

    def test_summary(self):
        for name, status in (("asa", 1), ("clean", 0)):
            with self.subTest(name):
                self.golden(name + ".txt", self.report(name + ".jsonl", status=status))

    def test_the_same_twice(self):
        first = self.report("asa.jsonl", "--html", "one.html", status=1)
        self.report("asa.jsonl", "--html", "two.html", status=1)
        self.assertEqual(first, "")
        with open(self.path("one.html"), "rb") as one, open(self.path("two.html"), "rb") as two:
            self.assertEqual(one.read(), two.read())

    def test_hostile(self):
        """Markup of peers is text, whatever place it comes in."""
        text = self.report("hostile.jsonl", "--html", "-", status=1)
        got = page.Page(text)
        self.assertEqual(got.wrong, [])
        for part in ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "<!--", "&amp;&lt;&#60;"):
            self.assertIn(part, got.text)
        self.assertNotRegex(text, r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]")
        self.assertIn("\\000\\377<>", got.text)

    def test_hostile_summary(self):
        self.assertNotRegex(self.report("hostile.jsonl", status=1), r"[\x00-\x09\x0b-\x1f\x7f-\uffff]")

    def test_title(self):
        text = self.report("clean.jsonl", "--html", "-", "--title", "</title><b>\u00fc\x1b", status=0)
        self.assertEqual(page.Page(text).wrong, [])
        self.assertEqual(text.count("&lt;/title&gt;&lt;b&gt;\u00fc\\033"), 2)

    def test_policy_fits_the_style(self):
        text = self.report("clean.jsonl", "--html", "-", status=0)
        style = re.search(r"<style>(.*?)</style>", text, re.S).group(1)
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        self.assertEqual(page.Page(text).policy,
                         "default-src 'none'; style-src 'sha256-%s'; base-uri 'none'; form-action 'none'" % digest)

    def test_contrast(self):
        """WCAG AA, light and dark, of every pair of colours that text has."""
        with open(STYLE, encoding="utf-8") as file:
            light, dark = re.findall(r":root \{(.*?)\}", file.read(), re.S)
        grounds = [(t, g) for t in ("ink", "soft", "link", "ours", "good", "info", "low", "medium", "high", "critical")
                   for g in ("paper", "sheet")]
        pairs = grounds + [("on", b) for b in ("medium", "high", "critical")] + [("mark-ink", "mark")]
        for scheme in (light, dark):
            colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", scheme))
            for text, ground in pairs:
                with self.subTest(text=text, ground=ground):
                    self.assertGreaterEqual(page.contrast(colours[text], colours[ground]), 4.5)

    def test_session(self):
        """One that was asked for, by the end of its id."""
        text = self.report("asa.jsonl", "--html", "-", "--session", transcripts.sid(7)[-6:], status=1)
        self.assertEqual(re.findall(r"<h3 id=\"s\d+\" tabindex=\"-1\">Session (\w+)", text), [transcripts.sid(7)])

    def test_first_of_each_kind(self):
        text = self.report("asa.jsonl", "--html", "-", status=1)
        self.assertEqual(re.findall(r"<h3 id=\"s\d+\" tabindex=\"-1\">Session (\w+)", text), [transcripts.sid(0)])

    def test_several_files_and_standard_input(self):
        with open(self.path("clean.jsonl"), "rb") as file:
            text = self.report("asa.jsonl", "-", "--html", "-", status=1, stdin=file.read())
        self.assertIn("45 sessions", page.Page(text).text)
        self.assertIn("standard input", text)

    def test_found_anew(self):
        """Without its finding records a transcript tells the same."""
        kept = [r for r in transcripts.asa(3) if r["kind"] != "finding"]
        transcripts.write(self.path("bare.jsonl"), kept)
        text = self.report("bare.jsonl", status=1)
        for name in ("SV-01 banner-mask", "SV-02 ehlo-x-mask", "SV-04 x-echo"):
            self.assertIn(name, text)

    def test_a_session_counts_once(self):
        """The same finding three times, in two sessions."""
        records = transcripts.asa(2)
        again = next(r for r in records if r["kind"] == "finding")
        transcripts.write(self.path("twice.jsonl"), [*records, dict(again, n=100)])
        text = page.Page(self.report("twice.jsonl", "--html", "-", status=1)).text
        self.assertIn("In 2 of 2 sessions, 3 times, each time the same bytes.", text)

    def test_trouble(self):
        """Usage and files: 2, and a message that says what."""
        with open(self.path("bad.jsonl"), "w", encoding="utf-8") as out:
            out.write("no json\n")
        for args, says in (([], "which FILE"), (["--nonsense"], "--help"), (["missing.jsonl"], "missing.jsonl"),
                           (["clean.jsonl", "--html", "no/such/out"], "cannot write"),
                           (["clean.jsonl", "--catalogue", "no.conf"], "no.conf"), (["bad.jsonl"], "bad.jsonl:1")):
            with self.subTest(args):
                done = self.run_it(*args)
                self.assertEqual(done.returncode, 2)
                self.assertIn(says, done.stderr.decode())

    def test_nothing(self):
        """No records at all are a page, too."""
        text = self.report("-", "--html", "-", status=0, stdin=b"")
        self.assertEqual(page.Page(text).wrong, [])

    def test_help(self):
        done = self.run_it("--help")
        self.assertEqual((done.returncode, done.stderr), (0, b""))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
