# SPDX-License-Identifier: ISC
"""Whoever can write to Redis can say anything there. What is not as good as a responder's own answer
is not served, counted, and gone from Redis; news is a reason to look and never an answer."""

import collections
import os
import time

import pytest

import fleet_kit
import pki as pki_module
from fleet_kit import HEADER_LEN, news, record, record_key
from pki import DAY, HOUR, Basic, Single, flip, request
from rawhttp import post
from relay import until


def signed(pki, certid, **options):
    """A response as the responder would give it; options of Single."""
    return Basic([Single(certid, **options)], pki.signer,
                 produced_at=options.get("this_update")).encode()


def refused(relay):
    return fleet_kit.operations(relay, op="get", result="refused")


def every_damage(length):
    """(what, function of the record that damages it): a bit of each octet, cut, too long."""
    for at in range(length):
        yield f"bit of octet {at}", lambda value, at=at: flip(value, at, 1 << at % 8)
    for size in range(1, length, 16):
        yield f"cut to {size}", lambda value, size=size: value[:size]
    yield "an octet more", lambda value: value + b"\0"
    yield "twice", lambda value: value + value


HINTS = {f"bit of octet {at}" for at in range(8, HEADER_LEN)}  # fetched-at and the refresh hint


def test_VS_24_no_damage_is_served(make_fleet, redis, responder, pki):
    """Each octet of a record, and its end. What only the hints say may be anything: the octets of the
    response are served or replaced, never changed."""
    relay, = make_fleet(1, redis)
    length = len(record(signed(pki, pki.ca.certid(pki_module.new_serial()))))
    planted = []
    for what, damage in every_damage(length - 2):  # signatures differ in length
        certid = pki.ca.certid(pki_module.new_serial())
        body = signed(pki, certid)
        fleet_kit.put(redis, pki.ca, certid, damage(record(body)))
        planted.append((what, certid, body))
    answers = {}
    with relay.connect() as connection:
        for what, certid, body in planted:
            got = answers[what] = connection.ask(post(request(certid)))
            assert got.status == 200
            if what in HINTS:
                assert got.body == body and got.cache_status["hit"], what
            else:
                assert got.cache_status.get("fwd") == "miss" and got.body != body, what
    asked = collections.Counter(one.serial for one in responder.of())
    damaged = [(what, certid) for what, certid, _ in planted if what not in HINTS]
    assert [what for what, certid in damaged if asked[certid.number] != 1] == []
    assert refused(relay) == len(damaged)
    assert len(relay.log.find("record-refused", store="redis", issuer="test")) > 0
    relay.wait_for_metric("store_operations_total", len(damaged), tier="redis", op="put",
                          result="ok")
    for what, certid in damaged:
        stored = redis.call("GET", record_key(pki.ca, certid))
        assert stored[HEADER_LEN:] == answers[what].body, f"{what}: replaced"


def of_another(pki, _):
    return record(signed(pki, pki.ca.certid(pki_module.new_serial())))


def of_another_ca(_, certid):
    other = pki_module.Pki()
    return record(signed(other, other.ca.certid(certid.serial)))


def by_another_ca(_, certid):
    """About this certificate, by somebody who may not say so."""
    return record(signed(pki_module.Pki(), certid))


def expired(pki, certid):
    now = time.time()
    return record(signed(pki, certid, this_update=now - 2 * DAY, next_update=now - 1))


def of_tomorrow(pki, certid):
    now = time.time()
    return record(signed(pki, certid, this_update=now + HOUR, next_update=now + DAY))


def oversized(pki, certid):
    extension = pki_module.der.extension(pki_module.UNKNOWN_EXTENSION, os.urandom(200000))
    return record(signed(pki, certid, extensions=(extension,)))


def of_version_2(pki, certid):
    return record(signed(pki, certid), version=2)


def error_status(*_):
    return record(pki_module.response(6))


@pytest.mark.parametrize("make", [of_another, of_another_ca, by_another_ca, expired, of_tomorrow,
                                  oversized, of_version_2, error_status],
                         ids=lambda make: make.__name__)
def test_VS_24_SL_14_record_that_is_none(make_fleet, redis, responder, pki, certid, make):
    """Whole, well signed even, and not an answer to this question."""
    relay, = make_fleet(1, redis)
    value = make(pki, certid)
    fleet_kit.put(redis, pki.ca, certid, value)
    with responder.held():
        with relay.connect() as connection:
            connection.send(post(request(certid)))
            responder.wait_for(1)
            until(lambda: redis.call("GET", record_key(pki.ca, certid)) is None, what="removal")
            responder.release()
            got = connection.read()
    assert got.status == 200 and got.cache_status["fwd"] == "miss"
    assert pki_module.parse_response(got.body).serial_number == certid.number
    assert refused(relay) == (make is not expired), "what has expired is nobody's fault"
    relay.wait_for_stored()
    assert redis.call("GET", record_key(pki.ca, certid))[HEADER_LEN:] == got.body


def test_CL_16_older_good_never_wins_over_newer_revoked(make_fleet, redis, responder, pki, certid):
    """Neither by itself, nor with news that say that it is new."""
    relay, other = make_fleet(2, redis)
    now = int(time.time())
    data = request(certid)
    responder.then(responder.signed(status="revoked", this_update=now - 60, produced_at=now - 60))
    revoked = relay.get(data)
    relay.wait_for_stored()
    old = record(signed(pki, certid, this_update=now - HOUR))
    fleet_kit.put(redis, pki.ca, certid, old)
    for this_update in (now - HOUR, now - 60, now):
        assert fleet_kit.say(redis, news(pki.ca, certid, this_update, this_update)) == 2
    key = fleet_kit.record_key(pki.ca, certid)
    until(lambda: redis.call("GET", key) not in (old, None), what="the newer one")
    assert relay.get(data).body == revoked.body
    assert not relay.log.find("status-changed") and refused(relay) > 0
    assert relay.log.wait_for("rollback-refused", store="redis", issuer="test")
    assert other.get(data).body == revoked.body, "others are told better"


def noise():
    yield from (b"", b"\0" * 4096, b"x" * 4097, os.urandom(400), b"1", b"1 ", b"1  stored", b"1 x stored ",
                b"1 x purge ", b"1 x purge zz", b"1 x purge " + 64 * b"g", b"1 x bought all",
                b"1 x stored " + 64 * b"0" + b":s1:01 -1 -1", "1 ü purge all".encode(),
                b"1 x stored " + 64 * b"0" + b":s1:01 99999999999999999999 1",
                b"1 x stored " + 64 * b"0" + b":s9:01 1 1", b"1 x purge all\r\n", b"2 x purge all",
                b"1 x stored " + 64 * b"0" + b":s1:" + 600 * b"01" + b" 1 1")


def test_SL_14_news_that_is_none(make_fleet, redis, responder, pki, certid):
    """Noise, lies about what is there, and too much of it: nothing is asked for that, and what was
    served is served."""
    relay, = make_fleet(1, redis)
    now = int(time.time())
    data = request(certid)
    first = relay.get(data)
    relay.wait_for_stored()
    for message in noise():
        assert fleet_kit.say(redis, message) == 1
    unknown = pki_module.Pki().ca
    for this_update in (0, 1, now, now + DAY, 2 ** 62, 2 ** 63 - 1):
        for ca, of in ((pki.ca, certid), (unknown, certid),
                       (pki.ca, pki.ca.certid(pki_module.new_serial()))):
            fleet_kit.say(redis, news(ca, of, this_update, this_update))
    assert relay.get(data).body == first.body
    assert responder.count() == 1 and refused(relay) == 0
    certids = [pki.ca.certid(pki_module.new_serial()) for _ in range(200)]
    for certid in certids:
        relay.get(request(certid))
    for certid in 10 * certids:
        fleet_kit.say(redis, news(pki.ca, certid, now, now))
    until(lambda: fleet_kit.operations(relay, op="get", result="ok") >= 200, what="looks")
    for certid in certids:
        assert relay.get(request(certid)).cache_status["hit"]
    assert responder.count() == 201
    assert not relay.log.find("store-failed")


def test_VS_24_news_of_a_forged_record(make_fleet, redis, responder, pki, certid):
    """It is looked at, refused, and removed."""
    relay, = make_fleet(1, redis)
    data = request(certid)
    first = relay.get(data)
    relay.wait_for_stored()
    now = int(time.time())
    forged = signed(pki, certid, status="revoked", this_update=now)
    fleet_kit.put(redis, pki.ca, certid, record(flip(forged, pki_module.inside(
        forged, certid.serial) + len(certid.serial))))
    fleet_kit.say(redis, news(pki.ca, certid, now, now))
    relay.log.wait_for("record-refused", store="redis")
    until(lambda: redis.keys("ocspr:1:*") == [], what="removal")
    assert relay.get(data).body == first.body
    assert responder.count() == 1 and refused(relay) == 1


def test_NK_11_versions_ignore_each_other(make_fleet, redis, responder, pki, certid):
    """A relay of another version has keys of its own, which nobody touches, and news of its own."""
    relay, = make_fleet(1, redis)
    theirs = record_key(pki.ca, certid, version=2)
    value = record(signed(pki, certid, status="revoked"), version=2)
    redis.call("SET", theirs, value)
    now = int(time.time())
    got = relay.get(request(certid))
    assert got.cache_status["fwd"] == "miss" and refused(relay) == 0
    relay.wait_for_stored()
    assert redis.keys("ocspr:?:*") == sorted([record_key(pki.ca, certid), theirs])
    message = "2" + news(pki.ca, certid, now + HOUR, now + HOUR)[1:]
    looks = fleet_kit.operations(relay, op="get")
    assert fleet_kit.say(redis, message) == 1
    other = pki.ca.certid(pki_module.new_serial())
    relay.get(request(other))
    assert fleet_kit.operations(relay, op="get") == looks + 2, "with and without the lease"
    assert relay.post_admin("/api/v1/purge", {"all": True})[0] == 200
    until(lambda: redis.keys("ocspr:?:*") == [theirs], what="purge")
    assert redis.call("GET", theirs) == value
    assert responder.count() == 2
