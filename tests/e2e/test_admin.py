# SPDX-License-Identifier: ISC
"""The admin API: who may do what, and what purge, refresh, list, export, import and reload do."""

import json
import os
import re
import socket
import time

import pytest

import pki as pki_module
import rawhttp
from pki import flip, request, response
from relay import until
from responder import error, http_status

BUNDLE = "application/x-ocsprelay-bundle"


def fill(relay, pki, count=3, alg="sha1"):
    """[(serial, request, answer)] of certificates that the relay has stored."""
    stored = []
    for _ in range(count):
        certid = pki.ca.certid(pki_module.new_serial(), alg)
        data = request(certid)
        stored.append((certid.number, data, relay.get(data)))
        assert stored[-1][2].cache_status["stored"]
    return stored


def entries(relay, query=""):
    status, text, content_type = relay.admin("/api/v1/entries" + query)
    assert (status, content_type) == (200, "application/json"), text
    return json.loads(text)


def message(start_line, fields, body=b""):
    """fields: "Name: value"."""
    return rawhttp.message(start_line, [tuple(one.split(": ", 1)) for one in fields], body)


# --- who may ----------------------------------------------------------------------------------

@pytest.fixture
def tcp(make_relay, responder):
    """(relay with an admin listener on TCP and the token "secret", ask(method, path, fields))"""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    relay = make_relay(responder, admin=f"127.0.0.1:{port}", start=False)
    path = relay.write("token", "secret\n")
    os.chmod(path, 0o640)
    relay.options["admin_token_file"] = path
    relay.start()

    def ask(method, path, *fields, host=f"127.0.0.1:{port}", body=b""):
        fields = [f"Host: {host}", f"Content-Length: {len(body)}", *fields] if host else fields
        return rawhttp.ask(("127.0.0.1", port),
                           message(f"{method} {path} HTTP/1.1", fields, body))
    return relay, ask


JSON = "Content-Type: application/json"
TOKEN = "Authorization: Bearer secret"


@pytest.mark.parametrize("fields, status", [
    ([JSON, TOKEN], 200),
    ([JSON, "Authorization: bearer secret"], 200),
    (["Content-Type: application/json; charset=utf-8", TOKEN], 200),
    ([JSON], 403),
    ([JSON, "Authorization: Bearer Secret"], 403),
    ([JSON, "Authorization: Bearer secre"], 403),
    ([JSON, "Authorization: Bearer secret2"], 403),
    ([JSON, "Authorization: Bearer "], 403),
    ([JSON, "Authorization: Basic secret"], 403),
    ([JSON, TOKEN, "Origin: http://evil.example"], 403),
    ([JSON, TOKEN, "Origin: null"], 403),
    ([JSON, TOKEN, "Sec-Fetch-Site: cross-site"], 403),
    ([TOKEN], 415),
    (["Content-Type: text/plain", TOKEN], 415),
    (["Content-Type: application/x-www-form-urlencoded", TOKEN], 415),
], ids=str)
def test_who_may_change_over_tcp(tcp, fields, status):
    _, ask = tcp
    for path, body in (("purge", b'{"all":true}'), ("refresh", b'{"all":true}'),
                       ("reload", b"{}")):
        got = ask("POST", "/api/v1/" + path, *fields, body=body)
        assert got.status == status, (path, got.body)
        if status != 200:
            assert json.loads(got.body)["error"]


def test_a_token_that_others_can_read(tcp):
    relay, ask = tcp
    assert not relay.log.find("config", option="admin_token_file")
    os.chmod(relay.options["admin_token_file"], 0o644)
    relay.write("token", "another\n")
    relay.reload()
    assert relay.log.find("config", option="admin_token_file")
    purge = ("POST", "/api/v1/purge", JSON)
    assert ask(*purge, TOKEN, body=b'{"all":true}').status == 403
    assert ask(*purge, "Authorization: Bearer another", body=b'{"all":true}').status == 200


def test_without_a_token_nobody_may_change_over_tcp(make_relay, responder):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    make_relay(responder, admin=f"127.0.0.1:{port}")
    for token in ("", "Bearer ", "Bearer (null)"):
        got = rawhttp.ask(("127.0.0.1", port), message(
            "POST /api/v1/reload HTTP/1.1",
            ["Host: localhost", JSON, "Content-Length: 2", f"Authorization: {token}"], b"{}"))
        assert got.status == 403


@pytest.mark.parametrize("host, status", [
    ("127.0.0.1", 200), ("127.0.0.1:80", 200), ("[::1]:80", 200), ("192.0.2.1", 200),
    ("localhost", 200), ("LocalHost:80", 200), ("evil.example", 403), ("evil.example:80", 403),
    ("localhost.evil.example", 403), ("127.0.0.1.evil.example", 403), ("", 403), ("[::1", 200)])
def test_names_that_lead_here(tcp, host, status):
    _, ask = tcp
    got = ask("GET", "/api/v1/status", host=host or " ")
    assert got.status == status
    assert ask("GET", "/metrics", host=host or " ").status == 200
    assert ask("GET", "/api/v1/status", TOKEN, host=host or " ").status == 200


def test_over_the_unix_socket(relay):
    assert relay.post_admin("/api/v1/reload")[0] == 200
    assert relay.post_admin("/api/v1/reload", Origin="http://evil.example")[0] == 403
    assert relay.post_admin("/api/v1/reload", Content_Type="text/plain")[0] == 415
    for path in ("purge", "refresh", "import", "reload"):
        assert relay.admin("/api/v1/" + path)[0] == 405
    for path in ("entries", "export"):
        assert relay.admin("/api/v1/" + path, "HEAD")[0] == 405


@pytest.mark.parametrize("body", [
    "", "{", "[]", "1", "{}", '{"all": false}', '{"all": 1}', '{"issuer": "nobody"}',
    '{"issuer": 1}', '{"serial": "xyz"}', '{"serial": ""}', '{"all": true, "serial": "01"}',
    '{"al": true}', '{"issuer": "test", "issuer": "test"}', '{"all": true} x',
    '{"serial": "' + "01" * 41 + '"}', '{"issuer": "test", "host": "x"}', "\0", "[" * 5000])
def test_selections_that_are_none(relay, body):
    for path in ("purge", "refresh"):
        status, text = relay.post_admin("/api/v1/" + path, body)
        assert status == 400 and json.loads(text)["error"], text


# --- purge --------------------------------------------------------------------------------------

@pytest.mark.threads
@pytest.mark.parametrize("select", [
    lambda serial: {"all": True}, lambda serial: {"issuer": "test"},
    lambda serial: {"serial": f"{serial:x}"}, lambda serial: {"serial": f"0x00{serial:X}"},
    lambda serial: {"issuer": "test", "serial": f"{serial:040x}"}],
    ids=["all", "issuer", "serial", "serial_0x", "both"])
@pytest.mark.parametrize("alg", ["sha1", "sha256"])
def test_purged_is_a_miss(relay, responder, pki, select, alg):
    (serial, data, _), (other, other_data, _) = fill(relay, pki, 2, alg)
    relay.wait_for_stored(2)
    body = select(serial)
    status, text = relay.post_admin("/api/v1/purge", body)
    assert status == 200
    told = json.loads(text)
    count = 1 if "serial" in body else 2
    assert told["entries"] == count and told["stores"][0]["ok"] is True
    assert told["stores"][0]["store"].startswith("lmdb:")
    assert told["stores"][0].get("removed", 1) == count
    assert relay.get(data).cache_status["fwd"] == "miss"
    assert responder.count(serial) == 2
    if count == 1:
        assert relay.get(other_data).cache_status["hit"]
    assert responder.count(other) == 1
    assert relay.log.find("admin", what="purge")


def test_purged_is_a_miss_after_a_restart(relay, responder, pki):
    (serial, data, _), (other, other_data, _) = fill(relay, pki, 2)
    relay.wait_for_stored(2)
    assert relay.post_admin("/api/v1/purge", {"serial": f"{serial:x}"})[0] == 200
    relay.restart()
    assert relay.get(other_data).cache_status["detail"] == "disk"
    assert relay.get(data).cache_status["fwd"] == "miss"
    assert (responder.count(serial), responder.count(other)) == (2, 1)


def test_purge_forgets_failures(relay, responder, certid):
    responder.behave(error(6))
    assert relay.get(request(certid)).body == response(6)
    status, text = relay.post_admin("/api/v1/purge", {"serial": f"{certid.number:x}"})
    assert status == 200 and json.loads(text)["failures"] == 1
    responder.behave(None)
    assert relay.get(request(certid)).cache_status["fwd"] == "miss"


# --- list ---------------------------------------------------------------------------------------

def test_entries(relay, responder, pki):
    responder.behave(responder.signed(next_update=time.time() + 3600))
    soon = fill(relay, pki, 2)
    responder.behave(None)
    later = fill(relay, pki, 1)[0][0]
    told = entries(relay)
    assert told["matching"] == 3
    assert [int(one["serial"], 16) for one in told["entries"]][2] == later
    one = told["entries"][0]
    assert (one["issuer"], one["hash"], one["status"]) == ("test", "sha1", "good")
    assert one["bytes"] == len(next(got for serial, _, got in soon
                                    if serial == int(one["serial"], 16)).body)
    assert set(one) == {"issuer", "serial", "hash", "status", "this_update", "produced_at",
                        "expires_at", "refresh_at", "fetched_at", "bytes"}
    assert len(entries(relay, "?expiring=2h")["entries"]) == 2
    assert len(entries(relay, "?limit=1")["entries"]) == 1
    assert entries(relay, "?limit=1")["matching"] == 3
    assert len(entries(relay, "?issuer=test")["entries"]) == 3
    assert len(entries(relay, f"?serial={later:x}")["entries"]) == 1
    assert entries(relay, "?serial=7f7f")["entries"] == []


@pytest.mark.parametrize("query", ["?issuer=nobody", "?expiring=soon", "?limit=0", "?limit=x",
                                   "?serial=x", "?frob=1", "?expiring"])
def test_entries_that_are_none(relay, query):
    assert relay.admin("/api/v1/entries" + query)[0] == 400


# --- refresh ------------------------------------------------------------------------------------

def lines(text):
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.threads
def test_refresh_fetches_what_is_cached(relay, responder, pki):
    stored = fill(relay, pki, 5)
    status, text = relay.post_admin("/api/v1/refresh", {"serial": f"{stored[0][0]:x}"})
    assert status == 200
    assert lines(text)[-1] == {"all": 1, "fetched": 1, "failed": 0, "done": True}
    assert responder.count(stored[0][0]) == 2 and responder.count() == 6
    status, text = relay.post_admin("/api/v1/refresh", {"all": True})
    assert lines(text)[-1] == {"all": 5, "fetched": 5, "failed": 0, "done": True}
    assert responder.count() == 11


def test_refresh_takes_up_a_revocation(relay, responder, pki):
    (serial, data, _), = fill(relay, pki, 1)
    responder.statuses[serial] = "revoked"
    relay.post_admin("/api/v1/refresh", {"all": True})
    assert relay.get(data).cache_status["hit"]
    assert entries(relay)["entries"][0]["status"] == "revoked"


def test_F4_refresh_that_fails_is_told(relay, responder, pki):
    stored = fill(relay, pki, 2)
    responder.behave(http_status(503))
    _, text = relay.post_admin("/api/v1/refresh", {"all": True})
    told = lines(text)
    assert told[-1] == {"all": 2, "fetched": 0, "failed": 2, "done": True}
    failures = [one for one in told if "reason" in one]
    assert {int(one["serial"], 16) for one in failures} == {one[0] for one in stored}
    for _, data, _ in stored:
        assert relay.get(data).cache_status["hit"]


def test_refresh_ends_with_its_client(make_relay, responder, pki):
    relay = make_relay(responder, issuer={"max_inflight": 1})
    stored = fill(relay, pki, 4)
    with responder.held():
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(relay.admin_socket)
            client.sendall(message("POST /api/v1/refresh HTTP/1.1",
                                           ["Host: x", JSON, "Content-Length: 12"],
                                           b'{"all":true}'))
            assert client.recv(100).startswith(b"HTTP/1.1 200")
            responder.wait_for(5)
    until(lambda: relay.metric("refreshes_total", result="ok") >= 1, what="the first refresh")
    assert relay.admin("/healthz")[0] == 200
    assert relay.get(stored[3][1]).cache_status["hit"]
    assert responder.count() <= 6


# --- export and import ----------------------------------------------------------------------------

def export(relay, query=""):
    status, bundle = relay.get_admin("/api/v1/export" + query)
    assert status == 200
    return bundle


def records(bundle):
    """[(key, record)] of a bundle, which must be one."""
    head, rest = bundle.split(b"\n", 1)
    assert head == b"ocsprelay-bundle 1"
    found = []
    while True:
        line, rest = rest.split(b"\n", 1)
        words = line.split(b" ")
        if words[0] != b"record":
            assert line == b"end %d" % len(found) and not rest, line
            return found
        length = int(words[1])
        found.append((words[2].decode(), rest[:length]))
        assert rest[length:length + 1] == b"\n"
        rest = rest[length + 1:]


def bundle_of(items, end=True):
    out = b"ocsprelay-bundle 1\n"
    for key, record in items:
        out += b"record %d %s\n%s\n" % (len(record), key.encode(), record)
    return out + (b"end %d\n" % len(items) if end else b"")


def import_into(relay, bundle):
    status, text = relay.post_admin("/api/v1/import", bundle, Content_Type=BUNDLE)
    return status, json.loads(text)


@pytest.mark.threads
def test_exported_and_imported_it_is_served_without_a_responder(relay, make_relay, pki):
    stored = fill(relay, pki, 5)
    bundle = export(relay)
    assert len(records(bundle)) == 5
    other = make_relay("http://127.0.0.1:9/")
    assert import_into(other, bundle) == (
        200, {"kept": 5, "older": 0, "refused": 0, "reasons": []})
    for _, data, first in stored:
        got = other.get(data)
        assert got.body == first.body and got.cache_status["hit"]
    other.wait_for_stored(5)
    other.restart()
    assert other.get(stored[0][1]).cache_status["detail"] == "disk"


def test_export_of_each_tier(relay, pki):
    fill(relay, pki, 3)
    relay.wait_for_stored(3)
    for query in ("", "?tier=memory", "?tier=disk"):
        assert len(records(export(relay, query))) == 3, query
    for tier in ("redis", "attic"):  # not configured; no tier
        assert relay.admin("/api/v1/export?tier=" + tier)[0] == 400
    relay.restart()
    assert len(records(export(relay, "?tier=memory"))) == 0
    assert len(records(export(relay))) == 3


def test_VS_24_import_takes_the_good_and_names_the_bad(relay, make_relay, make_responder, pki):
    stranger = pki_module.Pki()
    responder = make_responder(stranger)
    foreign = records(export_of_one(make_relay(responder, ca=stranger.ca), stranger))
    fill(relay, pki, 6)
    items = records(export(relay))
    changed = [items[0],
               (items[1][0], flip(items[1][1])),                 # signature
               (items[2][0], items[3][1]),                       # of another certificate
               (items[4][0], b"\x02" + items[4][1][1:]),         # version
               ("no key", items[4][1]),
               foreign[0],
               items[5]]
    other = make_relay("http://127.0.0.1:9/")
    status, told = import_into(other, bundle_of(changed))
    assert status == 200
    assert (told["kept"], told["refused"]) == (2, 5), told
    reasons = sorted(one["reason"] for one in told["reasons"])
    assert reasons in (sorted(["certid", "record-version", "syntax", "issuer-unknown", forged])
                       for forged in ("signature", "signer-chain"))
    assert all(one["text"] for one in told["reasons"])


def export_of_one(relay, pki):
    fill(relay, pki, 1)
    return export(relay)


def test_CL_02_import_refuses_what_has_expired(relay, make_relay, responder, pki):
    responder.behave(responder.signed(next_update=time.time() + 3))
    data = request(pki.ca.certid(pki_module.new_serial()))
    relay.get(data)
    bundle = export(relay)
    until(lambda: len(records(export(relay))) == 0, what="its end")
    status, told = import_into(make_relay("http://127.0.0.1:9/"), bundle)
    assert status == 200
    assert (told["kept"], told["refused"]) == (0, 1)
    assert told["reasons"][0]["reason"] == "expired"


def test_CL_16_import_does_not_go_back(relay, responder, pki):
    responder.behave(responder.signed(this_update=time.time() - 7200))
    (serial, data, _), = fill(relay, pki, 1)
    bundle = export(relay)
    responder.behave(None)
    responder.statuses[serial] = "revoked"
    relay.post_admin("/api/v1/refresh", {"all": True})
    assert import_into(relay, bundle) == (
        200, {"kept": 0, "older": 1, "refused": 0, "reasons": []})
    assert entries(relay)["entries"][0]["status"] == "revoked"
    assert relay.get(data).cache_status["hit"]


@pytest.mark.parametrize("damage, kept, refused", [
    (lambda b: b[:-1], 3, 1),                                    # its end is cut off
    (lambda b: b[:b.rindex(b"record ")], 2, 1),                  # and a record more
    (lambda b: b.replace(b"record ", b"recofd ", 1), 2, 1),
    (lambda b: re.sub(rb"record (\d)", rb"record 1\1", b, 1), 2, 1),  # its length
    (lambda b: re.sub(rb"record \d", rb"record 1", b, 1), 2, 1),
    (lambda b: b.replace(b"\nrecord ", b"\nx\nrecord ", 1), 3, 1)])
def test_damaged_bundle(relay, make_relay, pki, damage, kept, refused):
    fill(relay, pki, 3)
    bundle = damage(export(relay))
    status, told = import_into(make_relay("http://127.0.0.1:9/"), bundle)
    assert status == 200
    assert (told["kept"], told["refused"]) == (kept, refused), told
    assert told["reasons"][0]["reason"] == "syntax"


@pytest.mark.parametrize("body", [b"", b"x", b"{}", b"ocsprelay-bundle 2\nend 0\n"])
def test_what_is_no_bundle(relay, body):
    assert import_into(relay, body)[0] == 400


def test_a_body_that_is_too_large(relay):
    got = rawhttp.ask(relay.admin_socket, message(
        "POST /api/v1/import HTTP/1.1",
        ["Host: x", f"Content-Type: {BUNDLE}", f"Content-Length: {3 << 20}"]))
    assert got.status == 413


# --- reload -------------------------------------------------------------------------------------

def test_reload_says_what_changed(relay, pki):
    relay.options["limits"] = {"max_waiters": 7}
    relay.add_issuer("root", pki.root, ["http://127.0.0.1:9/"])
    relay.write_config()
    status, text = relay.post_admin("/api/v1/reload")
    told = json.loads(text)
    assert status == 200
    assert (told["result"], told["issuers"], told["added"], told["removed"]) == \
        ("ok", 2, ["root"], [])
    assert told["changed"] == ["limits.max_waiters"]
    del relay.options["issuer"]["root"]
    relay.write_config()
    told = json.loads(relay.post_admin("/api/v1/reload")[1])
    assert told["removed"] == ["root"] and told["changed"] == []


def test_reload_of_a_wrong_configuration(relay, request_der):
    relay.options["frob"] = 1
    relay.write_config()
    status, text = relay.post_admin("/api/v1/reload")
    told = json.loads(text)
    assert status == 422 and told["result"] == "error"
    assert any("frob" in line for line in told["messages"])
    assert relay.get(request_der).status == 200
    assert relay.log.find("reload-failed")
