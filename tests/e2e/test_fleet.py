# SPDX-License-Identifier: ISC
"""Several relays behind one Redis: together they ask the CA once, and what one learns all know."""

import collections
import concurrent.futures
import signal
import statistics
import threading
import time

import pytest

import fleet_kit
import pki as pki_module
from pki import DAY, HOUR, request
from rawhttp import post
from relay import until
from responder import after

N_RELAYS = 8


def new_certids(pki, count):
    return [pki.ca.certid(pki_module.new_serial()) for _ in range(count)]


def storm(relays, plan, per_relay=4):
    """
    Asks each relay what plan, a list of requests, says, all of them at the same time, by so many
    connections each. {request: set of bodies of its answers}
    """
    def ask(relay, messages):
        got = []
        with relay.connect() as connection:
            for data, message in messages:
                answer = connection.ask(message)
                assert answer.status == 200
                got.append((data, answer.body))
        return got

    prepared = [(data, post(data)) for data in plan]
    bodies = collections.defaultdict(set)
    n_answers = 0
    with concurrent.futures.ThreadPoolExecutor(len(relays) * per_relay) as pool:
        shares = [(relay, iter(prepared)) for relay in relays]  # of an iterator, each takes a part
        for answers in pool.map(lambda share: ask(*share), shares * per_relay):
            n_answers += len(answers)
            for data, body in answers:
                bodies[data].add(body)
    assert n_answers == len(relays) * len(plan)
    return bodies


def asked(responder):
    """Counter: how often the responder was asked, by serial."""
    return collections.Counter(one.serial for one in responder.of())


def wait_until_idle(relays):
    until(lambda: all(relay.metric("inflight") == 0 for relay in relays), what="end of all flights")


def test_HC_11_one_fetch_for_the_fleet(make_fleet, redis, responder, pki):
    """2000 certificates, 20,000 requests over eight relays: 2000 fetches. All of them are due at
    once then, in every relay: not more than one fetch for each."""
    relays = make_fleet(N_RELAYS, redis, issuer={"request_deadline": "60s"})
    plan = [request(certid) for certid in new_certids(pki, 2000)]
    bodies = storm(relays, plan + plan[::4])
    assert set(asked(responder).values()) == {1} and responder.count() == 2000
    assert all(len(each) == 1 for each in bodies.values()), "each signature is another one"
    assert len(redis.keys("ocspr:1:*")) == 2000
    for relay in relays:
        assert fleet_kit.operations(relay, result="error") == 0
        relay.terminate()
    for key in redis.keys("ocspr:1:*"):
        fleet_kit.age(redis, key, is_due=True)
    for relay in relays:
        relay.start()
        fleet_kit.wait_until_up(relay)
    storm(relays, plan)
    wait_until_idle(relays)
    assert max(asked(responder).values()) == 2
    assert responder.count() > 2000, "they were due"


def test_HC_11_one_refresh_for_the_fleet(make_fleet, redis, responder, pki):
    """As time goes by: the first answer is due for a refresh soon, the second is not."""
    relays = make_fleet(N_RELAYS, redis, issuer={"min_refresh_interval": "1s"})
    certids = new_certids(pki, 20)
    seen = set()

    def answer(asked_for):
        is_first = asked_for.serial not in seen
        seen.add(asked_for.serial)
        age = HOUR if is_first else 0
        fields = {"Cache-Control": "max-age=1"} if is_first else {}
        return responder.signed(this_update=time.time() - age, produced_at=time.time() - age,
                                http=fields)(asked_for)

    def all_have_been_refreshed():
        for certid in certids:
            got = {one.body for one in clients.ask_all(request(certid))}
            assert len(got) <= 2, "the one before and the one after"
        return set(asked(responder).values()) == {2}

    responder.behave(answer)
    with fleet_kit.Clients(relays) as clients:
        until(all_have_been_refreshed)
        wait_until_idle(relays)
        for certid in certids:
            until(lambda of=certid: len({one.body for one in clients.ask_all(request(of))}) == 1)
    wait_until_idle(relays)
    assert responder.count() == 2 * len(certids)


def test_a_status_change_is_everywhere_within_a_second(make_fleet, redis, responder, pki):
    """One relay fetches that a certificate is revoked now; the others hear of it, are not asked to
    refresh, and ask nobody but Redis."""
    fetcher, first, *others = make_fleet(N_RELAYS + 1, redis)
    seconds = []
    for certid in new_certids(pki, 5):
        data = request(certid)
        responder.then(responder.signed(this_update=time.time() - DAY / 2,
                                        produced_at=time.time() - DAY / 2))
        before = fleet_kit.operations(fetcher, op="put", result="ok")
        good = fetcher.get(data)
        fetcher.wait_for_metric("store_operations_total", before + 1, tier="redis", op="put",
                                result="ok")
        fleet_kit.age(redis, fleet_kit.record_key(pki.ca, certid))
        with fleet_kit.Clients([first, *others]) as clients:
            assert {one.body for one in clients.ask_all(data)} == {good.body}
        responder.statuses[certid.number] = "revoked"
        revoked = first.get(data, ("Cache-Control", "no-cache"))
        assert pki_module.parse_response(revoked.body).certificate_status.name == "REVOKED"
        begun = time.monotonic()
        with fleet_kit.Clients([fetcher, *others]) as clients:
            until(lambda: {one.body for one in clients.ask_all(data)} == {revoked.body})
        seconds.append(time.monotonic() - begun)
        serial = certid.serial.hex()
        for relay in (fetcher, first, *others):
            relay.log.wait_for("status-changed", serial=serial, to="revoked", **{"from": "good"})
            assert len(relay.log.find("status-changed", serial=serial)) == 1
        assert responder.count(certid.number) == 2
    assert statistics.median(seconds) < 1, "machines have hiccups"
    for relay in (fetcher, first, *others):
        assert relay.metric("status_changes_total", **{"from": "good", "to": "revoked"}) == 5


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP],
                         ids=["killed", "hung"])
def test_another_takes_over_a_fetch(make_fleet, redis, responder, certid, number):
    """The one that fetches for all dies in the middle of it. Those who wait for it do not wait until
    their clients have given up."""
    relays = make_fleet(4, redis, issuer={"request_deadline": "4s"})
    first, *others = relays
    data = request(certid)
    gate = threading.Event()
    responder.then(after(gate))
    with fleet_kit.Clients(relays) as clients:
        clients.connections[0].send(post(data))
        responder.wait_for(1)
        for connection in clients.connections[1:]:
            connection.send(post(data))
        for relay in others:
            relay.wait_for_metric("store_operations_total", 1, tier="redis", op="lease",
                                  result="refused")
        assert responder.count() == 1, "it is one's turn, and the others wait"
        first.signal(number)
        answers = [connection.read() for connection in clients.connections[1:]]
        first.kill()
        gate.set()
    assert {one.status for one in answers} == {200}
    assert len({one.body for one in answers}) == 1, "one has fetched"
    assert pki_module.parse_response(answers[0].body).certificate_status.name == "GOOD"
    assert responder.count() == 2


def test_a_slow_fetch_stays_one(make_fleet, redis, responder, certid, pki):
    """The lease of who fetches is renewed for as long as it takes."""
    relays = make_fleet(3, redis, issuer={"request_deadline": "8s"})
    data = request(certid)
    left = [10 ** 6]
    n_renewals = 0
    with fleet_kit.Clients(relays) as clients, responder.held():
        for connection in clients.connections:
            connection.send(post(data))
        responder.wait_for(1)
        (lease,) = until(lambda: redis.keys("ocspr:lease:*"))
        assert lease.endswith(fleet_kit.key_text(pki.ca, certid))
        while n_renewals < 6:  # more than one of them lasts
            left.append(redis.call("PTTL", lease))
            assert 0 < left[-1] <= 2000
            n_renewals += left[-1] > left[-2]
        assert responder.count() == 1
        responder.release()
        assert len({connection.read().body for connection in clients.connections}) == 1
    assert responder.count() == 1
    until(lambda: not redis.keys("ocspr:lease:*"), what="release")
