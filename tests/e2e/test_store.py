# SPDX-License-Identifier: ISC
"""What was stored outlives the process, and what a store gives is believed no more than what a
responder gives (VS-24)."""

import os
import signal
import time

import pytest

import pki as pki_module
from pki import flip, request, response
from rawhttp import get
from relay import until
from responder import error


def ask_once(relay, pki, count=1):
    """[(request, answer)] of certificates that the relay has stored."""
    stored = []
    for _ in range(count):
        data = request(pki.ca.certid(pki_module.new_serial()))
        stored.append((data, relay.get(data)))
        assert stored[-1][1].cache_status["stored"]
    relay.wait_for_stored(count)
    return stored


def assert_served(relay, stored):
    for data, first in stored:
        got = relay.get(data)
        assert (got.status, got.body) == (200, first.body)
        assert got.cache_status["hit"] and got.cache_status["detail"] in ("disk", "lmdb")
        again = relay.get(data)
        assert again.body == first.body and again.cache_status["detail"] == "l1"


@pytest.mark.threads
def test_served_after_a_restart(relay, responder, pki):
    stored = ask_once(relay, pki, 3)
    relay.restart()
    assert_served(relay, stored)
    assert responder.count() == 3


def test_HS_24_detail_of_the_disk_tier(relay, pki):
    (data, _), = ask_once(relay, pki)
    relay.restart()
    assert relay.get(data).cache_status["detail"] == "disk"


def test_served_after_a_restart_without_the_responder(relay, responder, pki):
    stored = ask_once(relay, pki, 2)
    relay.terminate()
    responder.stop()
    relay.start()
    assert_served(relay, stored)
    assert relay.get(request(pki.ca.certid(1))).body == response(3)


def test_served_after_kill_9_without_the_responder(relay, responder, pki):
    stored = ask_once(relay, pki, 5)
    relay.kill()
    responder.stop()
    relay.start()
    assert_served(relay, stored)


@pytest.mark.threads
def test_killed_again_and_again_while_writing(make_relay, responder, pki):
    """Whatever it was doing: the store opens, and what it has is right."""
    relay = make_relay(responder)
    asked = []
    for _ in range(4):
        seen = responder.count()
        with relay.connect() as connection:
            for _ in range(20):
                asked.append(request(pki.ca.certid(pki_module.new_serial())))
                connection.send(get(asked[-1]))
            responder.wait_for(seen + 5)
            relay.kill()
        relay.start()
    for data in asked:
        got = relay.get(data)
        assert pki_module.parse_response(got.body).serial_number == \
            pki_module.parse_request(data).certids[0].number
    assert not relay.log.find("store-failed") and not relay.log.find("record-refused")


def test_revoked_stays_revoked_over_a_restart(relay, responder, pki):
    certid = pki.ca.certid(pki_module.new_serial())
    responder.statuses[certid.number] = "revoked"
    relay.get(request(certid))
    relay.wait_for_stored()
    responder.stop()
    relay.restart()
    assert pki_module.parse_response(
        relay.get(request(certid)).body).certificate_status.name == "REVOKED"


def test_CL_08_F4_about_to_end_and_the_responder_is_gone(make_relay, responder, certid):
    """The record is due for a synchronous refresh, which fails: it is still the answer."""
    relay = make_relay(responder, issuer={"min_refresh_interval": "1s"})
    responder.then(responder.signed(next_update=time.time() + 200))
    first = relay.get(request(certid))
    relay.wait_for_stored()
    relay.terminate()
    responder.behave(error(3))
    until(lambda: time.time() > first.date("Date") + 1)
    relay.start()
    for _ in range(3):
        got = relay.get(request(certid))
        assert (got.status, got.body) == (200, first.body)
        assert got.cache_status["hit"]
    assert responder.count() == 2


@pytest.mark.threads
def test_CL_02_expired_records_are_not_served(make_relay, responder, certid):
    relay = make_relay(responder, issuer={"neg_ttl_error": 0})
    end = int(time.time()) + 2
    responder.then(responder.signed(next_update=end))
    assert relay.get(request(certid)).cache_status["stored"]
    relay.wait_for_stored()
    relay.terminate()
    until(lambda: time.time() >= end)
    responder.stop()
    relay.start()
    assert relay.get(request(certid)).body == response(3)


def test_memory_only(make_relay, responder, pki):
    relay = make_relay(responder, store=[])
    data = request(pki.ca.certid(pki_module.new_serial()))
    assert relay.get(data).cache_status["stored"]
    assert relay.get(data).cache_status["hit"]
    relay.restart()
    assert relay.get(data).cache_status["fwd"] == "miss"
    assert not os.path.exists(relay.path("store"))


def test_failures_are_not_in_the_store(make_relay, responder, certid):
    """CL-19: they belong to the process."""
    relay = make_relay(responder)
    responder.behave(error(6))
    assert relay.get(request(certid)).body == response(6)
    relay.restart()
    responder.behave(None)
    assert relay.get(request(certid)).status == 200
    assert responder.count() == 2


@pytest.mark.parametrize("where", ["/dev/null/store", "{dir}/file/store", "{dir}/file",
                                   "{dir}/no/such/parent"])
def test_EM_24_a_store_that_cannot_be_opened(make_relay, responder, pki, where):
    """Said once; the relay works in memory."""
    relay = make_relay(responder, start=False)
    relay.write("file", "this is no directory")
    relay.options["store"] = ["lmdb:" + where.format(dir=relay.directory)]
    relay.start()
    for _ in range(3):
        data = request(pki.ca.certid(pki_module.new_serial()))
        assert relay.get(data).status == 200
        assert relay.get(data).cache_status["hit"]
    assert len(relay.log.find("store-failed")) == 1
    assert relay.metric("store_up") == 0
    assert relay.admin("/readyz")[0] == 200


def test_a_store_of_rubbish(make_relay, responder, pki):
    relay = make_relay(responder, start=False)
    os.mkdir(relay.path("store"))
    for name in ("data.mdb", "lock.mdb"):
        relay.write("store/" + name, os.urandom(8192))
    relay.start()
    data = request(pki.ca.certid(pki_module.new_serial()))
    assert relay.get(data).status == 200
    assert relay.get(data).cache_status["hit"]
    assert len(relay.log.find("store-failed")) == 1


def change_file(path, old, new):
    assert len(old) == len(new)
    with open(path, "r+b") as file:
        content = file.read()
        found = content.count(old)
        assert found > 0
        file.seek(0)
        file.write(content.replace(old, new))


@pytest.mark.parametrize("change", [
    pytest.param(lambda d: flip(d, 150), id="a_bit_of_the_data"),
    pytest.param(lambda d: flip(d, 0), id="the_first_octet"),
    pytest.param(lambda d: d[:60] + bytes(140), id="zeros"),
])
def test_VS_24_tampered_records_are_never_served(relay, responder, pki, change):
    (data, first), = ask_once(relay, pki)
    relay.terminate()
    begin = first.body[:200]  # long before the certificates, which are shared
    change_file(relay.path("store", "data.mdb"), begin, change(begin))
    relay.start()
    got = relay.get(data)
    assert got.cache_status["fwd"] == "miss"
    assert pki_module.parse_response(got.body).serial_number == \
        pki_module.parse_request(data).certids[0].number
    assert responder.count() == 2
    assert relay.log.wait_for("record-refused", issuer="test")
    assert relay.metric("store_operations_total", op="get", result="refused") == 1
    relay.wait_for_stored()  # the new answer took its place
    relay.restart()
    assert relay.get(data).cache_status["hit"]
    assert responder.count() == 2


def test_VS_24_tampered_and_the_responder_is_gone(make_relay, responder, pki):
    relay = make_relay(responder, issuer={"neg_ttl_error": 0})
    (data, first), = ask_once(relay, pki)
    relay.terminate()
    responder.stop()
    change_file(relay.path("store", "data.mdb"), first.body[:200], flip(first.body[:200], 150))
    relay.start()
    for _ in range(2):
        assert relay.get(data).body == response(3)


def test_VS_24_the_record_of_another_certificate(relay, responder, pki):
    """A good answer at the wrong place: signed, but not about what is asked."""
    (data, first), (other, _) = ask_once(relay, pki, 2)
    relay.terminate()
    serials = [pki_module.parse_request(one).certids[0].serial for one in (data, other)]
    path = relay.path("store", "data.mdb")
    with open(path, "rb") as file:
        content = file.read()
    keys = [issuer_id_key(content, serial) for serial in serials]
    assert all(len(found) > 0 for found in keys)
    swapped = bytearray(content)
    for at in keys[0]:
        swapped[at:at + len(serials[0])] = serials[1]
    for at in keys[1]:
        swapped[at:at + len(serials[1])] = serials[0]
    with open(path, "wb") as file:
        file.write(swapped)
    relay.start()
    got = relay.get(data)
    assert pki_module.parse_response(got.body).serial_number == int.from_bytes(serials[0], "big")
    assert first.status == 200
    assert responder.count() == 3


def issuer_id_key(content, serial):
    """Places of serial in content that are not inside a response (there an INTEGER tag and its
    length stand before it)."""
    places, at = [], content.find(serial)
    while at >= 0:
        if content[at - 2:at] != bytes([2, len(serial)]):
            places.append(at)
        at = content.find(serial, at + 1)
    return places


def test_stored_answers_outlive_a_change_of_issuers(relay, pki, responder):
    """An issuer that is configured no longer: its records are not served."""
    (data, _), = ask_once(relay, pki)
    del relay.options["issuer"]
    relay.restart()
    assert relay.get(data).body == response(6)
    relay.add_issuer("again", pki.ca, [responder.url])
    relay.restart()
    assert relay.get(data).cache_status["hit"]
    assert responder.count() == 1


def test_refresh_hint_survives_a_restart(make_relay, responder, pki):
    """The refresh that was due is still due: hits, and one fetch behind them."""
    relay = make_relay(responder, issuer={"min_refresh_interval": "1s"})
    responder.then(responder.signed(http={"Cache-Control": "max-age=1"}))
    (data, first), = ask_once(relay, pki)
    relay.terminate()
    until(lambda: time.time() > first.date("Date") + 1)
    relay.start()
    until(lambda: relay.get(data).cache_status["hit"] and responder.count() == 2)


@pytest.mark.threads
def test_sigterm_while_writing(make_relay, responder, pki):
    """What was answered as stored before SIGTERM is there afterwards."""
    relay = make_relay(responder)
    stored = []
    with relay.connect() as connection:
        for _ in range(50):
            data = request(pki.ca.certid(pki_module.new_serial()))
            stored.append((data, connection.ask(get(data))))
    relay.signal(signal.SIGTERM)
    relay.wait()
    responder.stop()
    relay.start()
    assert_served(relay, stored)
