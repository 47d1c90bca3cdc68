# SPDX-License-Identifier: ISC
"""What the status page asks for: the page itself, status, history, events, what expires."""

import json
import re
import time

import pytest

import pki as pki_module
import rawhttp
from pki import request
from relay import until
from responder import http_status
from status_page_api import admin_url, fetch, told


@pytest.fixture
def relay(make_relay, responder):
    return make_relay(responder, admin="127.0.0.1:0")


def test_page_is_fenced_in(relay):
    status, fields, body = fetch(admin_url(relay))
    assert status == 200 and body.startswith(b"<!DOCTYPE html>")
    policy = fields["Content-Security-Policy"].split("; ")
    assert policy[0] == "default-src 'none'"
    assert [one for one in policy if re.fullmatch(r"(style|script)-src 'sha256-[A-Za-z0-9+/]{43}='",
                                                  one)] == policy[1:3]
    assert {"connect-src 'self'", "frame-ancestors 'none'", "base-uri 'none'",
            "form-action 'none'"} < set(policy)
    assert fields["Content-Type"] == "text/html; charset=utf-8"
    assert fields["X-Content-Type-Options"] == "nosniff"
    assert fields["Referrer-Policy"] == "no-referrer"
    assert fields["Cache-Control"] == "no-store"
    assert fetch(admin_url(relay), "HEAD")[2] == b""
    assert fetch(admin_url(relay), "POST")[0] == 405
    for path in ("", "api/v1/history", "api/v1/events", "api/v1/expiring"):
        assert fetch(admin_url(relay) + path, Host="evil.example")[0] == 403


@pytest.mark.parametrize("host, status", [
    ("localhost:8081", 200), ("relay", 200), ("127.0.0.1", 200), ("[::1]:80", 200),
    ("evil.example", 403), ("evil.example:8081", 403)])
def test_names_that_lead_through_a_tunnel_to_the_unix_socket(shared, host, status):
    relay, _ = shared
    for path in ("/", "/api/v1/status"):
        answer = rawhttp.ask(relay.admin_socket, rawhttp.message(
            f"GET {path} HTTP/1.1", [("Host", host), ("Connection", "close")]))
        assert answer.status == status


def test_status_counts_for_each_issuer(make_relay, responder, pki):
    relay = make_relay(responder, admin="127.0.0.1:0", start=False)
    relay.add_issuer("root", pki.root, ["http://127.0.0.1:9/"])
    relay.start()
    certid = pki.ca.certid(pki_module.new_serial())
    responder.statuses[certid.number] = "revoked"
    for _ in range(3):
        relay.get(request(certid))
    status = told(relay, "status")
    assert status["issuer_dir"] == relay.path("issuers.d")
    issuers = {one["name"]: one for one in status["issuers"]}
    assert issuers["test"]["responses"]["revoked"] == 3 and issuers["test"]["requests"]["hit"] == 2
    assert not any(issuers["root"]["responses"].values()) and issuers["test"]["runway_warning"] == 3600
    taken = issuers["test"]["responders"][0]["latency"]
    assert taken["requests"] == 1 and 0 < taken["p50"] <= taken["p99"] < 20
    assert issuers["root"]["responders"][0]["latency"] is None
    assert [issuers[name]["responders"][0]["asked"] for name in ("test", "root")] == [True, False]
    responder.behave(http_status(500))
    relay.get(request(pki.ca.certid(pki_module.new_serial())))
    until(lambda: told(relay, "status")["issuers"][0]["responders"][0]["down_for"] >= 1)


@pytest.mark.threads
def test_history_of_the_minute_under_way(relay, request_der):
    for _ in range(4):
        relay.get(request_der)
    relay.post(b"junk")
    history = told(relay, "history")
    assert history["samples"] == []
    now = dict(zip(history["columns"], history["current"]))
    assert (now["hits"], now["misses"], now["errors"]) == (3, 1, 1)
    assert 0 < now["hit_p50"] <= now["hit_p99"] and 0 < now["miss_p50"] <= now["miss_p99"]


@pytest.mark.threads
def test_SL_15_events_have_what_the_log_has(make_relay, responder, certid, request_der):
    relay = make_relay(responder)  # whose admin listener a change may be asked of
    relay.get(request_der)
    responder.statuses[certid.number] = "revoked"
    relay.post_admin("/api/v1/refresh", {"all": True})
    events = json.loads(relay.admin("/api/v1/events")[1])["events"]
    names = [one["event"] for one in events]
    assert names[-1] == "start" and {"listen", "store-open", "ready"} < set(names)
    assert "issuer" not in names, "an event of the level info"
    changed, = [one for one in events if one["event"] == "status-changed"]
    logged = relay.log.wait_for("status-changed")
    assert changed["fields"] == {name: value for name, value in logged.items()
                                 if name not in ("ts", "level", "event", "msg")}
    assert changed["level"] == logged["level"] and changed["text"] == logged["msg"]
    assert changed["fields"]["serial"].lstrip("0") == f"{certid.number:x}"
    assert "127.0.0.1" not in json.dumps(changed)


def test_expiring_is_the_head_of_the_list(relay, responder, pki):
    for i in range(12):
        responder.behave(responder.signed(next_update=time.time() + 3600 * (12 - i)))
        relay.get(request(pki.ca.certid(pki_module.new_serial())))
    listed = told(relay, "entries?limit=10")["entries"]
    assert until(lambda: told(relay, "expiring")["entries"]) == listed
