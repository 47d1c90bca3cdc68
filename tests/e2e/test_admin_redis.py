# SPDX-License-Identifier: ISC
"""What operators have done to answers that relays share by Redis."""

import time

import pytest

import pki as pki_module
import redis_kit
from pki import request
from relay import run, until
from test_admin import entries, records

pytestmark = pytest.mark.skipif(redis_kit.SERVER is None, reason="redis-server is not installed")


def ask(relay, command, *args):
    result = run(command, "-c", relay.config, *args)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture
def pair(make_fleet, redis, pki):
    """(two relays that both have two answers in memory, serials, requests)"""
    relays = make_fleet(2, redis)
    certids = [pki.ca.certid(pki_module.new_serial()) for _ in range(2)]
    asked = [request(certid) for certid in certids]
    for data in asked:
        relays[0].get(data)
    relays[0].wait_for_metric("store_operations_total", 2, op="put", result="ok", tier="redis")
    for data in asked:
        assert relays[1].get(data).cache_status["hit"]
    return relays, [certid.number for certid in certids], asked


@pytest.mark.parametrize("select", [
    lambda serial: ["--all"], lambda serial: ["--issuer", "test"],
    lambda serial: ["--serial", f"{serial:x}"]], ids=["all", "issuer", "serial"])
def test_purged_everywhere(pair, redis, responder, select):
    relays, serials, asked = pair
    left = 1 if "--serial" in select(0) else 0
    text = ask(relays[0], "purge", *select(serials[0]))
    assert "redis" in text and f"memory: {2 - left} removed" in text
    for relay in relays:
        until(lambda relay=relay: entries(relay)["matching"] == left, what="the purge")
    assert relays[1].get(asked[0]).cache_status["fwd"] == "miss"
    assert responder.count(serials[0]) == 2
    assert relays[0].get(asked[1]).cache_status.get("fwd") == (None if left else "miss")


def test_refreshed_everywhere(pair, responder):
    relays, serials, _ = pair
    responder.statuses[serials[0]] = "revoked"
    responder.behave(responder.signed(this_update=time.time() - 1800))  # newer than the first
    assert ask(relays[0], "refresh", "--all") == "2 of 2 fetched, 0 failed\n"

    def statuses(relay):
        return sorted(one["status"] for one in entries(relay)["entries"])

    for relay in relays:
        until(lambda relay=relay: statuses(relay) == ["good", "revoked"], what="the revocation")
    assert responder.count() == 4


def test_exported_from_redis(pair, make_relay, tmp_path):
    relays, _, asked = pair
    relays[1].restart()

    def export():
        _, bundle = relays[1].get_admin("/api/v1/export?tier=redis")
        return b"incomplete" not in bundle and bundle

    bundle = until(export, what="a connection to Redis")
    assert len(records(bundle)) == 2
    (tmp_path / "bundle").write_bytes(bundle)
    other = make_relay("http://127.0.0.1:9/")
    assert ask(other, "import", tmp_path / "bundle").startswith("2 imported")
    assert other.get(asked[0]).cache_status["hit"]
