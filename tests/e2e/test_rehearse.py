# SPDX-License-Identifier: ISC
"""Rehearsed outages: what clients get, what is told, and that all is as before when it is over."""

import json

import pytest

import pki as pki_module
from pki import request
from relay import run

TRY_LATER = bytes.fromhex("30030a0103")


def new_request(pki):
    return request(pki.ca.certid(pki_module.new_serial()))


def rehearse(relay, *args):
    return run("rehearse", "-c", relay.config, "--issuer", "test", *args)


def issuer(relay):
    return json.loads(relay.admin("/api/v1/status")[1])["issuers"][0]


def test_clients_have_what_is_cached_until_it_is_stopped(relay, responder, pki):
    known, unknown = new_request(pki), new_request(pki)
    answer = relay.get(known)
    told = rehearse(relay, "--for", "2h")
    assert told.returncode == 0 and "2h" in told.stdout, told.stderr
    assert relay.log.wait_for("rehearsal-begun")["seconds"] == "7200"
    assert relay.get(known).body == answer.body
    assert relay.get(unknown).body == TRY_LATER
    assert responder.count() == 1

    assert issuer(relay)["down"] and issuer(relay)["responders"][0]["up"]
    assert issuer(relay)["rehearsal"]["failed"] == 1
    assert 7000 < relay.metric("rehearsal_seconds", issuer="test") <= 7200
    assert "an outage is rehearsed for" in run("status", "-c", relay.config).stdout
    assert "rehearsal" in run("runway", "-c", relay.config).stdout

    told = rehearse(relay, "--stop")
    assert told.returncode == 0
    assert "1 answers came from the cache, 1 clients got an error" in told.stdout
    event = relay.log.wait_for("rehearsal-ended")
    assert (event["issuer"], event["saved"], event["failed"]) == ("test", "1", "1")
    assert relay.get(unknown).cache_status["stored"]
    assert issuer(relay)["rehearsal"] is None and not issuer(relay)["down"]
    assert not relay.log.find("responder-down") and not relay.log.find("responder-up")
    assert relay.metric("upstream_requests_total", issuer="test") == 2


def test_it_ends_by_itself(relay, pki):
    assert rehearse(relay, "--for", "1s").returncode == 0
    relay.log.wait_for("rehearsal-ended")
    assert relay.get(new_request(pki)).cache_status["stored"]
    told = rehearse(relay, "--stop")
    assert told.returncode == 1 and "no outage is rehearsed" in told.stdout


def test_reload_does_not_end_it(relay, responder, pki):
    assert rehearse(relay, "--for", "1h").returncode == 0
    relay.reload()
    assert relay.get(new_request(pki)).body == TRY_LATER
    told = rehearse(relay, "--stop", "--json")
    assert json.loads(told.stdout)["rehearsal"]["failed"] == 1
    assert responder.count() == 0


def test_other_issuers_are_asked_as_ever(make_relay, responder, make_responder, pki, rsa_pki):
    relay = make_relay(responder, start=False)
    relay.add_issuer("other", rsa_pki.ca, [make_responder(rsa_pki).url])
    relay.start()
    assert rehearse(relay, "--for", "1h").returncode == 0
    assert relay.get(new_request(pki)).body == TRY_LATER
    assert relay.get(new_request(rsa_pki)).cache_status["stored"]


def test_without_the_token_nobody_may(make_relay, responder):
    relay = make_relay(responder, admin="127.0.0.1:0")
    address = relay.log.wait_for("listen", **{"for": "admin"})["address"]
    told = run("rehearse", "--admin", address, "--issuer", "test", "--for", "1h")
    assert told.returncode != 0 and not told.stdout and told.stderr
    assert not relay.log.find("rehearsal-begun")


@pytest.mark.parametrize("body", [
    {}, [], "", {"issuer": "test"}, {"issuer": "test", "for": "1h", "stop": True},
    {"issuer": "nobody", "for": "1h"}, {"issuer": "test", "for": "soon"},
    {"issuer": "test", "for": "31d"}, {"issuer": "test", "for": "0s"}, {"issuer": "test", "for": 3},
    {"for": "1h"}, {"issuer": "test", "for": "1h", "why": "x"}, {"issuer": "test", "stop": False},
])
def test_what_it_does_not_take(relay, body):
    status, text = relay.post_admin("/api/v1/rehearse", body)
    assert status == 400 and json.loads(text)["error"], text
    assert not relay.log.find("rehearsal-begun")


@pytest.mark.parametrize("args", [
    [], ["--for", "1h"], ["--issuer", "test"], ["--issuer", "test", "--for", "1h", "--stop"]])
def test_usage(args):
    told = run("rehearse", *args)
    assert told.returncode == 64 and told.stderr and not told.stdout
