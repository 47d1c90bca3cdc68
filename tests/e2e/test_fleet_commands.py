# SPDX-License-Identifier: ISC
"""What one relay of a fleet is told by hand, all do."""

import time

import pytest

import fleet_kit
import pki as pki_module
from pki import HOUR, request
from relay import until

N_CERTIFICATES = 4


@pytest.fixture
def fleet(make_relay, redis, responder):
    """Three relays with a disk each, and Redis behind it."""
    relays = []
    for _ in range(3):
        relay = make_relay(responder, threads=1, redis=fleet_kit.PATIENT, start=False)
        relay.options["store"] = ["lmdb:" + relay.path("store"), redis.url]
        relay.start()
        fleet_kit.wait_until_up(relay)
        relays.append(relay)
    fleet_kit.wait_for_listeners(redis, len(relays))
    return relays


def fill(fleet, plan):
    """All relays have all of plan in memory and on their disks."""
    for data in plan:
        assert len({relay.get(data).body for relay in fleet}) == 1
    for relay in fleet:
        relay.wait_for_metric("store_operations_total", len(plan), tier="lmdb", op="put",
                              result="ok")


@pytest.mark.parametrize("select", [
    lambda _: {"all": True}, lambda _: {"issuer": "test"},
    lambda certid: {"serial": certid.serial.hex()}], ids=["all", "issuer", "serial"])
def test_CL_23_purged_everywhere(fleet, redis, responder, pki, select):
    certids = [pki.ca.certid(pki_module.new_serial()) for _ in range(N_CERTIFICATES)]
    selection = select(certids[0])
    gone = certids[:1] if "serial" in selection else certids
    fill(fleet, [request(certid) for certid in certids])
    assert fleet[0].post_admin("/api/v1/purge", selection)[0] == 200
    left = N_CERTIFICATES - len(gone)
    for relay in fleet:
        until(lambda of=relay: of.metric("cache_entries") == left, what="purge of memory")
    assert len(redis.keys("ocspr:1:*")) == left
    redis.kill()
    for relay in fleet:
        relay.restart()
        for certid in certids:
            before = responder.count()
            got = relay.get(request(certid))
            assert got.cache_status.get("detail") == (None if certid in gone else "disk")
            assert responder.count() == before + (certid in gone)


def test_CL_17_refreshed_by_one_is_new_for_all(fleet, responder, pki, certid):
    data = request(certid)
    now = int(time.time())
    responder.then(responder.signed(this_update=now - HOUR, produced_at=now - HOUR))
    fill(fleet, [data])
    responder.statuses[certid.number] = "revoked"
    responder.then(responder.signed(this_update=now, produced_at=now))
    assert fleet[0].post_admin("/api/v1/refresh", {"all": True})[0] == 200
    for relay in fleet:
        relay.log.wait_for("status-changed", to="revoked")
    assert len({relay.get(data).body for relay in fleet}) == 1
    assert responder.count() == 2
