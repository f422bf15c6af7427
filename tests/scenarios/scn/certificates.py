"""Certificates for one run, made with openssl: NAME.pem (with its chain) and NAME.key.

  ca, other-ca   authorities; only the first is trusted by anybody
  good           mx.test, RSA            good-ec   mx.test, EC         renewed  mx.test, EC
  chain          mx.test, through an intermediate authority
  second         other.test, *.wild.test         address   127.0.0.1
  elsewhere      a name nobody asks for          stranger  mx.test, of other-ca
  expired, future                                self      mx.test, signed by itself
  client         client.test, for clients

As a program: certificates.py DIRECTORY.
"""
import hashlib
import os
import ssl
import subprocess
import sys
import time

# name: (common name, subjectAltName, issuer, days from, days until, key type)
LEAVES = {
    "good": ("mx.test", "DNS:mx.test", "ca", -1, 30, "rsa"),
    "good-ec": ("mx.test", "DNS:mx.test", "ca", -1, 30, "ec"),
    "renewed": ("mx.test renewed", "DNS:mx.test", "ca", -1, 60, "ec"),
    "chain": ("mx.test", "DNS:mx.test", "intermediate", -1, 30, "ec"),
    "second": ("other.test", "DNS:other.test,DNS:*.wild.test", "ca", -1, 30, "ec"),
    "address": ("address", "IP:127.0.0.1", "ca", -1, 30, "ec"),
    "elsewhere": ("elsewhere.test", "DNS:elsewhere.test", "ca", -1, 30, "ec"),
    "stranger": ("mx.test", "DNS:mx.test", "other-ca", -1, 30, "ec"),
    "expired": ("mx.test", "DNS:mx.test", "ca", -30, -1, "ec"),
    "future": ("mx.test", "DNS:mx.test", "ca", 10, 30, "ec"),
    "self": ("mx.test", "DNS:mx.test", None, -1, 30, "ec"),
    "client": ("client.test", "DNS:client.test", "ca", -1, 30, "ec"),
}
AUTHORITIES = {"ca": None, "other-ca": None, "intermediate": "ca"}
NAMES = (*LEAVES, *AUTHORITIES)

CONFIGURATION = """\
[ca]
default_ca = this
[this]
database = {dir}/index
new_certs_dir = {dir}
rand_serial = yes
unique_subject = no
default_md = sha256
policy = any
email_in_dn = no
[any]
organizationName = optional
commonName = supplied
[req]
distinguished_name = dn
[dn]
"""
AUTHORITY = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
LEAF = "basicConstraints=critical,CA:FALSE\nsubjectAltName={names}\n"
KEYS = {"rsa": ["-newkey", "rsa:2048"],
        "ec": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]}


class Maker:
    def __init__(self, directory):
        self.dir = directory
        os.makedirs(directory, exist_ok=True)
        self.config = self.write("configuration", CONFIGURATION.format(dir=directory))
        self.write("index", "")

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="ascii") as f:
            f.write(text)
        return self.path(name)

    def openssl(self, *args):
        run = subprocess.run(["openssl", *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, cwd=self.dir, check=False)
        if run.returncode != 0:
            raise RuntimeError(f"openssl {' '.join(args)}: {run.stdout}")

    def date(self, days):
        """Days from now, as `openssl ca` reads it."""
        return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + days * 86400))

    def make(self, name, common_name, extensions, issuer, days, key):
        self.openssl("req", "-new", "-config", self.config, *KEYS[key], "-nodes",
                     "-keyout", f"{name}.key", "-out", f"{name}.csr",
                     "-subj", f"/O=Scenarios/CN={common_name}")
        signer = (["-cert", f"{issuer}.pem", "-keyfile", f"{issuer}.key"] if issuer
                  else ["-selfsign", "-keyfile", f"{name}.key"])
        self.openssl("ca", "-batch", "-notext", "-config", self.config, *signer,
                     "-in", f"{name}.csr", "-out", f"{name}.pem",
                     "-startdate", self.date(days[0]), "-enddate", self.date(days[1]),
                     "-extfile", self.write("extensions", extensions))
        if AUTHORITIES.get(issuer):
            with open(self.path(f"{name}.pem"), "a", encoding="ascii") as chain, \
                    open(self.path(f"{issuer}.pem"), encoding="ascii") as above:
                chain.write(above.read())


def make(directory):
    maker = Maker(os.path.abspath(directory))
    for name, issuer in AUTHORITIES.items():
        maker.make(name, f"Scenario {name}", AUTHORITY, issuer, (-60, 100), "ec")
    for name, (common_name, names, issuer, since, until, key) in LEAVES.items():
        maker.make(name, common_name, LEAF.format(names=names), issuer, (since, until), key)


def certificate(directory, name):
    """The certificate itself, DER."""
    with open(os.path.join(directory, name + ".pem"), encoding="ascii") as f:
        return ssl.PEM_cert_to_DER_cert(f.read().partition("-----END CERTIFICATE-----")[0]
                                        + "-----END CERTIFICATE-----")


def fingerprint(directory, name):
    return hashlib.sha256(certificate(directory, name)).hexdigest()


def pin(directory, name):
    """SHA-256 of the public key, hexadecimal."""
    key = subprocess.run(["openssl", "pkey", "-in", os.path.join(directory, name + ".key"),
                          "-pubout", "-outform", "DER"], stdout=subprocess.PIPE, check=True).stdout
    return hashlib.sha256(key).hexdigest()


def name_of(directory, der):
    """Which of them that is; "none" or "unknown"."""
    if not der:
        return "none"
    return next((name for name in NAMES if certificate(directory, name) == der), "unknown")


if __name__ == "__main__":
    make(sys.argv[1])
