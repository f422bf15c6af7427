"""Names of upstreams: one that hangs holds up nobody else, and the last answer stays in use.

Tests of `run`, with a name server on the router that answers or says nothing.
"""
import contextlib
import os
import signal
import socket
import struct
import threading

from bed import Client, NEAR, SERVER, Server, until
from world import configuration

RESOLV_CONF = "nameserver 127.0.0.1\noptions timeout:30 attempts:1\n"
# its own /etc/resolv.conf, for this program only
PRIVATE = ("unshare", "-m", "--propagation", "private", "sh", "-c",
           'mount --bind "$0" /etc/resolv.conf && exec "$@"')
STUCK, LITERAL, HOSTS = 12125, 12126, 12127
TYPE_A = 1


class NameServer:
    """Answers every name with the server's address while .talks; .asked: names."""

    def __init__(self, bed):
        self.talks, self.asked = False, []
        with bed.inside("router"):
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.socket.bind(("127.0.0.1", 53))
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()
        bed.programs.append(self)

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                query, peer = self.socket.recvfrom(512)
                if not query:
                    return
                self.asked.append(query[12:])
                if self.talks:
                    self.socket.sendto(self.answer(query), peer)

    @staticmethod
    def answer(query):
        end = query.index(b"\0", 12) + 5
        has_address = struct.unpack("!H", query[end - 4:end - 2])[0] == TYPE_A
        head = query[:2] + struct.pack("!HHHHH", 0x8180, 1, has_address, 0, 0)
        address = struct.pack("!HHHIH", 0xc00c, TYPE_A, 1, 3600, 4) + socket.inet_aton(SERVER[4])
        return head + query[12:end] + (address if has_address else b"")

    def kill(self):
        with contextlib.suppress(OSError):  # "not connected", and the thread is woken
            self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.socket.close()


def start(world):
    """Listeners with a name of the name server's, with an address, with a name of /etc/hosts."""
    resolv_conf = os.path.join(world.directory, "resolv.conf")
    with open(resolv_conf, "w", encoding="ascii") as f:
        f.write(RESOLV_CONF)
    upstreams = ((STUCK, "mx.stuck.test"), (LITERAL, SERVER[4]), (HOSTS, "localhost"))
    listeners = [f'{{ name = "{port}"; listen = "0.0.0.0:{port}"; upstream = "{host}"; }}'
                 for port, host in upstreams]
    return world.start("workers = 2;\n" + configuration(*listeners),
                       (*PRIVATE, resolv_conf)).wait_listening()


@contextlib.contextmanager
def name_server(world):
    made = NameServer(world.bed)
    try:
        yield made
    finally:
        made.kill()


def greeted(world, port):
    client = Client(world.bed, NEAR[4], port)
    greeting = client.reply()
    assert greeting.startswith("220 server.test"), f"port {port}: {greeting!r}"
    client.close()


def test_a_name_that_hangs_holds_up_nobody_else(world):
    Server(world.bed, "router", {4: "127.0.0.1", 6: "::1"})
    with name_server(world) as dns:
        proxy = start(world)
        waiting = [Client(world.bed, NEAR[4], STUCK) for _ in range(40)]
        until(lambda: dns.asked, "the name to be asked")
        greeted(world, LITERAL)
        greeted(world, HOSTS)
        assert not [r for r in proxy.records("connect") if r["upstream"].startswith("mx.stuck")]
        for client in waiting:
            client.close()
        proxy.stop()  # waits for no lookup


def test_the_last_answer_stays_in_use(world):
    with name_server(world) as dns:
        proxy = start(world)
        dns.talks = True
        greeted(world, STUCK)
        asked = len(dns.asked)
        greeted(world, STUCK)
        assert len(dns.asked) == asked, "the answer was not kept"
        dns.talks = False
        os.kill(proxy.process.pid, signal.SIGHUP)
        until(lambda: "configuration reloaded" in proxy.text(), "the reload")
        for _ in range(5):
            greeted(world, STUCK)
        assert len(dns.asked) > asked, "the name was not asked again"
        told = proxy.text().count("last known addresses are kept")
        assert told == 1, f"said {told} times: {proxy.text()}"
        proxy.stop()
