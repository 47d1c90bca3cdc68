# SPDX-License-Identifier: ISC
"""What is shed when too much is asked at once (EM-19)."""

import pytest

import pki as pki_module
import rawhttp
from errors import TRY_LATER, ocsp_error, told
from pki import request
from rawhttp import get
from relay import until

OVERLOAD = ocsp_error("200 OK", 3)


@pytest.mark.threads
def test_EM_19_waiters(make_relay, responder, certid):
    relay = make_relay(responder, limits={"max_waiters": 2})
    with responder.held():
        waiting = [relay.connect() for _ in range(2)]
        for one in waiting:
            one.send(get(request(certid)))
        relay.wait_for_metric("waiters", 2)
        assert told(relay.get(request(certid))) == OVERLOAD
    for one in waiting:
        assert one.read().body != TRY_LATER
        one.close()
    assert responder.count() == 1


@pytest.mark.threads
def test_EM_19_SL_08_fetches(make_relay, responder, pki):
    """One inside, four queued, the sixth is told to come back later."""
    relay = make_relay(responder, issuer={"max_inflight": 1})
    asked = [request(pki.ca.certid(pki_module.new_serial())) for _ in range(6)]
    with responder.held():
        waiting = []
        for number, data in enumerate(asked[:5]):
            waiting.append(relay.connect())
            waiting[-1].send(get(data))
            relay.wait_for_metric("inflight", number + 1)
        assert told(relay.get(asked[5])) == OVERLOAD
        assert responder.count() == 1
        assert relay.log.wait_for("overload")
    for one in waiting:
        assert one.read().body != TRY_LATER
        one.close()
    assert responder.count() == 5


def test_SL_09_EM_19_random_serials_of_one_client(make_relay, responder, pki, certid, tmp_path):
    """They are shed above the rate; what is at hand is not, and neither is a Unix socket."""
    local = str(tmp_path / "relay.sock")
    relay = make_relay(responder, listen=["127.0.0.1:0", "unix:" + local],
                       limits={"miss_rate_per_client": 1})
    stored = relay.get(request(certid))
    answers = []

    def random_serial(ask=relay.ask):
        answers.append(ask(get(request(pki.ca.certid(pki_module.new_serial())))).body)
        return answers[-1] == TRY_LATER
    until(random_serial)
    assert answers[0] != TRY_LATER  # two at once are allowed
    assert responder.count() == len(answers)
    assert relay.get(request(certid)).body == stored.body
    for _ in range(5):
        assert not random_serial(lambda data: rawhttp.ask(local, data))
    assert relay.metric("rejected_total", reason="overload-client") == 1
    assert relay.metric("requests_total", issuer="test", result="rejected") == 1
    relay.log.wait_for("overload", reason="overload-client", issuer="test", client="127.0.0.1")
