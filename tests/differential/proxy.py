"""The proxy under test: one process with a listener for each kind of session."""
import os
import re
import signal
import ssl
import subprocess
import time

from plan import LISTENERS
from scn.certificates import AUTHORITY, LEAF, Maker
from scn.process import LISTENING, SANITIZER

TLS = {"may": 'starttls = "terminate"; upstream = "may";',
       "require": 'starttls = "terminate"; upstream = "require";',
       "implicit": 'starttls = "terminate"; implicit = true; upstream = "implicit";'}
POLICY = {"strict": 'preset = "strict";', "serial": 'pipelining = "serialize";'}
LIMITS = 'errors = 40; connect_timeout = "5s"; greeting_timeout = "8s"; ' \
         'command_timeout = "30s"; reply_timeout = "8s"; data_start_timeout = "8s"; ' \
         'data_block_timeout = "20s"; data_end_timeout = "8s"; opaque_timeout = "20s";'


def contexts(directory):
    """TLS of the client and of the server, with a certificate made for this run."""
    if not os.path.exists(os.path.join(directory, "good.pem")):
        maker = Maker(directory)
        maker.make("ca", "Differential", AUTHORITY, None, (-60, 100), "ec")
        maker.make("good", "mx.test", LEAF.format(names="DNS:mx.test"), "ca", (-1, 30), "ec")
    good = [os.path.join(directory, "good" + end) for end in (".pem", ".key")]
    client = ssl.create_default_context(cafile=os.path.join(directory, "ca.pem"))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(*good)
    return client, server


class Proxy:
    def __init__(self, program, directory, upstream):
        self.program, self.dir = program, directory
        self.transcript = os.path.join(directory, "transcript.jsonl")
        self.stderr = os.path.join(directory, "stderr")
        self.config = os.path.join(directory, "smtpscope.conf")
        self.ports, self.process = {}, None
        listeners = ",\n".join(self.listener(name, upstream) for name in LISTENERS)
        with open(self.config, "w", encoding="ascii") as f:
            f.write('vantage = "here"; workers = 2; drain_timeout = "2s";\n'
                    f'listeners = (\n{listeners}\n);\n'
                    f'transcript = {{ file = "{self.transcript}"; flush = "0s"; }};\n')
        for old in (self.transcript, self.stderr):
            if os.path.exists(old):
                os.unlink(old)

    def listener(self, name, upstream):
        _, mode, tls = LISTENERS[name]
        keys = f'certificate = [ "{self.dir}/good.pem" ]; key = [ "{self.dir}/good.key" ];'
        policy = f"policy = {{ {POLICY[name]} }};" if name in POLICY else ""
        secure = f"tls = {{ {TLS[tls]} {keys} }};" if tls in TLS else ""
        return f'{{ name = "{name}"; listen = [ "127.0.0.1:0" ]; mode = "{mode}"; ' \
               f'upstream = "127.0.0.1:{upstream}"; send_proxy = "v1"; {policy} {secure} ' \
               f'limits = {{ {LIMITS} }}; }}'

    def start(self):
        env = dict(os.environ, LC_ALL="C", ASAN_OPTIONS="quarantine_size_mb=4:detect_leaks=1",
                   UBSAN_OPTIONS="print_stacktrace=1", TSAN_OPTIONS="halt_on_error=0")
        with open(self.stderr, "wb") as stderr:
            self.process = subprocess.Popen([self.program, "run", "-f", self.config],
                                            cwd=self.dir, env=env, stdin=subprocess.DEVNULL,
                                            stdout=subprocess.DEVNULL, stderr=stderr)
        deadline = time.monotonic() + 20
        while len(self.ports) < len(LISTENERS):
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise SystemExit(f"differential: the proxy does not start: {self.said()}")
            time.sleep(0.05)
            found = LISTENING.findall(self.said())
            if len(found) >= len(LISTENERS):
                self.ports = {name: int(port) for name, (_, port) in zip(LISTENERS, found)}

    def said(self):
        with open(self.stderr, encoding="utf-8", errors="replace") as f:
            return f.read()

    def sockets(self):
        """How many it has open."""
        folder, n = f"/proc/{self.process.pid}/fd", 0
        for name in os.listdir(folder):
            try:
                n += os.readlink(os.path.join(folder, name)).startswith("socket:")
            except FileNotFoundError:
                pass  # closed meanwhile
        return n

    def settles(self, before, seconds):
        """Waits until no more sockets are open than before."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None and (now := self.sockets()) > before:
            if time.monotonic() > deadline:
                return [f"{now} sockets are open, {before} were before the sessions"]
            time.sleep(0.05)
        return []

    def stop(self):
        """What is wrong with how it ended."""
        if self.process is None:
            return []
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return ["it did not end after TERM"]
        wrong = [] if code == 0 else [f"it ended with {code}"]
        if SANITIZER.search(self.said()):
            wrong.append("sanitizer: " + "\n".join(
                line for line in self.said().splitlines()
                if not re.match(r"\S+Z (info|warn)", line))[:3000])
        return wrong
