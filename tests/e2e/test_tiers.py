# SPDX-License-Identifier: ISC
"""Stores in any combination and order: our own asked first, written through, copied up; each with its
own counters and health."""

import os

import pytest

import fleet_kit
import pki as pki_module
from pki import HOUR, request
from relay import until



LABELS = {"disk": "lmdb", "redis": "redis"}  # of Cache-Status, and of the metrics


@pytest.fixture
def make_tiered(make_relay, responder):
    """make_tiered(redis, order of tiers): a relay, and not yet started."""

    def make(server, order):
        relay = make_relay(responder, threads=1, redis=fleet_kit.PATIENT, start=False)
        urls = {"disk": "lmdb:" + relay.path("store"), "redis": server.url}
        relay.options["store"] = [urls[tier] for tier in order]
        return relay

    return make


def start(relay, order):
    relay.start()
    for tier in order:
        until(lambda of=tier: relay.metric("store_up", tier=LABELS[of]) == 1, what=tier)



def wait_for_puts(relay, order, count):
    for tier in order:
        relay.wait_for_metric("store_operations_total", count, tier=LABELS[tier], op="put",
                              result="ok")


def ask(relay, data):
    """(body, detail of Cache-Status or "miss")"""
    got = relay.get(data)
    assert got.status == 200
    return got.body, got.cache_status.get("detail") or got.cache_status.get("fwd")


ORDERS = [("disk", "redis"), ("redis", "disk"), ("redis",), ("disk",), ()]


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: "-".join(order) or "memory")
def test_written_through_and_asked_after_a_restart(make_tiered, redis, responder, pki, order):
    relay = make_tiered(redis, order)
    start(relay, order)
    plan = [request(pki.ca.certid(pki_module.new_serial())) for _ in range(5)]
    bodies = [ask(relay, data)[0] for data in plan]
    wait_for_puts(relay, order, len(plan))
    assert len(redis.keys("ocspr:1:*")) == (len(plan) if "redis" in order else 0)
    assert os.path.exists(relay.path("store")) == ("disk" in order)
    relay.terminate()
    start(relay, order)
    # what the disk has from before may have been overtaken meanwhile: Redis is asked, too, as soon
    # as this thread's connection is there
    for data, body in zip(plan, bodies):
        again = ask(relay, data)
        if order:
            assert again[0] == body and again[1] in order
        else:
            assert again[1] == "miss"
        assert ask(relay, data) == (again[0], "l1")
    assert responder.count() == len(plan) * (1 if order else 2)
    for tier, label in LABELS.items():
        looks = relay.metric("store_operations_total", tier=label, op="get", result="ok")
        assert looks <= (len(plan) if tier in order else 0)
    assert relay.metric("store_operations_total", tier=LABELS[sorted(order or ["disk"])[0]],
                        op="get", result="ok") == (len(plan) if order else 0)


def test_a_lower_tier_is_copied_up(make_tiered, make_redis, responder, pki):
    """What only Redis has is on the disk from then on, and outlives Redis."""
    redis, order, second = make_redis(), ("disk", "redis"), ("redis",)
    relay, filler = make_tiered(redis, order), make_tiered(redis, second)
    start(filler, second)
    plan = [request(pki.ca.certid(pki_module.new_serial())) for _ in range(5)]
    bodies = [ask(filler, data)[0] for data in plan]
    wait_for_puts(filler, second, len(plan))
    filler.terminate()
    start(relay, order)
    for data, body in zip(plan, bodies):
        assert ask(relay, data) == (body, second[0])
    wait_for_puts(relay, order[:1], len(plan))
    relay.terminate()
    relay.options["store"] = relay.options["store"][:1]
    start(relay, order[:1])
    for data, body in zip(plan, bodies):
        assert ask(relay, data) == (body, order[0])
    assert responder.count() == len(plan)


def test_the_disk_answers_when_redis_is_gone(make_tiered, redis, responder, pki):
    order = ("redis", "disk")
    relay = make_tiered(redis, order)
    start(relay, order)
    plan = [request(pki.ca.certid(pki_module.new_serial())) for _ in range(5)]
    bodies = [ask(relay, data)[0] for data in plan]
    wait_for_puts(relay, order, len(plan))
    relay.terminate()
    redis.kill()
    responder.stop()
    relay.start()
    relay.log.wait_for("store-failed", store="redis")
    for data, body in zip(plan, bodies):
        assert ask(relay, data) == (body, "disk")
    assert relay.metric("store_up", tier="lmdb") == 1
    assert relay.metric("store_up", tier="redis") == 0
    redis.start()
    relay.log.wait_for("store-back", store="redis")
    assert redis.keys("ocspr:1:*") == [], "what was lost there is there with the next fetch"


@pytest.mark.parametrize("order", ORDERS[:2], ids="-".join)
def test_CL_16_news_reaches_the_disk(make_tiered, make_fleet, redis, responder, pki, order, certid):
    """What another relay has newer is on the disk, too, or no older one is there."""
    relay = make_tiered(redis, order)
    start(relay, order)
    other, = make_fleet(1, redis)
    data = request(certid)
    now = int(pki_module.time.time())
    responder.then(responder.signed(this_update=now - HOUR, produced_at=now - HOUR))
    assert ask(relay, data)[1] == "miss"
    wait_for_puts(relay, order, 1)
    fleet_kit.age(redis, fleet_kit.record_key(pki.ca, certid))
    assert ask(other, data)[1] == "redis"
    responder.statuses[certid.number] = "revoked"
    responder.then(responder.signed(this_update=now, produced_at=now))
    revoked = other.get(data, ("Cache-Control", "no-cache")).body
    relay.log.wait_for("status-changed")
    wait_for_puts(relay, ("disk",), 2)
    relay.kill()
    redis.kill()
    relay.start()
    assert ask(relay, data) == (revoked, "disk")
    assert responder.count() == 2
