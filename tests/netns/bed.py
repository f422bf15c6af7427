"""Three network namespaces, client - router - server, and the programs in them.

The router stands in the middle: 192.0.2.1 and 2001:db8:1::1 towards the client on interface
"near", 198.51.100.1 and 2001:db8:2::1 towards the server on "far". Everything has names of its
own run and is removed at the end, also after failures; nothing outside is touched.
"""
import contextlib
import ctypes
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time

PATIENCE = 10.0 * float(os.environ.get("SCENARIO_SCALE", "1"))
SANITIZER = re.compile(r"ERROR: \w*Sanitizer|runtime error:|Assertion .* failed")
HERE = os.path.dirname(os.path.abspath(__file__))
INTERCEPT = os.path.join(HERE, "..", "..", "scripts", "intercept")
CLONE_NEWNET = 0x40000000
CLIENT = {4: "192.0.2.2", 6: "2001:db8:1::2"}
NEAR = {4: "192.0.2.1", 6: "2001:db8:1::1"}
FAR = {4: "198.51.100.1", 6: "2001:db8:2::1"}
SERVER = {4: "198.51.100.2", 6: "2001:db8:2::2"}
FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}
libc = ctypes.CDLL(None, use_errno=True)


class Skipped(Exception):
    """Namespaces are not to be had here."""


def until(true, what, seconds=PATIENCE):
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:g} s in vain: {what}")
        time.sleep(0.01)


def text(address, port):
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def ip(*words):
    got = subprocess.run(["ip", *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                         text=True, check=False)
    if got.returncode != 0:
        raise OSError(f"ip {' '.join(words)}: {got.stdout.strip()}")
    return got.stdout


class Bed:
    def __init__(self):
        self.names = {role: f"smtpscope-{os.getpid()}-{role}"
                      for role in ("client", "router", "server")}
        self.programs = []

    def make(self):
        try:
            for name in self.names.values():
                ip("netns", "add", name)
                ip("netns", "exec", name, "true")  # in a chroot it is this that fails
        except OSError as e:
            raise Skipped(f"network namespaces cannot be used here: {e}") from e
        for role in self.names:
            self.sysctl(role, "net/ipv6/conf/default/accept_dad", "0")
            self.sysctl(role, "net/ipv6/conf/all/accept_dad", "0")
            ip("-n", self.names[role], "link", "set", "lo", "up")
        self.wire("client", "eth0", CLIENT, "near", NEAR)
        self.wire("server", "eth0", SERVER, "far", FAR)
        self.sysctl("router", "net/ipv4/ip_forward", "1")
        self.sysctl("router", "net/ipv6/conf/all/forwarding", "1")

    def wire(self, end, device, addresses, router_device, router_addresses):
        """Links an end to the router, which is its way to everywhere."""
        ip("link", "add", device, "netns", self.names[end], "type", "veth", "peer", "name",
           router_device, "netns", self.names["router"])
        for role, name, own in ((end, device, addresses),
                                ("router", router_device, router_addresses)):
            ip("-n", self.names[role], "addr", "add", own[4] + "/24", "dev", name)
            ip("-n", self.names[role], "addr", "add", own[6] + "/64", "dev", name, "nodad")
            ip("-n", self.names[role], "link", "set", name, "up")
        for family in (4, 6):
            ip(f"-{family}", "-n", self.names[end], "route", "add", "default", "via",
               router_addresses[family])

    def sysctl(self, role, name, value):
        with self.inside(role), open(f"/proc/sys/{name}", "w", encoding="ascii") as f:
            f.write(value)

    @contextlib.contextmanager
    def inside(self, role):
        """Sockets made meanwhile, by this thread, belong to that namespace for ever."""
        own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        other = os.open(f"/run/netns/{self.names[role]}", os.O_RDONLY)
        try:
            self.enter(other)
            yield
        finally:
            self.enter(own)
            os.close(own)
            os.close(other)

    @staticmethod
    def enter(fd):
        if libc.setns(fd, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")

    def command(self, role, *words):
        return ["ip", "netns", "exec", self.names[role], *words]

    def call(self, role, *words, **options):
        return subprocess.run(self.command(role, *words), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False,
                              timeout=PATIENCE, **options)

    def state(self):
        """Everything that interception could leave behind on the router."""
        script = ("nft list ruleset; for f in 4 6; do ip -$f rule show; "
                  "ip -$f route show table all; done")
        got = self.call("router", "sh", "-c", script)
        return re.sub(r" expires \d+sec", "", got.stdout)

    def settle(self):
        """Until every address is usable and the routes stand still."""
        def ready():
            return not any("tentative" in ip("-n", name, "addr", "show")
                           for name in self.names.values())
        until(ready, "the addresses to be usable")

        def reached():
            with contextlib.suppress(OSError), self.inside("client"):
                for family in (4, 6):
                    try:
                        socket.create_connection((SERVER[family], 1), 1).close()
                    except ConnectionRefusedError:
                        continue
                return True
            return False
        until(reached, "the server to be reached through the router")

    def remove(self):
        for program in reversed(self.programs):
            program.kill()
        for name in self.names.values():
            subprocess.run(["ip", "netns", "del", name], stderr=subprocess.DEVNULL, check=False)


class Intercept:
    """scripts/intercept on the router."""

    def __init__(self, bed):
        self.bed = bed

    def call(self, *words, prefix=()):
        return self.bed.call("router", *prefix, INTERCEPT, *words)

    @staticmethod
    def source():
        with open(INTERCEPT, encoding="ascii") as f:
            return f.read()

    def up(self, *words):
        got = self.call("up", "--interface", "near", *words)
        assert got.returncode == 0, f"intercept up: {got.stdout}"
        return got.stdout

    def down(self, interface="near"):
        got = self.call("down", "--interface", interface)
        assert got.returncode == 0, f"intercept down: {got.stdout}"
        return got.stdout


class Smtpscope:
    """The program under test, on the router; .records() are what it wrote so far."""

    def __init__(self, bed, smtpscope, directory, conf, prefix=()):
        self.transcript = os.path.join(directory, "transcript.jsonl")
        self.conf, self.log = os.path.join(directory, "conf"), os.path.join(directory, "log")
        self.ports = len(re.findall(r'"[^"]+:\d+"', conf))
        with open(self.conf, "w", encoding="ascii") as f:
            f.write(conf + f'transcript = {{ file = "{self.transcript}"; flush = "0"; }};\n')
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                bed.command("router", *prefix, smtpscope, "run", "-f", self.conf),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                cwd=directory)
        bed.programs.append(self)

    def wait_listening(self):
        def ready():
            return (self.process.poll() is not None or
                    len(re.findall(r"listening on ", self.text())) >= self.ports)
        until(ready, "smtpscope to listen")
        assert self.process.poll() is None, "smtpscope did not start: " + self.text()
        return self

    def text(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()

    def records(self, kind=None):
        if not os.path.exists(self.transcript):
            return []
        with open(self.transcript, encoding="utf-8") as f:
            lines = f.read().split("\n")[:-1]
        records = [json.loads(line) for line in lines]
        return [r for r in records if kind is None or r["kind"] == kind]

    def session(self, client):
        """All records of the session of that client address, once it is closed."""
        def closed():
            sids = {r["sid"] for r in self.records("open") if r["client"] == client}
            return any(r["sid"] in sids for r in self.records("close"))
        until(closed, f"a closed session of {client} in the transcript")
        sids = {r["sid"] for r in self.records("open") if r["client"] == client}
        assert len(sids) == 1, f"{len(sids)} sessions of {client}"
        return [r for r in self.records() if r["sid"] in sids]

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        code = self.process.wait(PATIENCE)
        if code != 0 or SANITIZER.search(self.text()):
            raise AssertionError(f"smtpscope ended with {code}: {self.text()[-3000:]}")

    def kill(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


class Server:
    """A small SMTP server in a namespace, on port 25; .sessions: (peer, local, messages)."""

    def __init__(self, bed, role="server", addresses=None):
        self.sessions, self.sockets = [], []
        with bed.inside(role):
            for family, number in FAMILIES.items():
                s = socket.create_server(((addresses or SERVER)[family], 25), family=number)
                self.sockets.append(s)
        for s in self.sockets:
            threading.Thread(target=self.accept, args=(s,), daemon=True).start()
        bed.programs.append(self)

    def accept(self, listener):
        while True:
            try:
                s, peer = listener.accept()
            except OSError:
                return
            session = (text(*peer[:2]), text(*s.getsockname()[:2]), [])
            self.sessions.append(session)
            threading.Thread(target=self.serve, args=(s, session[2]), daemon=True).start()

    @staticmethod
    def serve(s, messages):
        s.settimeout(PATIENCE)
        with s, s.makefile("rwb") as f, contextlib.suppress(OSError):
            f.write(b"220 server.test ESMTP\r\n")
            f.flush()
            content = None
            for line in f:
                if content is None:
                    f.write({b"DATA": b"354 go\r\n", b"QUIT": b"221 bye\r\n"}
                            .get(line[:4], b"250 ok\r\n"))
                    content = [] if line[:4] == b"DATA" else None
                elif line == b".\r\n":
                    messages.append(b"".join(content))
                    content = None
                    f.write(b"250 queued\r\n")
                else:
                    content.append(line)
                f.flush()
                if line[:4] == b"QUIT":
                    return

    def kill(self):
        for s in self.sockets:
            with contextlib.suppress(OSError):  # wakes accept(), which would keep the port
                s.shutdown(socket.SHUT_RDWR)
            s.close()


class Client:
    """A connection from the client's namespace; .address is its own end, of no other."""

    port = 20000

    def __init__(self, bed, host, port, source_port=0):
        family = 6 if ":" in host else 4
        Client.port += 1
        with bed.inside("client"):
            self.socket = socket.create_connection((host, port), PATIENCE,
                                                   (CLIENT[family], source_port or Client.port))
        self.address = text(*self.socket.getsockname()[:2])
        self.file = self.socket.makefile("rwb")

    def reply(self):
        lines = [self.file.readline()]
        while lines[-1][3:4] == b"-":
            lines.append(self.file.readline())
        return b"".join(lines).decode("latin-1")

    def say(self, line, code):
        self.file.write(line + b"\r\n")
        self.file.flush()
        reply = self.reply()
        assert reply.startswith(code), f"{line!r}: {reply!r}, wanted {code}"

    def begin(self):
        """A message as far as DATA."""
        greeting = self.reply()
        assert greeting.startswith("220 server.test"), f"greeting: {greeting!r}"
        for line, code in ((b"EHLO client.test", "250"), (b"MAIL FROM:<a@example.org>", "250"),
                           (b"RCPT TO:<b@example.net>", "250"), (b"DATA", "354")):
            self.say(line, code)
        return self

    def send(self, content):
        """One message in a session of its own."""
        self.begin()
        self.say(content + b".", "250")
        self.say(b"QUIT", "221")
        self.close()

    def rest(self):
        """What comes until the end, which has to come."""
        got = self.file.read().decode("latin-1")
        self.close()
        return got

    def close(self):
        self.file.close()
        self.socket.close()
