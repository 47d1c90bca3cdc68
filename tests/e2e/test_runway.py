# SPDX-License-Identifier: ISC
"""How long an issuer's answers in use last without its responders: metric, API, command, warning."""

import json
import time

import pki as pki_module
from pki import HOUR, request
from relay import run, until
from responder import http_status


FIRST = 2.5 * HOUR - 1  # 2h 29m to people


def use(relay, responder, pki, *lifetimes):
    """Answers that end so many seconds from now, each asked for after it came."""
    for seconds in lifetimes:
        data = request(pki.ca.certid(pki_module.new_serial()))
        responder.behave(responder.signed(next_update=time.time() + seconds))
        assert relay.get(data).cache_status["stored"]
        assert relay.get(data).cache_status["hit"]


def runway(relay):
    status, text, content_type = relay.admin("/api/v1/runway")
    assert (status, content_type) == (200, "application/json"), text
    return json.loads(text)["issuers"]


def near(found, wanted):
    """As many seconds, but for those that the test took."""
    return wanted - 60 < found <= wanted


def test_metric_api_and_command(relay, responder, pki):
    use(relay, responder, pki, FIRST, 5 * HOUR, 48 * HOUR)
    issuer, = runway(relay)
    assert (issuer["name"], issuer["down"], issuer["rehearsal"]) == ("test", False, None)
    found = issuer["runway"]
    assert found["answers"] == 3
    assert near(found["first"], FIRST) and near(found["last"], 48 * HOUR)
    assert 5 * HOUR * 63 / 64 - 60 < found["median"] <= 5 * HOUR
    assert near(relay.metric("runway_seconds", issuer="test", quantile="0"), FIRST)
    assert near(relay.metric("runway_seconds", issuer="test", quantile="1"), 48 * HOUR)
    assert relay.metric("runway_seconds", issuer="test", quantile="0.5") <= 5 * HOUR
    told = run("runway", "-c", relay.config)
    assert told.returncode == 0, told.stderr
    title, line = told.stdout.splitlines()
    assert title.split()[0] == "ISSUER"
    assert line.split()[:5] == ["test", "up", "3", "2h", "29m"]
    assert "\033" not in told.stdout and "#" not in told.stdout
    told = run("runway", "-c", relay.config, "--json")
    assert json.loads(told.stdout)["issuers"][0]["runway"]["answers"] == 3
    status = run("status", "-c", relay.config).stdout
    assert "runway of 3 answers in use: first 2h 29m" in status


def test_what_nobody_uses_does_not_count(relay, pki):
    assert runway(relay)[0]["runway"] is None
    assert relay.get(request(pki.ca.certid(pki_module.new_serial()))).cache_status["stored"]
    assert runway(relay)[0]["runway"] is None
    assert relay.metric("runway_seconds", issuer="test") == 0
    assert run("runway", "-c", relay.config).stdout.splitlines()[1].split() == \
        ["test", "up", "0", "-", "-", "-"]


def test_short_one_is_told_once(make_relay, responder, pki):
    relay = make_relay(responder, issuer={"runway_warning": "3h"})
    use(relay, responder, pki, 2 * HOUR, 5 * HOUR)
    responder.behave(http_status(500))
    relay.get(request(pki.ca.certid(pki_module.new_serial())))
    event = relay.log.wait_for("runway-short", issuer="test")
    assert near(int(event["first"]), 2 * HOUR) and event["answers"] == "2"
    assert relay.log.find("responder-down")
    assert runway(relay)[0]["down"]
    assert "down" in run("runway", "-c", relay.config).stdout
    responder.behave(None)
    relay.get(request(pki.ca.certid(pki_module.new_serial())))
    until(lambda: not runway(relay)[0]["down"])
    assert len(relay.log.find("runway-short")) == 1


def test_command_without_a_relay(tmp_path):
    told = run("runway", "--admin", f"unix:{tmp_path}/none.sock")
    assert told.returncode == 3 and told.stderr and not told.stdout
