"""The proxy as an actor: a process with a configuration of its own, watched all its life."""
import ctypes
import os
import re
import resource
import signal
import subprocess
import threading
import time

from scn.failed import Failed
from scn.script import size_of

LISTENING = re.compile(r"listening on (\S+):(\d+)")
SANITIZER = re.compile(r"ERROR: \w*Sanitizer|runtime error:|WARNING: ThreadSanitizer|"
                       r"LeakSanitizer|Assertion .* failed|DEADLYSIGNAL")
PR_SET_PDEATHSIG = 1


class Proxy:
    def __init__(self, world, actor):
        self.world, self.actor, self.name = world, actor, actor.name
        self.process, self.reader = None, None
        self.dir = os.path.join(world.dir, actor.name)
        os.mkdir(self.dir)
        self.transcript = os.path.join(self.dir, "transcript.jsonl")
        self.config = os.path.join(self.dir, "smtpscope.conf")
        self.stderr, self.stderr_ended, self.changed = "", False, threading.Condition()
        self.addresses = []
        self.expected_exit = 0
        self.marked_kib = 0
        self.said = {}
        for _, words in actor.block:
            self.said.setdefault(words[0], []).append(words[1:])

    # -- configuration
    def text(self, step):
        return "\n".join(world_text(self.world, args[0]) for args in self.said.get(step, []))

    def config_text(self, listener=None, transcript=None, top=None):
        """The file: what the scenario says, and a default for what it does not."""
        if "file" in self.said:
            return self.text("file") + "\n"
        listener = self.text("listener") if listener is None else listener
        transcript = self.text("transcript") if transcript is None else transcript
        top = self.text("conf") if top is None else top

        def default(text, key, value):
            while (outer := re.sub(r"\{[^{}]*\}", "", text)) != text:
                text = outer
            return "" if re.search(rf"\b{key}\s*=", text) else f"{key} = {value};\n"

        targets = [f'"{t}"' for t in self.targets()]
        upstream = targets[0] if len(targets) == 1 else f"[ {', '.join(targets)} ]"
        return (default(top, "vantage", f'"{self.name}"') + default(top, "workers", "1")
                + default(top, "drain_timeout", '"5s"') + top + "\nlisteners = ( {\n"
                + default(listener, "name", '"in"')
                + default(listener, "listen", '[ "127.0.0.1:0" ]')
                + (default(listener, "upstream", upstream) if targets else "")
                + listener + "\n} );\ntranscript = {\n"
                + default(transcript, "file", f'"{self.transcript}"')
                + default(transcript, "flush", '"0s"') + transcript + "\n};\n")

    def targets(self):
        return ["{}:{}".format(f"[{host}]" if ":" in host else host, port)
                for host, port in map(self.world.address, self.actor.options.get("to", []))]

    def write_config(self, text):
        with open(self.config, "w", encoding="utf-8") as f:
            f.write(text)

    # -- life
    def start(self):
        if self.process:
            raise Failed(f"{self.name} is running already")
        if "args" in self.said:
            args = self.text("args").split()
        else:
            self.write_config(self.config_text())
            args = ["run", "-f", self.config]
        self.addresses, self.expected_exit, self.stderr_ended = [], 0, False
        self.world.log(self.name, "=", " ".join([self.world.smtpscope, *args]))
        self.process = subprocess.Popen([self.world.smtpscope, *args], cwd=self.dir,
                                        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                        stdout=open(os.path.join(self.dir, "stdout"), "ab"),
                                        env=self.environment(), preexec_fn=self.child_setup)
        self.reader = threading.Thread(target=self.read_stderr, daemon=True)
        self.reader.start()
        wants = int(self.said["wants"][0][0]) if "wants" in self.said else 1
        if wants:
            self.until(lambda: len(self.addresses) >= wants, "does not say where it listens")

    def environment(self):
        env = dict(os.environ, LC_ALL="C",
                   ASAN_OPTIONS="quarantine_size_mb=4:detect_leaks=1:abort_on_error=0",
                   UBSAN_OPTIONS="print_stacktrace=1", TSAN_OPTIONS="halt_on_error=0")
        for name, value in self.said.get("env", []):
            env[name] = world_text(self.world, value)
        return env

    def child_setup(self):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        for args in self.said.get("fsize", []):
            soft = size_of(args[0])
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, resource.RLIM_INFINITY))

    def read_stderr(self):
        process = self.process
        with open(os.path.join(self.dir, "stderr"), "ab") as copy:
            for raw in process.stderr:
                copy.write(raw)
                copy.flush()
                line = raw.decode("utf-8", "replace").rstrip("\n")
                self.world.log(self.name, "|", line)
                with self.changed:
                    self.stderr += line + "\n"
                    if m := LISTENING.search(line):
                        address = (m[1].strip("[]"), int(m[2]))
                        if address not in self.addresses:
                            self.addresses.append(address)
                    self.changed.notify_all()
        with self.changed:
            self.stderr_ended = True
            self.changed.notify_all()

    def until(self, true, complaint):
        """Waits for something that shows on stderr."""
        deadline = time.monotonic() + self.world.step_seconds
        with self.changed:
            while not true():
                left = deadline - time.monotonic()
                if left <= 0 or self.stderr_ended:
                    state = "it is running" if self.running() else "it has ended"
                    raise Failed(f"{self.name} {complaint}; {state}; "
                                 f"stderr: {self.stderr[-1000:] or '(nothing)'}")
                self.changed.wait(left)

    def running(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, name):
        number = getattr(signal, "SIG" + name.removeprefix("SIG"))
        self.world.log(self.name, "=", f"(signal {name})")
        self.process.send_signal(number)
        if number == signal.SIGKILL:
            self.expected_exit = -number

    def wait_exit(self, code):
        """Its end, with this exit code."""
        self.expected_exit = code
        try:
            got = self.process.wait(self.world.step_seconds * 2)
        except subprocess.TimeoutExpired:
            raise Failed(f"{self.name} does not end") from None
        if got != code:
            raise Failed(f"{self.name} ended with {got}, wanted {code}; stderr: {self.stderr[-2000:]}")
        self.world.log(self.name, "=", f"(exit {got})")
        self.process = None

    def finish(self):
        """After the play: ended in order, and nothing that a sanitizer complains about."""
        problems = []
        if self.process:
            if self.running():
                self.process.terminate()
            try:
                code = self.process.wait(self.world.step_seconds * 2)
                if code != self.expected_exit:
                    problems.append(f"{self.name} ended with {code}, wanted {self.expected_exit}")
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                problems.append(f"{self.name} had to be killed: it did not end on SIGTERM")
        if self.reader:
            self.reader.join(self.world.step_seconds)
        if m := SANITIZER.search(self.stderr):
            problems.append(f"{self.name}: {self.stderr[m.start():][:3000]}")
        return problems

    # -- what can be asked
    def memory_kib(self, key="VmRSS"):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as f:
            return int(re.search(rf"{key}:\s+(\d+) kB", f.read())[1])

    def check_memory(self, what, size=None):
        now = self.memory_kib("VmHWM" if what == "grew" else "VmRSS")
        if what == "mark":
            self.marked_kib = now
            return
        over = now - (self.marked_kib if what == "grew" else 0)
        self.world.log(self.name, "=", f"(memory: {now} KiB, {what} {over} KiB)")
        if over * 1024 > size_of(size):
            raise Failed(f"{self.name}: memory {what} {over} KiB, wanted at most {size}")

    def set_fsize(self, size):
        limit = size_of(size) or resource.RLIM_INFINITY
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        self.world.log(self.name, "=", f"(file size limit {size})")


def world_text(world, text):
    return world.expand(text).decode("latin-1")
