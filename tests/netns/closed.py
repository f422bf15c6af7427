"""Interception fails closed: no mail passes by uninspected, and nothing is left half done.

Tests of `run`: what happens while nobody listens, at a restart, at "down", when "up" fails.
"""
import contextlib
import os
import signal
import threading
import time

from bed import CLIENT, Client, NEAR, SERVER, Server, until
from world import WAYS, CONTENT, configuration, host, listener, only, port_of

NUMBER = "5325"


# ---- nobody listens -------------------------------------------------------------------------
def check_refused(world, address=None):
    """A new connection is reset at once, and the server never sees it."""
    sessions = len(world.server.sessions)
    for family in (4, 6):
        try:
            Client(world.bed, address or SERVER[family], 25)
        except ConnectionRefusedError:
            continue
        raise AssertionError(f"IPv{family}: a connection was not refused")
    assert len(world.server.sessions) == sessions, "it reached the server"


def test_refused_while_nobody_listens(world):
    for mode, source in WAYS:
        world.intercept.up("--force", "--mode", mode, "--source", source, "--to", "9")
        check_refused(world)
        world.clean()


def test_refused_by_the_wrong_listener(world):
    """Rules for tproxy, a listener for redirect: its socket does not take the connection."""
    world.intercept.up("--mode", "tproxy", "--to", str(port_of(("redirect", "proxy"))))
    check_refused(world)
    world.clean()


def restarted(world, way):
    return world.start(configuration(listener(way, 12025))).wait_listening()


def check_stop(world, way):
    """TERM: the message under way is finished, nothing new begins, nothing is reset."""
    proxy = restarted(world, way)
    world.intercept.up("--mode", way[0], "--source", way[1], "--to", "12025")
    clients = [Client(world.bed, SERVER[family], 25).begin() for family in (4, 6)]
    proxy.process.terminate()
    until(lambda: "12025" not in world.bed.call("router", "ss", "-Hltn").stdout,
          "the listeners to be closed")
    check_refused(world)
    for client in clients:
        client.say(CONTENT + b".", "250")
        assert client.rest().startswith("421 "), "the end of the session was not said"
    until(lambda: proxy.process.poll() is not None, "smtpscope to end")
    proxy.stop()
    check_refused(world)


def check_kill(world, way):
    """kill -9: the session is over at once, nothing new begins."""
    proxy = restarted(world, way)
    client = Client(world.bed, SERVER[4], 25).begin()
    proxy.kill()
    check_over(client)
    check_refused(world)


def check_over(client):
    """The end is there, and does not wait for a timeout; perhaps it is told why."""
    with contextlib.suppress(ConnectionResetError):
        got = client.rest()
        assert got == "" or got.startswith("421 "), f"it goes on: {got!r}"
    client.close()


def test_restarts(world):
    for way in WAYS:
        check_stop(world, way)
        check_kill(world, way)
        proxy = restarted(world, way)
        client, _ = world.mail(4)
        assert only(proxy.session(client), "content")["complete"]
        world.clean()
        proxy.stop()


# ---- mail for the router itself -------------------------------------------------------------
def test_own_mail_server(world):
    """Reached always; through smtpscope where its answers would come back to smtpscope."""
    server = Server(world.bed, "router", NEAR)
    for mode, source in WAYS:
        to = str(port_of((mode, source)))
        world.intercept.up("--mode", mode, "--source", source, "--to", to)
        for family in (4, 6):
            client = Client(world.bed, NEAR[family], 25)
            client.send(CONTENT)
            opened = [r for r in world.proxy.records("open") if r["client"] == client.address]
            assert len(opened) == (1 if source == "proxy" else 0), f"{mode} {source}: {opened}"
            assert server.sessions[-1][2] == [CONTENT], server.sessions[-1]
        world.clean()
    server.kill()


# ---- down -----------------------------------------------------------------------------------
def check_down(world, way, family, replace=()):
    """As the help says of sessions under way: reset at both ends."""
    world.intercept.up("--mode", way[0], "--source", way[1], "--to", str(port_of(way)))
    client = Client(world.bed, SERVER[family], 25).begin()
    if replace:
        world.intercept.up(*replace)
    world.clean()
    check_over(client)
    closed = only(world.proxy.session(client.address), "close")
    assert closed["reason"] in ("client-reset", "upstream-reset"), f"{way}: {closed}"


def test_down_and_sessions(world):
    for way in WAYS:
        for family in (4, 6):
            check_down(world, way, family)


def test_up_with_another_mode_and_sessions(world):
    """As "down" does: sessions that the new rules do not lead to smtpscope are reset."""
    check_down(world, ("tproxy", "proxy"), 4, ("--mode", "redirect", "--to", "10025"))
    check_down(world, ("redirect", "proxy"), 6, ("--mode", "tproxy", "--to", "10027"))
    check_down(world, ("redirect", "client"), 4, ("--mode", "redirect", "--to", "10025"))
    check_down(world, ("redirect", "proxy"), 4, ("--mode", "tproxy", "--to", "10027"))


def test_up_again_and_sessions(world):
    """The rules are replaced in one step: nobody notices."""
    for way in WAYS:
        to = ["--mode", way[0], "--source", way[1], "--to", str(port_of(way))]
        world.intercept.up(*to)
        client = Client(world.bed, SERVER[4], 25).begin()
        world.intercept.up(*to)
        client.say(CONTENT + b".", "250")
        client.close()
        world.clean()


def test_down_while_another_has_marks(world):
    """The sessions of the interface go on by the other's rules."""
    to = ["--mode", "tproxy", "--to", "10027"]
    world.intercept.up(*to)
    assert world.intercept.call("up", "--interface", "far", *to).returncode == 0
    client = Client(world.bed, SERVER[4], 25).begin()
    world.intercept.down("near")
    client.say(CONTENT + b".", "250")
    client.close()
    world.intercept.down("far")
    assert world.bed.state() == world.before


def test_down_while_others_translate(world):
    """NAT rules of somebody else keep up what is translated: such sessions go on."""
    world.bed.call("router", "nft", "add chain inet others nat { type nat hook postrouting "
                   "priority srcnat ; }; "
                   "add rule inet others nat oifname other masquerade")
    world.intercept.up()
    client = Client(world.bed, SERVER[4], 25).begin()
    world.intercept.down()
    client.say(CONTENT + b".", "250")
    client.close()
    world.bed.call("router", "nft", "delete chain inet others nat")
    assert world.bed.state() == world.before


def test_down_spares_others(world):
    """Sessions of the router's own mail server are not smtpscope's."""
    server = Server(world.bed, "router", NEAR)
    own = Client(world.bed, NEAR[4], 25).begin()
    for way in (("redirect", "proxy"), ("tproxy", "client")):
        check_down(world, way, 4)
    own.say(CONTENT + b".", "250")
    own.close()
    server.kill()


# ---- up that fails --------------------------------------------------------------------------
def failing(world, name, body):
    """The prefix of a command that finds another program of that name first."""
    directory = os.path.join(world.directory, f"failing-{name}-{time.monotonic_ns()}")
    os.mkdir(directory)
    program = os.path.join(directory, name)
    with open(program, "w", encoding="ascii") as f:
        f.write(f"#!/bin/bash\n{body}\n")
    os.chmod(program, 0o755)
    return ["env", f"PATH={directory}:{os.environ['PATH']}"]


def really(world, name):
    return world.bed.call("router", "sh", "-c", f"command -v {name}").stdout.strip()


def check_nothing_done(world, prefix, what):
    got = world.intercept.call("up", "--interface", "near", "--mode", "tproxy", prefix=prefix)
    assert got.returncode != 0 and what in got.stdout, f"{got.returncode}: {got.stdout}"
    after = world.bed.state()
    assert after == world.before, f"left behind:\n{after}"


def test_up_that_fails_leaves_nothing(world):
    nft, ip = really(world, "nft"), really(world, "ip")
    step = '[[ "$*" == *"-6 route add"* ]]'
    for prefix, what in (
            (failing(world, "nft", f'[ "$1" != -f ] || exit 1; exec {nft} "$@"'),
             "nft did not take the rules"),
            (failing(world, "ip", f'{step} && exit 2; exec {ip} "$@"'), "this failed: ip -6"),
            (failing(world, "ip", f'{step} && kill $PPID; exec {ip} "$@"'), "")):
        check_nothing_done(world, prefix, what)


def test_up_that_fails_keeps_what_was(world):
    """The rules in force stay, and so does their routing."""
    nft = really(world, "nft")
    world.intercept.up("--mode", "tproxy", "--family", "4")
    before = world.bed.state()
    prefix = failing(world, "nft", f'[ "$1" != -f ] || exit 1; exec {nft} "$@"')
    got = world.intercept.call("up", "--interface", "near", "--mode", "tproxy", prefix=prefix)
    assert got.returncode == 1 and world.bed.state() == before, got.stdout
    world.clean()


def test_without_nft(world):
    directory = os.path.join(world.directory, "without-nft")
    os.mkdir(directory)
    for name in ("bash", "ip", "ss", "sed", "id", "env"):
        os.symlink(really(world, name), os.path.join(directory, name))
    check_nothing_done(world, ["env", f"PATH={directory}"], "nft is not here")


# ---- what was left over ---------------------------------------------------------------------
def test_show_what_is_left_over(world):
    """As of an "up" that was killed, or of a table that somebody else removed."""
    world.intercept.up("--mode", "tproxy")
    world.bed.call("router", "nft", "delete", "table", "inet", "smtpscope_near")
    got = world.intercept.call("show")
    assert got.returncode == 1 and "nothing is set" in got.stdout, got.stdout
    for family in (4, 6):
        assert f"IPv{family}: this routing was LEFT OVER" in got.stdout, got.stdout
    assert "fwmark 0x5325" in got.stdout and "local default dev lo" in got.stdout, got.stdout
    world.clean()
    world.bed.call("router", "ip", "rule", "add", "fwmark", "9", "pref", NUMBER, "lookup", "9")
    got = world.intercept.call("show")
    assert "IPv4: that is not of this script" in got.stdout, got.stdout
    world.bed.call("router", "ip", "rule", "del", "fwmark", "9", "pref", NUMBER, "lookup", "9")
    world.bed.call("router", "ip", "link", "add", "gone", "type", "veth")
    assert world.intercept.call("up", "--interface", "gone").returncode == 0
    world.bed.call("router", "ip", "link", "del", "gone")
    got = world.intercept.call("show")
    assert got.returncode == 1 and 'no interface "gone" now' in got.stdout, got.stdout
    world.intercept.down("gone")
    assert world.bed.state() == world.before


# ---- IPv6 switched off ----------------------------------------------------------------------
@contextlib.contextmanager
def without_ipv6(world):
    """What sysctl -w net.ipv6.conf.all.disable_ipv6=1 does takes addresses and routes."""
    names = ("lo", "near")
    for name in names:
        world.bed.sysctl("router", f"net/ipv6/conf/{name}/disable_ipv6", "1")
    try:
        yield
    finally:
        for name in names:
            world.bed.sysctl("router", f"net/ipv6/conf/{name}/disable_ipv6", "0")
        world.bed.call("router", "ip", "addr", "add", NEAR[6] + "/64", "dev", "near", "nodad")
        world.bed.settle()


def test_ipv6_switched_off(world):
    for way in WAYS:
        to = ["--mode", way[0], "--source", way[1], "--to", str(port_of(way))]
        with without_ipv6(world):
            told = world.intercept.up(*to)
            assert "IPv6 is switched off on near: only IPv4" in told, told
            client, seen = world.mail(4)
            assert only(world.proxy.session(client), "content")["complete"]
            assert host(seen) == CLIENT[4] or way[1] == "proxy", seen
            got = world.intercept.call("up", "--interface", "near", "--family", "6", *to)
            assert got.returncode == 1 and "IPv6 is switched off on near" in got.stdout
        # switched on again: refused, not passed by
        sessions = len(world.server.sessions)
        with contextlib.suppress(ConnectionRefusedError):
            Client(world.bed, SERVER[6], 25)
            raise AssertionError("IPv6 passed by")
        assert len(world.server.sessions) == sessions
        world.intercept.down()
        world.before = world.bed.state()  # the kernel lists routes in another order now
        assert NUMBER not in world.before and "smtpscope" not in world.before, world.before


# ---- at once --------------------------------------------------------------------------------
def test_several_at_once(world):
    """One after the other, whoever is first: the last one's rules are whole."""
    calls = [["up", "--interface", "near", "--to", "10027", "--mode", mode]
             for mode in ("tproxy", "redirect", "tproxy", "redirect", "tproxy")]
    got = []
    threads = [threading.Thread(target=lambda words=words: got.append(world.intercept.call(*words)))
               for words in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [g.returncode for g in got] == [0] * len(calls), [g.stdout for g in got]
    show = world.intercept.call("show")
    assert "MISSING" not in show.stdout and "LEFT OVER" not in show.stdout, show.stdout
    world.clean()


# ---- again and again ------------------------------------------------------------------------
def test_killed_anywhere(world):
    """kill -9 at each step of "up": the next "up" and "down" make it whole."""
    nft, ip = really(world, "nft"), really(world, "ip")
    for name, program, step in (("ip", ip, "-4 rule add"), ("ip", ip, "-4 route add"),
                                ("ip", ip, "-6 rule add"), ("ip", ip, "-6 route add"),
                                ("nft", nft, "-f -")):
        body = f'{program} "$@"; [[ "$*" != *"{step}"* ]] || kill -{signal.SIGKILL:d} $PPID'
        got = world.intercept.call("up", "--interface", "near", "--mode", "tproxy", "--to",
                                   "10027", prefix=failing(world, name, body))
        assert got.returncode != 0, f"{step}: {got.stdout}"
        world.intercept.call("show")
        world.clean()
