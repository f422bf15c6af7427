"""Client, near vantage, simulated box, far vantage, server: all on loopback.

  mail.py --> smtpscope near --> smtpscope simulate --> smtpscope far --> mx
              (observe)          (the preset)           (observe)        (smtpscope in front of
                                                                          its reflector, with TLS)

A Bed starts them, each on a free port and with a directory below `base`, and ends them so that
the transcripts are complete. Nothing outside of `base` is touched.
"""
import os
import re
import signal
import socket
import subprocess
import time

LISTENING = re.compile(r"listening on ((?:127\.0\.0\.1|\[::1\]):\d+)")
PATIENCE = 20.0 * float(os.environ.get("SCENARIO_SCALE", "1"))


def other_loopback():
    """"[::1]" where there is IPv6."""
    try:
        with socket.socket(socket.AF_INET6) as s:
            s.bind(("::1", 0))
        return "[::1]"
    except OSError:
        return "127.0.0.1"


class Program:
    """One of them: its log is where it says where it listens."""

    def __init__(self, base, name, command):
        self.name, self.log = name, os.path.join(base, name + ".log")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, start_new_session=True)
        self.address = self.wait_for_address()

    def text(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()

    def wait_for_address(self):
        deadline = time.monotonic() + PATIENCE
        while True:
            found = LISTENING.search(self.text())
            if found:
                return found[1]
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} did not start:\n{self.text()}")
            time.sleep(0.01)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise RuntimeError(f"{self.name} did not end:\n{self.text()}") from None
        if self.process.returncode != 0:
            raise RuntimeError(f"{self.name} ended with {self.process.returncode}:\n{self.text()}")


def make_certificate(base, name="mx", subject="/CN=mx.example.org", more=()):
    """A key and a certificate, signed by itself unless `more` says otherwise; made anew, nothing
    is kept."""
    key, cert = os.path.join(base, name + ".key"), os.path.join(base, name + ".pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", cert,
                    "-days", "2", "-subj", subject, *more],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return cert, key


def certificate_of(base, name, issuer=None):
    """Of the mail server; from an authority that calls itself `issuer`, where there is one."""
    more = ["-addext", "subjectAltName=DNS:mx.example.org"]
    if issuer:
        cert, key = make_certificate(base, name + "-ca", issuer)
        more += ["-CA", cert, "-CAkey", key]
    return make_certificate(base, name, more=more)


def hold_port():
    """A port of 127.0.0.1 that is nobody else's: boxes that follow each other listen on it."""
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", 0))
    return s


class Bed:
    """near: more lines for the near listener, e.g. limits. issuer: who signed the certificate of
    the box ("/O=...", as openssl writes it); None: the box has that of the server. script: of the
    reflector."""

    def __init__(self, smtpscope, base, preset, seed=1, near="", mode="observe", issuer=None,
                 script=""):
        self.smtpscope, self.base, self.seed, self.programs = smtpscope, base, seed, []
        cert, key = certificate_of(base, "mx")
        self.certificate = certificate_of(base, "box", issuer) if issuer else (cert, key)
        self.held = hold_port()
        try:
            server = self.reflector(script).address if script else "reflect"
            mx = self.proxy("mx", server, "enforce", f"""
                tls = {{ certificate = "{cert}"; key = "{key}"; upstream = "no"; }};
                policy = {{ vrfy = "pass"; expn = "pass"; ehlo_unknown = "pass"; }};""",
                            transcript=False)
            # Another address family: a port of the box's must not look like one of near's.
            self.far = self.proxy("far", mx.address, "observe", "", listen=other_loopback())
            box = self.start("box", self.simulate(preset))
            self.near = self.proxy("near", box.address, mode, near)
        except BaseException:
            self.kill()
            raise
        self.address = self.near.address

    def simulate(self, preset):
        cert, key = self.certificate
        return ["simulate", "--preset", preset, "--listen", "127.0.0.1:%d" % self.held.getsockname()[1],
                "--upstream", self.far.address, "--seed", str(self.seed),
                "--certificate", cert, "--key", key]

    def change_box(self, preset):
        """Another box at the same address; whoever uses it does not see the change."""
        i = [p.name for p in self.programs].index("box")
        self.programs[i].stop()
        self.programs[i] = Program(self.base, "box", [self.smtpscope, *self.simulate(preset)])

    def transcript(self, name):
        return os.path.join(self.base, name + ".jsonl")

    def spool(self, name):
        return os.path.join(self.base, name + ".spool")

    def diff(self, *options):
        """The arguments that compare what both sides saw."""
        return [self.smtpscope, "diff", *options, "--near-spool", self.spool("near"),
                "--far-spool", self.spool("far"), self.transcript("near"), self.transcript("far")]

    def start(self, name, arguments):
        program = Program(self.base, name, [self.smtpscope, *arguments])
        self.programs.append(program)
        return program

    def reflector(self, script):
        file = os.path.join(self.base, "script")
        with open(file, "w", encoding="utf-8") as f:
            f.write(script)
        return self.start("reflector", ["reflect", "-l", "127.0.0.1:0", "-s", file])

    def proxy(self, name, upstream, mode, more, transcript=True, listen="127.0.0.1"):
        conf = os.path.join(self.base, name + ".conf")
        os.makedirs(self.spool(name), exist_ok=True)
        with open(conf, "w", encoding="utf-8") as f:
            f.write(f"""vantage = "{name}"; workers = 1; drain_timeout = "1s";
listeners = ( {{ name = "{name}"; listen = [ "{listen}:0" ]; upstream = [ "{upstream}" ];
                mode = "{mode}"; {more} }} );
transcript = {{ file = "{self.transcript(name) if transcript else ''}"; content = "full";
               spool = "{self.spool(name)}"; }};
""")
        return self.start(name, ["run", "-f", conf])

    def stop(self):
        """In the order in which mail flows: what is under way ends where it began."""
        for program in reversed(self.programs):
            program.stop()
        self.held.close()

    def kill(self):
        for program in self.programs:
            if program.process.poll() is None:
                program.process.kill()
                program.process.wait()
        self.held.close()
