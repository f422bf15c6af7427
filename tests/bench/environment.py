"""Where measurements happen: a network namespace, cgroups, a certificate, redirected ports.

As root all of it happens in a network namespace of its own and each process in a cgroup
v2 of its own, which accounts the CPU time of all its threads and children exactly.
"""
import fcntl
import os
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import time


def log(*text):
    print(*text, file=sys.stderr, flush=True)


def enter_namespace():
    """As root: start again within a network namespace. True when in one."""
    if 'SMTPSCOPE_BENCH_NS' in os.environ or os.geteuid() != 0:
        return os.environ.get('SMTPSCOPE_BENCH_NS') == '1'
    works = subprocess.run(['unshare', '-n', 'true'], stderr=subprocess.DEVNULL)
    os.environ['SMTPSCOPE_BENCH_NS'] = '1' if works.returncode == 0 else '0'
    if works.returncode == 0:
        os.execvp('unshare', ['unshare', '-n', sys.executable] + sys.argv)
    return False


def set_sysctl(name, value):
    try:
        with open('/proc/sys/net/' + name, 'w') as f:
            f.write(value)
    except OSError as e:
        log('sysctl', name, e)


def set_up_namespace():
    s = socket.socket()
    up = 0x1 | 0x40  # IFF_UP | IFF_RUNNING
    fcntl.ioctl(s, 0x8914, struct.pack('16sh14x', b'lo', up))  # SIOCSIFFLAGS
    s.close()
    set_sysctl('ipv4/tcp_congestion_control', 'reno')  # does not pace
    set_sysctl('ipv4/ip_local_port_range', '30000 65000')
    set_sysctl('ipv4/tcp_max_syn_backlog', '8192')


def make_cgroup():
    """A writable cgroup v2 folder of our own, or None."""
    for mount in ('/sys/fs/cgroup/unified', '/sys/fs/cgroup'):
        if not os.path.exists(mount + '/cgroup.controllers'):
            continue
        path = f'{mount}/smtpscope-bench-{os.getpid()}'
        try:
            os.mkdir(path)
            if os.path.exists(path + '/cpu.stat'):
                return path
            os.rmdir(path)
        except OSError:
            pass
    return None


def cpu_seconds():
    """Of all CPUs: busy, and stolen by the hypervisor."""
    with open('/proc/stat') as f:
        v = [int(x) for x in f.readline().split()[1:]]
    hz = os.sysconf('SC_CLK_TCK')
    return (v[0] + v[1] + v[2] + v[5] + v[6]) / hz, v[7] / hz


class Process:
    """A process with its children, in a cgroup, pinned to a CPU."""
    serial = 0

    def __init__(self, argv, cgroups, cpu, out, cwd=None):
        Process.serial += 1
        self.cgroup = f'{cgroups}/p{Process.serial}' if cgroups else None
        if self.cgroup:
            os.mkdir(self.cgroup)

        def prepare():
            if self.cgroup:
                with open(self.cgroup + '/cgroup.procs', 'w') as f:
                    f.write('0')
            os.sched_setaffinity(0, {cpu})
        self.child = subprocess.Popen(argv, preexec_fn=prepare, cwd=cwd,
                                      stdin=subprocess.DEVNULL, stdout=out,
                                      stderr=subprocess.STDOUT, start_new_session=True)

    def pids(self):
        if self.cgroup:
            with open(self.cgroup + '/cgroup.procs') as f:
                return [int(x) for x in f.read().split()]
        return [self.child.pid] if self.child.poll() is None else []

    def stop(self):
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(1.5)
            except subprocess.TimeoutExpired:
                os.killpg(self.child.pid, signal.SIGKILL)
                self.child.wait()
        for _ in range(50):
            left = self.pids()
            if not left:
                break
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            time.sleep(0.05)
        if self.cgroup:
            try:
                os.rmdir(self.cgroup)
            except OSError:
                pass


class Certificate:
    """Self-signed, EC P-256: the files of it, of its key, and of both (haproxy)."""

    def __init__(self, folder):
        self.cert, self.key, self.both = (os.path.join(folder, x) for x in (
            'cert.pem', 'key.pem', 'both.pem'))
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
                        'ec_paramgen_curve:P-256', '-nodes', '-keyout', self.key, '-out',
                        self.cert, '-days', '30', '-subj', '/CN=sink.invalid', '-addext',
                        'subjectAltName=DNS:sink.invalid'],
                       check=True, stderr=subprocess.DEVNULL)
        with open(self.both, 'w') as out:
            for part in (self.key, self.cert):
                with open(part) as f:
                    out.write(f.read())


class Redirects:
    """nft's rules that send connections of some clients to another port, as a router does
    with mail that passes it. While there is one, the kernel tracks all connections."""
    TABLE = 'smtpscope_bench'

    @staticmethod
    def available():
        return (os.environ.get('SMTPSCOPE_BENCH_NS') == '1' and
                Redirects.command() is not None)

    @staticmethod
    def command():
        return shutil.which('nft') or shutil.which('nft', path='/usr/sbin')

    @staticmethod
    def nft(rules):
        r = subprocess.run([Redirects.command(), '-f', '-'], input=rules, text=True,
                           capture_output=True)
        if r.returncode:
            raise RuntimeError('nft: ' + r.stderr.strip())

    def __init__(self):
        self.any = False

    def add(self, network, port, to):
        if not self.any:
            self.nft(f'table ip {self.TABLE} {{\n chain out {{\n  type nat hook output '
                     'priority -100;\n }\n}\n')
            self.any = True
            # Sessions are over at once and by the thousand; the table has its limit.
            set_sysctl('netfilter/nf_conntrack_tcp_timeout_time_wait', '5')
        self.nft(f'add rule ip {self.TABLE} out ip saddr {network} tcp dport {port} '
                 f'redirect to :{to}\n')

    def clear(self):
        if self.any:
            self.nft(f'delete table ip {self.TABLE}\n')
            self.any = False


def wait_listening(port, greets='plain', source=None, seconds=15):
    """Until a connection is taken, and greeted: in the clear, inside TLS or not (None)."""
    end = time.time() + seconds
    while time.time() < end:
        try:
            with socket.create_connection(('127.0.0.1', port), 3,
                                          (source, 0) if source else None) as s:
                if not greets:
                    return True
                if greets == 'tls':
                    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                    context.check_hostname = False
                    context.verify_mode = ssl.CERT_NONE
                    s = context.wrap_socket(s)
                with s:
                    if s.recv(512).startswith(b'220'):
                        s.sendall(b'QUIT\r\n')
                        s.recv(512)
                        return True
        except OSError:
            pass
        time.sleep(0.05)
    return False
