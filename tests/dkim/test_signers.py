#!/usr/bin/python3
"""test_signers.py CHECK - mails signed by dkimpy: our verdict is what dkimpy says of the body,
and what was done to a mail is found again. Keys are made by openssl for each run."""

import base64
import os
import random
import re
import subprocess
import sys
import tempfile
import unittest

try:
    import dkim
    import authres  # noqa: F401  dkimpy's ARC needs it
    import nacl.signing
except ImportError as why:
    print(f"skipped: {why}; scripts/install-deps test installs it")
    sys.exit(77)

CHECK = None
FORMS = [(c, a) for c in (b"simple", b"relaxed")
         for a in (b"rsa-sha256", b"rsa-sha1", b"ed25519-sha256")]

HEADER = (b"From: Alice <alice@example.org>\r\nTo: bob@example.net\r\nSubject: signed\r\n"
          b"Authentication-Results: mx.example.org; none\r\nMIME-Version: 1.0\r\n\r\n")

TEXT = (b"Hello Bob,\r\n\r\n.here is  a line that begins with a dot\t\r\n..and one with two\r\n"
        b"From here on it is a line for mbox\r\n\twith a tab in front\r\n" +
        b"0123456789" * 250 + b"\r\n" + b"9876543210" * 140 + b"\r\n\r\n"
        b"-- \r\nAlice\r\n\r\n\r\n")

MIXED = (b"--b1\r\nContent-Type: text/plain\r\n\r\nHello Bob\r\n--b1\r\nContent-Type: text/html\r\n"
         b"\r\n<html><body><p>Hello</p>\r\n<p>Bob</p></body></html>\r\n--b1--\r\n")


def run(*command, data=None):
    return subprocess.run(command, input=data, check=True, capture_output=True).stdout


class Keys:
    """What signs, and the DNS that tells of it."""

    def __init__(self, folder):
        path = os.path.join(folder, "rsa.key")
        run("openssl", "genrsa", "-traditional", "-out", path, "2048")
        with open(path, "rb") as f:
            self.rsa = f.read()
        public = run("openssl", "rsa", "-in", path, "-pubout", "-outform", "DER")
        edwards = nacl.signing.SigningKey.generate()
        self.edwards = base64.b64encode(bytes(edwards))
        self.dns = {
            b"rsa._domainkey.example.org.": b"v=DKIM1; k=rsa; p=" + base64.b64encode(public),
            b"edw._domainkey.example.org.":
                b"v=DKIM1; k=ed25519; p=" + base64.b64encode(bytes(edwards.verify_key)),
        }

    def of(self, algorithm):
        return (b"edw", self.edwards) if algorithm.startswith(b"ed") else (b"rsa", self.rsa)

    def ask(self, name, timeout=5):  # dkimpy's dnsfunc
        name = name if isinstance(name, bytes) else name.encode()
        return self.dns.get(name if name.endswith(b".") else name + b".")


def signed(keys, body, forms, length=False):
    """The mail with one signature of each form, the last one of `forms` first."""
    mail = HEADER + body
    for form, algorithm in forms:
        selector, key = keys.of(algorithm)
        mail = dkim.sign(HEADER + body, selector, b"example.org", key, length=length,
                         canonicalize=(b"relaxed", form), signature_algorithm=algorithm,
                         include_headers=[b"from", b"to"]) + mail
    return mail


def stuffed(mail):
    return re.sub(rb"(^|(?<=\r\n))\.", b"..", mail)


def fold(column, mark):
    def damage(body):
        def one(match):
            line, out = match.group(0), []
            while len(line) > column:
                out.append(line[:column])
                line = line[column:]
            return mark.join(out + [line])
        return re.sub(rb"[^\r\n]+", one, body)
    return damage


# What is done to a body; what is told of it, for simple and for relaxed ("ok": no harm).
DAMAGES = [
    (TEXT, lambda b: b.replace(b"\r\n", b"\n"), "crlf-to-lf", "crlf-to-lf"),
    (TEXT, lambda b: b.replace(b"\r\n", b"\r\r\n"), "crcrlf-double", "crcrlf-double"),
    (TEXT, lambda b: b.replace(b"\r\n", b"\r"), "crlf-to-cr", "crlf-to-cr"),
    (TEXT, stuffed, "dot-restuffed-twice", "dot-restuffed-twice"),
    (TEXT, lambda b: b.replace(b"\r\n.here", b"\r\nhere"), "dot-unstuffed-once-more",
     "dot-unstuffed-once-more"),
    (TEXT, fold(990, b"!\r\n"), "long-line-folded", "long-line-folded"),
    (TEXT, fold(990, b"!\r\n "), "long-line-folded", "long-line-folded"),
    (TEXT, fold(998, b"\r\n "), "long-line-folded", "long-line-folded"),
    (TEXT, fold(1000, b"\r\n"), "long-line-folded", "long-line-folded"),
    (TEXT, fold(1022, b"\r\n\t"), "long-line-folded", "long-line-folded"),
    (TEXT, lambda b: b.replace(b"-- \r\n", b"--\r\n"), "trailing-ws-stripped", "ok"),
    (b"a\r\nb\r\n", lambda b: b.replace(b"\r\n", b" \t\r\n"), "trailing-ws-added", "ok"),
    (TEXT, lambda b: b.replace(b"\twith", b"        with"), "tab-to-space", "ok"),
    (TEXT, lambda b: b.replace(b"\r\nFrom ", b"\r\n>From "), "from-escaped", "from-escaped"),
    (TEXT, lambda b: b + b"_____\r\nChecked by a scanner.\r\n", "footer-appended",
     "footer-appended"),
    (TEXT, lambda b: b"[EXTERNAL MAIL]\r\n\r\n" + b, "banner-inserted", "banner-inserted"),
    (TEXT, lambda b: b + b"\r\n\r\n \r\n"[:4], "ok", "ok"),
    (TEXT, lambda b: b.rstrip(b"\r\n") + b"\r\n", "ok", "ok"),
    (MIXED, lambda b: b.replace(b"</body>", b"<p>Checked</p></body>"), "footer-appended",
     "footer-appended"),
    (MIXED, lambda b: b.replace(b"Hello Bob\r\n", b"Hello Bob\r\n--\r\nChecked\r\n"),
     "footer-appended", "footer-appended"),
    (MIXED, lambda b: b.replace(b"Hello Bob\r\n", b"Hello Bob\r\n--\r\nChecked\r\n")
     .replace(b"</body>", b"<p>Checked</p></body>"), "footer-appended", "footer-appended"),
    (MIXED, lambda b: b.replace(b"<body>", b"<body><b>CAUTION</b>"), "banner-inserted",
     "banner-inserted"),
    (TEXT, lambda b: (b + b"Checked.\r\n").replace(b"\r\n", b"\n"), "crlf-to-lf", "crlf-to-lf"),
    (TEXT, lambda b: b.replace(b"Hello", b"Hallo"), "-", "-"),
    (TEXT, lambda b: re.sub(rb"([^\r\n]{1024})[^\r\n]*", rb"\1", b), "-", "-"),
]


class Signers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.keys = Keys(cls.folder.name)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def check(self, mails, how="data"):
        """A list of [header, result, canonicalization, d, s, damage, text] for each mail."""
        names = []
        for i, mail in enumerate(mails):
            names.append(os.path.join(self.folder.name, f"{i}.eml"))
            with open(names[-1], "wb") as f:
                f.write(stuffed(mail) if how == "data" else mail)
        found = {name: [] for name in names}
        for line in run(CHECK, how, *names).decode().splitlines():
            name, *rest = line.split("\t")
            found[name].append(rest)
        return [found[name] for name in names]

    def results(self, mails, how="data"):
        return [[s[1] for s in mail] for mail in self.check(mails, how)]

    def peers_words(self, mail):
        """What dkimpy says of each body hash."""
        words = []
        for i in range(len(re.findall(rb"(?m)^DKIM-Signature:", mail))):
            try:
                good = dkim.DKIM(mail).verify(idx=i, dnsfunc=self.keys.ask)
                self.assertTrue(good)  # only bodies are damaged here
                words.append("ok")
            except dkim.ValidationError as why:
                self.assertIn("body hash", str(why))
                words.append("changed")
        return words

    def test_intact(self):
        mail = signed(self.keys, TEXT, FORMS)
        for how in ("data", "bdat"):
            (found,) = self.check([mail], how)
            self.assertEqual([s[1] for s in found], ["ok"] * len(FORMS))
            self.assertEqual([s[2].encode() for s in found], [f[0] for f in reversed(FORMS)])
            self.assertEqual({s[3] for s in found}, {"example.org"})
            self.assertEqual({s[4] for s in found}, {"rsa", "edw"})
        self.assertEqual(self.peers_words(mail), ["ok"] * len(FORMS))

    def test_empty_and_small(self):
        bodies = [b"", b"\r\n", b"\r\n\r\n", b" \r\n", b".\r\n", b"..\r\n", b"a\r\n", b"a \r\n"]
        mails = [signed(self.keys, b, FORMS) for b in bodies]
        for body, found in zip(bodies, self.results(mails)):
            self.assertEqual(found, ["ok"] * len(FORMS), body)

    def test_length(self):
        mail = signed(self.keys, TEXT, FORMS, length=True)
        longer = mail + b"Checked by a list.\r\n"
        other = longer.replace(b"Hello", b"Hallo")
        self.assertEqual(self.results([mail, longer, other]),
                         [["ok"] * 6, ["ok"] * 6, ["changed"] * 6])

    def test_random_bodies(self):
        chance = random.Random(20061112)
        parts = [b" ", b"\t", b"\r\n", b"\r\n", b".", b"a", b"bc", b"x" * 70, b"\xc3\xa9"]
        mails = []
        for _ in range(60):
            body = b"".join(chance.choices(parts, k=chance.randrange(60))) + b"\r\n"
            mail = signed(self.keys, body, chance.sample(FORMS, 2))
            head = len(mail) - len(body)
            at = head + chance.randrange(len(body))
            mails += [mail, mail[:at] + chance.choice(parts) + mail[at:] + b"\r\n"]
        for mail, found in zip(mails, self.results(mails)):
            self.assertEqual(found, self.peers_words(mail), mail)

    def test_damages(self):
        mails, wanted = [], []
        for body, damage, *names in DAMAGES:
            mail = signed(self.keys, body, [(b"relaxed", b"rsa-sha256"),
                                            (b"simple", b"rsa-sha256")])
            head = len(mail) - len(body)
            mails.append(mail[:head] + damage(body))
            wanted.append(names)
        for how in ("data", "bdat"):
            for mail, names, found in zip(mails, wanted, self.check(mails, how)):
                got = ["ok" if s[1] == "ok" else s[5] for s in found]
                self.assertEqual(got, names, (how, [s[6] for s in found], mail[-300:]))
                if b"\r" in mail and not re.search(rb"(?<!\r)\n|\r(?!\n)", mail):
                    words = ["ok" if n == "ok" else "changed" for n in names]
                    self.assertEqual(self.peers_words(mail), words)

    def test_arc(self):
        body = TEXT
        mail = HEADER + body
        seal = dkim.arc_sign(mail, b"rsa", b"example.org", self.keys.rsa, b"mx.example.org",
                             include_headers=[b"from", b"to"])
        mail = b"".join(seal) + mail
        damaged = mail.replace(b"\r\n\r\n-- ", b"\r\n\r\nlist\r\n-- ")
        (good,), (bad,) = self.check([mail, damaged])
        self.assertEqual(good[:5], ["arc", "ok", "relaxed", "example.org", "rsa"])
        self.assertEqual(bad[:2], ["arc", "changed"])
        self.assertEqual(dkim.arc_verify(mail, dnsfunc=self.keys.ask)[0], b"pass")
        self.assertEqual(dkim.arc_verify(damaged, dnsfunc=self.keys.ask)[0], b"fail")


if __name__ == "__main__":
    CHECK = sys.argv.pop(1)
    unittest.main()
