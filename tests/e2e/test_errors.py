# SPDX-License-Identifier: ISC
"""The error table (section 8): what a client gets when there is no signed answer for it."""

import base64
import re
import time

import pytest

import der
import rawhttp
import pki as pki_module
from pki import CertId, flip, request, response
from rawhttp import get, post
from relay import Relay, until
from responder import Reply, Responder, error, html, http_status, only, redirect, reset
from test_http import HTTP_DATE

ERR = {status: response(status) for status in (1, 2, 3, 5, 6)}

VECTORS = {  # Appendix A: requests about an issuer that no relay knows
    "TV1": "MFEwTzBNMEswSTAJBgUrDgMCGgUABBT8lMSNVOFxmtilwhnQQ6RTelDWTwQUUR8RvccO4QTYzK7MBAeBnN1R"
           "2fYCEBINemzpQ/zUaQwN+//dxfw=",
    "TV2": "ME8wTTBLMEkwRzAHBgUrDgMCGgQU/JTEjVThcZrYpcIZ0EOkU3pQ1k8EFFEfEb3HDuEE2MyuzAQHgZzdUdn2"
           "AhASDXps6UP81GkMDfv/3cX8",
    "TV3": "MG0wazBpMGcwZTANBglghkgBZQMEAgEFAAQgmEc1LWCzI+IWI4GngMjSlR1No/WVQjy1iUfj5QadUtsEIJDF"
           "KQ/Z8VQQKzhhGmvhSThYOHmtxhPyWQX1hRbZLGxLAhASDXps6UP81GkMDfv/3cX8",
    "TV6b": "MFYwVKADAgEBME0wSzBJMAkGBSsOAwIaBQAEFPyUxI1U4XGa2KXCGdBDpFN6UNZPBBRRHxG9xw7hBNjMrswE"
            "B4Gc3VHZ9gIQEg16bOlD/NRpDA37/93F/A==",
    "TV7a": "MIFRME8wTTBLMEkwCQYFKw4DAhoFAAQU/JTEjVThcZrYpcIZ0EOkU3pQ1k8EFFEfEb3HDuEE2MyuzAQHgZzd"
            "Udn2AhASDXps6UP81GkMDfv/3cX8",
    "TV7b": "MIAwTzBNMEswSTAJBgUrDgMCGgUABBT8lMSNVOFxmtilwhnQQ6RTelDWTwQUUR8RvccO4QTYzK7MBAeBnN1R"
            "2fYCEBINemzpQ/zUaQwN+//dxfwAAA==",
    "TV8neg": "MEMwQTA/MD0wOzAJBgUrDgMCGgUABBT8lMSNVOFxmtilwhnQQ6RTelDWTwQUUR8RvccO4QTYzK7MBAeBnN"
              "1R2fYCAv8B",
    "TV8nonmin": "MEQwQjBAMD4wPDAJBgUrDgMCGgUABBT8lMSNVOFxmtilwhnQQ6RTelDWTwQUUR8RvccO4QTYzK7MBAeB"
                 "nN1R2fYCAwASNA==",
    "TV9": "MFEwTzBNMEswSTAJBgUrDgMCGgUABBT8lMSNVOFxmtilwhnQQ6RTelDWTwQUUR8RvccO4QTYzK7MBAeBnN1R"
           "2fYCEBINemzpQ/zUaQwN+//dxfwNCg==",
    "TV12": "MFAwTjBMMEowSDAJBgUrDgMCGgUABBMAAAAAAAAAAAAAAAAAAAAAAAAABBRRHxG9xw7hBNjMrswEB4Gc3VHZ"
            "9gIQEg16bOlD/NRpDA37/93F/A==",
    "TV13": "MAQwAjAA",
    "TV4_0": "MGYwZDBNMEswSTAJBgUrDgMCGgUABBT8lMSNVOFxmtilwhnQQ6RTelDWTwQUUR8RvccO4QTYzK7MBAeBnN1R"
             "2fYCEBINemzpQ/zUaQwN+//dxfyiEzARMA8GCSsGAQUFBzABAgQCBAA=",
}
TV_RFC = bytes.fromhex(
    "304a3048304630443042300a06082a864886f70d02050410eeca7a1932a92f674075e19a5b6ebba30410a889c4"
    "496403d2619e040ad282ffc15902102c9c7f83dc45f28c92633a25f3431ba6")


# --- malformed requests: EM-07, nothing upstream ------------------------------------------------

MALFORMED = {
    "RP-25_trailing_octets": lambda c, r: r + b"\r\n",
    "RP-30_long_length": lambda c, r: b"\x30\x81" + r[1:],
    "RP-30_indefinite_length": lambda c, r: b"\x30\x80" + r[2:] + b"\0\0",
    "RP-31_version_2": lambda c, r: request(c, version=1),
    "RP-34_SL-04_nine_certificates": lambda c, r: request(*[c] * 9),
    "RP-35_empty_list": lambda c, r: base64.b64decode(VECTORS["TV13"]),
    "RP-36_digest_length": lambda c, r: request(CertId(c.alg, c.name_hash[:-1], c.key_hash,
                                                       c.serial)),
    "RP-38_serial_of_41_octets": lambda c, r: request(CertId(c.alg, c.name_hash, c.key_hash,
                                                             b"\x11" * 41)),
    "RP-39_serial_not_minimal": lambda c, r: request(CertId(c.alg, c.name_hash, c.key_hash,
                                                            b"\0\x12\x34")),
    "NK-04_parameters_are_an_integer": lambda c, r: request(c, parameters=der.integer(1)),
    "NO-01_nonce_of_0": lambda c, r: request(c, nonce=b""),
    "NO-01_nonce_of_129": lambda c, r: request(c, nonce=bytes(129)),
    "SL-04_too_many_extensions": lambda c, r: request(c, extensions=[
        der.extension("1.2.3", b"")] * 17),
    "cut": lambda c, r: r[:-1],
    "no_serial": lambda c, r: request(CertId(c.alg, c.name_hash, c.key_hash, b"")),
    "text": lambda c, r: b"hello",
    "a_response": lambda c, r: response(6),
    **{name: (lambda text: lambda c, r: base64.b64decode(text))(VECTORS[name])
       for name in ("TV6b", "TV7a", "TV7b", "TV8nonmin", "TV9", "TV12", "TV13", "TV4_0")},
}


@pytest.mark.parametrize("make", MALFORMED.values(), ids=MALFORMED.keys())
def test_EM_07_malformed(shared, certid, make):
    """HC-18: and nothing goes upstream."""
    relay, responder = shared
    before = responder.count()
    data = make(certid, request(certid))
    for got in (relay.post(data), relay.get(data)):
        assert (got.status, got.body) == (400, ERR[1])
        assert re.fullmatch(
            rf"HTTP/1\.1 400 Bad Request\r\nDate: {HTTP_DATE}\r\n"
            r"Content-Type: application/ocsp-response\r\nContent-Length: 5\r\n"
            r"Cache-Control: no-store\r\n\r\n", got.head.decode()), got.head
    assert responder.count() == before


# --- what this relay is not asked about: EM-08 --------------------------------------------------

@pytest.mark.parametrize("name", ["TV1", "TV2", "TV3", "TV8neg", "RP-37_md5"])
def test_EM_08_NK_10_unknown_issuer(shared, name):
    relay, responder = shared
    before = responder.count()
    data = TV_RFC if name == "RP-37_md5" else base64.b64decode(VECTORS[name])
    for got in (relay.post(data), relay.get(data)):
        assert (got.status, got.body) == (200, ERR[6])
        assert re.fullmatch(
            rf"HTTP/1\.1 200 OK\r\nDate: {HTTP_DATE}\r\n"
            r"Content-Type: application/ocsp-response\r\nContent-Length: 5\r\n"
            r"Cache-Control: no-store\r\n\r\n", got.head.decode()), got.head
    assert responder.count() == before


def test_EM_08_right_key_wrong_name_and_the_other_way_round(shared, certid, pki):
    relay, responder = shared
    before = responder.count()
    strange = pki.root.certid(1)
    for c in (CertId("sha1", strange.name_hash, certid.key_hash, certid.serial),
              CertId("sha1", certid.name_hash, strange.key_hash, certid.serial)):
        got = relay.post(request(c))
        assert (got.status, got.body) == (200, ERR[6])
    assert responder.count() == before
    assert relay.log.wait_for("issuer-name")  # NK-02: the first of them


def test_EM_08_RP_34_several_issuers(make_relay, responder, pki, certid):
    other = pki_module.new_ca(pki.root, "Another CA")
    relay = make_relay(responder, start=False)
    relay.add_issuer("other", other, [responder.url])
    relay.start()
    got = relay.post(request(certid, other.certid(1)))
    assert (got.status, got.body) == (200, ERR[6])
    got = relay.post(request(certid, pki.root.certid(1)))  # and one that is not known
    assert (got.status, got.body) == (200, ERR[6])
    assert responder.count() == 0


def test_issuer_without_responder(make_relay, request_der):
    relay = make_relay()
    got = relay.post(request_der)
    assert (got.status, got.body) == (200, ERR[6])


# --- what responders do: EM-09 to EM-17 ---------------------------------------------------------

def expired(responder):
    now = time.time()
    return responder.signed(this_update=now - 7200, next_update=now - 3600)


FAULTS = {
    # id: (behaviour, HTTP status, OCSP status, Cache-Status after "ocsprelay; ")
    "EM-09_reset": (lambda r: reset, 200, 3, "fwd=miss; detail=upstream-unreachable"),
    "EM-11_500": (lambda r: http_status(500), 200, 3, "fwd=miss; fwd-status=500"),
    "EM-11_404": (lambda r: http_status(404), 200, 3, "fwd=miss; fwd-status=404"),
    "EM-11_503_html": (lambda r: Reply(html.body, 503), 200, 3, "fwd=miss; fwd-status=503"),
    "EM-11_204": (lambda r: Reply(b"", 204, content_type=None), 200, 3,
                  "fwd=miss; fwd-status=204"),
    "EM-11_302": (lambda r: redirect("http://127.0.0.1:1/"), 200, 3, "fwd=miss; fwd-status=302"),
    "EM-11_HC-06_203_with_a_good_answer": (
        lambda r: lambda q: Reply(r.basic(q).encode(), 203), 200, 3, "fwd=miss; fwd-status=203"),
    "EM-11_HC-05_truncated": (
        lambda r: lambda q: Reply(r.basic(q).encode()[:-20], declared=len(r.basic(q).encode()),
                                  drop=True), 200, 3, "fwd=miss; fwd-status=200"),
    "EM-11_HC-05_chunks_cut": (
        lambda r: Reply(raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n\x30\x03",
                        drop=True), 200, 3, "fwd=miss; fwd-status=200"),
    "EM-11_HC-15_too_large": (lambda r: Reply(b"\x30\x83\x03\x0d\x3b" + bytes(200000)), 200, 3,
                              "fwd=miss; fwd-status=200"),
    "EM-11_HC-15_too_large_chunked": (
        lambda r: Reply(b"\x30\x83\x03\x0d\x3b" + bytes(200000), framing="chunked"), 200, 3,
        "fwd=miss; fwd-status=200"),
    "EM-11_coded": (lambda r: lambda q: Reply(r.basic(q).encode(),
                                              fields={"Content-Encoding": "gzip"}), 200, 3,
                    "fwd=miss; fwd-status=200"),
    "EM-12_HC-07_html": (lambda r: html, 200, 2,
                         "fwd=miss; fwd-status=200; detail=invalid-upstream"),
    "EM-12_HC-07_empty": (lambda r: Reply(b""), 200, (2, 3), None),
    "EM-12_VS-01_status_4": (lambda r: error(4), 200, 2,
                             "fwd=miss; fwd-status=200; detail=invalid-upstream"),
    "EM-12_bad_signature": (lambda r: r.mangled(flip, signer=r.pki.ca), 200, 2,
                            "fwd=miss; fwd-status=200; detail=invalid-upstream"),
    "EM-13_expired": (expired, 200, 3, "fwd=miss; fwd-status=200; detail=expired-upstream"),
    "EM-14_malformedRequest": (lambda r: error(1), 400, 1,
                               "fwd=miss; fwd-status=200; detail=upstream-1"),
    "EM-14_malformedRequest_400": (lambda r: error(1, 400), 400, 1,
                                   "fwd=miss; fwd-status=400; detail=upstream-1"),
    "EM-15_internalError": (lambda r: error(2), 200, 2, "fwd=miss; fwd-status=200"),
    "EM-15_HC-06_internalError_500": (lambda r: error(2, 500), 200, 2,
                                      "fwd=miss; fwd-status=500"),
    "EM-15_tryLater": (lambda r: error(3), 200, 3, "fwd=miss; fwd-status=200"),
    "EM-16_sigRequired": (lambda r: error(5), 200, 5, "fwd=miss; fwd-status=200"),
    "EM-17_unauthorized": (lambda r: error(6), 200, 6, "fwd=miss; fwd-status=200"),
    "EM-17_unauthorized_403": (lambda r: error(6, 403), 200, 6, "fwd=miss; fwd-status=403"),
}


@pytest.fixture(scope="module")
def pair(pki):
    """A responder and a relay that repeats no failure and refreshes what is about to end."""
    with Responder(pki) as responder, Relay(pki.ca, [responder.url], {
            "min_refresh_interval": "1s", "neg_ttl_error": 0, "neg_ttl_unauthorized": 0,
            "attempt_timeout": "2s"}) as relay:
        yield relay, responder


@pytest.fixture
def faulty(pair):
    relay, responder = pair
    responder.behave(None)
    yield relay, responder
    responder.behave(None)
    relay.check()


@pytest.mark.parametrize("make, http, ocsp, verdict", FAULTS.values(), ids=FAULTS.keys())
def test_fault_without_an_answer_at_hand(faulty, certid, make, http, ocsp, verdict):
    relay, responder = faulty
    responder.behave(make(responder))
    got = relay.get(request(certid))
    assert got.status == http
    assert got.body in [ERR[status] for status in (ocsp if isinstance(ocsp, tuple) else (ocsp,))]
    assert [name for name, _ in got.fields] == [
        "Date", "Content-Type", "Content-Length", "Cache-Control", "Cache-Status"]
    assert got.field("Content-Type") == "application/ocsp-response"
    assert got.field("Cache-Control") == "no-store"
    if verdict:
        assert got.field("Cache-Status") == "ocsprelay; " + verdict
    responder.behave(None)
    if ocsp not in (1, 5):  # these are remembered whatever the configuration says
        got = relay.get(request(certid))  # the connection to the responder is in order again
        assert (got.status, got.body[:2]) == (200, b"\x30\x82")


def test_CL_18_F4_an_answer_at_hand_wins_over_every_fault(faulty, pki):
    relay, responder = faulty
    stored = {}
    for name in FAULTS:
        certid = pki.ca.certid(pki_module.new_serial())
        responder.then(responder.signed(next_update=time.time() + 200))  # within expiry_margin
        stored[name] = (certid, relay.get(request(certid)))
        assert stored[name][1].cache_status["stored"]
    for name, (certid, first) in stored.items():
        responder.behave(FAULTS[name][0](responder))

        def asked_again(certid=certid, first=first):
            got = relay.get(request(certid))
            assert (got.status, got.body) == (200, first.body), name
            assert got.cache_status["hit"], name
            return responder.count(certid.number) > 1
        until(asked_again)


def test_EM_09_closed_port(make_relay, responder, certid):
    relay = make_relay(responder)
    responder.stop()
    got = relay.get(request(certid))
    assert (got.status, got.body) == (200, ERR[3])
    assert got.field("Cache-Status") == "ocsprelay; fwd=miss; detail=upstream-unreachable"
    assert relay.log.wait_for("responder-down", responder=responder.url)


def test_EM_09_unknown_host_name(make_relay, request_der):
    relay = make_relay("http://no-such-host.invalid/")
    got = relay.get(request_der)
    assert (got.status, got.body) == (200, ERR[3])
    assert got.cache_status["detail"] == "upstream-unreachable"


def test_EM_09_attempt_timeout(make_relay, responder, request_der):
    relay = make_relay(responder, issuer={"attempt_timeout": "300ms"})
    with responder.held():
        got = relay.get(request_der)
    assert (got.status, got.body) == (200, ERR[3])
    assert got.field("Cache-Status") == "ocsprelay; fwd=miss; detail=upstream-unreachable"


@pytest.mark.threads
def test_EM_10_HC_09_deadline_then_hit(make_relay, responder, certid):
    relay = make_relay(responder, issuer={"request_deadline": "300ms"})
    with responder.held():
        start = time.monotonic()
        got = relay.get(request(certid))
        assert 0.25 < time.monotonic() - start < 3
        assert (got.status, got.body) == (200, ERR[3])
        assert got.field("Cache-Status") == "ocsprelay; fwd=miss; detail=timeout"
    got = until(lambda: (lambda r: r if r.body != ERR[3] else None)(relay.get(request(certid))))
    assert got.status == 200
    assert responder.count(certid.number) == 1  # the fetch went on


def test_EM_14_malformedRequest_is_asked_again_by_post(faulty, certid):
    """HC-01: GET answered malformedRequest; POST tells the truth."""
    relay, responder = faulty
    responder.behave(only("GET", error(1)))
    got = relay.get(request(certid))
    assert got.status == 200 and got.body != ERR[1]
    assert [asked.method for asked in responder.of(certid.number)] in (["GET", "POST"], ["POST"])


@pytest.mark.threads
def test_EM_19_waiters(make_relay, responder, certid):
    relay = make_relay(responder, limits={"max_waiters": 2})
    with responder.held():
        waiting = [relay.connect() for _ in range(2)]
        for one in waiting:
            one.send(get(request(certid)))
        relay.wait_for_metric("waiters", 2)
        got = relay.get(request(certid))
        assert (got.status, got.body) == (200, ERR[3])
    for one in waiting:
        assert one.read().body != ERR[3]
        one.close()
    assert responder.count() == 1


@pytest.mark.threads
def test_EM_19_SL_08_fetches(make_relay, responder, pki):
    """One inside, four queued, the sixth is told to come back later."""
    relay = make_relay(responder, issuer={"max_inflight": 1})
    asked = [request(pki.ca.certid(pki_module.new_serial())) for _ in range(6)]
    with responder.held():
        waiting = []
        for number, data in enumerate(asked[:5]):
            waiting.append(relay.connect())
            waiting[-1].send(get(data))
            relay.wait_for_metric("inflight", number + 1)
        got = relay.get(asked[5])
        assert (got.status, got.body) == (200, ERR[3])
        assert responder.count() == 1
        assert relay.log.wait_for("overload")
    for one in waiting:
        assert one.read().body != ERR[3]
        one.close()
    assert responder.count() == 5


def test_SL_09_EM_19_random_serials_of_one_client(make_relay, responder, pki, certid, tmp_path):
    """They are shed above the rate; what is at hand is not, and neither is a Unix socket."""
    local = str(tmp_path / "relay.sock")
    relay = make_relay(responder, listen=["127.0.0.1:0", "unix:" + local],
                       limits={"miss_rate_per_client": 1})
    stored = relay.get(request(certid))
    answers = []

    def random_serial(ask=relay.ask):
        answers.append(ask(get(request(pki.ca.certid(pki_module.new_serial())))).body)
        return answers[-1] == ERR[3]
    until(random_serial)
    assert answers[0] != ERR[3]  # two at once are allowed
    assert responder.count() == len(answers)
    assert relay.get(request(certid)).body == stored.body
    for _ in range(5):
        assert not random_serial(lambda data: rawhttp.ask(local, data))
    assert relay.metric("rejected_total", reason="overload-client") == 1
    assert relay.metric("requests_total", issuer="test", result="rejected") == 1
    relay.log.wait_for("overload", reason="overload-client", issuer="test", client="127.0.0.1")


def test_EM_21_HS_23_loop(make_relay, request_der):
    """A relay whose responder is itself: 508 for the inner request, and it ends there."""
    relay = make_relay(start=False)
    with Responder(pki_module.Pki()) as spare:  # a port that is free once it has gone
        port = spare.address[1]
    relay.options["listen"] = [f"127.0.0.1:{port}"]
    relay.options["issuer"]["test"]["responders"] = [f"http://127.0.0.1:{port}/"]
    relay.start()
    got = relay.get(request_der)
    assert (got.status, got.body) == (200, ERR[3])
    assert got.cache_status["fwd-status"] == "508"
    assert relay.metric("connections_total") == 2


def test_HS_23_vias_of_others_are_fine(shared, request_der):
    relay, _ = shared
    got = relay.get(request_der, ("Via", "1.1 ocsprelay-0123456789abcdef, 1.0 squid (x)"))
    assert got.status == 200


def test_EM_22_HS_26_only_if_cached(shared, certid):
    relay, responder = shared
    only_cached = ("Cache-Control", "only-if-cached")
    got = relay.get(request(certid), only_cached)
    assert (got.status, got.body) == (504, ERR[3])
    assert responder.count(certid.number) == 0
    relay.get(request(certid))
    assert relay.get(request(certid), only_cached).status == 200


@pytest.mark.parametrize("make", [get, post])
def test_errors_of_head_have_no_body(shared, make):
    relay, _ = shared
    with relay.connect() as connection:
        got = connection.ask(get(None, target="/x", method="HEAD"), head_only=True)
        assert got.status == 400 and got.field("Content-Length") == "5"
        assert connection.ask(make(base64.b64decode(VECTORS["TV1"]))).status == 200


def test_EM_12_every_refusal_is_counted_and_logged(faulty, certid):
    relay, responder = faulty
    before = relay.metric("verify_failures_total", issuer="test", reason="signature")
    responder.behave(responder.mangled(flip, signer=responder.pki.ca))
    got = relay.get(request(certid))
    assert got.body == ERR[2]
    assert relay.metric("verify_failures_total", issuer="test",
                        reason="signature") == before + 1
    event = relay.log.wait_for("response-refused", reason="signature")
    assert event["issuer"] == "test"
    assert f"{certid.number:x}" not in relay.log.text
