"""The programs that take part: smtpscope, a sink of our own, smtp-sink, Postfix, Exim.

Each has .address ("127.0.0.1:port"), lives in a directory of its own below the run's, and
ends with stop(). Ports are ephemeral. Nothing is installed, and nothing outside the run's
directory is changed: Exim, whose packages exclude Postfix's, is unpacked into build/peers
and sees its user through a mount namespace of its own.
"""
import glob
import os
import re
import shutil
import signal
import socket
import socketserver
import subprocess
import threading
import time

PATIENCE = 20.0 * float(os.environ.get("SCENARIO_SCALE", "1"))
SANITIZER = re.compile(r"ERROR: \w*Sanitizer|runtime error:|Assertion .* failed")
HERE = os.path.dirname(os.path.abspath(__file__))
CACHE = os.path.join(HERE, "..", "..", "build", "peers")


class Skipped(Exception):
    """A peer is not to be had here."""


def until(true, what, seconds=PATIENCE):
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:g} s in vain: {what}")
        time.sleep(0.02)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def answers(address):
    host, port = address.split(":")
    try:
        with socket.create_connection((host, int(port)), 2) as s:
            s.settimeout(5)
            return s.recv(3) == b"220"
    except OSError:
        return False


def listens(address):
    host, port = address.split(":")
    try:
        socket.create_connection((host, int(port)), 2).close()
    except OSError:
        return False
    return True


class Program:
    """A process in its own process group and directory, its output in `log`."""

    def __init__(self, run, name, command, **options):
        self.dir = run.directory(name)
        self.log = os.path.join(self.dir, "log")
        self.name = name
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, start_new_session=True, **options)
        run.programs.append(self)

    def text(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()

    def stop(self):
        """Ends the process and what it started; returns its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            return self.process.wait()


CONFIGURATION = """\
listeners = ( {{ listen = [ "127.0.0.1:0" ]; upstream = "{upstream}"; {listener} }} );
transcript = {{ file = "{transcript}"; }};
"""


class Proxy(Program):
    def __init__(self, run, upstream, listener=""):
        """listener: more keys of the listener, as in the configuration file."""
        directory = run.directory("smtpscope")
        self.transcript = os.path.join(directory, "transcript.jsonl")
        conf = os.path.join(directory, "smtpscope.conf")
        with open(conf, "w", encoding="utf-8") as f:
            f.write(CONFIGURATION.format(upstream=upstream, listener=listener,
                                         transcript=self.transcript))
        super().__init__(run, "smtpscope", [run.smtpscope, "run", "-f", conf])
        until(lambda: self.process.poll() is not None or self.listening(), "smtpscope to listen")
        if not self.listening():
            raise AssertionError("smtpscope did not start: " + self.text())
        self.address = self.listening()[1]

    def listening(self):
        return re.search(r"listening on (127\.0\.0\.1:\d+)", self.text())

    def show(self):
        """The dialogue, as `smtpscope show` tells it."""
        command = [self.process.args[0], "show", self.transcript]
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=PATIENCE, check=True).stdout

    def stop(self):
        code = super().stop()
        if code != 0 or SANITIZER.search(self.text()):
            raise AssertionError(f"smtpscope ended with {code}: {self.text()[-3000:]}")
        return code


class Message:
    def __init__(self):
        self.sender, self.recipients, self.content = "", [], b""


class SinkSession(socketserver.StreamRequestHandler):
    """SMTP as far as the peers need it; the content is kept octet by octet."""

    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def handle(self):
        self.message = Message()
        self.say("220 sink.test ESMTP")
        for line in self.rfile:
            verb = line[:4].upper().decode("latin-1")
            if verb == "QUIT":
                self.say("221 2.0.0 bye")
                return
            getattr(self, "on_" + verb.strip().lower(), self.on_other)(line)

    def on_other(self, _):
        self.say("250 2.0.0 ok")

    def on_ehlo(self, _):
        lines = ["sink.test", "PIPELINING", "SIZE 100000000", "8BITMIME", "SMTPUTF8",
                 *self.server.sink.keywords]
        self.say("\r\n".join(f"250-{line}" for line in lines) + "\r\n250 ENHANCEDSTATUSCODES")

    def path(self, line):
        return re.search(rb"<([^>]*)>", line)[1].decode("utf-8", "replace")

    def on_mail(self, line):
        self.message = Message()
        self.message.sender = self.path(line)
        self.say("250 2.1.0 ok")

    def on_rcpt(self, line):
        self.message.recipients.append(self.path(line))
        self.say("250 2.1.5 ok")

    def on_data(self, _):
        self.say("354 go")
        parts, whole = [], True
        for line in self.rfile:
            if whole and line == b".\r\n":
                self.message.content = b"".join(parts)
                self.server.sink.take(self.message)
                self.say("250 2.0.0 queued")
                return
            parts.append(line[1:] if whole and line.startswith(b".") else line)
            whole = line.endswith(b"\r\n")

    def on_bdat(self, line):
        words = line.split()
        self.message.content += self.rfile.read(int(words[1]))
        self.server.sink.chunks += 1
        if len(words) > 2:
            self.server.sink.take(self.message)
        self.say("250 2.0.0 octets taken")


class SinkServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True

    def handle_error(self, _request, _address):
        pass  # a session that was cut is no fault of the sink


class Sink:
    """A server that keeps every message: .messages, in the order of their ends."""

    def __init__(self, run, keywords=()):
        self.keywords, self.messages, self.chunks = keywords, [], 0
        self.lock = threading.Lock()
        self.server = SinkServer(("127.0.0.1", 0), SinkSession)
        self.server.sink = self
        self.address = "127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        run.programs.append(self)

    def take(self, message):
        with self.lock:
            self.messages.append(message)

    def wait(self, count):
        until(lambda: len(self.messages) >= count, f"message {count}, have {len(self.messages)}")
        return self.messages

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class SmtpSink(Program):
    """Postfix's smtp-sink: counts, and with dump=True writes each message to a file."""

    def __init__(self, run, dump=False):
        program = shutil.which("smtp-sink") or "/usr/sbin/smtp-sink"
        if not os.path.exists(program):
            raise Skipped("needs smtp-sink (package postfix)")
        self.address = f"127.0.0.1:{free_port()}"
        directory = run.directory("smtp-sink")
        command = [program, "-c", "-h", "sink.test", self.address, "100"]
        if os.geteuid() == 0:
            os.chmod(directory, 0o777)
            command[1:1] = ["-u", "nobody"]
        if dump:
            command[1:1] = ["-d", os.path.join(directory, "mail.%H%M%S.")]
        super().__init__(run, "smtp-sink", command, cwd=directory)
        until(lambda: answers(self.address), "smtp-sink to answer")

    def files(self):
        return sorted(glob.glob(os.path.join(self.dir, "mail.*")))


MASTER_CF = """\
{port}    inet  n - n - -  smtpd
pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n - 0  cleanup
qmgr      unix  n - n 300 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - -  trivial-rewrite
bounce    unix  - - n - 0  bounce
defer     unix  - - n - 0  bounce
trace     unix  - - n - 0  bounce
verify    unix  - - n - 1  verify
proxymap  unix  - - n - -  proxymap
smtp      unix  - - n - -  smtp
relay     unix  - - n - -  smtp
error     unix  - - n - -  error
retry     unix  - - n - -  error
discard   unix  - - n - -  discard
anvil     unix  - - n - 1  anvil
scache    unix  - - n - 1  scache
postlog   unix-dgram n - n - 1 postlogd
"""
MAIN_CF = """\
compatibility_level = 3.6
queue_directory = {dir}/queue
data_directory = {dir}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = /dev/stdout
myhostname = pf.test
mydestination =
local_recipient_maps =
alias_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
relayhost = [{host}]:{relay_port}
disable_dns_lookups = yes
smtputf8_enable = no
message_size_limit = 50000000
smtpd_error_sleep_time = 0
smtpd_soft_error_limit = 1000
smtpd_hard_error_limit = 1000
smtpd_client_connection_count_limit = 0
"""


class Postfix(Program):
    """A Postfix of its own, relaying everything to `relay`; more lines of main.cf."""

    def __init__(self, run, relay, more=""):
        if os.geteuid() != 0:
            raise Skipped("Postfix starts as root only")
        if not os.path.exists("/usr/lib/postfix/sbin/master"):
            raise Skipped("needs the package postfix")
        directory = run.directory("postfix")
        os.chmod(directory, 0o755)
        for name in ("etc", "queue", "data"):
            os.makedirs(os.path.join(directory, name), exist_ok=True)
        shutil.chown(os.path.join(directory, "data"), "postfix")
        host, relay_port = relay.split(":")
        port = free_port()
        self.etc, self.address = os.path.join(directory, "etc"), f"127.0.0.1:{port}"
        for name, text in (("main.cf", MAIN_CF), ("master.cf", MASTER_CF)):
            with open(os.path.join(self.etc, name), "w", encoding="ascii") as f:
                f.write(text.format(dir=directory, host=host, relay_port=relay_port, port=port))
                f.write(more if name == "main.cf" else "")
        super().__init__(run, "postfix", ["postfix", "-c", self.etc, "start-fg"])
        # one that wants a PROXY header first greets nobody without
        ready = listens if "upstream_proxy_protocol" in more else answers
        until(lambda: ready(self.address), "Postfix to answer")

    def wait_idle(self):
        """Until nothing is left in its queues."""
        queue = os.path.join(self.dir, "queue")

        def idle():
            return not any(files for name in ("incoming", "active", "maildrop", "deferred")
                           for _, _, files in os.walk(os.path.join(queue, name)))
        until(idle, "Postfix to empty its queue")

    def stop(self):
        subprocess.run(["postfix", "-c", self.etc, "stop"], stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=PATIENCE, check=False)
        return super().stop()


HAPROXY_CONF = """\
defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend f
  bind {address}
  default_backend b
backend b
  server s {backend} {options}
"""


class Haproxy(Program):
    """A balancer in front of one server."""

    def __init__(self, run, backend, options):
        program = shutil.which("haproxy") or "/usr/sbin/haproxy"
        if not os.path.exists(program):
            raise Skipped("needs the package haproxy")
        self.address = f"127.0.0.1:{free_port()}"
        conf = os.path.join(run.directory("haproxy"), "haproxy.cfg")
        with open(conf, "w", encoding="ascii") as f:
            f.write(HAPROXY_CONF.format(address=self.address, backend=backend, options=options))
        super().__init__(run, "haproxy", [program, "-f", conf, "-db"])
        until(lambda: answers(self.address), "HAProxy to answer")


EXIM_CONF = """\
exim_path = {program}
keep_environment =
primary_hostname = exim.test
exim_user = Debian-exim
exim_group = Debian-exim
never_users =
spool_directory = {dir}/spool
log_file_path = {dir}/logs/%slog
pid_file_path = {dir}/exim.pid
daemon_smtp_ports = {port}
local_interfaces = 127.0.0.1
{server}
acl_smtp_rcpt = accept
host_lookup =
rfc1413_hosts =
chunking_advertise_hosts = *
smtp_accept_max = 100
smtp_accept_max_nonmail = 1000
smtp_max_unknown_commands = 1000
smtp_max_synprot_errors = 1000
message_size_limit = 50M
begin acl
begin routers
r:
  driver = manualroute
  domains = *
  route_list = * {host}
  self = send
  transport = t
begin transports
t:
  driver = smtp
  port = {relay_port}
  hosts_try_dane =
  hosts_try_fastopen =
{transport}
begin retry
* * F,2h,1m
"""


def exim_program():
    """Unpacked from Debian's package into build/peers, once."""
    program = os.path.abspath(os.path.join(CACHE, "exim", "usr/sbin/exim4"))
    if os.path.exists(program):
        return program
    os.makedirs(CACHE, exist_ok=True)
    got = subprocess.run(["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download",
                          "exim4-daemon-light"], cwd=CACHE, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, text=True, check=False)
    debs = glob.glob(os.path.join(CACHE, "exim4-daemon-light*.deb"))
    if got.returncode != 0 or not debs:
        raise Skipped("exim4-daemon-light cannot be downloaded: " + got.stdout.strip()[-300:])
    subprocess.run(["dpkg-deb", "-x", debs[0], os.path.join(CACHE, "exim")], check=True)
    return program


class Exim(Program):
    """An Exim of its own, relaying everything to `relay`, by BDAT where it can; more lines of
    its main section and of its transport."""

    def __init__(self, run, relay, server="tls_advertise_hosts =", transport=""):
        if os.geteuid() != 0:
            raise Skipped("Exim starts as root only")
        directory = run.directory("exim")
        os.chmod(directory, 0o755)
        # It starts itself again as its user, who may not come near a checkout below /root.
        program = shutil.copy(exim_program(), directory)
        host, relay_port = relay.split(":")
        port = free_port()
        self.address = f"127.0.0.1:{port}"
        conf = os.path.join(directory, "exim.conf")
        with open(conf, "w", encoding="ascii") as f:
            f.write(EXIM_CONF.format(program=program, dir=directory, port=port, host=host,
                                     relay_port=relay_port, server=server,
                                     transport=transport))
        self.write_user(directory)
        # Its user is compiled in: /etc/passwd of a mount namespace of its own has it.
        script = (f"mount --bind {directory}/passwd /etc/passwd && "
                  f"mount --bind {directory}/group /etc/group && "
                  f"chown Debian-exim {directory}/spool {directory}/logs && "
                  f"exec {program} -C {conf} -bdf -q1s")
        super().__init__(run, "exim", ["unshare", "-m", "--propagation", "private", "sh", "-c",
                                       script])
        until(lambda: self.process.poll() is not None or answers(self.address), "Exim to answer")
        if self.process.poll() is not None:
            raise Skipped("Exim does not start here: " + self.text()[-300:])

    @staticmethod
    def write_user(directory):
        for name, line in (("passwd", "Debian-exim:x:64100:64100::/nonexistent:/usr/sbin/nologin"),
                           ("group", "Debian-exim:x:64100:")):
            with open(f"/etc/{name}", encoding="utf-8") as f:
                lines = [l for l in f.read().splitlines() if not l.startswith("Debian-exim:")]
            with open(os.path.join(directory, name), "w", encoding="utf-8") as f:
                f.write("\n".join([*lines, line, ""]))
        for name in ("spool", "logs"):
            os.makedirs(os.path.join(directory, name), exist_ok=True)

    def wait_idle(self):
        spool = os.path.join(self.dir, "spool", "input")
        until(lambda: not [f for f in glob.glob(os.path.join(spool, "**"), recursive=True)
                           if f.endswith(("-H", "-D"))], "Exim to empty its spool")
