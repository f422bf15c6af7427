"""Tests of the client's address: said by HAProxy in front, told to Postfix behind."""
import re
import smtplib

import cast
from cast import Haproxy, Postfix, Proxy, Sink
from common import BODIES, check_transcript, content, equal, records

CLIENT = "127.0.0.5"


def send_from(address, source):
    """One message from an address of loopback."""
    host, port = address.split(":")
    with smtplib.SMTP(host, int(port), "client.test", timeout=cast.PATIENCE,
                      source_address=(source, 0)) as client:
        client.sendmail("short@example.org", ["b@example.net"], content("short", BODIES["short"]))


def seen_by(postfix):
    """Client addresses in Postfix's log, HAProxy's and our own connections included."""
    return set(re.findall(r"smtpd\[\d+\]: \w+: client=\S*\[([0-9.]+)\]", postfix.text()))


def test_haproxy_in_front(run):
    """send-proxy and send-proxy-v2; HAProxy's own health checks are no errors."""
    sink = Sink(run)
    proxy = Proxy(run, sink.address,
                  'proxy_protocol = "any"; trusted = [ "127.0.0.1" ];')
    for options in ("send-proxy", "send-proxy-v2 check inter 100ms"):
        haproxy = Haproxy(run, proxy.address, options)
        send_from(haproxy.address, CLIENT)
        if "check" in options:
            cast.until(lambda: len(records(proxy, "close")) > 5, "health checks")
        haproxy.stop()
    for message in sink.wait(2):
        equal(message.content, content("short", BODIES["short"]), "short")
    run.stop()
    check_transcript(proxy, 2)
    opened = [r for r in records(proxy, "open") if r.get("client", "").startswith(CLIENT + ":")]
    versions = {r["proxy"]["version"] for r in opened}
    assert versions == {1, 2}, opened
    bad = [r for r in records(proxy, "close") if r["error"]]
    assert not bad, bad


def behind(run, listener, more):
    sink = Sink(run)
    postfix = Postfix(run, sink.address, more)
    proxy = Proxy(run, postfix.address, listener)
    send_from(proxy.address, CLIENT)
    sink.wait(1)
    run.stop()
    check_transcript(proxy, 1)
    assert seen_by(postfix) == {CLIENT}, postfix.text()[-3000:]


def test_postfix_behind_proxy_v1(run):
    behind(run, 'send_proxy = "v1";', "smtpd_upstream_proxy_protocol = haproxy\n")


def test_postfix_behind_proxy_v2(run):
    behind(run, 'send_proxy = "v2";', "smtpd_upstream_proxy_protocol = haproxy\n")


def test_postfix_behind_xclient(run):
    behind(run, "xclient = true;", "smtpd_authorized_xclient_hosts = 127.0.0.0/8\n")


def test_postfix_that_takes_no_xclient(run):
    """Not authorized: nobody comes in under the proxy's address, which Postfix would relay for."""
    postfix = Postfix(run, "127.0.0.1:9")
    proxy = Proxy(run, postfix.address, "xclient = true;")
    try:
        send_from(proxy.address, CLIENT)
    except smtplib.SMTPConnectError as refused:
        equal(refused.smtp_code, 421, "code")
    else:
        raise AssertionError("the mail was taken")
    run.stop()
    reasons = [r["reason"] for r in records(proxy, "close")]
    assert reasons == ["upstream-xclient"], reasons


def test_postfix_asks_for_reverse_name(run):
    """By XCLIENT Postfix hears that there is no name: not this host's in its place."""
    sink = Sink(run)
    postfix = Postfix(run, sink.address,
                      "smtpd_authorized_xclient_hosts = 127.0.0.0/8\n"
                      "smtpd_client_restrictions = reject_unknown_reverse_client_hostname\n")
    proxy = Proxy(run, postfix.address, "xclient = true;")
    try:
        send_from(proxy.address, CLIENT)
    except smtplib.SMTPRecipientsRefused as refused:
        codes = [code for code, _ in refused.recipients.values()]
        equal(codes, [450], "codes")
    else:
        raise AssertionError("the name of this host was taken for the client's")
    run.stop()
    sent = [r["forwarded"] for r in records(proxy, "command") if r["verb"] == "XCLIENT"]
    assert "REVERSE_NAME=[UNAVAILABLE]" in sent[0], sent


def test_haproxy_to_postfix(run):
    """The whole way: HAProxy, this proxy, Postfix; headers on both sides."""
    sink = Sink(run)
    postfix = Postfix(run, sink.address, "smtpd_upstream_proxy_protocol = haproxy\n")
    proxy = Proxy(run, postfix.address,
                  'proxy_protocol = "v2"; trusted = [ "127.0.0.1" ]; send_proxy = "v2";')
    haproxy = Haproxy(run, proxy.address, "send-proxy-v2")
    send_from(haproxy.address, CLIENT)
    sink.wait(1)
    run.stop()
    assert CLIENT in seen_by(postfix), postfix.text()[-3000:]
