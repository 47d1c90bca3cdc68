# SPDX-License-Identifier: ISC
"""
The error table (section 8), row by row: what a client gets to the last octet, what becomes of its
connection, how often the responder is asked, and that nobody gets an error for whom a signed answer
is at hand. How long errors are repeated is proven on a clock that can be set (test_landing.c), what
other requests are refused in test_requests.py and test_http.py.
"""

import base64
import time
from dataclasses import dataclass

import pytest

import der
import pki as pki_module
from errors import TRY_LATER, http_error, miss, ocsp_error, told
from pki import Single, flip, request
from rawhttp import get, message, post
from relay import Relay, until
from responder import Reply, Responder, error, html, http_status, redirect, reset
from test_http import okh
from test_requests import TV_RFC, VECTORS


@dataclass
class Case:
    """What the request of a row may be about."""

    relay: Relay
    responder: Responder
    pki: pki_module.Pki
    certid: pki_module.CertId  # which nobody has asked about

    @property
    def own_via(self):
        return self.responder.of()[-1].field("Via")


@dataclass
class Row:
    """A request, and what the client is told: without behaviour the responder is not asked."""

    told: list
    ask: callable = lambda case: get(request(case.certid))
    behaviour: callable = None  # of the Responder, gives what it does
    fetches: int = 1


CLOSE = "Connection: close"
ALLOW = "Allow: GET, HEAD, POST"
HOST = ("Host", "x")


def invalid(behaviour, **options):
    """A row of EM-12."""
    return Row(ocsp_error("200 OK", 2, miss("fwd-status=200; detail=invalid-upstream")),
               behaviour=behaviour, **options)


def failed(verdict, behaviour, status="200 OK", ocsp=3, **options):
    """A row in which the responder fails."""
    return Row(ocsp_error(status, ocsp, miss(verdict)), behaviour=behaviour, **options)


def cut(responder):
    """The whole length is promised and not given."""
    def answer(asked):
        whole = responder.basic(asked).encode()
        return Reply(whole[:-20], declared=len(whole), drop=True)
    return answer


REFUSED = {
    "EM-01_syntax": Row(http_error("400 Bad Request", "http-syntax", CLOSE),
                        lambda case: b"GET /x HTTP/1.1\nHost: x\n\n"),
    "EM-01_host": Row(http_error("400 Bad Request", "http-host", CLOSE),
                      lambda case: message("GET /x HTTP/1.1", [])),
    "EM-01_length": Row(http_error("400 Bad Request", "http-length", CLOSE),
                        lambda case: message("POST / HTTP/1.1", [HOST, ("Content-Length", "+5")])),
    "EM-01_smuggling": Row(http_error("400 Bad Request", "http-smuggling", CLOSE),
                           lambda case: message("POST / HTTP/1.1", [
                               HOST, ("Content-Length", "5"), ("Transfer-Encoding", "chunked")])),
    "EM-01_body_of_a_get": Row(http_error("400 Bad Request", "http-body", CLOSE),
                               lambda case: get(request(case.certid), ("Content-Length", "5"))),
    "EM-01_chunk": Row(http_error("400 Bad Request", "http-chunk", CLOSE),
                       lambda case: message("POST / HTTP/1.1", [
                           HOST, ("Transfer-Encoding", "chunked")], b"xyz\r\n")),
    "EM-01_coding": Row(http_error("501 Not Implemented", "http-coding", CLOSE),
                        lambda case: message("POST / HTTP/1.1", [
                            HOST, ("Transfer-Encoding", "gzip")])),
    "EM-01_version": Row(http_error("505 HTTP Version Not Supported", "http-version", CLOSE),
                         lambda case: message("GET /x HTTP/2.0", [HOST])),
    "EM-02_request_line": Row(http_error("414 URI Too Long", "http-line-size", CLOSE),
                              lambda case: get(None, target="/" + "x" * 8192)),
    "EM-02_header_section": Row(
        http_error("431 Request Header Fields Too Large", "http-header-size", CLOSE),
        lambda case: get(request(case.certid), ("X-Big", "y" * 16384))),
    "EM-03_body": Row(http_error("413 Content Too Large", "http-body-size", CLOSE),
                      lambda case: post(bytes(16385))),
    "EM-04_known_method": Row(http_error("405 Method Not Allowed", "http-method", ALLOW),
                              lambda case: get(request(case.certid), method="OPTIONS")),
    "EM-04_unknown_method": Row(http_error("501 Not Implemented", "http-unknown", CLOSE),
                                lambda case: get(request(case.certid), method="FOO")),
    "EM-05_expectation": Row(http_error("417 Expectation Failed", "http-expect"),
                             lambda case: get(request(case.certid), ("Expect", "x"))),
    "EM-07_target": Row(ocsp_error("400 Bad Request", 1), lambda case: get(None, target="/x")),
    "EM-07_der": Row(ocsp_error("400 Bad Request", 1), lambda case: post(b"hello")),
    "EM-08_hash": Row(ocsp_error("200 OK", 6), lambda case: post(TV_RFC)),
    "EM-08_NK-10_unknown_issuer": Row(ocsp_error("200 OK", 6),
                                      lambda case: get(base64.b64decode(VECTORS["TV1"]))),
    "EM-08_RP-34_several_issuers": Row(
        ocsp_error("200 OK", 6),
        lambda case: post(request(case.certid, case.pki.root.certid(1)))),
    "EM-08_RP-34_several_issuers_one_unknown": Row(
        ocsp_error("200 OK", 6),
        lambda case: post(request(case.certid, case.pki.signer.certid(1)))),
    "EM-08_no_responder": Row(ocsp_error("200 OK", 6),
                              lambda case: get(request(case.pki.root.certid(1)))),
    "EM-21_HS-23_loop": Row(ocsp_error("508 Loop Detected", 3, CLOSE),
                            lambda case: get(request(case.certid), ("Via", case.own_via))),
    "EM-22_HS-26_only_if_cached": Row(
        ocsp_error("504 Gateway Timeout", 3),
        lambda case: get(request(case.certid), ("Cache-Control", "only-if-cached"))),
}

FAULTS = {
    # once more on a new connection, since the reset one had been used before (HC-10)
    "EM-09_reset": failed("detail=upstream-unreachable", lambda r: reset, fetches=2),
    "EM-11_500": failed("fwd-status=500", lambda r: http_status(500)),
    "EM-11_404": failed("fwd-status=404", lambda r: http_status(404), fetches=2),  # by POST (HC-01)
    "EM-11_503_html": failed("fwd-status=503", lambda r: Reply(html.body, 503)),
    "EM-11_204": failed("fwd-status=204", lambda r: Reply(b"", 204, content_type=None)),
    "EM-11_302": failed("fwd-status=302", lambda r: redirect("http://127.0.0.1:1/")),
    "EM-11_HC-06_203_with_a_good_answer": failed(
        "fwd-status=203", lambda r: lambda asked: Reply(r.basic(asked).encode(), 203)),
    "EM-11_HC-05_truncated": failed("fwd-status=200", cut),
    "EM-11_HC-05_chunks_cut": failed("fwd-status=200", lambda r: Reply(
        raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n\x30\x03", drop=True)),
    "EM-11_HC-15_too_large": failed("fwd-status=200", lambda r: Reply(
        b"\x30\x83\x03\x0d\x3b" + bytes(200000))),
    "EM-11_HC-15_too_large_chunked": failed("fwd-status=200", lambda r: Reply(
        b"\x30\x83\x03\x0d\x3b" + bytes(200000), framing="chunked")),
    "EM-11_coded": failed("fwd-status=200", lambda r: lambda asked: Reply(
        r.basic(asked).encode(), fields={"Content-Encoding": "gzip"})),
    "EM-12_HC-07_html": invalid(lambda r: html),
    "EM-12_HC-07_empty": invalid(lambda r: Reply(b"")),
    "EM-12_VS-01_status_4": invalid(lambda r: error(4)),
    "EM-12_VS-01_trailing_octet": invalid(lambda r: r.mangled(lambda data: data + b"\0")),
    "EM-12_VS-03_another_certificate": invalid(
        lambda r: r.signed(singles=[Single(r.pki.ca.certid(1))])),
    "EM-12_VS-07_future": invalid(lambda r: r.signed(this_update=time.time() + 600)),
    "EM-12_VS-12_stranger": invalid(lambda r: r.signed(signer=pki_module.Pki().signer)),
    "EM-12_VS-19_bad_signature": invalid(lambda r: r.mangled(flip, signer=r.pki.ca)),
    "EM-12_VS-21_critical_extension": invalid(
        lambda r: r.signed(extensions=[der.extension("1.2.3", b"\x05\0", True)])),
    "EM-13_expired": failed(  # by POST with no-cache, too (VS-09)
        "fwd-status=200; detail=expired-upstream", lambda r: r.signed(
            this_update=time.time() - 7200, next_update=time.time() - 3600), fetches=2),
    "EM-14_malformedRequest": failed("fwd-status=200; detail=upstream-1", lambda r: error(1),
                                     "400 Bad Request", 1, fetches=2),
    "EM-14_malformedRequest_400": failed("fwd-status=400; detail=upstream-1",
                                         lambda r: error(1, 400), "400 Bad Request", 1, fetches=2),
    "EM-15_internalError": failed("fwd-status=200", lambda r: error(2), ocsp=2),
    "EM-15_HC-06_internalError_500": failed("fwd-status=500", lambda r: error(2, 500), ocsp=2),
    "EM-15_tryLater": failed("fwd-status=200", lambda r: error(3)),
    "EM-16_sigRequired": failed("fwd-status=200", lambda r: error(5), ocsp=5),
    "EM-17_unauthorized": failed("fwd-status=200", lambda r: error(6), ocsp=6),
    "EM-17_unauthorized_403": failed("fwd-status=403", lambda r: error(6, 403), ocsp=6),
}


@pytest.fixture(scope="module")
def stage(pki):
    """A responder, and a relay that repeats failures for longer than the tests take."""
    with Responder(pki) as responder, Relay(pki.ca, [responder.url], {
            "min_refresh_interval": "1s", "neg_ttl_error": "300s", "neg_ttl_unauthorized": "1h"},
            start=False) as relay:
        relay.add_issuer("without responder", pki.root)
        yield relay.start(), responder


@pytest.fixture
def case(stage, pki, certid):
    """With a connection to the responder that has been used."""
    relay, responder = stage
    assert relay.get(request(pki.ca.certid(pki_module.new_serial()))).cache_status["stored"]
    yield Case(relay, responder, pki, certid)
    responder.behave(None)
    relay.check()


@pytest.mark.parametrize("row", REFUSED.values(), ids=REFUSED.keys())
def test_refused(case, row):
    """HC-18: nobody is asked, however often; the connection ends if the answer says so."""
    data, before = row.ask(case), case.responder.count()
    with case.relay.connect() as connection:
        assert told(connection.ask(data)) == row.told
        if CLOSE in row.told:
            assert connection.is_closed()
        else:
            assert told(connection.ask(data)) == row.told
    assert case.responder.count() == before


def repeated(answer):
    """What others are told of a failure that is known."""
    return ["Cache-Status: ocsprelay; hit; detail=negative"
            if str(line).startswith("Cache-Status") else line for line in answer]


@pytest.mark.parametrize("row", FAULTS.values(), ids=FAULTS.keys())
def test_fault_without_an_answer_at_hand(case, row):
    """CL-19: and for a while nobody is asked again."""
    case.responder.behave(row.behaviour(case.responder))
    data, before = row.ask(case), case.responder.count()
    with case.relay.connect() as connection:
        assert told(connection.ask(data)) == row.told
        assert case.responder.count() == before + row.fetches
        for _ in range(3):
            assert told(connection.ask(data)) == repeated(row.told)
        assert case.responder.count() == before + row.fetches


@pytest.mark.parametrize("status", ["good", "revoked", "unknown"])
def test_EM_18_what_is_signed_is_passed_on(case, status):
    """Whatever it says, with the header set of success."""
    sent = []

    def remember(asked):
        sent.append(case.responder.basic(asked, status=status).encode())
        return Reply(sent[-1])
    case.responder.behave(remember)
    for hit in (False, True):
        got = case.relay.get(request(case.certid))
        assert okh(r"HTTP/1\.1 200 OK\r\n", hit=hit).fullmatch(got.head.decode()), got.head
        assert [got.body] == sent


@pytest.fixture(scope="module")
def stored(stage, pki):
    """For each fault a certificate, and its answer, which is at hand and to be refreshed."""
    relay, responder = stage
    responder.behave(responder.signed(next_update=time.time() + 200))  # within expiry_margin
    made = {name: request(pki.ca.certid(pki_module.new_serial())) for name in FAULTS}
    return {name: (data, relay.get(data).body) for name, data in made.items()}


@pytest.mark.parametrize("name, row", FAULTS.items(), ids=FAULTS.keys())
def test_CL_18_F4_fault_with_an_answer_at_hand(stored, case, name, row):
    """It wins, although the responder has been asked again."""
    data, body = stored[name]
    case.responder.behave(row.behaviour(case.responder))
    before = case.responder.count()

    def has_asked_again():
        got = case.relay.get(data)
        assert (got.status, got.body) == (200, body)
        assert got.cache_status["hit"]
        return case.responder.count() >= before + row.fetches
    until(has_asked_again)


# --- what takes a relay of its own ---------------------------------------------------------------

UNREACHABLE = ocsp_error("200 OK", 3, miss("detail=upstream-unreachable"))


def test_EM_09_closed_port(make_relay, responder, pki, certid):
    relay = make_relay(responder, issuer={"neg_ttl_error": "300s"})
    stored = request(pki.ca.certid(pki_module.new_serial()))
    body = relay.get(stored).body
    responder.stop()
    for expected in (UNREACHABLE, repeated(UNREACHABLE)):
        assert told(relay.get(request(certid))) == expected
    assert relay.get(stored).body == body
    assert relay.log.wait_for("responder-down", responder=responder.url)


def test_EM_09_unknown_host_name(make_relay, request_der):
    relay = make_relay("http://no-such-host.invalid/", issuer={"neg_ttl_error": "300s"})
    for expected in (UNREACHABLE, repeated(UNREACHABLE)):
        assert told(relay.get(request_der)) == expected


def test_EM_09_attempt_timeout(make_relay, responder, certid):
    relay = make_relay(responder, issuer={"attempt_timeout": "300ms", "neg_ttl_error": "300s"})
    with responder.held():
        for expected in (UNREACHABLE, repeated(UNREACHABLE)):
            assert told(relay.get(request(certid))) == expected
    assert responder.count(certid.number) == 1


@pytest.mark.threads
def test_EM_10_HC_09_deadline_then_hit(make_relay, responder, certid):
    """Nothing is remembered: the next one waits for the same fetch, or has its answer."""
    relay = make_relay(responder, issuer={"request_deadline": "300ms"})
    with responder.held():
        for _ in range(2):
            start = time.monotonic()
            assert told(relay.get(request(certid))) == ocsp_error(
                "200 OK", 3, miss("detail=timeout"))
            assert 0.25 < time.monotonic() - start < 3
    got = until(lambda: (lambda r: r if r.body != TRY_LATER else None)(
        relay.get(request(certid))))
    assert got.status == 200
    assert responder.count(certid.number) == 1  # the fetch went on


def test_EM_12_NO_05_nonce_of_another(make_relay, responder, certid):
    """Which is an answer to nobody else: the next one is asked for again."""
    relay = make_relay(responder)
    responder.behave(responder.echoing(nonce=b"another one"))
    for count in (1, 2):
        assert told(relay.post(request(certid, nonce=bytes(16)))) == ocsp_error(
            "200 OK", 2,
            "Cache-Status: ocsprelay; fwd=bypass; fwd-status=200; detail=invalid-upstream")
        assert responder.count() == count


def test_EM_21_HS_23_loop(make_relay, request_der):
    """A relay whose responder is itself: 508 for the inner request, and it ends there."""
    relay = make_relay(start=False)
    with Responder(pki_module.Pki()) as spare:  # a port that is free once it has gone
        port = spare.address[1]
    relay.options["listen"] = [f"127.0.0.1:{port}"]
    relay.options["issuer"]["test"]["responders"] = [f"http://127.0.0.1:{port}/"]
    relay.start()
    assert told(relay.get(request_der)) == ocsp_error("200 OK", 3, miss("fwd-status=508"))
    assert relay.metric("connections_total") == 2


def test_HS_23_vias_of_others_are_fine(shared, request_der):
    relay, _ = shared
    got = relay.get(request_der, ("Via", "1.1 ocsprelay-0123456789abcdef, 1.0 squid (x)"))
    assert got.status == 200


def test_EM_12_every_refusal_is_counted_and_logged(shared, certid):
    relay, responder = shared
    responder.behave(responder.mangled(flip, signer=responder.pki.ca))
    relay.get(request(certid))
    assert relay.metric("verify_failures_total", issuer="test", reason="signature") == 1
    event = relay.log.wait_for("response-refused", reason="signature")
    assert event["issuer"] == "test"
    assert f"{certid.number:x}" not in relay.log.text


@pytest.mark.parametrize("make", [get, post])
def test_errors_of_head_have_no_body(shared, make):
    relay, _ = shared
    with relay.connect() as connection:
        got = connection.ask(get(None, target="/x", method="HEAD"), head_only=True)
        assert told(got) == [*ocsp_error("400 Bad Request", 1)[:-1], b""]
        assert connection.ask(make(base64.b64decode(VECTORS["TV1"]))).status == 200
