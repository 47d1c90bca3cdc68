# SPDX-License-Identifier: ISC
"""Refresh ahead and watch_dir, with answers that live for seconds: what is in use or watched is
there before anybody asks, whatever the responder goes through."""

import json
import threading
import time

import pytest

import fleet_kit
import pki as pki_module
from pki import HOUR, request, parse_response
from relay import run, until
from responder import after, error, html, http_status, reset


def short_lived(responder, seconds=6):
    """A behaviour: good, from now on and for these seconds."""
    def answer(asked):
        now = int(time.time())
        return responder.signed(this_update=now, next_update=now + seconds)(asked)
    return answer


@pytest.fixture(name="request_fixture")
def _request_fixture(request):  # pylint: disable=redefined-outer-name
    return request.getfixturevalue


def status(relay):
    return json.loads(relay.admin("/api/v1/status")[1])


QUICK = {"min_refresh_interval": "1s", "expiry_margin": "1s", "refresh_ratio": 0.1,
         "probe_interval": "1s", "attempt_timeout": "500ms", "neg_ttl_error": 1}


def test_CL_06_what_is_in_use_never_misses(make_relay, responder, certid):
    relay = make_relay(responder, issuer=QUICK)
    responder.behave(short_lived(responder))
    assert relay.get(request(certid)).cache_status["fwd"] == "miss"

    def refreshed():
        assert relay.get(request(certid)).cache_status["hit"]
        return relay.metric("refreshes_total", result="ok") >= 3
    until(refreshed)


def test_CL_06_what_nobody_asks_for_is_left_alone(make_relay, responder, pki):
    relay = make_relay(responder, issuer=QUICK)
    responder.behave(short_lived(responder))
    unused, used = (pki.ca.certid(pki_module.new_serial()) for _ in range(2))
    relay.get(request(unused))
    relay.get(request(used))

    def refreshed():
        relay.get(request(used))
        return responder.count(used.number) >= 3
    until(refreshed)
    assert responder.count(unused.number) == 1


def old_answers(responder, _):
    responder.behave(responder.signed(this_update=time.time() - HOUR,
                                      next_update=time.time() + HOUR))


TROUBLES = {
    "reset": lambda responder, _: responder.behave(reset),
    "error-500": lambda responder, _: responder.behave(http_status(500)),
    "html": lambda responder, _: responder.behave(html),
    "try-later": lambda responder, _: responder.behave(error(3)),
    "hanging": lambda responder, over: responder.behave(after(over)),
    "down": lambda responder, _: responder.stop(),
    "old-answers": old_answers,
}


@pytest.mark.parametrize("store", ["disk", "redis"])
@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES.keys())
def test_CL_18_trouble_is_not_noticed_while_an_answer_is_valid(make_relay, make_responder, certid,
                                                              trouble, store, request_fixture):
    """And after it the newest answer is there without anybody asking for it."""
    responder, over = make_responder(), threading.Event()
    options = {} if store == "disk" else {
        "store": [request_fixture("redis").url], "redis": fleet_kit.PATIENT}
    relay = make_relay(responder, issuer=QUICK, **options)
    responder.behave(short_lived(responder, 8))
    first = relay.get(request(certid))
    end = first.date("Expires")
    trouble(responder, over)

    def failed():
        got = relay.get(request(certid))
        assert got.status == 200 and parse_response(got.body).response_status.value == 0
        return relay.metric("refreshes_total", result="error") >= 2 or \
            relay.metric("rollbacks_refused_total") >= 1
    until(failed)
    assert time.time() < end, "the answer did not live long enough for this test"
    over.set()
    if trouble is TROUBLES["down"]:
        responder = make_responder(port=responder.address[1])
    responder.behave(short_lived(responder, 60))
    until(lambda: relay.get(request(certid)).date("Expires") > end + 10)


def test_watched_is_there_before_anybody_asks(make_relay, responder, pki, tmp_path):
    leaf = pki.leaf()
    (tmp_path / "www.pem").write_bytes(leaf.pem)
    (tmp_path / "stranger.pem").write_bytes(pki_module.Pki().leaf().pem)
    (tmp_path / "broken.crt").write_bytes(b"no certificate")
    relay = make_relay(responder, issuer=QUICK, watch_dir=str(tmp_path))
    responder.wait_for(1)
    for file in ("stranger.pem", "broken.crt"):
        relay.log.wait_for("certificate-skipped", file=str(tmp_path / file))
    until(lambda: relay.metric("cache_entries") == 1)
    got = relay.get(request(pki.ca.certid(leaf.serial)))
    assert got.cache_status["hit"] and responder.count() == 1


def test_watched_that_cannot_be_is_named(make_relay, responder, pki, tmp_path):
    """By check, in the log and in the status; what can be watched is."""
    leaf, stranger = pki.leaf(), pki_module.Pki().leaf("stranger.example")
    (tmp_path / "www.pem").write_bytes(leaf.pem)
    (tmp_path / "stranger.pem").write_bytes(stranger.pem)
    (tmp_path / "broken.crt").write_bytes(b"no certificate")
    responder.behave(http_status(500))
    relay = make_relay(responder, issuer=QUICK, watch_dir=str(tmp_path))
    told = status(relay)["watched"]
    assert told["certificates"] == 1 and told["cold"] == ["CN=localhost,O=Test"]
    assert sorted(told["skipped"])[0].startswith(str(tmp_path / "broken.crt"))
    assert sorted(told["skipped"])[1].startswith(f"{tmp_path}/stranger.pem: CN=stranger.example")
    checked = run("check", "-c", relay.config)
    said = run("status", "-c", relay.config).stdout
    for file in ("stranger.pem", "broken.crt"):
        relay.log.wait_for("certificate-skipped", file=str(tmp_path / file))
        assert str(tmp_path / file) in checked.stdout + checked.stderr
        assert str(tmp_path / file) in said
    responder.behave(None)
    until(lambda: status(relay)["watched"]["cold"] == [])


def test_watched_is_refreshed_although_nobody_asks(make_relay, responder, pki, tmp_path):
    """Also one that comes by a reload, and when the responder has been down from the start."""
    leaf, later = pki.leaf(), pki.leaf()
    (tmp_path / "www.pem").write_bytes(leaf.pem)
    responder.behave(http_status(500))
    relay = make_relay(responder, issuer=QUICK, watch_dir=str(tmp_path))
    responder.wait_for(2)
    responder.behave(short_lived(responder))
    responder.wait_for(3, leaf.serial)
    (tmp_path / "later.pem").write_bytes(later.pem)
    relay.reload()
    responder.wait_for(2, later.serial)
    (tmp_path / "www.pem").unlink()
    relay.reload()
    count = responder.count(leaf.serial)
    responder.wait_for(responder.count(later.serial) + 3, later.serial)
    assert responder.count(leaf.serial) <= count + 1


def test_watched_comes_from_the_store_after_a_restart(make_relay, responder, pki, tmp_path):
    leaf = pki.leaf()
    (tmp_path / "www.pem").write_bytes(leaf.pem)
    relay = make_relay(responder, watch_dir=str(tmp_path))
    relay.wait_for_stored(1)
    relay.restart()
    until(lambda: relay.metric("cache_entries") == 1)
    assert responder.count() == 1
