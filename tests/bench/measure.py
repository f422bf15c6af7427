"""Measures peers side by side: loader -> peer -> sink on loopback.

Within a workload all peers run at the same time and each round gives every peer one
short burst, so that ratios are taken between bursts a few seconds apart, however
noisy the machine. Loader, sink and peer are pinned to one CPU: waking another one
costs, in a virtual machine, more than the peer's own work. As root it all happens in
a network namespace of its own and each peer in a cgroup v2 of its own, which accounts
the CPU time of all its threads and processes exactly.
"""
import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time

import peers

# id: (title, options of the sink, options of the loader, seconds of a burst; None:
# every peer is started afresh for every measurement)
WORKLOADS = {
    'W1': ('1 KiB messages, one a session, 50 sessions at a time', [], ['-c', '50'], 0.5),
    'W1P': ('as W1, pipelined', [], ['-c', '50', '-P'], 0.5),
    'W2': ('4 KiB messages, 100 a session, 20 sessions', [],
           ['-c', '20', '-M', '100', '-s', '4k'], 0.5),
    'W3': ('10 MiB messages, 4 sessions', ['--discard'], ['-c', '4', '-s', '10M'], 0.8),
    'W4a': ('25 MiB messages, lines of 76 octets', ['--discard'],
            ['-c', '2', '-s', '25M'], 0.8),
    'W4b': ('25 MiB messages, lines of 998 octets', ['--discard'],
            ['-c', '2', '-s', '25M', '-L', '998'], 0.8),
    'W5': ('idle sessions after EHLO', [],
           ['-m', 'idle', '-c', '64', '-n', '{idle}', '--hold', '2', '--src',
            '127.1.0.1,16'], None),
    'W6': ('NOOP after NOOP, one session', [],
           ['-m', 'noop', '-c', '1', '-n', '1', '-N', '20000'], 0.5),
    'W6m': ('1 KiB message after message, one session', [],
            ['-c', '1', '-M', '1000000'], 0.5),
    'W8': ('connect and QUIT, 20 at a time', [],
           ['-m', 'churn', '-c', '20', '--src', '127.1.0.1,16'], 0.5),
}
FRESH_ROUNDS = 3   # figures of memory hardly vary
STEAL_MAX = 0.05   # a burst is measured again when the hypervisor took more of a CPU
TRIES = 3
ERRORS_MAX = 0.02  # share of the work that may fail before a peer is left out


def log(*text):
    print(*text, file=sys.stderr, flush=True)


# ---------------------------------------------------------------- environment

def enter_namespace():
    """As root: start again within a network namespace. True when in one."""
    if 'SMTPSCOPE_BENCH_NS' in os.environ or os.geteuid() != 0:
        return os.environ.get('SMTPSCOPE_BENCH_NS') == '1'
    works = subprocess.run(['unshare', '-n', 'true'], stderr=subprocess.DEVNULL)
    os.environ['SMTPSCOPE_BENCH_NS'] = '1' if works.returncode == 0 else '0'
    if works.returncode == 0:
        os.execvp('unshare', ['unshare', '-n', sys.executable] + sys.argv)
    return False


def set_up_namespace():
    s = socket.socket()
    up = 0x1 | 0x40  # IFF_UP | IFF_RUNNING
    fcntl.ioctl(s, 0x8914, struct.pack('16sh14x', b'lo', up))  # SIOCSIFFLAGS
    s.close()
    for name, value in (('tcp_congestion_control', 'reno'),  # does not pace
                        ('ip_local_port_range', '30000 65000'),
                        ('tcp_max_syn_backlog', '8192')):
        try:
            with open('/proc/sys/net/ipv4/' + name, 'w') as f:
                f.write(value)
        except OSError as e:
            log('sysctl', name, e)


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


def wait_listening(port, banner, seconds=15):
    end = time.time() + seconds
    while time.time() < end:
        try:
            with socket.create_connection(('127.0.0.1', port), 1) as s:
                if not banner:
                    return True
                s.settimeout(3)
                if s.recv(512).startswith(b'220'):
                    s.sendall(b'QUIT\r\n')
                    s.recv(512)
                    return True
        except OSError:
            pass
        time.sleep(0.05)
    return False


# ------------------------------------------------------------------ measuring

class Bench:
    def __init__(self, tools, work, rounds, idle=9500):
        self.tools, self.work, self.rounds, self.idle = tools, work, rounds, idle
        self.cgroups = make_cgroup()
        self.cpu = max(os.sched_getaffinity(0))
        self.port = 20000
        os.makedirs(work, exist_ok=True)
        self.log = open(os.path.join(work, 'peers.log'), 'ab')

    def close(self):
        self.log.close()
        if self.cgroups:
            try:
                os.rmdir(self.cgroups)
            except OSError:
                pass

    def next_port(self):
        self.port = self.port + 1 if self.port < 29999 else 20001  # not ephemeral
        return self.port

    def sink(self, options):
        for _ in range(3):
            port = self.next_port()
            p = Process([self.tools + '/smtpsink', '-l', f'127.0.0.1:{port}'] + options,
                        self.cgroups, self.cpu, self.log)
            if wait_listening(port, True, 5):
                return p, port
            p.stop()
        raise RuntimeError(f'the sink does not start; see {self.work}/peers.log')

    def load(self, port, options):
        r = subprocess.run([self.tools + '/smtpload', '-t', f'127.0.0.1:{port}'] + options,
                           preexec_fn=lambda: os.sched_setaffinity(0, {self.cpu}),
                           capture_output=True, timeout=180)
        if not r.stdout:
            raise RuntimeError(r.stderr.decode(errors='replace').strip())
        return json.loads(r.stdout)

    def start(self, peer, sink_port):
        """Its processes, the peer itself first, and its port."""
        s = peers.Start(self.work, self.tools, peer.name, self.next_port(), sink_port,
                        self.next_port())
        started = []
        if hasattr(peer, 'helper'):
            started.append(Process(peer.helper(s), self.cgroups, self.cpu, self.log, s.dir))
            wait_listening(s.spare_port, False)
        started.insert(0, Process(peer.start(s), self.cgroups, self.cpu, self.log, s.dir))
        if wait_listening(s.port, True):
            return started, s.port
        for p in started:
            p.stop()
        raise RuntimeError(f'{peer.name} does not start; see {self.work}/peers.log')

    def prove(self, peer):
        """Starts and stops it: what cannot run is told before minutes have passed."""
        sink, sink_port = self.sink([])
        try:
            for p in self.start(peer, sink_port)[0]:
                p.stop()
        finally:
            sink.stop()

    def options(self, workload, peer):
        options = [o.replace('{idle}', str(min(peer.idle if peer else 9500, self.idle)))
                   for o in WORKLOADS[workload][2]]
        if peer and '-c' in options:
            at = options.index('-c') + 1
            options[at] = str(min(int(options[at]), peer.conc))
        return options

    def burst(self, workload, peer, started, port):
        """One measurement, repeated when the machine was taken away meanwhile."""
        seconds = WORKLOADS[workload][3]
        options = self.options(workload, peer) + (['-d', str(seconds)] if seconds else [])
        if started:
            p = started[0]
            options += ['--cgroup', p.cgroup] if p.cgroup else ['-p', str(p.child.pid)]
        for _ in range(TRIES):
            (busy, stolen), at = cpu_seconds(), time.time()
            r = self.load(port, options)
            (busy1, stolen1), wall = cpu_seconds(), time.time() - at
            r['cpus_busy'] = round((busy1 - busy) / wall, 3)
            r['steal'] = round((stolen1 - stolen) / wall, 3)
            if r['steal'] <= STEAL_MAX:
                break
        work = r['sessions'] + r['messages'] + r['noops']
        if r['errors'] > ERRORS_MAX * work:
            raise RuntimeError(r['first_error'])
        return r

    def interleaved(self, workload, todo):
        """Every peer is started once and warmed up; bursts in rotated order."""
        sink, sink_port = self.sink(list(WORKLOADS[workload][1]))
        started, results, failed = {}, [], {}
        try:
            for peer in todo:
                name = peer.name if peer else 'direct'
                try:
                    started[name] = self.start(peer, sink_port) if peer else ([], sink_port)
                    self.load(started[name][1], ['-d', '1', '--grace', '5', '--no-mem'] +
                              self.options(workload, peer))
                except (RuntimeError, subprocess.SubprocessError) as e:
                    failed[name] = str(e)
            for n in range(self.rounds):
                k = n % len(todo)
                for peer in todo[k:] + todo[:k]:
                    name = peer.name if peer else 'direct'
                    if name in failed:
                        continue
                    try:
                        r = self.burst(workload, peer, *started[name])
                        results.append(dict(r, workload=workload, peer=name, round=n))
                    except (RuntimeError, subprocess.SubprocessError) as e:
                        failed[name] = str(e)
        finally:
            for processes, _ in started.values():
                for p in processes:
                    p.stop()
            sink.stop()
        return results, failed

    def afresh(self, workload, todo):
        """Every peer is started anew for every measurement (memory)."""
        results, failed = [], {}
        for n in range(min(self.rounds, FRESH_ROUNDS)):
            for peer in filter(None, todo):
                started = []
                sink, sink_port = self.sink(list(WORKLOADS[workload][1]))
                try:
                    started, port = self.start(peer, sink_port)
                    self.load(port, ['-c', '4', '-n', '8', '--no-mem'])
                    r = self.burst(workload, peer, started, port)
                    results.append(dict(r, workload=workload, peer=peer.name, round=n))
                except (RuntimeError, subprocess.SubprocessError) as e:
                    failed[peer.name] = str(e)
                finally:
                    for p in started + [sink]:
                        p.stop()
        return results, failed

    def workload(self, workload, todo):
        """Results, and what failed with its reason, by peer. None in todo: no peer."""
        log(f'{time.strftime("%H:%M:%S")} {workload}: {WORKLOADS[workload][0]}')
        results, failed = (self.interleaved if WORKLOADS[workload][3] else
                           self.afresh)(workload, todo)
        with open(os.path.join(self.work, 'results.jsonl'), 'a') as f:
            for r in results:
                f.write(json.dumps(r) + '\n')
        for name, why in failed.items():
            log(f'  {name}: {why}')
        return results, failed
