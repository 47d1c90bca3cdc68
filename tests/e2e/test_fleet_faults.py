# SPDX-License-Identifier: ISC
"""A fleet whose Redis is ill: hits do not notice, misses are answered all the same, each relay says it
once, and all is as before when Redis is."""

import time

import pytest

import fleet_kit
import pki as pki_module
import redis_kit
from pki import request
from rawhttp import post
from relay import pause, until

LOOK_UP = 0.2  # seconds; not the default, which a busy machine exceeds without a fault
N_HITS = 20    # beside each miss


def new_request(pki):
    return request(pki.ca.certid(pki_module.new_serial()))


def allow_without_password(redis):
    redis.call("CONFIG", "SET", "requirepass", "")
    redis.password = None


def delay(reply):
    pause(2.5 * LOOK_UP)
    return reply


def ask_for_password(redis):
    redis.call("CONFIG", "SET", "requirepass", "another")
    redis.password = "another"
    for kind in ("normal", "pubsub"):
        redis.call("CLIENT", "KILL", "TYPE", kind)


FAULTS = {  # what happens, its end, and what the log says of it
    "killed": (lambda redis, _: redis.kill(), lambda redis, _: redis.start(), "closed"),
    "hung": (lambda redis, _: redis.freeze(), lambda redis, _: redis.thaw(), "in time"),
    "slow": (lambda _, proxy: proxy.behave(delay), lambda _, proxy: proxy.behave(None), " "),
    "full": (lambda redis, _: redis.call("CONFIG", "SET", "maxmemory", "1"),
             lambda redis, _: redis.call("CONFIG", "SET", "maxmemory", "0"), "OOM"),
    "read-only": (lambda redis, _: redis.call("REPLICAOF", "127.0.0.1", redis_kit.free_port()),
                  lambda redis, _: redis.call("REPLICAOF", "NO", "ONE"), "READONLY"),
    "password": (lambda redis, _: ask_for_password(redis),
                 lambda redis, _: allow_without_password(redis), "closed"),
}


class Load:
    """Hits of the first relay, while all relays are asked for what none has."""

    def __init__(self, relays, pki, clients):
        self.pki = pki
        self.clients = clients
        self.hits = relays[0].connect()
        self.known = [new_request(pki) for _ in range(N_HITS)]
        for data in self.known:
            assert self.hits.ask(post(data)).status == 200

    def run(self, is_enough, at_least=15):
        """Until that many misses, and is_enough(); gives the 99th percentile of the hits."""
        seconds = []
        n_misses = 0
        while n_misses < at_least or not is_enough():
            miss = post(new_request(self.pki))
            for connection in self.clients.connections:
                connection.send(miss)
            for data in self.known:
                begun = time.monotonic()
                assert self.hits.ask(post(data)).cache_status["hit"]
                seconds.append(time.monotonic() - begun)
            for connection in self.clients.connections:
                answer = connection.read()
                assert pki_module.parse_response(answer.body).certificate_status.name == "GOOD"
            n_misses += 1
            assert n_misses < 1000
        return sorted(seconds)[len(seconds) * 99 // 100]


def one_sentence(relay, event, reason=""):
    found = relay.log.find(event, store="redis")
    assert len(found) == 1, f"{event} is said once: {found}"
    assert reason in found[0].get("reason", "")


@pytest.mark.parametrize("fault", FAULTS)
def test_EM_24_no_client_notices(make_fleet, make_proxy, redis, pki, fault):
    begin, end, reason = FAULTS[fault]
    proxy = make_proxy(redis)
    relays = make_fleet(2, redis, via=proxy.url, redis={"timeout": f"{LOOK_UP * 1000:.0f}ms"})
    with fleet_kit.Clients(relays) as clients:
        load = Load(relays, pki, clients)
        before = load.run(lambda: True)
        assert not any(relay.log.find("store-failed") for relay in relays)
        begin(redis, proxy)
        ill = load.run(lambda: all(relay.log.find("store-failed") for relay in relays))
        assert ill <= max(10 * before, LOOK_UP / 4), "hits ask nobody"
        load.run(lambda: True)
        for relay in relays:
            one_sentence(relay, "store-failed", reason)
            assert relay.metric("store_up", tier="redis") == 0
            assert not relay.log.find("store-back")
        end(redis, proxy)
        load.run(lambda: all(relay.log.find("store-back") for relay in relays))
        for relay in relays:
            fleet_kit.wait_until_up(relay)
            one_sentence(relay, "store-failed")
            one_sentence(relay, "store-back")
    fleet_kit.wait_for_listeners(redis, 2)
    data = new_request(pki)
    first, second = relays
    stored = fleet_kit.operations(first, op="put", result="ok")
    answer = first.get(data)
    first.wait_for_metric("store_operations_total", stored + 1, tier="redis", op="put", result="ok")
    got = second.get(data)
    assert got.body == answer.body and got.cache_status["detail"] == "redis"


GARBAGE = {
    "of another protocol": lambda _: b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
    "octets of any kind": lambda reply: bytes(octet ^ 0xA5 for octet in reply),
    "more than asked for": lambda reply: reply + b"+OK\r\n",
    "a string of a gigabyte": lambda reply: b"$1000000000\r\n" + reply,
    "a list of lists of lists": lambda reply: b"*1\r\n" * 100 + reply,
    "a list without end": lambda reply: b"*2147483647\r\n" + reply,
    "a number in a string": lambda reply: b"$7x\r\n" + reply,
    "half of each answer": lambda reply: reply[:len(reply) // 2],
    "nothing": lambda _: b"",
    "the end": lambda _: None,
    "another answer": lambda _: b":7\r\n",
    "an error": lambda _: b"-ERR out of order\r\n",
}


def test_EM_24_garbage(make_fleet, make_proxy, redis, responder, pki):
    """Each relay has a way of its own to a Redis that is none any more."""
    proxies = [make_proxy(redis) for _ in GARBAGE]
    relays = [make_fleet(1, redis, via=proxy.url, redis={"timeout": "200ms"})[0]
              for i, proxy in enumerate(proxies)]
    known = new_request(pki)
    with fleet_kit.Clients(relays) as clients:
        assert len({one.body for one in clients.ask_all(known)}) == 1
        for proxy, garble in zip(proxies, GARBAGE.values()):
            proxy.behave(garble)
        for _ in range(5):  # each its own: one that can still take leases should not hold up others
            for one in clients.ask_each([new_request(pki) for _ in relays]):
                assert pki_module.parse_response(one.body).certificate_status.name == "GOOD"
            assert all(one.cache_status["hit"] for one in clients.ask_all(known))
        for proxy in proxies:
            proxy.behave(None)
        # what was an error is over with the first answer that is none
        until(lambda: clients.ask_each([new_request(pki) for _ in relays]) and
              all(relay.metric("store_up", tier="redis") == 1 for relay in relays))
        for relay in relays:
            assert len(relay.log.find("store-failed")) == len(relay.log.find("store-back"))
        fleet_kit.wait_for_listeners(redis, len(relays))
        before = responder.count()
        assert len({one.body for one in clients.ask_all(new_request(pki))}) == 1
        assert responder.count() == before + 1
