# SPDX-License-Identifier: ISC
"""Sentinels with passwords; and records that are read from replicas, where these are as good as the
master: one that is away, hangs or lags is no client's worry, and makes nothing older."""

import itertools
import re
import time

import pytest

import pki as pki_module
import redis_kit
from fleet_kit import PATIENT, age, record_key
from pki import request
from relay import ROOT, pause, until
from test_redis_ha import Clients, assert_shared, fetch, fetch_and_store, up

pytestmark = pytest.mark.skipif(redis_kit.SERVER is None, reason="redis-server is not installed")

DAY = 86400
REPLICAS = {"read_from": "replicas"}


@pytest.fixture
def make_sentinels():
    made = []

    def make(**options):
        made.append(redis_kit.Sentinels(**options))
        return made[-1]

    yield make
    for one in made:
        one.stop()


def documented_user(secret, start):
    """The words of doc/redis.md for a user whose rule begins so."""
    with open(f"{ROOT}/doc/redis.md", encoding="utf-8") as page:
        (rule,) = re.findall(rf"^ACL SETUSER ({start} on >SECRET .*)$", page.read(), re.MULTILINE)
    return ["ACL", "SETUSER", *rule.replace("SECRET", secret).split()]


# --- passwords ----------------------------------------------------------------------------------


@pytest.mark.parametrize("password, reason", [(None, "NOAUTH"), ("wrong", "WRONGPASS")])
def test_EM_24_sentinels_with_a_password(make_sentinels, make_relay, responder, pki, password,
                                         reason):
    """The right one is taken up by a reload."""
    sentinels = make_sentinels(password="speak-friend")
    relay = make_relay(responder, store=[sentinels.url], start=False)
    if password:
        path = relay.write("password", password + "\n")
        relay.options["redis"] = {"sentinel_password_file": path}
    relay.start()
    assert reason in relay.log.wait_for("store-failed")["reason"]
    assert {one["server"] for one in relay.log.find("store-server-failed")} == {
        one.address for one in sentinels.sentinels}
    fetch(relay, pki)
    relay.options["redis"] = {"sentinel_password_file": relay.write("password", "speak-friend\n")}
    relay.reload()
    up(relay)
    fetch_and_store(relay, pki)
    assert len(relay.log.find("store-failed")) == 1
    assert len(relay.log.find("store-server-failed")) == 3
    assert "speak-friend" not in relay.log.text and "takes a restart" not in relay.log.text


def test_EM_24_one_sentinel_with_another_password(make_sentinels, make_relay, responder, pki):
    """It is told of, and the next one asked: the store is well."""
    sentinels = make_sentinels(password="speak-friend")
    first = sentinels.sentinels[0]
    first.call("ACL", "SETUSER", "default", "resetpass", ">other")
    relay = make_relay(responder, store=[sentinels.url], start=False)
    relay.options["redis"] = {"sentinel_password_file": relay.write("password", "speak-friend\n")}
    relay.start()
    up(relay)
    fetch_and_store(relay, pki)
    (event,) = relay.log.find("store-server-failed")
    assert event["server"] == first.address and "WRONGPASS" in event["reason"]
    assert not relay.log.find("store-failed")


# --- replicas -----------------------------------------------------------------------------------


class Stage:
    """
    writer stores records, all of which replica has before reader starts, which reads from it. The
    certificates come from an endless stock, each one asked for once.
    """

    def __init__(self, sentinels, make_relay, responder, pki, **redis):
        self.sentinels, self.pki = sentinels, pki
        self.replica, self.master = sentinels.replica, sentinels.master
        self.writer = make_relay(responder, store=[sentinels.url], redis=PATIENT)
        up(self.writer)
        before = time.time() - DAY / 2
        responder.behave(responder.signed(this_update=before, produced_at=before))
        self.stock = iter(self.store(120))
        responder.behave(responder.signed())
        self.reader = make_relay(responder, store=[redis.pop("url", sentinels.url)],
                                 redis={**REPLICAS, **PATIENT, **redis})
        up(self.reader)

    def store(self, count):
        asked = fetch_and_store(self.writer, self.pki, count)
        offset = self.master.info("master_repl_offset")
        until(lambda: int(self.replica.info("slave_repl_offset")) >= int(offset), what="replica")
        return asked

    def read(self):
        """One of the stock; whether the replica was asked for it."""
        before = self.replica.calls("getrange")
        assert_shared(self.reader, [next(self.stock)])
        return self.replica.calls("getrange") > before

    def read_until(self, is_replica):
        """Three times in a row from there."""
        in_a_row = 0
        for _ in itertools.count():
            in_a_row = in_a_row + 1 if self.read() == is_replica else 0
            if in_a_row == 3:
                return
            pause(0.2)


@pytest.fixture
def make_stage(make_sentinels, make_relay, responder, pki):
    return lambda **options: Stage(make_sentinels(), make_relay, responder, pki, **options)


def test_replicas_serve_the_reads(make_sentinels, make_relay, responder, pki):
    """With no more rights than doc/redis.md gives. What a replica lacks the master is asked for."""
    sentinels = make_sentinels()
    for one in sentinels.master, sentinels.replica:
        one.call(*documented_user("word", "relay"))
    for one in sentinels.sentinels:
        one.call(*documented_user("speak", "guide"))
    secrets = make_relay(responder, start=False)
    stage = Stage(sentinels, make_relay, responder, pki, url=sentinels.url_of("relay"),
                  password_file=secrets.write("word", "word\n"), sentinel_user="guide",
                  sentinel_password_file=secrets.write("speak", "speak\n"))
    stage.read_until(True)
    before = stage.master.calls("getrange")
    for _ in range(10):
        assert stage.read()
    assert stage.master.calls("getrange") == before
    requests = responder.count()
    fetch_and_store(stage.reader, pki, 3)
    assert responder.count() == requests + 3
    assert stage.master.calls("getrange") > before
    for event in "store-failed", "store-server-failed":
        assert not stage.reader.log.find(event)


@pytest.mark.parametrize("trouble", ["kill", "freeze"])
def test_EM_24_replica_is_lost_while_clients_ask(make_stage, pki, trouble):
    stage = make_stage(timeout="1s")
    stage.read_until(True)
    with Clients(stage.reader, pki) as clients:
        getattr(stage.replica, trouble)()
        count = clients.count
        until(lambda: clients.count >= count + 20)
    assert_shared(stage.reader, [next(stage.stock) for _ in range(5)])
    assert stage.reader.metric("store_up", tier="redis") == 1
    assert not stage.reader.log.find("store-failed")
    # none where a sentinel knew before us
    assert len(stage.reader.log.find("store-server-failed", server=stage.replica.address)) <= 1


def revoke(messenger, responder, asked):
    """It learns it, and stores it; what it says from then on."""
    data, good = asked
    before = messenger.metric("store_operations_total", tier="redis", op="put", result="ok")
    responder.statuses[pki_module.parse_request(data).certids[0].number] = "revoked"
    revoked = messenger.get(data, ("Cache-Control", "no-cache")).body
    assert revoked != good.body
    messenger.wait_for_stored(before + 1)
    return revoked


def test_CL_16_CL_17_EM_24_a_replica_that_lags_makes_nothing_older(make_stage, make_relay, pki,
                                                                   responder):
    """It goes on answering, with what it had: good, where the fleet knows that it is revoked."""
    stage = make_stage()
    soon, later = next(stage.stock), next(stage.stock)
    messenger = make_relay(responder, store=[stage.sentinels.url], redis=PATIENT)
    up(messenger)
    for data, answer in soon, later:
        age(stage.master, record_key(pki.ca, pki_module.parse_request(data).certids[0]))
        assert_shared(messenger, [(data, answer)])
    stage.read_until(True)
    stage.replica.call("REPLICAOF", "127.0.0.1", redis_kit.free_port())
    revoked = [revoke(messenger, responder, one) for one in (soon, later)]
    until(lambda: stage.reader.get(soon[0]).body == revoked[0], what="revoked")
    stage.read_until(False)
    assert stage.reader.get(later[0]).body == revoked[1]
    assert not stage.reader.log.find("store-failed")
