# SPDX-License-Identifier: ISC
"""ocsprelay explain: the verdict is the relay's, and so is what is said to be cached."""

import http.server
import json
import threading
import time

import pytest

import pki as pki_module
from pki import DAY, HOUR, NEVER, request
from relay import fits, run
from responder import error, html, http_status, only

GOOD, NO, UNKNOWN, NO_ANSWER, USAGE, CONFIG = 0, 1, 2, 3, 64, 78
PARTS = ["certificate", "key", "issuer", "options", "relay", "attempts", "verdict", "findings"]


class Case:
    """A leaf in a file, a responder, and a relay of a configuration."""

    def __init__(self, tmp_path, pki, responder, relay):
        self.pki, self.responder, self.relay = pki, responder, relay
        self.leaf = pki.leaf(aia=responder.url)
        self.path = tmp_path / "leaf.pem"
        self.path.write_bytes(self.leaf.pem)
        relay.write_config()

    def certid(self, alg="sha1"):
        return self.pki.ca.certid(self.leaf.serial, alg)

    def fill(self):
        """The relay has the answer."""
        assert self.relay.get(request(self.certid())).status == 200
        self.relay.wait_for_stored()

    def run(self, *args):
        return run("explain", "-c", self.relay.config, *args, self.path)

    def json(self, *args, code=None):
        result = self.run("--json", *args)
        assert not result.stderr and len(result.stdout.splitlines()) == 1
        told = json.loads(result.stdout)
        if code is not None:
            assert result.returncode == code, json.dumps(told["verdict"])
        return told


@pytest.fixture
def down(tmp_path, pki, responder, make_relay):
    """The relay does not run."""
    return Case(tmp_path, pki, responder, make_relay(responder, start=False))


@pytest.fixture
def up(tmp_path, pki, responder, make_relay):
    return Case(tmp_path, pki, responder, make_relay(responder))


# --- the verdict --------------------------------------------------------------------------------

def _stale(responder, _):
    responder.behave(responder.signed(this_update=time.time() - 2 * DAY,
                                      next_update=time.time() - DAY))


# behaviour, exit, outcome, and what else the verdict has; then what the text has
VERDICTS = {
    "good": (lambda r, _: None, GOOD, "accepted", {"status": "good", "kept": True}, "kept until"),
    "revoked": (lambda r, _: r.behave(r.signed(status="revoked")), NO, "accepted",
                {"status": "revoked", "kept": True}, "revoked"),
    "unknown": (lambda r, _: r.behave(r.signed(status="unknown")), UNKNOWN, "accepted",
                {"status": "unknown", "kept": True}, "unknown_max_ttl = 5m"),
    "no_next_update": (lambda r, _: r.behave(r.signed(next_update=NEVER)), GOOD, "accepted",
                       {"status": "good", "kept": False}, "RFC 6960 4.2.2.1"),
    "no_store": (lambda r, _: r.behave(r.signed(http={"Cache-Control": "no-store"})), GOOD,
                 "accepted", {"kept": False}, "no-store"),
    "weak": (lambda r, _: r.behave(r.signed(digest="sha1")), GOOD, "accepted", {"kept": False},
             "weak_signature = pass-uncached"),
    "nonce": (lambda r, _: r.behave(r.echoing(nonce=b"x" * 32)), GOOD, "accepted",
              {"kept": False}, "RFC 9654"),
    "expired": (_stale, NO, "refused", {"reason": "expired", "clause": "RFC 6960 3.2 (6)"},
                "nextUpdate has passed"),
    "wrong_signer": (lambda r, p: r.behave(r.signed(signer=p.root)), NO, "refused",
                     {"reason": "responder-id", "clause": "RFC 6960 4.2.2.3"}, "responderID"),
    "wrong_key": (lambda r, p: r.behave(r.signed(signer=p.ca.delegate(), responder=p.signer,
                                                 certs=[p.signer])),
                  NO, "refused", {"reason": "signature", "clause": "RFC 6960 3.2 (2)"},
                  "does not verify"),
    "unauthorized": (lambda r, _: r.behave(error(6)), NO_ANSWER, "no-answer",
                     {"reason": "upstream-unauthorized", "remembered_seconds": 60},
                     "repeated to clients for 60s"),
    "try_later": (lambda r, _: r.behave(error(3)), NO_ANSWER, "no-answer",
                  {"reason": "upstream-try-later", "remembered_seconds": 5}, "tryLater"),
    "http_error": (lambda r, _: r.behave(http_status(503)), NO_ANSWER, "no-answer",
                   {"reason": "upstream-http"}, "HTTP 503"),
    "portal": (lambda r, _: r.behave(html), NO, "refused", {"reason": "der"}, "not DER"),
    "down": (lambda r, _: r.stop(), NO_ANSWER, "no-answer", {"reason": "upstream-unreachable"},
             "connect"),
}


@pytest.mark.parametrize("name", VERDICTS)
def test_verdict_without_a_relay(down, name):
    behave, code, outcome, members, text = VERDICTS[name]
    behave(down.responder, down.pki)
    told = down.json(code=code)
    verdict = told["verdict"]
    assert list(told) == PARTS
    assert told["relay"]["answers"] is False and "cannot be reached" in told["relay"]["why"]
    assert verdict["outcome"] == outcome
    for member, value in members.items():
        assert verdict[member] == value, (member, verdict)
    assert ("kept_until" in verdict) == verdict.get("kept", False)
    assert bool(verdict.get("not_kept_because")) == (verdict.get("kept") is False)
    result = down.run()
    assert result.returncode == code and text in result.stdout and not result.stderr
    assert "\033" not in result.stdout  # no terminal, no colours


@pytest.mark.parametrize("name", [name for name in VERDICTS if name not in ("down",)])
def test_verdict_is_what_the_relay_does(up, name):
    """A client's question comes to what explain has said: served or not, and kept or not."""
    behave, _, outcome, _, _ = VERDICTS[name]
    behave(up.responder, up.pki)
    verdict = up.json()["verdict"]
    answer = up.relay.get(request(up.certid()))
    assert (len(answer.body) > 16) == (outcome == "accepted")  # or a bare OCSP error
    asked = up.responder.count(up.leaf.serial)
    up.relay.get(request(up.certid()))
    if outcome == "accepted":
        was_kept = up.responder.count(up.leaf.serial) == asked
        assert was_kept == verdict["kept"]
    elif "remembered_seconds" in verdict:
        failure = up.json("--offline")["relay"]["failure"]
        assert failure["reason"] == verdict["reason"]
        assert failure["seconds_left"] <= verdict["remembered_seconds"]


def test_what_was_asked_of_whom(down):
    """As the relay asks: GET, then POST where GET is refused, then the next responder."""
    down.responder.behave(only("GET", http_status(405)))
    attempts = down.json(code=GOOD)["attempts"]
    assert [(one["method"], one["http_status"], one["accepted"]) for one in attempts] == \
        [("GET", 405, False), ("POST", 200, True)]
    assert all(one["url"] == down.responder.url and one["address"] == "127.0.0.1"
               for one in attempts)
    assert attempts[1]["bytes"] > 100 and attempts[1]["microseconds"] > 0
    assert attempts[1]["response"]["responses"][0]["cert_status"] == "good"


def test_next_responder_is_asked(tmp_path, pki, make_responder, make_relay):
    first, second = make_responder(), make_responder()
    case = Case(tmp_path, pki, first, make_relay(first, second, start=False))
    first.stop()
    attempts = case.json(code=GOOD)["attempts"]
    assert [one["url"] for one in attempts] == [first.url, second.url]
    second.behave(error(6))
    assert case.json(code=NO_ANSWER)["verdict"]["reason"] == "upstream-unauthorized"


def test_url_of_the_certificate_is_never_asked(tmp_path, pki, make_responder, make_relay):
    configured, named = make_responder(), make_responder()
    case = Case(tmp_path, pki, configured, make_relay(configured, start=False))
    case.path.write_bytes(pki.leaf(aia=named.url).pem)
    told = case.json(code=GOOD)
    assert named.count() == 0 and named.connections == 0
    assert [one for one in told["findings"] if named.url in one and "never asked" in one]


def test_offline_asks_no_responder(down):
    told = down.json("--offline", code=NO_ANSWER)
    assert "attempts" not in told and told["verdict"]["outcome"] == "not-tested"
    assert down.responder.connections == 0
    assert "no responder was to be asked" in down.run("--offline").stdout


# --- what the relay holds -----------------------------------------------------------------------

def test_what_each_tier_holds(up):
    before = up.json("--offline", code=NO_ANSWER)["relay"]
    assert [(one["tier"], one["held"]) for one in before["tiers"]] == \
        [("memory", False), ("disk", False)]
    assert before["failure"] is None and before["watched"] is False
    up.fill()
    told = up.json("--offline", code=GOOD)
    memory, disk = told["relay"]["tiers"]
    for tier in memory, disk:
        assert tier["held"] and tier["status"] == "good"
        assert tier["this_update"] < tier["refresh_at"] < tier["expires_at"] == tier["next_update"]
    assert memory["in_use"] is False and disk["store"].startswith("lmdb:")
    assert told["verdict"]["served_from"] == "memory"
    up.relay.get(request(up.certid()))
    assert up.json("--offline")["relay"]["tiers"][0]["in_use"] is True
    text = up.run("--offline").stdout
    assert "good, in use" in text and "refresh due" in text and "clients are served" in text
    assert f"\n    {told['key']['text']}\n" in text
    fits(text)


def test_looking_leaves_no_trace(up):
    up.fill()
    for _ in range(3):
        up.run("--offline")
    assert up.json("--offline")["relay"]["tiers"][0]["in_use"] is False
    assert up.relay.metric("requests_total") == 1
    assert up.responder.count() == 1


def test_key_of_another_hash_is_another_answer(up):
    up.fill()
    sha256 = up.json("--offline", "--hash", "sha256", code=NO_ANSWER)
    assert sha256["key"]["text"].split(":")[1] == "s256"
    assert not sha256["relay"]["tiers"][0]["held"]
    key = up.json("--offline", code=GOOD)["key"]
    assert key["issuer_name_hash"] == up.certid().name_hash.hex()
    assert key["issuer_key_hash"] == up.certid().key_hash.hex()
    assert int(key["text"].split(":")[2], 16) == up.leaf.serial


def test_watched_certificate(tmp_path, pki, responder, make_relay):
    (tmp_path / "watched").mkdir()
    relay = make_relay(responder, watch_dir=str(tmp_path / "watched"), start=False)
    case = Case(tmp_path, pki, responder, relay)
    (tmp_path / "watched" / "leaf.pem").write_bytes(case.leaf.pem)
    relay.start()
    told = case.json(code=GOOD)["relay"]
    assert told["watched"] is True


def test_store_only(up):
    up.fill()
    up.relay.restart()
    told = up.json("--offline", code=GOOD)
    assert [one["held"] for one in told["relay"]["tiers"]] == [False, True]
    assert told["verdict"]["served_from"] == "disk"


def test_redis_tier(tmp_path, pki, responder, make_relay, redis):
    relay = make_relay(responder, store=["lmdb:" + str(tmp_path / "store"), redis.url],
                       redis={"timeout": "5s"})
    case = Case(tmp_path, pki, responder, relay)
    case.relay.get(request(case.certid()))
    relay.wait_for_metric("store_operations_total", 2, op="put", result="ok")
    told = case.json("--offline", code=GOOD)["relay"]["tiers"]
    assert [(one["tier"], one["held"]) for one in told] == \
        [("memory", True), ("disk", True), ("redis", True)]
    redis.stop()
    told = case.json("--offline", code=GOOD)["relay"]["tiers"]
    assert told[2]["held"] is False and told[2]["reason"] == "store-fault"


def test_answer_at_hand_is_served_when_nobody_answers(up):
    up.fill()
    up.responder.behave(error(6))
    verdict = up.json(code=GOOD)["verdict"]
    assert verdict["outcome"] == "no-answer" and verdict["served_status"] == "good"
    assert "remembered_seconds" not in verdict
    up.responder.behave(up.responder.signed(signer=up.pki.root))
    assert up.json(code=NO)["verdict"]["served_status"] == "good"
    up.responder.behave(up.responder.signed(status="revoked"))
    verdict = up.json(code=NO)["verdict"]
    assert verdict["status"] == "revoked" and verdict["served_status"] == "good"


def test_older_answer_is_not_taken(up):
    up.fill()
    up.responder.behave(up.responder.signed(this_update=time.time() - 5 * HOUR,
                                            produced_at=time.time() - 5 * HOUR))
    verdict = up.json(code=GOOD)["verdict"]
    assert verdict["kept"] is False and "newer" in verdict["not_kept_because"][0]


def test_health_of_the_responders(up):
    (one,) = up.json("--offline")["relay"]["issuer"]["responders"]
    assert one["asked"] is False
    assert f"  responder              not asked yet  {up.responder.url}\n" in up.run("--offline").stdout
    up.responder.stop()
    up.relay.get(request(up.certid()))
    told = up.json(code=NO_ANSWER)["relay"]
    assert told["failure"]["reason"] == "upstream-unreachable"
    (one,) = told["issuer"]["responders"]
    assert one["url"] == up.responder.url and one["asked"] and one["up"] is False and \
        one["failures"] >= 1
    text = up.run().stdout
    assert "remembered failure" in text and "down" in text


def test_relay_that_has_not_read_the_configuration(up, make_responder):
    other = make_responder()
    up.relay.options["issuer"]["test"]["responders"] = [other.url]
    up.relay.write_config()
    findings = up.json(code=GOOD)["findings"]
    assert any("other responders" in one and "reload" in one for one in findings)


def test_rehearsal_is_told(up):
    assert run("rehearse", "-c", up.relay.config, "--issuer", "test", "--for", "1h").returncode == 0
    assert any("rehearsed" in one for one in up.json()["findings"])


# --- the issuer ---------------------------------------------------------------------------------

def test_rule_of_the_section(down):
    down.relay.options["issuer"]["test"]["max_refresh_interval"] = "6h"
    down.relay.write_config()
    told = down.json()
    assert told["options"]["max_refresh_interval"] == {"value": "6h", "default": "12h"}
    assert told["issuer"]["section"]["name"] == "test" and told["issuer"]["name"] == "test"
    assert told["issuer"]["section"]["line"] > 0
    assert "6h (default 12h)" in down.run().stdout


def test_issuer_that_is_not_configured(down):
    other = pki_module.Pki()
    leaf = other.leaf(aia=down.responder.url)
    for content, args, has_key in ((leaf.pem, [], False), (leaf.pem + other.ca.pem, [], True),
                                   (leaf.pem, ["--issuer", down.path.parent / "ca.pem"], True)):
        down.path.write_bytes(content)
        (down.path.parent / "ca.pem").write_bytes(other.ca.pem)
        told = down.json(*args, code=NO)
        assert told["verdict"]["reason"] == "issuer-unknown"
        assert ("key" in told) == has_key
        assert "attempts" not in told
        assert "not configured" in down.run(*args).stdout or not has_key
    assert down.responder.connections == 0


def test_issuer_without_a_responder(tmp_path, pki, responder, make_relay):
    case = Case(tmp_path, pki, responder, make_relay(start=False))
    told = case.json(code=NO)
    assert told["verdict"]["reason"] == "issuer-no-responder"
    assert "attempts" not in told and responder.connections == 0


def test_faults_of_files_are_told_with_an_unknown_issuer(down):
    down.relay.write("test.pem", b"no certificate")
    told = down.json(code=NO)
    assert any("test.pem: no certificate could be read" in one for one in told["findings"])


def test_expired_certificate(down):
    down.path.write_bytes(down.pki.leaf(not_before=-3 * DAY, not_after=-DAY).pem)
    assert any("has expired" in one for one in down.json()["findings"])


# --- relays that do not answer as they should ---------------------------------------------------

class Fake:
    """An HTTP server that gives one answer to everything."""

    def __init__(self, status, body):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):  # pylint: disable=invalid-name
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET  # pylint: disable=invalid-name

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


@pytest.mark.parametrize("status, body, why", [
    (404, b'{"error":"not found"}', "another version"),
    (403, b'{"error":"this needs the token"}', "this needs the token"),
    (200, b"<html>", "cannot be read"),
    (500, b"", "HTTP status 500"),
], ids=["other_version", "token_refused", "no_JSON", "fault"])
def test_relay_that_does_not_tell(down, status, body, why):
    """One line, and the rest goes on."""
    with Fake(status, body) as fake:
        told = down.json("--admin", fake.address, code=GOOD)
        assert told["relay"]["answers"] is False and why in told["relay"]["why"]
        result = down.run("--admin", fake.address)
        text = result.stdout.replace("\n" + 25 * " ", " ")
        (line,) = [one for one in text.splitlines() if why in one]
        assert "not asked" in line
        result = run("list", "--admin", fake.address)
        assert result.returncode == NO_ANSWER and why in result.stderr
        assert len(result.stderr.splitlines()) == 1


def test_relay_without_an_admin_listener(down):
    down.relay.options["admin"] = ""
    down.relay.write_config()
    assert "cannot be asked" in down.json(code=GOOD)["relay"]["why"]


def test_configuration_from_standard_input(up):
    up.fill()
    with open(up.relay.config, encoding="utf-8") as conf:
        result = run("explain", "-c", "-", "--offline", "--json", up.path, stdin=conf)
    assert json.loads(result.stdout)["relay"]["answers"] is True, result.stderr


@pytest.mark.parametrize("query", ["", "?key=", "?key=x", "?serial=1", "?key=" + "0" * 64 + ":s1:"])
def test_request_that_is_none(up, query):
    status, body, _ = up.relay.admin("/api/v1/explain" + query)
    assert status == 400 and "key" in json.loads(body)["error"]


def test_key_of_nobody(up):
    status, body, _ = up.relay.admin("/api/v1/explain?key=" + "0" * 64 + ":s1:01")
    told = json.loads(body)
    assert status == 200 and told["issuer"] is None
    assert not any(one["held"] for one in told["tiers"])


# --- usage --------------------------------------------------------------------------------------

@pytest.mark.parametrize("args, code", [
    ([], USAGE), (["a", "b"], USAGE), (["--hash", "md5", "a"], USAGE),
    (["--admin", "nowhere", "{leaf}"], USAGE), (["-c", "{conf}", "{leaf}"], CONFIG),
    (["{none}"], NO_ANSWER), (["{conf}"], NO_ANSWER), (["--issuer", "{leaf}", "{leaf}"], NO_ANSWER)])
def test_exit_status(down, tmp_path, args, code):
    (tmp_path / "broken.conf").write_text("frob = 1\n")
    names = {"{leaf}": down.path, "{conf}": tmp_path / "broken.conf", "{none}": tmp_path / "none"}
    where = [] if "-c" in args else ["-c", down.relay.config]
    result = run("explain", *where, *(names.get(arg, arg) for arg in args))
    assert result.returncode == code and result.stderr
    assert code == CONFIG or len(result.stderr.splitlines()) == 1
