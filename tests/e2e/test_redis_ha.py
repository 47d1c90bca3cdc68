# SPDX-License-Identifier: ISC
"""Redis under sentinels and as a cluster: what fails there is no client's worry, and what takes its
place is found without a restart."""

import threading

import pytest

import pki as pki_module
import redis_kit
from fleet_kit import PATIENT
from pki import request
from relay import until

pytestmark = pytest.mark.skipif(redis_kit.SERVER is None, reason="redis-server is not installed")


def up(relay, is_up=True):
    until(lambda: relay.metric("store_up", tier="redis") == int(is_up), what=f"store up: {is_up}")


@pytest.fixture
def make_node(make_relay, responder):
    def make(servers, **options):
        relay = make_relay(responder, store=[servers.url], **options)
        up(relay)
        return relay

    return make


@pytest.fixture
def sentinels():
    servers = redis_kit.Sentinels()
    yield servers
    servers.stop()


@pytest.fixture
def cluster():
    servers = redis_kit.Cluster()
    yield servers
    servers.stop()


def stored(relay):
    return relay.metric("store_operations_total", tier="redis", op="put", result="ok")


def fetch(relay, pki, count=1):
    """[(request, answer)] that are in Redis, unless it is ill."""
    asked = []
    for _ in range(count):
        data = request(pki.ca.certid(pki_module.new_serial()))
        asked.append((data, relay.get(data)))
        assert asked[-1][1].status == 200
    return asked


def fetch_and_store(relay, pki, count=1):
    before = stored(relay)
    asked = fetch(relay, pki, count)
    until(lambda: stored(relay) == before + count, what="stored")
    return asked


def assert_shared(relay, asked):
    for data, answer in asked:
        got = relay.get(data)
        assert got.body == answer.body and got.cache_status["detail"] == "redis"


class Clients:
    """Ask all the time; errors are what they remember."""

    def __init__(self, relay, pki):
        self.errors = []
        self.count = 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(relay, pki))

    def _run(self, relay, pki):
        while not self._end.is_set():
            got = relay.get(request(pki.ca.certid(pki_module.new_serial())))
            self.count += 1
            if got.status != 200 or "fwd" not in got.cache_status:
                self.errors.append(got)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        self._thread.join()
        assert not self.errors and self.count


def test_EM_24_sentinels_fail_over(make_node, sentinels, pki):
    first, second = make_node(sentinels), make_node(sentinels)
    asked = fetch_and_store(first, pki, 3)
    until(lambda: len(sentinels.replica.keys("ocspr:1:*")) == 3)
    with Clients(first, pki):
        sentinels.master.kill()
        sentinels.replica.wait_for("role", "master")
        up(first)
        up(second)
    assert_shared(second, asked)
    assert_shared(second, fetch_and_store(first, pki, 3))
    assert len(first.log.find("store-failed")) == len(first.log.find("store-back")) == 1


def test_sentinels_with_a_master_that_hangs(make_node, sentinels, pki):
    relay = make_node(sentinels)
    fetch_and_store(relay, pki)
    sentinels.master.freeze()
    up(relay, False)
    sentinels.replica.wait_for("role", "master")
    up(relay)
    before = len(sentinels.replica.keys("ocspr:1:*"))
    fetch_and_store(relay, pki, 3)
    assert len(sentinels.replica.keys("ocspr:1:*")) == before + 3


def test_sentinels_change_places_of_master_and_replica(make_node, sentinels, pki):
    """The old master is there all the time, and refuses to be written to."""
    relay = make_node(sentinels)
    sentinels.sentinels[0].call("SENTINEL", "FAILOVER", "mymaster")
    with Clients(relay, pki):
        sentinels.replica.wait_for("role", "master")
        before = stored(relay)
        until(lambda: stored(relay) >= before + 3, what="stored again")
    assert len(sentinels.replica.keys("ocspr:1:*")) >= 3


def test_one_sentinel_is_enough(make_node, sentinels, pki):
    for one in sentinels.sentinels[:2]:
        one.kill()
    relay = make_node(sentinels)
    fetch_and_store(relay, pki)
    assert not relay.log.find("store-failed")


def test_sentinels_that_do_not_know_the_master(make_relay, responder, sentinels, pki):
    url = sentinels.url.replace("/mymaster/", "/nobody/")
    relay = make_relay(responder, store=[url])
    assert "no master of this name" in relay.log.wait_for("store-failed")["reason"]
    fetch(relay, pki)


@pytest.mark.threads
def test_cluster_is_one_store(make_node, cluster, pki):
    first, second = make_node(cluster), make_node(cluster, back_threads=2)
    asked = fetch_and_store(first, pki, 30)
    assert len(cluster.keys()) == 30
    assert all(len(one.keys()) < 30 for one in cluster.masters)
    assert_shared(second, asked)


def test_EM_24_cluster_loses_a_node(make_node, cluster, pki):
    first, second = make_node(cluster), make_node(cluster)
    asked = fetch_and_store(first, pki, 12)
    until(lambda: sum(len(one.keys()) for one in cluster.replicas) == 12)
    with Clients(first, pki):
        cluster.masters[1].kill()
        up(first, False)
        up(first)
        up(second)
    assert_shared(second, asked)
    assert_shared(second, fetch_and_store(first, pki, 12))
    assert len(first.log.find("store-failed")) == len(first.log.find("store-back")) == 1


def test_EM_24_cluster_moves_slots(make_node, cluster, pki):
    first, second = make_node(cluster, redis=PATIENT), make_node(cluster)
    asked = fetch_and_store(first, pki, 30)
    slots = {cluster.masters[0].call("CLUSTER", "KEYSLOT", key) for key in cluster.masters[0].keys()}
    before = first.metric("store_operations_total", tier="redis", result="error")
    with Clients(first, pki):
        for slot in slots:
            cluster.move_slot(slot, cluster.masters[0], cluster.masters[2])
    assert first.metric("store_operations_total", tier="redis", result="error") == before
    assert_shared(second, asked)
    assert not first.log.find("store-failed") and not second.log.find("store-failed")


def test_cluster_asks_where_a_key_is_while_its_slot_moves(make_node, cluster, pki):
    first, second = make_node(cluster), make_node(cluster)
    while not cluster.masters[0].keys():
        asked = fetch_and_store(first, pki)
    (key,) = cluster.masters[0].keys()
    cluster.move_slot(cluster.masters[0].call("CLUSTER", "KEYSLOT", key), cluster.masters[0],
                      cluster.masters[1], lambda: assert_shared(second, asked))
    assert cluster.masters[1].call("EXISTS", key)


def test_cluster_starts_with_a_dead_seed(make_node, cluster, pki):
    cluster.masters[0].kill()
    cluster.replicas[0].wait_for("role", "master")
    relay = make_node(cluster)
    asked = fetch_and_store(relay, pki, 12)
    assert_shared(make_node(cluster), asked)
