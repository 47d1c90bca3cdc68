# SPDX-License-Identifier: ISC
"""What is kept, under which key, for how long, and how often the responder is asked for it."""

import os
import resource
import socket
import threading
import time

import pytest

import der
import pki as pki_module
from pki import DAY, HOUR, NEVER, Single, parse_response, request, response
from rawhttp import get, post
from relay import pause, until
from responder import Reply, after, error, http_status


def status_of(got):
    return parse_response(got.body).certificate_status.name.lower()


def test_miss_then_hit(relay, responder, certid):
    data = request(certid)
    first, second = relay.get(data), relay.get(data)
    assert first.body == second.body
    assert first.cache_status == {"": "ocsprelay", "fwd": "miss", "fwd-status": "200",
                                  "stored": True}
    assert second.cache_status["hit"] and second.cache_status["detail"] == "l1"
    assert responder.count() == 1
    assert relay.metric("requests_total", issuer="test", method="get", result="miss") == 1
    assert relay.metric("requests_total", issuer="test", method="get", result="hit") == 1
    assert relay.metric("responses_total", issuer="test", status="good") == 2
    assert relay.metric("upstream_requests_total", issuer="test", responder=responder.url,
                        result="ok") == 1
    assert relay.metric("cache_entries") == 1
    assert relay.metric("cache_bytes") > 0


# --- keys (section 2) ---------------------------------------------------------------------------

SAME = {  # other ways to ask about the same certificate with the same algorithm
    "NK-04_parameters_absent": lambda c: request(c, parameters=b""),
    "NK-06_RP-31_explicit_version": lambda c: request(c, version=0),
    "RP-32_requestor_name": lambda c: request(c, requestor="a.example"),
    "RP-40_unknown_extension": lambda c: request(c, extensions=[der.extension("1.2.3", b"x")]),
    "RP-44_unknown_single_extension": lambda c: request(
        c, single_extensions=[der.extension("1.2.3", b"x")]),
    "RP-41_acceptable_responses": lambda c: request(c, extensions=[
        der.extension(pki_module.ACCEPTABLE_RESPONSES, der.seq(der.oid(pki_module.BASIC)))]),
    "RP-43_service_locator": lambda c: request(c, single_extensions=[
        der.extension(pki_module.SERVICE_LOCATOR, der.seq(der.seq()))]),
}


@pytest.mark.parametrize("make", SAME.values(), ids=SAME.keys())
def test_same_key(shared, certid, make):
    """And upstream it is always the minimal request: NK-05, NK-06."""
    relay, responder = shared
    first = relay.post(make(certid))
    assert first.cache_status["fwd"] == "miss"
    second = relay.get(request(certid))
    assert second.cache_status["hit"] and second.body == first.body
    asked, = responder.of(certid.number)
    assert asked.der == request(certid)


def test_RP_33_signed_request_is_answered_as_unsigned(shared, pki, certid):
    relay, responder = shared
    relay.post(request(certid, signed_by=pki.leaf()))
    assert relay.get(request(certid)).cache_status["hit"]
    asked, = responder.of(certid.number)
    assert asked.der == request(certid)


def test_NK_09_get_and_post_share(shared, certid):
    relay, responder = shared
    relay.post(request(certid))
    assert relay.get(request(certid)).cache_status["hit"]
    assert responder.count(certid.number) == 1


@pytest.mark.parametrize("alg", ["sha1", "sha224", "sha256", "sha384", "sha512"])
def test_NK_01_RP_37_all_hashes(shared, pki, alg):
    relay, responder = shared
    certid = pki.ca.certid(pki_module.new_serial(), alg)
    for data in (request(certid), request(certid, parameters=b"")):
        got = relay.get(data)
        assert got.status == 200
        assert parse_response(got.body).hash_algorithm.name == alg
    assert responder.count(certid.number) == 1
    assert responder.of(certid.number)[0].der == request(certid)


def test_NK_03_algorithms_are_kept_apart(shared, pki):
    relay, responder = shared
    serial = pki_module.new_serial()
    sha1, sha256 = (relay.get(request(pki.ca.certid(serial, alg))) for alg in ("sha1", "sha256"))
    assert sha1.body != sha256.body
    assert responder.count(serial) == 2


@pytest.mark.parametrize("content", [b"\xff\x01", b"\0", b"\x80", bytes([0x7F]) * 40, b"\x01"])
def test_RP_38_unusual_serials(make_relay, responder, pki, content):
    relay = make_relay(responder)
    certid = pki.ca.certid(content)
    got = relay.post(request(certid))
    assert got.status == 200
    assert responder.of()[0].asked.certids == [certid]
    assert relay.get(request(certid)).cache_status["hit"]


def test_keys_do_not_collide_between_issuers(make_relay, make_responder, pki):
    """Private CAs number their certificates 1, 2, 3."""
    one, other_pki = make_responder(), pki_module.Pki()
    other = make_responder(other_pki)
    other.statuses[1] = "revoked"
    relay = make_relay(one, start=False)
    relay.add_issuer("other", other_pki.ca, [other.url])
    relay.start()
    for _ in range(2):
        assert status_of(relay.get(request(pki.ca.certid(1)))) == "good"
        assert status_of(relay.get(request(other_pki.ca.certid(1)))) == "revoked"
    assert (one.count(), other.count()) == (1, 1)


def test_NK_02_name_variant_from_a_leaf(make_relay, responder, pki):
    """The leaf spells its issuer in UTF8String, the CA itself in PrintableString."""
    ca = pki_module.new_ca(pki.root, subject=pki_module.name("Variant CA", printable=True))
    spelt = pki_module.name("Variant CA")
    leaf = ca.issue("leaf", issuer_name=spelt, aia=responder.url)
    variant = ca.certid(leaf.serial, issuer_name=spelt.public_bytes())
    assert variant.name_hash != ca.certid(1).name_hash
    relay = make_relay(responder, ca=ca)
    assert relay.get(request(variant)).body == response(6)
    assert relay.log.wait_for("issuer-name")
    assert responder.count() == 0
    relay.write("issuers.d/leaf.pem", leaf.pem)
    relay.reload()
    responder.behave(lambda asked: Reply(responder.basic(asked, signer=ca).encode()))
    got = relay.get(request(variant))
    assert got.status == 200 and got.body != response(6)
    assert responder.of()[0].asked.certids == [variant]


def test_NK_08_answer_in_another_algorithm(shared, pki):
    relay, responder = shared
    serial = pki_module.new_serial()
    responder.then(lambda asked: Reply(responder.basic(
        asked, singles=[Single(pki.ca.certid(serial))]).encode()))
    asked = request(pki.ca.certid(serial, "sha256"))
    first, second = relay.get(asked), relay.get(asked)
    assert first.status == 200 and first.body == second.body
    assert second.cache_status["hit"]
    assert relay.get(request(pki.ca.certid(serial))).cache_status["hit"]
    assert responder.count(serial) == 1


def test_NK_07_one_response_for_two_algorithms(shared, pki):
    relay, responder = shared
    serial = pki_module.new_serial()
    responder.then(lambda asked: Reply(responder.basic(
        asked, singles=[Single(pki.ca.certid(serial, alg)) for alg in ("sha1", "sha256")]
    ).encode()))
    first = relay.get(request(pki.ca.certid(serial)))
    second = relay.get(request(pki.ca.certid(serial, "sha256")))
    assert first.status == 200 and first.body == second.body
    assert second.cache_status["hit"]
    assert responder.count(serial) == 1


def test_RP_33_signature_goes_to_a_responder_that_wants_it(shared, pki, certid):
    relay, responder = shared
    signed = request(certid, signed_by=pki.leaf())

    def wants_signature(asked):
        return None if asked.der == signed else error(5)
    responder.behave(wants_signature)
    try:
        for count in (2, 3):  # the second time it is known that the unsigned one is refused
            got = relay.post(signed)
            assert got.status == 200 and parse_response(got.body).serial_number == certid.number
            assert got.cache_status["fwd"] == "bypass" and "stored" not in got.cache_status
            assert responder.count(certid.number) == count
        assert relay.post(request(certid)).body == error(5).body
        assert responder.count(certid.number) == 3
    finally:
        responder.behave(None)


# --- requests that go around the cache ----------------------------------------------------------

def test_RP_34_several_certificates(shared, pki):
    relay, responder = shared
    one, two = (pki.ca.certid(pki_module.new_serial()) for _ in range(2))
    data = request(one, two)
    for count in (1, 2):
        got = relay.post(data)
        assert got.status == 200
        assert got.cache_status["fwd"] == "bypass"
        assert got.field("Cache-Control") == "max-age=0, no-transform, must-revalidate"
        assert responder.count(one.number) == count
        assert responder.of(one.number)[-1].der == data
    assert relay.get(request(one)).cache_status["fwd"] == "miss"


BYPASS = {
    "RP-40_critical_extension": {"extensions": [der.extension("1.2.3", b"x", critical=True)]},
    "RP-44_critical_single_extension": {
        "single_extensions": [der.extension("1.2.3", b"x", critical=True)]},
    "RP-41_other_response_types": {"extensions": [
        der.extension(pki_module.ACCEPTABLE_RESPONSES, der.seq(der.oid("1.2.3")))]},
    "RP-42_preferred_algorithms": {"extensions": [
        der.extension(pki_module.PREFERRED_ALGORITHMS,
                      der.seq(der.seq(der.seq(der.oid("1.2.840.10045.4.3.2")))))]},
}


@pytest.mark.parametrize("options", BYPASS.values(), ids=BYPASS.keys())
def test_bypass(shared, certid, options):
    """Forwarded as it is, not stored, not answered from the cache."""
    relay, responder = shared
    data = request(certid, **options)
    for count in (1, 2):
        got = relay.post(data)
        assert got.status == 200
        assert got.cache_status["fwd"] == "bypass"
        assert responder.of(certid.number)[-1].der == data
        assert responder.count(certid.number) == count
    assert relay.get(request(certid)).cache_status["fwd"] == "miss"
    relay.post(data)
    assert responder.count(certid.number) == 4


# --- lifetimes (section 3) ----------------------------------------------------------------------

def test_CL_02_never_after_next_update(make_relay, responder, certid):
    relay = make_relay(responder, issuer={"neg_ttl_error": 0, "expiry_margin": 0})
    end = int(time.time()) + 3
    responder.then(responder.signed(next_update=end))
    first = relay.get(request(certid))
    assert first.cache_status["stored"]
    responder.behave(http_status(503))

    def ended():
        before = time.time()
        got = relay.get(request(certid), ("Cache-Control", "max-stale=99999"))  # HS-27
        if got.body == first.body:
            assert before < end
            assert got.date("Expires") == end
            assert got.max_age <= end - int(before)
            return False
        assert time.time() >= end
        assert got.body == response(3)
        return True
    until(ended)
    assert relay.get(request(certid)).body == response(3)


def test_CL_04_no_next_update_is_not_stored_but_shared(make_relay, responder, certid):
    relay = make_relay(responder)
    responder.behave(responder.signed(next_update=NEVER))
    with responder.held():
        waiting = [relay.connect() for _ in range(3)]
        for one in waiting:
            one.send(get(request(certid)))
        relay.wait_for_metric("waiters", 3)
    bodies = {one.read().body for one in waiting}
    assert len(bodies) == 1 and responder.count() == 1
    for one in waiting:
        one.close()
    assert relay.get(request(certid)).field("Expires") is None
    assert responder.count() == 2


def test_CL_04_no_next_update_ttl(make_relay, responder, certid):
    relay = make_relay(responder, issuer={"no_next_update_ttl": "200s"})
    responder.behave(responder.signed(next_update=NEVER))
    relay.get(request(certid))
    relay.get(request(certid))
    assert responder.count() == 1


def test_CL_06_CL_09_client_max_age_ends_at_the_refresh(shared, pki):
    relay, responder = shared
    now = int(time.time())
    for this_update, next_update, low, high in (
            (now, now + 7 * DAY, 10.8 * HOUR - 5, 12 * HOUR),   # max_refresh_interval
            (now, now + 10 * HOUR, 4.5 * HOUR - 5, 5 * HOUR),   # half of it
            (now, now + 600, 60, 300),
            (now - 9 * HOUR, now + HOUR, 59, 60)):
        responder.then(responder.signed(this_update=this_update, next_update=next_update))
        got = relay.get(request(pki.ca.certid(pki_module.new_serial())))
        assert low <= got.max_age <= high
        assert got.date("Expires") == next_update


def test_CL_10_upstream_max_age_only_brings_a_refresh_forward(make_relay, responder, certid):
    """CL-07: meanwhile clients get hits at once."""
    relay = make_relay(responder, issuer={"min_refresh_interval": "1s"})
    responder.then(responder.signed(http={"Cache-Control": "max-age=1"}))
    first = relay.get(request(certid))
    assert first.date("Expires") > time.time() + DAY - 100

    def refreshed():
        got = relay.get(request(certid))
        assert got.cache_status["hit"]
        return responder.count() == 2
    until(refreshed)
    until(lambda: relay.metric("refreshes_total", result="ok") == 1 or
          relay.get(request(certid)).body != first.body)
    got = relay.get(request(certid))
    assert got.cache_status["hit"] and responder.count() == 2


def test_HC_04_CL_20_conditional_refresh(make_relay, responder, certid):
    relay = make_relay(responder, issuer={"min_refresh_interval": "1s"})
    fields = {"Cache-Control": "max-age=1", "ETag": '"5f2a"'}
    responder.then(responder.signed(http=fields),
                   Reply(b"", status=304, fields={"ETag": '"5f2a"'}))
    first = relay.get(request(certid))
    assert first.max_age <= 60
    until(lambda: relay.get(request(certid)).max_age > 60)  # it was refreshed
    second = relay.get(request(certid))
    assert second.body == first.body and second.date("Expires") == first.date("Expires")
    assert [asked.field("If-None-Match") for asked in responder.of(certid.number)] \
        == [None, '"5f2a"']
    assert relay.metric("refreshes_total", result="ok") == 1


@pytest.mark.threads
def test_CL_07_background_refresh_does_not_delay_clients(make_relay, responder, certid):
    relay = make_relay(responder, issuer={"min_refresh_interval": "1s"})
    responder.then(responder.signed(http={"Cache-Control": "max-age=1"}))
    first = relay.get(request(certid))
    with responder.held():
        def due():
            got = relay.get(request(certid))
            assert got.body == first.body and got.cache_status["hit"]
            return responder.count() == 2
        until(due)
        for _ in range(20):
            assert relay.get(request(certid)).body == first.body
        assert responder.count() == 2
    until(lambda: relay.get(request(certid)).body != first.body)
    assert responder.count() == 2


def test_CL_07_failed_refresh_is_not_repeated_soon(make_relay, responder, certid):
    relay = make_relay(responder, issuer={"min_refresh_interval": "1s", "neg_ttl_error": 0})
    responder.then(responder.signed(http={"Cache-Control": "max-age=1"}))
    first = relay.get(request(certid))
    responder.behave(http_status(500))
    until(lambda: relay.get(request(certid)).body == first.body and responder.count() == 2)
    relay.log.wait_for("fetch-failed")
    for _ in range(20):
        assert relay.get(request(certid)).body == first.body
    assert responder.count() == 2


def test_CL_08_synchronous_refresh_near_the_end(make_relay, responder, certid):
    relay = make_relay(responder, issuer={"min_refresh_interval": "1s"})
    responder.then(responder.signed(next_update=time.time() + 200))
    first = relay.get(request(certid))

    def refreshed():
        got = relay.get(request(certid))
        if got.body == first.body:
            assert got.cache_status["hit"]
            return None
        return got
    got = until(refreshed)
    assert got.cache_status["fwd"] == "stale"
    assert got.date("Expires") > time.time() + 1000
    assert responder.count() == 2


@pytest.mark.parametrize("directive", ["no-store", "private"])
def test_CL_11_upstream_no_store(shared, certid, directive):
    relay, responder = shared
    responder.behave(responder.signed(http={"Cache-Control": directive}))
    assert "stored" not in relay.get(request(certid)).cache_status
    relay.get(request(certid))
    assert responder.count(certid.number) == 2


def test_CL_13_unknown_is_kept_for_a_short_time(shared, certid):
    relay, responder = shared
    responder.statuses[certid.number] = "unknown"
    responder.then(responder.signed(next_update=time.time() + 7 * DAY))
    got = relay.get(request(certid))
    assert status_of(got) == "unknown"
    assert got.max_age <= 300
    assert got.date("Expires") <= time.time() + 301
    assert relay.get(request(certid)).cache_status["hit"]


def test_CL_13_unknown_is_asked_again(make_relay, responder, certid):
    relay = make_relay(responder, issuer={"unknown_max_ttl": "1s"})
    responder.statuses[certid.number] = "unknown"
    assert status_of(relay.get(request(certid))) == "unknown"
    responder.statuses[certid.number] = "good"
    until(lambda: status_of(relay.get(request(certid))) == "good", timeout=5)
    assert responder.count() == 2


def test_CL_14_never_issued_is_kept_for_a_short_time(shared, certid):
    relay, responder = shared
    responder.statuses[certid.number] = "revoked"
    responder.then(lambda asked: Reply(responder.basic(asked, singles=[
        Single(certid, "revoked", next_update=time.time() + 7 * DAY, revoked_at=0, reason=6)],
        ).changed(extensions=(der.extension(pki_module.EXTENDED_REVOKE, der.NULL),)).encode()))
    got = relay.get(request(certid))
    assert status_of(got) == "revoked"
    assert got.date("Expires") <= time.time() + 301


def test_CL_14_CL_15_revoked_and_hold_live_their_time(shared, pki):
    relay, responder = shared
    for reason in (None, 1, 6):
        certid = pki.ca.certid(pki_module.new_serial())
        responder.statuses[certid.number] = "revoked"
        end = int(time.time()) + 7 * DAY
        responder.then(responder.signed(next_update=end, reason=reason))
        got = relay.get(request(certid))
        assert got.date("Expires") == end
        assert relay.get(request(certid)).cache_status["hit"]
    assert relay.metric("responses_total", issuer="test", status="revoked") >= 6


def test_CL_16_rollback_is_refused(make_relay, responder, certid):
    relay = make_relay(responder, issuer={"min_refresh_interval": "1s"})
    now = int(time.time())
    responder.statuses[certid.number] = "revoked"
    responder.then(responder.signed(this_update=now - 600, http={"Cache-Control": "max-age=1"}))
    assert status_of(relay.get(request(certid))) == "revoked"
    responder.statuses[certid.number] = "good"
    responder.behave(responder.signed(this_update=now - HOUR))
    until(lambda: relay.get(request(certid)) and responder.count() == 2)
    until(lambda: relay.metric("rollbacks_refused_total", issuer="test") == 1)
    assert relay.log.wait_for("rollback-refused")
    assert status_of(relay.get(request(certid))) == "revoked"


def test_CL_17_newer_good_after_revoked(make_relay, responder, certid):
    relay = make_relay(responder, issuer={"min_refresh_interval": "1s"})
    now = int(time.time())
    responder.statuses[certid.number] = "revoked"
    responder.then(responder.signed(this_update=now - HOUR, reason=6,
                                    http={"Cache-Control": "max-age=1"}))
    assert status_of(relay.get(request(certid))) == "revoked"
    responder.statuses[certid.number] = "good"
    responder.behave(responder.signed(this_update=now - 60))
    until(lambda: status_of(relay.get(request(certid))) == "good")
    event = relay.log.wait_for("status-changed")
    assert (event["from"], event["to"]) == ("revoked", "good")
    assert int(event["serial"], 16) == certid.number
    assert relay.metric("status_changes_total", issuer="test",
                        **{"from": "revoked", "to": "good"}) == 1


# --- failures (CL-19) ---------------------------------------------------------------------------

@pytest.mark.parametrize("status, option", [(6, "neg_ttl_unauthorized"), (3, "neg_ttl_error"),
                                            (2, "neg_ttl_error")])
def test_CL_19_failures_are_repeated_for_a_while(make_relay, responder, certid, status, option):
    relay = make_relay(responder, issuer={option: "1s"})
    responder.behave(error(status))
    start = time.monotonic()
    first = relay.get(request(certid))
    assert first.body == response(status) and first.cache_status["fwd"] == "miss"
    second = relay.get(request(certid))
    assert second.body == response(status)
    assert second.field("Cache-Status") == "ocsprelay; hit; detail=negative"
    assert second.field("Cache-Control") == "no-store"
    assert responder.count() == 1
    assert relay.metric("requests_total", issuer="test", result="negative") == 1
    assert relay.metric("negative_entries") == 1
    until(lambda: relay.get(request(certid)) and responder.count() == 2, timeout=5)
    assert time.monotonic() - start >= 0.95


@pytest.mark.parametrize("status", [1, 5])
def test_CL_19_these_are_remembered_for_longer(relay, responder, certid, status):
    responder.behave(error(status))
    for _ in range(3):
        assert relay.get(request(certid)).body == response(status)
    assert responder.count() <= (2 if status == 1 else 1)  # GET and POST


def test_CL_19_off(make_relay, responder, certid):
    relay = make_relay(responder, issuer={"neg_ttl_unauthorized": 0})
    responder.behave(error(6))
    for count in (1, 2):
        assert relay.get(request(certid)).body == response(6)
        assert responder.count() == count


def test_CL_19_no_negative_entries(make_relay, responder, certid):
    relay = make_relay(responder, cache={"negative_entries": 0})
    responder.behave(error(6))
    for count in (1, 2):
        relay.get(request(certid))
        assert responder.count() == count


def test_HC_14_retry_after(relay, responder, pki):
    """The responder asked to be left alone; that holds for all its certificates."""
    responder.behave(http_status(503, fields={"Retry-After": "200"}))
    for _ in range(3):
        data = request(pki.ca.certid(pki_module.new_serial()))
        assert relay.get(data).body == response(3)
    assert responder.count() == 1


# --- one fetch for all (HC-11) ------------------------------------------------------------------

@pytest.mark.threads
def test_HC_11_500_clients_one_fetch(make_relay, responder, certid):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, 4096), hard), hard))
    relay = make_relay(responder, limits={"max_connections_per_address": 1000})
    data = request(certid)
    clients = []
    with responder.held():
        for number in range(500):
            clients.append(relay.connect())
            clients[-1].send((post if number % 2 else get)(data))
        relay.wait_for_metric("waiters", 500)
        assert responder.count() == 1
        assert relay.metric("inflight") == 1
    answers = [one.read() for one in clients]
    for one in clients:
        one.close()
    assert {answer.status for answer in answers} == {200}
    assert len({answer.body for answer in answers}) == 1
    assert parse_response(answers[0].body).serial_number == certid.number
    assert responder.count() == 1
    assert sum("collapsed" in answer.cache_status for answer in answers) == 499
    assert relay.metric("requests_total", result="collapsed") == 499
    assert relay.metric("waiters") == 0 and relay.metric("inflight") == 0


@pytest.mark.threads
def test_HC_11_failure_is_given_to_all(make_relay, responder, certid):
    relay = make_relay(responder, issuer={"neg_ttl_error": 0})
    responder.behave(error(3))
    with responder.held():
        clients = [relay.connect() for _ in range(20)]
        for one in clients:
            one.send(get(request(certid)))
        relay.wait_for_metric("waiters", 20)
    assert {one.read().body for one in clients} == {response(3)}
    for one in clients:
        one.close()
    assert responder.count() == 1


def test_HC_11_certificates_do_not_wait_for_each_other(make_relay, responder, pki):
    relay = make_relay(responder)
    slow, quick = (request(pki.ca.certid(pki_module.new_serial())) for _ in range(2))
    released = threading.Event()
    responder.then(after(released))
    with relay.connect() as connection:
        connection.send(get(slow))
        responder.wait_for(1)
        assert relay.get(quick).status == 200
        assert connection.is_silent()
        released.set()
        assert connection.read().status == 200


@pytest.mark.threads
def test_client_gone_the_flight_goes_on(make_relay, responder, certid):
    relay = make_relay(responder)
    with responder.held():
        connection = relay.connect()
        connection.send(get(request(certid)))
        responder.wait_for(1)
        connection.abort()
        until(lambda: relay.metric("connections") == 0)
        assert relay.metric("waiters") == 0 and relay.metric("inflight") == 1
    until(lambda: relay.metric("cache_entries") == 1)
    assert relay.get(request(certid)).cache_status["hit"]
    assert responder.count() == 1


@pytest.mark.threads
def test_client_that_closes_its_half_gets_its_answer(make_relay, responder, certid):
    """And one that closed both: told apart only when the answer meets the reset."""
    relay = make_relay(responder)
    with responder.held(), relay.connect() as half, relay.connect() as gone:
        for one in (half, gone):
            one.send(get(request(certid)) * 2)
            one.socket.shutdown(socket.SHUT_WR)
        relay.wait_for_metric("waiters", 2)
        gone.close()
        responder.release()
        for _ in range(2):
            assert parse_response(half.read().body).serial_number == certid.number
        assert half.is_closed()
    until(lambda: relay.metric("connections") == 0)
    assert relay.metric("waiters") == 0


@pytest.mark.threads
def test_client_gone_while_others_wait(make_relay, responder, certid):
    relay = make_relay(responder)
    with responder.held():
        first, second = relay.connect(), relay.connect()
        first.send(get(request(certid)))
        responder.wait_for(1)
        second.send(get(request(certid)))
        relay.wait_for_metric("waiters", 2)
        first.abort()
        until(lambda: relay.metric("waiters") == 1)
    assert second.read().status == 200
    second.close()


@pytest.mark.threads
def test_client_gone_before_its_pipelined_answers(make_relay, responder, pki):
    relay = make_relay(responder)
    asked = [request(pki.ca.certid(pki_module.new_serial())) for _ in range(10)]
    with responder.held():
        connection = relay.connect()
        connection.send(b"".join(get(data) for data in asked))
        responder.wait_for(1)
        connection.abort()
        until(lambda: relay.metric("connections") == 0)
    until(lambda: relay.metric("inflight") == 0)
    assert relay.get(asked[0]).cache_status["hit"]


# --- the bound ----------------------------------------------------------------------------------

@pytest.mark.threads
def test_cache_is_bounded(make_relay, responder, pki):
    """The smallest cache: evictions happen, what is asked often stays (SIEVE), all answers are
    right. SL-10: random serials do not drive out what is signed."""
    relay = make_relay(responder, cache={"memory": "1M"}, store=[])
    favourite = pki.ca.certid(pki_module.new_serial())
    big = der.extension("1.2.3.4", os.urandom(30000))
    responder.behave(responder.signed(signer=pki.ca))
    relay.get(request(favourite))
    responder.behave(lambda asked: Reply(responder.basic(asked, signer=pki.ca).changed(
        extensions=(big,)).encode()))
    with relay.connect() as connection:
        for _ in range(60):
            certid = pki.ca.certid(pki_module.new_serial())
            got = connection.ask(get(request(certid)))
            assert parse_response(got.body).serial_number == certid.number
            assert connection.ask(get(request(favourite))).cache_status.get("hit")
    assert relay.metric("cache_evictions_total") > 0
    assert relay.metric("cache_bytes") <= 1 << 20


def test_SL_10_failures_do_not_drive_out_answers(make_relay, responder, certid, pki):
    relay = make_relay(responder, cache={"negative_entries": 10})
    relay.get(request(certid))
    responder.behave(error(6))
    with relay.connect() as connection:
        for _ in range(50):
            got = connection.ask(get(request(pki.ca.certid(pki_module.new_serial()))))
            assert got.body == response(6)
    assert relay.metric("negative_entries") <= 10
    assert relay.get(request(certid)).cache_status["hit"]


@pytest.mark.threads
def test_hits_while_entries_are_replaced(make_relay, responder, certid):
    """haproxy 26e74f1: a response replaced while it is being read."""
    relay = make_relay(responder, issuer={"min_refresh_interval": "1s"},
                       limits={"max_requests_per_connection": 10 ** 6})
    responder.behave(responder.signed(http={"Cache-Control": "max-age=1"}))
    stop = threading.Event()
    faults = []

    def client():
        with relay.connect() as connection:
            while not stop.is_set():
                got = connection.ask(get(request(certid)))
                if got.status != 200 or len(got.body) < 100:
                    faults.append(got)
                    return
                pause(0.001)
    clients = [threading.Thread(target=client) for _ in range(3)]
    for one in clients:
        one.start()
    until(lambda: responder.count() >= 3 or faults)
    stop.set()
    for one in clients:
        one.join()
    assert not faults


# --- nonces (section 7) -------------------------------------------------------------------------

NONCE = bytes(range(32))


def test_NO_04_echoed_nonce_is_delivered_and_not_stored(make_relay, responder, certid):
    relay = make_relay(responder)
    responder.behave(responder.echoing())
    for count in (1, 2):
        nonce = os.urandom(32)
        got = relay.post(request(certid, nonce=nonce))
        assert pki_module.nonce_extension(nonce) in got.body
        assert got.cache_status["fwd"] == "bypass" and got.cache_status["detail"] == "nonce"
        assert got.field("Cache-Control") == "max-age=0, no-transform, must-revalidate"  # NO-09
        assert got.field("Expires") is None
        assert responder.count() == count
        assert responder.of()[-1].der == request(certid, nonce=nonce)
    assert relay.get(request(certid)).cache_status["fwd"] == "miss"


def test_NO_04_a_responder_without_nonces_is_remembered(make_relay, responder, certid):
    relay = make_relay(responder)
    first = relay.post(request(certid, nonce=NONCE))
    assert first.status == 200
    second = relay.post(request(certid, nonce=bytes(32)))
    assert second.cache_status["hit"] and second.body == first.body
    assert relay.get(request(certid)).cache_status["hit"]
    assert responder.count() == 1


def test_NO_05_wrong_nonce_is_refused(make_relay, responder, certid):
    relay = make_relay(responder)
    responder.behave(responder.echoing(nonce=b"something else"))
    got = relay.post(request(certid, nonce=NONCE))
    assert got.body == response(2)
    assert relay.metric("verify_failures_total", reason="nonce") == 1


def test_NO_06_responder_down_the_copy_is_served(make_relay, responder, certid):
    relay = make_relay(responder)
    stored = relay.get(request(certid))
    responder.behave(http_status(500))
    got = relay.post(request(certid, nonce=NONCE))
    assert got.body == stored.body
    assert got.cache_status["detail"] == "nonce-fallback"


@pytest.mark.parametrize("length, raw, critical", [
    pytest.param(1, False, False, id="NO-02_1"), pytest.param(8, False, False, id="NO-02_8"),
    pytest.param(128, False, False, id="NO-01_128"), pytest.param(8, True, False, id="NO-03_raw"),
    pytest.param(32, False, True, id="NO-11_critical")])
def test_nonce_is_forwarded_as_it_is(make_relay, responder, certid, length, raw, critical):
    relay = make_relay(responder)
    responder.behave(responder.echoing())
    extension = pki_module.nonce_extension(bytes(range(1, length + 1)), raw, critical)
    got = relay.post(request(certid, extensions=[extension]))
    assert extension in got.body
    assert responder.of()[0].asked.nonce_extension == extension


@pytest.mark.parametrize("policy", ["ignore", "forward", "reject"])
def test_nonce_policies(make_relay, responder, certid, policy):
    relay = make_relay(responder, issuer={"nonce": policy})
    answers = [relay.post(request(certid, nonce=NONCE)) for _ in range(2)]
    if policy == "reject":
        assert {answer.body for answer in answers} == {response(1)}
        assert responder.count() == 0
    elif policy == "ignore":
        assert answers[1].cache_status["hit"]
        assert responder.of()[0].der == request(certid)
    else:
        assert responder.count() == 2
        assert all(asked.asked.nonce_extension for asked in responder.of())


def test_VS_23_unsolicited_nonce_is_not_stored(shared, certid):
    relay, responder = shared
    responder.behave(responder.echoing(nonce=NONCE))
    for count in (1, 2):
        assert relay.get(request(certid)).status == 200
        assert responder.count(certid.number) == count
