"""One scenario being played: its actors, barriers, directory and merged log."""
import os
import shutil
import socket
import subprocess
import sys
import threading
import time

from scn import certificates, proxy_header, records, script
from scn.failed import Failed
from scn.peers import Client, Server
from scn.process import Proxy

STEP_SECONDS = 10.0
VALIDATE_SECONDS = 600  # a transcript may be long, and the machine slow
HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Skipped(Exception):
    """Something this scenario requires is not to be had here."""


def require(what):
    if what in ("root", "tmpfs") and os.geteuid() != 0:
        raise Skipped("needs root")
    if what == "ipv6":
        try:
            with socket.socket(socket.AF_INET6) as s:
                s.bind(("::1", 0))
        except OSError:
            raise Skipped("needs IPv6 on loopback") from None


class World:
    def __init__(self, path, directory, smtpscope, of_run):
        """of_run: a directory that all scenarios of a run share."""
        self.path, self.dir, self.smtpscope, self.of_run = path, directory, smtpscope, of_run
        self.step_seconds = STEP_SECONDS * float(os.environ.get("SCENARIO_SCALE", "1"))
        self.began, self.log_lock = time.monotonic(), threading.Lock()
        self.log_file = open(os.path.join(directory, "log"), "w", encoding="utf-8")
        self.actors, self.barriers, self.problems, self.line = {}, {}, [], 0

    # -- for the actors
    def log(self, who, mark, text):
        with self.log_lock:
            self.log_file.write(f"{time.monotonic() - self.began:8.3f} {who:>6} {mark} {text}\n")
            self.log_file.flush()

    def address(self, target):
        name, _, number = target.partition("#")
        actor = self.actors[name]
        if isinstance(actor, Server):
            return actor.address
        if not actor.addresses:
            raise Failed(f"{name} has no address: it was not started")
        return actor.addresses[int(number or 1) - 1]

    def certificates(self):
        return os.path.join(self.of_run, "certificates")

    def of_certificate(self, word, name):
        if word in ("pin", "sha256"):
            what = certificates.pin if word == "pin" else certificates.fingerprint
            return what(self.certificates(), name)
        return os.path.join(self.certificates(), name + (".pem" if word == "cert" else ".key"))

    def expand(self, text):
        def value(m):
            name, what = m[1], m[2] or ""
            if name == "proxy":
                return proxy_header.HEADERS[what].decode("latin-1")
            if name in script.OF_RUN:
                return self.of_certificate(name, what)
            if not what:
                return {"dir": self.dir, "smtpscope": self.smtpscope,
                        "tests": os.path.dirname(HERE)}[name]
            if what == "pid":
                return str(self.actors[name].process.pid)
            host, port = self.address(name + (f"#{what[4:]}" if what[4:] else ""))
            if what.startswith("port"):
                return str(port)
            return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        return script.VARIABLE.sub(value, text.decode("latin-1")).encode("latin-1")

    def sync(self, name):
        try:
            self.barriers[name].wait(self.step_seconds)
        except threading.BrokenBarrierError:
            raise Failed(f"nobody else came to barrier {name}") from None

    def give_up(self):
        """An actor failed: nobody waits for it at a barrier any longer."""
        for barrier in self.barriers.values():
            barrier.abort()

    # -- the play
    def play(self):
        statements, checked = script.load(self.path)
        for _, words in statements:
            if words[0] == "requires":
                require(words[1])
        for name, parties in checked.barriers.items():
            self.barriers[name] = threading.Barrier(parties)
        kinds = {"client": Client, "server": Server, "proxy": Proxy}
        for actor in checked.actors.values():
            self.actors[actor.name] = kinds[actor.kind](self, actor)
        try:
            for self.line, words in statements:
                handler = getattr(self, "do_" + words[0], None)
                if handler:
                    handler(*[self.expand(w) if isinstance(w, bytes) else w for w in words[1:]])
        except Failed as e:
            text = str(e)
            self.problems.append(f"{self.path}:{text}" if text[:1].isdigit()
                                 else f"{self.path}:{self.line}: {text}")
            self.give_up()
        self.curtain()
        return not self.problems

    def curtain(self):
        """Everything ends; what any actor has to complain about is collected."""
        for actor in self.actors.values():
            if isinstance(actor, Proxy):
                self.problems += actor.finish()
        for actor in self.actors.values():
            if not isinstance(actor, Proxy):
                if actor.ident:
                    actor.join(0.5 if self.problems else self.step_seconds)
                if actor.error:
                    self.problems.insert(0, actor.error)
                elif actor.is_alive():
                    self.problems.append(f"{self.path}:{actor.actor.line}: {actor.name} "
                                         "is still playing at the end")
        if not self.problems:
            self.validate()
        for problem in self.problems:
            self.log("", "!", problem)

    def validate(self):
        """Every transcript written keeps to the schema."""
        validator = os.path.join(HERE, "..", "transcript", "validate.py")
        schema = os.path.join(os.path.dirname(self.smtpscope), "..", "..", "transcript.schema.json")
        for actor in self.actors.values():
            if not isinstance(actor, Proxy) or not os.path.exists(actor.transcript) \
                    or not os.path.exists(schema):
                continue
            run = subprocess.run([sys.executable, validator, schema, actor.transcript],
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                 timeout=VALIDATE_SECONDS, check=False)
            if run.returncode != 0:
                self.problems.append(f"{actor.name}: {run.stdout[-2000:]}")

    # -- commands
    def do_start(self, *names):
        for name in names:
            self.actors[name].start()

    def do_wait(self, *names):
        for name in names:
            actor = self.actors[name]
            if isinstance(actor, Proxy):
                continue
            deadline = time.monotonic() + self.step_seconds * 6
            while actor.is_alive() and time.monotonic() < deadline:
                actor.join(0.05)
            if actor.error:
                raise Failed(f"{name} failed")
            if actor.is_alive():
                raise Failed(f"{name} does not come to its end")

    def do_run(self, *names):
        self.do_start(*names)
        self.do_wait(*names)

    def do_stop(self, name):
        self.actors[name].signal("TERM")
        self.actors[name].wait_exit(0)

    def do_kill(self, name):
        self.actors[name].signal("KILL")
        self.actors[name].wait_exit(-9)

    def do_signal(self, name, number):
        self.actors[name].signal(number)

    def do_exit(self, name, code):
        self.actors[name].wait_exit(int(code))

    def do_alive(self, name):
        if not self.actors[name].running():
            raise Failed(f"{name} is not running")

    def do_log(self, name, text):
        proxy, text = self.actors[name], text.decode("latin-1")
        proxy.until(lambda: text in proxy.stderr, f"does not log {text!r}")

    def do_config(self, name, *texts):
        """New text of the listener, and of the top if a second one is given; for a HUP."""
        texts = [t.decode("latin-1") for t in texts]
        proxy = self.actors[name]
        top = texts[1] if len(texts) > 1 else None
        proxy.write_config(proxy.config_text(listener=texts[0], top=top))

    def do_fsize(self, name, size):
        self.actors[name].set_fsize(size)

    def do_memory(self, name, *what):
        self.actors[name].check_memory(*what)

    def do_transcript(self, name, *words):
        pattern = None
        if words[0] == "file":
            pattern = words[1].decode("latin-1")
        records.check(self, self.actors[name], [w for w in words if not isinstance(w, bytes)], pattern)

    def do_same(self, one, other):
        values = []
        for what in (one, other):
            if isinstance(what, bytes):
                values.append(what)
            else:
                name, _, part = what.partition(".")
                values.append(getattr(self.actors[name], part))
        if values[0] != values[1]:
            raise Failed(f"{one} is {bytes_or_text(values[0])}, "
                         f"{other if isinstance(other, str) else 'wanted'} {bytes_or_text(values[1])}")

    def do_sync(self, name):
        self.sync(name)

    def do_shell(self, *words):
        words = list(words)
        code = int(words.pop(0)) if isinstance(words[0], str) else 0
        command = words[0].decode("latin-1")
        run = subprocess.run(["bash", "-c", "set -u -o pipefail; " + command], cwd=self.dir,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, timeout=self.step_seconds * 3, check=False)
        out = run.stdout.decode("utf-8", "replace")
        self.log("shell", "$", command)
        self.log("shell", "=", f"exit {run.returncode}: {out}")
        if run.returncode != code:
            raise Failed(f"shell ended with {run.returncode}, wanted {code}: {out[-2000:]}")
        if len(words) > 1 and words[2].decode("latin-1") not in out:
            raise Failed(f"shell did not say {words[2].decode('latin-1')!r}: {out[-2000:]}")


def bytes_or_text(value):
    return value if isinstance(value, str) else repr(bytes(value[:3000]))


def clean(world, keep):
    world.log_file.close()
    if not keep:
        shutil.rmtree(world.dir, ignore_errors=True)
