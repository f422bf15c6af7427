"""What the tests stand on: a smtpscope with a listener for each way on a router, and mail."""
import os

from bed import Bed, Client, Intercept, SERVER, Server, Smtpscope, text

WAYS = [(mode, source) for mode in ("redirect", "tproxy") for source in ("proxy", "client")]
CONTENT = b"Subject: hi\r\n\r\nthrough\r\n"
# As somebody who may do nothing but what is said; %s: capabilities
NOBODY = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--no-new-privs",
          "--inh-caps", "%s", "--ambient-caps", "%s", "--bounding-set", "%s"]


def privileged(capabilities):
    return [word.replace("%s", capabilities) for word in NOBODY]


def port_of(way):
    return 10025 + WAYS.index(way)


def listener(way, port=0):
    mode, source = way
    port = port or port_of(way)
    return (f'{{ name = "{mode}-{source}"; listen = [ "0.0.0.0:{port}", "[::]:{port}" ]; '
            f'upstream = "original"; intercept = "{mode}"; source = "{source}"; }}')


def configuration(*listeners):
    return 'vantage = "router";\nlisteners = ( ' + ",\n".join(listeners) + " );\n"


class World:
    """The bed, and one smtpscope with a listener for each way, for all tests."""

    others = ("table inet others; delete table inet others; "
              "table inet others; add chain inet others c")

    def __init__(self, smtpscope, directory):
        self.smtpscope, self.directory = smtpscope, directory
        self.bed = Bed()
        self.proxies = 0

    def make(self):
        self.bed.make()
        self.intercept = Intercept(self.bed)
        self.server = Server(self.bed)
        self.proxy = self.start(configuration(*map(listener, WAYS))).wait_listening()
        self.bed.settle()
        # what an administrator has set must stay
        self.bed.call("router", "nft", self.others)
        self.bed.call("router", "ip", "rule", "add", "fwmark", "7", "lookup", "7")
        self.before = self.bed.state()

    def start(self, conf, prefix=()):
        self.proxies += 1
        directory = os.path.join(self.directory, f"smtpscope-{self.proxies}")
        os.mkdir(directory)
        os.chmod(directory, 0o777)
        return Smtpscope(self.bed, self.smtpscope, directory, conf, prefix)

    def mail(self, family, source_port=0):
        """Sends one message to the server; returns the client's address and what the server
        saw as that."""
        client = Client(self.bed, SERVER[family], 25, source_port)
        client.send(CONTENT)
        peer, local, messages = self.server.sessions[-1]
        assert messages == [CONTENT], f"the server has {messages}"
        assert local == text(SERVER[family], 25), f"the server was called as {local}"
        return client.address, peer

    def clean(self):
        """Takes the rules away; nothing of them may be left."""
        self.intercept.down()
        after = self.bed.state()
        assert after == self.before, f"left behind:\n{after}\nbefore:\n{self.before}"


def only(records, kind):
    found = [r for r in records if r["kind"] == kind]
    assert len(found) == 1, f"{len(found)} records {kind}"
    return found[0]


def host(address):
    return address.rsplit(":", 1)[0].strip("[]")


def port(address):
    return address.rsplit(":", 1)[1]
