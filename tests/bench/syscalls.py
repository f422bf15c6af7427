"""System calls a peer makes per session, counted by strace: a figure without noise."""
import os
import re
import shutil
import signal
import subprocess
import time

SESSIONS = ['-c', '50', '-n', '1000', '--no-mem']  # one 1 KiB message each, as W1


def parse(path):
    """{call: number} of an `strace -c` table."""
    calls = {}
    with open(path) as f:
        for line in f:
            m = re.match(r'\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(\d+\s+)?(\w+)$', line.rstrip())
            if m and m.group(3) != 'total':
                calls[m.group(3)] = int(m.group(1))
    return calls


def count(bench, peer):
    """{call: number per session}"""
    out = os.path.join(bench.work, 'strace.out')
    sink, sink_port = bench.sink([])
    started = []
    try:
        started, port = bench.start(peer, sink_port)
        bench.load(port, SESSIONS)
        tracer = subprocess.Popen(
            ['strace', '-f', '-q', '-c', '-o', out] +
            [x for pid in started[0].pids() for x in ('-p', str(pid))],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.7)
        try:
            r = bench.load(port, SESSIONS)
        finally:
            tracer.send_signal(signal.SIGINT)
            tracer.wait(20)
        if r['errors']:
            raise RuntimeError(r['first_error'])
        return {k: v / r['sessions'] for k, v in parse(out).items()}
    finally:
        for p in started + [sink]:
            p.stop()


def available():
    return shutil.which('strace') is not None
