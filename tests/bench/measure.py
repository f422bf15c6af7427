"""Measures peers side by side: loader -> peer -> sink on loopback.

Within a workload all peers run at the same time and each round gives every peer one
short burst, so that ratios are taken between bursts a few seconds apart, however
noisy the machine. Loader, sink and peer are pinned to one CPU: waking another one
costs, in a virtual machine, more than the peer's own work.
"""
from collections import namedtuple
from functools import cached_property
import json
import os
import subprocess
import time

from environment import (Certificate, Process, Redirects, cpu_seconds, log, make_cgroup,
                         wait_listening)
import peers

# seconds: of a burst; None: every peer is started afresh for every measurement.
# mode: plain; tls: from the first octet, on both sides; starttls: on both sides, ended by
# the peer; passthrough: STARTTLS relayed, so that TLS is between loader and sink.
Workload = namedtuple('Workload', 'title load seconds sink mode',
                      defaults=([], 'plain'))
MESSAGES_10M = ['-c', '4', '-s', '10M']
WORKLOADS = {
    'W1': Workload('1 KiB messages, one a session, 50 sessions at a time', ['-c', '50'], 0.5),
    'W1P': Workload('as W1, pipelined', ['-c', '50', '-P'], 0.5),
    'W2': Workload('4 KiB messages, 100 a session, 20 sessions',
                   ['-c', '20', '-M', '100', '-s', '4k'], 0.5),
    'W3': Workload('10 MiB messages, 4 sessions', MESSAGES_10M, 0.8, ['--discard']),
    'W4a': Workload('25 MiB messages, lines of 76 octets', ['-c', '2', '-s', '25M'], 0.8,
                    ['--discard']),
    'W4b': Workload('25 MiB messages, lines of 998 octets',
                    ['-c', '2', '-s', '25M', '-L', '998'], 0.8, ['--discard']),
    'W5': Workload('idle sessions after EHLO',
                   ['-m', 'idle', '-c', '64', '-n', '{idle}', '--hold', '2', '--src',
                    '{source}'], None),
    'W6': Workload('NOOP after NOOP, one session',
                   ['-m', 'noop', '-c', '1', '-n', '1', '-N', '20000'], 0.5),
    'W6m': Workload('1 KiB message after message, one session',
                    ['-c', '1', '-M', '1000000'], 0.5),
    'W7h': Workload('STARTTLS on both sides: handshakes, 10 sessions',
                    ['-m', 'handshake', '-c', '10'], 0.8, [], 'starttls'),
    'W7ih': Workload('TLS from the first octet on both sides: handshakes, 10 sessions',
                     ['-m', 'handshake', '-c', '10'], 0.8, [], 'tls'),
    'W7b': Workload('STARTTLS on both sides: 10 MiB messages, 4 sessions', MESSAGES_10M, 0.8,
                    [], 'starttls'),
    'W7ib': Workload('TLS from the first octet on both sides: 10 MiB messages, 4 sessions',
                     MESSAGES_10M, 0.8, [], 'tls'),
    'W7m': Workload('STARTTLS on both sides: 1 KiB messages, one a session, 50 sessions',
                    ['-c', '50'], 0.8, [], 'starttls'),
    'W7s': Workload('STARTTLS on both sides: idle sessions',
                    ['-m', 'idle', '-c', '16', '-n', '{idle_tls}', '--hold', '2', '--src',
                     '{source}'], None, [], 'starttls'),
    'W7p': Workload('STARTTLS passed through: 10 MiB messages, 4 sessions', MESSAGES_10M, 0.8,
                    [], 'passthrough'),
    'WT': Workload('as W1, redirected by nft, against the same with a fixed upstream',
                   ['-c', '50', '--src', '{source}'], 0.5),
    'WF': Workload('as W1, with findings and DKIM, against the same without', ['-c', '50'], 0.5),
    'WFb': Workload('as W3, with findings and DKIM, against the same without', MESSAGES_10M, 0.8,
                    ['--discard']),
    'W8': Workload('connect and QUIT, 20 at a time',
                   ['-m', 'churn', '-c', '20', '--src', '{source}'], 0.5),
}
TLS_OPTION = {'starttls': ['--starttls'], 'passthrough': ['--starttls'], 'tls': ['--tls']}
FRESH_ROUNDS = 3   # figures of memory hardly vary
IDLE_TLS = 2000    # sessions: a handshake each is what takes the time
STEAL_MAX = 0.05   # a burst is measured again when the hypervisor took more of a CPU
TRIES = 3
ERRORS_MAX = 0.02  # share of the work that may fail before a peer is left out


class Bench:
    def __init__(self, tools, work, rounds, idle=9500):
        self.tools, self.work, self.rounds, self.idle = tools, work, rounds, idle
        self.cgroups = make_cgroup()
        self.cpu = max(os.sched_getaffinity(0))
        self.port = 20000
        self.redirects = Redirects()
        os.makedirs(work, exist_ok=True)
        self.log = open(os.path.join(work, 'peers.log'), 'ab')

    def close(self):
        self.redirects.clear()
        self.log.close()
        if self.cgroups:
            try:
                os.rmdir(self.cgroups)
            except OSError:
                pass

    @cached_property
    def certificate(self):
        try:
            return Certificate(self.work)
        except (OSError, subprocess.CalledProcessError) as e:
            raise RuntimeError(f'no certificate can be made: {e}')

    def next_port(self):
        self.port = self.port + 1 if self.port < 29999 else 20001  # not ephemeral
        return self.port

    def sink(self, options=(), mode='plain'):
        options = list(options) + TLS_OPTION.get(mode, [])
        if mode in TLS_OPTION:
            options += ['--cert', self.certificate.cert, '--key', self.certificate.key]
        for _ in range(3):
            port = self.next_port()
            p = Process([self.tools + '/smtpsink', '-l', f'127.0.0.1:{port}'] + options,
                        self.cgroups, self.cpu, self.log)
            if wait_listening(port, 'tls' if mode == 'tls' else 'plain', seconds=5):
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

    def start(self, peer, sink_port, mode='plain'):
        """Its processes, the peer itself first, and the port to connect to."""
        s = peers.Start(self.work, self.tools, peer.name, self.next_port(), sink_port,
                        self.next_port())
        s.mode = mode
        s.certificate = self.certificate if mode in ('starttls', 'tls') else None
        started = []
        if hasattr(peer, 'helper'):
            started.append(Process(peer.helper(s), self.cgroups, self.cpu, self.log, s.dir))
            wait_listening(s.spare_port, None)
        started.insert(0, Process(peer.start(s), self.cgroups, self.cpu, self.log, s.dir))
        port, source = s.port, None
        if peer.redirected:  # its clients mean the sink
            source = peer.source.split(',')[0]
            self.redirects.add(source + '/24', sink_port, s.port)
            port = sink_port
        if wait_listening(port, 'tls' if mode == 'tls' else 'plain', source):
            return started, port
        for p in started:
            p.stop()
        raise RuntimeError(f'{peer.name} does not start; see {self.work}/peers.log')

    def prove(self, peer, mode='plain'):
        """Starts and stops it: what cannot run is told before minutes have passed."""
        sink, sink_port = self.sink(mode=mode)
        try:
            for p in self.start(peer, sink_port, mode)[0]:
                p.stop()
        finally:
            self.redirects.clear()
            sink.stop()

    def options(self, workload, peer):
        w = WORKLOADS[workload]
        idle = min(peer.idle if peer else 9500, self.idle)
        words = {'{idle}': str(idle), '{idle_tls}': str(min(idle, IDLE_TLS)),
                 '{source}': peer.source if peer else peers.Peer.source}
        options = [words.get(o, o) for o in w.load]
        if peer and '-c' in options:
            at = options.index('-c') + 1
            options[at] = str(min(int(options[at]), peer.conc))
        return options + TLS_OPTION.get(w.mode, [])

    def burst(self, workload, peer, started, port):
        """One measurement, repeated when the machine was taken away meanwhile."""
        seconds = WORKLOADS[workload].seconds
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
        w = WORKLOADS[workload]
        sink, sink_port = self.sink(w.sink, w.mode)
        started, results, failed = {}, [], {}
        try:
            for peer in todo:
                name = peer.name if peer else 'direct'
                try:
                    started[name] = (self.start(peer, sink_port, w.mode) if peer else
                                     ([], sink_port))
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
            self.redirects.clear()
            sink.stop()
        return results, failed

    def afresh(self, workload, todo):
        """Every peer is started anew for every measurement (memory)."""
        w = WORKLOADS[workload]
        results, failed = [], {}
        for n in range(min(self.rounds, FRESH_ROUNDS)):
            for peer in filter(None, todo):
                started = []
                sink, sink_port = self.sink(w.sink, w.mode)
                try:
                    started, port = self.start(peer, sink_port, w.mode)
                    self.load(port, ['-c', '4', '-n', '8', '--no-mem'] +
                              TLS_OPTION.get(w.mode, []))
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
        w = WORKLOADS[workload]
        log(f'{time.strftime("%H:%M:%S")} {workload}: {w.title}')
        todo = [p for p in todo if not p or w.mode in p.modes]
        results, failed = (self.interleaved if w.seconds else self.afresh)(workload, todo)
        with open(os.path.join(self.work, 'results.jsonl'), 'a') as f:
            for r in results:
                f.write(json.dumps(r) + '\n')
        for name, why in failed.items():
            log(f'  {name}: {why}')
        return results, failed
