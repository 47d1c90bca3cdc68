# SPDX-License-Identifier: ISC
"""How responders are asked (section 6), and who is never asked (SL-12)."""

import base64
import re
import threading
import urllib.parse

import pytest

import der
import pki as pki_module
from pki import parse_response, request, response
from rawhttp import get, post
from relay import until
from responder import (
    Reply, Responder, after, error, html, http_status, only, redirect, reset)


def path_of_length(responder, certid, length):
    """Sets the responder's path so that the GET URL for certid has this many octets."""
    encoded = urllib.parse.quote(base64.b64encode(request(certid)).decode(), safe="")
    responder.path = "/"
    missing = length - len(responder.url) - len(encoded)
    responder.path = "/" + "p" * (missing - 1) + "/"
    assert len(responder.url + encoded) == length
    return responder


@pytest.mark.parametrize("length, method", [(254, "GET"), (255, "GET"), (256, "POST"),
                                            (400, "POST")])
def test_HC_01_get_up_to_255_octets(make_relay, responder, certid, length, method):
    path_of_length(responder, certid, length)
    relay = make_relay(responder)
    assert relay.post(request(certid)).status == 200
    asked, = responder.of()
    assert asked.method == method
    assert asked.der == request(certid)


@pytest.mark.parametrize("option, method", [("get", "GET"), ("post", "POST")])
def test_method_option(make_relay, responder, request_der, option, method):
    relay = make_relay(responder, issuer={"method": option})
    relay.get(request_der)
    assert responder.of()[0].method == method


@pytest.mark.parametrize("path, target", [
    ("/", "/{}"), ("", "/{}"), ("/ocsp", "/ocsp/{}"), ("/ocsp/", "/ocsp/{}"),
    ("/a%20b", "/a%20b/{}")])
def test_HC_02_get_url(make_relay, responder, pki, path, target):
    """Escaped, and joined with exactly one slash."""
    certid = pki_module.awkward_certid(pki.ca)
    responder.path = path
    relay = make_relay(responder)
    assert relay.get(request(certid)).status == 200
    encoded = base64.b64encode(request(certid)).decode()
    for plain, escaped in (("+", "%2B"), ("/", "%2F"), ("=", "%3D")):
        encoded = encoded.replace(plain, escaped)
    assert responder.of()[0].target == target.format(encoded)


CLIENT_FIELDS = [("Cookie", "a=b"), ("X-Foo", "bar"), ("Authorization", "Basic eDp5"),
                 ("Connection", "X-Foo"), ("User-Agent", "curl/1"), ("X-Forwarded-For", "1.2.3.4"),
                 ("Cache-Control", "no-cache"), ("Accept-Language", "de")]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_HC_03_HS_30_HS_22_request_fields(make_relay, responder, request_der, method):
    """These and no others; nothing of what the client sent."""
    relay = make_relay(responder, issuer={"method": method.lower()})
    relay.get(request_der, *CLIENT_FIELDS)
    asked, = responder.of()
    host, port = responder.address
    expected = {
        "Host": rf"{host}:{port}", "Accept": "application/ocsp-response",
        "Accept-Encoding": "identity", "Via": r"1\.1 ocsprelay-[0-9a-f]+",
        "User-Agent": r"ocsprelay/\d+\.\d+\.\d+\S*"}
    if method == "POST":
        expected["Content-Type"] = "application/ocsp-request"
        expected["Content-Length"] = str(len(request_der))
    assert asked.version == "HTTP/1.1"
    assert sorted(name for name, _ in asked.fields) == sorted(expected)
    for name, pattern in expected.items():
        assert re.fullmatch(pattern, asked.field(name)), asked.fields
    assert asked.body == (request_der if method == "POST" else b"")


def test_HS_22_via_is_that_of_the_process(make_relay, responder, pki):
    """The same for all requests of one, another one after a restart."""
    relay = make_relay(responder)

    def via():
        relay.get(request(pki.ca.certid(pki_module.new_serial())))
        return responder.of()[-1].field("Via")
    first = via()
    assert via() == first
    relay.restart()
    assert via() != first


def test_HC_01_405_on_get_is_remembered(make_relay, responder, pki):
    relay = make_relay(responder)
    responder.behave(only("GET", http_status(405)))
    for number in (1, 2):
        got = relay.get(request(pki.ca.certid(number)))
        assert parse_response(got.body).serial_number == number
    assert [asked.method for asked in responder.of()] == ["GET", "POST", "POST"]
    assert relay.log.wait_for("responder-wants-post", responder=responder.url)


@pytest.mark.parametrize("refusal", [
    http_status(400), http_status(404), http_status(405), http_status(414), http_status(501),
    error(1), error(1, 400)])
def test_HC_01_get_refused_asked_by_post(make_relay, responder, request_der, refusal):
    relay = make_relay(responder)
    responder.behave(only("GET", refusal))
    got = relay.get(request_der)
    assert got.status == 200 and len(got.body) > 5
    assert [asked.method for asked in responder.of()] == ["GET", "POST"]


def test_HC_01_get_refused_and_post_too(make_relay, responder, request_der):
    relay = make_relay(responder)
    responder.behave(http_status(404))
    assert relay.get(request_der).body == response(3)
    assert [asked.method for asked in responder.of()] == ["GET", "POST"]


# --- failover (HC-12, HC-13) --------------------------------------------------------------------

BROKEN = {
    "dead": None,
    "reset": reset,
    "html": html,
    "HC-13_tryLater": error(3),
    "HC-13_internalError": error(2),
    "500": http_status(500),
    "redirect": redirect("http://127.0.0.1:1/"),
    "empty": Reply(b""),
}


@pytest.mark.parametrize("behaviour", BROKEN.values(), ids=BROKEN.keys())
def test_HC_12_the_next_responder_is_asked(make_relay, make_responder, request_der, behaviour):
    first, second, third = (make_responder() for _ in range(3))
    url = first.url
    if behaviour is None:
        first.stop()
    else:
        first.behave(behaviour)
    relay = make_relay(url, second, third)
    got = relay.get(request_der)
    assert got.status == 200 and got.cache_status["stored"]
    assert (second.count(), third.count()) == (1, 0)
    assert relay.log.wait_for("responder-down", responder=url)
    assert relay.metric("responder_up", responder=url) == 0
    assert relay.metric("responder_up", responder=second.url) == 1


def test_HC_12_bad_signatures_fail_over_too(make_relay, make_responder, request_der, pki):
    first, second = make_responder(), make_responder()
    first.behave(first.mangled(pki_module.flip, signer=pki.ca))
    relay = make_relay(first, second)
    assert relay.get(request_der).cache_status["stored"]
    assert (first.count(), second.count()) == (1, 1)


def test_HC_12_timeout_fails_over_within_the_deadline(make_relay, make_responder, request_der):
    first, second = make_responder(), make_responder()
    relay = make_relay(first, second, issuer={"attempt_timeout": "300ms"})
    with first.held():
        got = relay.get(request_der)
    assert got.status == 200 and got.cache_status["stored"]


def test_HC_12_unauthorized_of_the_first_counts_unless_the_second_knows(
        make_relay, make_responder, request_der):
    """Whatever is decided: the client gets unauthorized or a right answer, never an error."""
    first, second = make_responder(), make_responder()
    first.behave(error(6))
    relay = make_relay(first, second)
    got = relay.get(request_der)
    assert got.status == 200
    assert got.body == response(6) or len(got.body) > 5


def test_HC_12_all_fail(make_relay, make_responder, request_der):
    first, second = make_responder(), make_responder()
    first.behave(html)
    second.behave(http_status(503))
    relay = make_relay(first, second)
    got = relay.get(request_der)
    assert got.status == 200 and got.body in (response(2), response(3))
    assert (first.count(), second.count()) == (1, 1)


def test_HC_12_one_event_down_one_event_back(make_relay, responder, pki):
    relay = make_relay(responder, issuer={"neg_ttl_error": 0})
    responder.behave(http_status(500))
    for _ in range(5):
        relay.get(request(pki.ca.certid(pki_module.new_serial())))
    responder.behave(None)
    until(lambda: relay.get(request(pki.ca.certid(pki_module.new_serial()))).body != response(3))
    relay.log.wait_for("responder-up", responder=responder.url)
    assert len(relay.log.find("responder-down")) == 1
    assert len(relay.log.find("responder-up")) == 1


# --- what responders do on the wire -------------------------------------------------------------

@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_HC_05_framings(shared, certid, framing):
    relay, responder = shared
    responder.then(lambda asked: Reply(responder.basic(asked).encode(), framing=framing))
    assert relay.get(request(certid)).cache_status["stored"]


@pytest.mark.parametrize("content_type", [None, "text/html", "application/ocsp-response; q=1"])
def test_HC_07_content_type_does_not_matter(shared, certid, content_type):
    relay, responder = shared
    responder.then(lambda asked: Reply(responder.basic(asked).encode(),
                                       content_type=content_type))
    assert relay.get(request(certid)).cache_status["stored"]


def test_HC_05_more_octets_than_the_der(shared, certid):
    relay, responder = shared
    responder.then(lambda asked: Reply(responder.basic(asked).encode() + b"\r\n"))
    assert relay.get(request(certid)).body in (response(2), response(3))


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_HC_08_redirects_are_not_followed(make_relay, make_responder, responder, request_der, code):
    target = make_responder()
    relay = make_relay(responder)
    responder.behave(redirect(target.url + "x", code))
    got = relay.get(request_der)
    assert got.body == response(3)
    assert got.cache_status["fwd-status"] == str(code)
    assert target.connections == 0
    assert relay.log.wait_for("fetch-failed", reason="upstream-redirect")


def test_HC_10_dead_kept_connection(make_relay, responder, pki):
    relay = make_relay(responder)
    for number in range(3):
        assert len(relay.get(request(pki.ca.certid(number))).body) > 5
        responder.close_connections()
    assert responder.count() == 3


def test_HC_10_connection_that_dies_when_it_is_used_again(make_relay, responder, pki):
    """The reset comes after the request has gone out, before any octet of an answer."""
    relay = make_relay(responder)
    assert len(relay.get(request(pki.ca.certid(1))).body) > 5
    responder.then(reset)
    got = relay.get(request(pki.ca.certid(2)))
    assert len(got.body) > 5
    assert responder.count() == 3
    assert responder.connections == 2


def test_connections_are_kept(make_relay, responder, pki):
    relay = make_relay(responder)
    for number in range(5):
        relay.get(request(pki.ca.certid(number)))
    assert responder.connections == 1


def test_HC_15_the_limit_is_an_option(make_relay, responder, certid):
    big = der.extension("1.2.3.4", bytes(5000))
    relay = make_relay(responder, limits={"max_upstream_response": "4K"},
                       issuer={"neg_ttl_error": 0})
    responder.behave(responder.signed())
    assert relay.get(request(certid)).cache_status["stored"]
    responder.behave(lambda asked: Reply(responder.basic(asked).changed(
        extensions=(big,)).encode()))
    other = pki_module.new_serial()
    got = relay.get(request(responder.pki.ca.certid(other)))
    assert got.body == response(3)
    assert relay.log.wait_for("fetch-failed", reason="upstream-size")
    responder.behave(None)
    assert relay.get(request(responder.pki.ca.certid(other))).cache_status["stored"]
    first, large, last = responder.of()
    assert first.connection == large.connection != last.connection  # it was not read to its end


def test_a_large_answer_is_passed_whole(make_relay, responder, certid):
    relay = make_relay(responder)
    responder.behave(lambda asked: Reply(responder.basic(asked).changed(
        extensions=(der.extension("1.2.3.4", bytes(100000)),)).encode()))
    first = relay.get(request(certid))
    assert len(first.body) > 100000
    assert relay.get(request(certid)).body == first.body


def test_pitfall_port_above_32767(make_relay, pki, request_der):
    """ocspcheck kept it in a short."""
    for port in range(50000, 50100):
        try:
            responder = Responder(pki, port=port)
            break
        except OSError:
            continue
    with responder:
        assert make_relay(responder).get(request_der).cache_status["stored"]


def test_ipv6_responder(make_relay, make_responder, request_der):
    try:
        responder = make_responder(address="::1")
    except OSError:
        pytest.skip("no IPv6 on this machine")
    assert make_relay(responder).get(request_der).cache_status["stored"]
    assert responder.of()[0].field("Host") == f"[::1]:{responder.address[1]}"


def test_HC_17_host_name_with_a_dead_address(make_relay, responder, request_der):
    """localhost is ::1 and 127.0.0.1 on many machines; only one of them is served."""
    relay = make_relay(f"http://localhost:{responder.address[1]}/")
    assert relay.get(request_der).cache_status["stored"]


# --- who is never asked (SL-12) -----------------------------------------------------------------

def test_SL_12_nothing_that_a_client_sends_is_connected_to(make_relay, make_responder, responder,
                                                           pki):
    trap = make_responder()
    host, port = trap.address
    relay = make_relay(responder)
    locator = der.extension(pki_module.SERVICE_LOCATOR, der.seq(
        pki.ca.subject_der,
        der.seq(der.seq(der.oid("1.3.6.1.5.5.7.48.1"), der.tlv(0x86, trap.url.encode())))))

    def fresh(**options):
        return request(pki.ca.certid(pki_module.new_serial()), **options)
    tries = [
        get(fresh(), host=f"{host}:{port}"),
        get(None, target=trap.url + base64.b64encode(fresh()).decode()),
        post(fresh(), target=trap.url),
        post(fresh(), ("Host", f"{host}:{port}"), host=None),
        post(fresh(single_extensions=[locator])),           # RP-43
        post(fresh(extensions=[locator])),
        get(fresh(), ("X-Forwarded-Host", f"{host}:{port}"), ("Forwarded", f"host={host}:{port}")),
        get(fresh(signed_by=pki.leaf(aia=trap.url))),
    ]
    for data in tries:
        assert relay.ask(data).status == 200
    responder.then(redirect(trap.url))
    relay.get(fresh())
    assert relay.ask(get(None, target=trap.url)).status == 400
    assert trap.connections == 0
    assert responder.count() == len(tries) + 1


def test_HC_09_slow_answer_is_kept(make_relay, responder, certid):
    relay = make_relay(responder, issuer={"request_deadline": "200ms", "attempt_timeout": "10s"})
    released = threading.Event()
    responder.then(after(released))
    assert relay.get(request(certid)).body == response(3)
    released.set()
    until(lambda: relay.metric("cache_entries") == 1)
    assert relay.get(request(certid)).cache_status["hit"]
    assert responder.count() == 1
