# SPDX-License-Identifier: ISC
"""The access log: which requests it has, and the id by which a client's request is found in it."""

import re
import threading

import pytest

import pki as pki_module
from pki import request
from rawhttp import get
from responder import error

ID = re.compile(r"(?:[a-z0-9-]+/)?id:([0-9a-f]{16})")


def told(got):
    """The id that Cache-Status tells."""
    return ID.fullmatch(got.cache_status["detail"])[1]


@pytest.mark.threads
def test_id_of_cache_status_is_that_of_the_log(make_relay, responder, pki, certid):
    relay = make_relay(responder, threads=2, log={"access": "on", "request_id": True})
    asked = [relay.get(request(certid)), relay.get(request(certid)), relay.get(None, target="/x")]
    responder.behave(error(6))
    unknown = request(pki.ca.certid(pki_module.new_serial()))
    asked += [relay.get(unknown), relay.post(unknown)]
    results = ["miss", "hit", "rejected", "error", "negative"]
    for got, result in zip(asked, results):
        line = relay.log.wait_for("access", id=told(got))
        assert (line["result"], line["http"]) == (result, str(got.status))
        assert int(line["octets"]) == len(got.head) + len(got.body)
        assert line["client"] == "127.0.0.1"
    assert asked[0].cache_status["detail"] == f"id:{told(asked[0])}"
    assert asked[1].cache_status["detail"] == f"l1/id:{told(asked[1])}"
    assert asked[3].cache_status["fwd"] == "miss"


@pytest.mark.threads
def test_no_two_requests_have_the_same_id(make_relay, responder, certid):
    relay = make_relay(responder, threads=2, log={"access": "on"})

    def client():
        for _ in range(5):
            with relay.connect() as connection:
                for _ in range(10):
                    connection.ask(get(request(certid)))
    clients = [threading.Thread(target=client) for _ in range(4)]
    for one in clients:
        one.start()
    for one in clients:
        one.join()
    relay.log.wait_for("access", count=200)
    assert len({line["id"] for line in relay.log.find("access")}) == 200


def test_only_errors(make_relay, responder, certid):
    relay = make_relay(responder, log={"access": "errors"})
    relay.get(request(certid))
    relay.get(request(certid))
    relay.get(None, target="/x")
    line = relay.log.wait_for("access", status="req-target")
    assert relay.log.find("access") == [line]
    assert "detail" not in relay.get(None, target="/x").cache_status


def test_sample_of_what_went_well_and_all_errors(make_relay, responder, certid):
    relay = make_relay(responder, threads=1, log={"access": "on", "access_sample": 10})
    with relay.connect() as connection:
        for _ in range(100):
            connection.ask(get(request(certid)))
    for _ in range(3):
        relay.get(None, target="/x")
    relay.log.wait_for("access", count=3, result="rejected")
    good = relay.log.find("access", status="good")
    assert 9 <= len(good) <= 10  # errors are counted along
    # a reload changes it
    relay.options["log"]["access_sample"] = 1
    relay.reload()
    for _ in range(3):
        relay.get(request(certid))
    relay.log.wait_for("access", count=len(good) + 3, status="good")
