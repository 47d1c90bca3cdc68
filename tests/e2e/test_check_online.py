# SPDX-License-Identifier: ISC
"""ocsprelay check: the table of issuers, what is legal but unwise, and the responders, when told to
try them."""

import json
import pathlib
import re
import time

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

import pki as pki_module
from pki import DAY, NEVER
from relay import fits, run, run_on_terminal
from responder import error, html, http_status, only

OK, NO, CONFIG = 0, 1, 78
MOUNTS = pathlib.Path("/proc/mounts")


@pytest.fixture
def directory(tmp_path):
    for name in ("issuers.d", "watched"):
        (tmp_path / name).mkdir()
    return tmp_path


class Setup:
    """A configuration that is checked, and nothing that runs."""

    def __init__(self, directory, make_relay):
        self.directory = directory
        self.relay = make_relay(start=False, ca=None, issuer_dir=str(directory / "issuers.d"),
                                watch_dir=str(directory / "watched"), store=[])

    def check(self, *args, code=OK):
        self.relay.write_config()
        result = run("check", "-c", self.relay.config, *args)
        assert result.returncode == code, result.stdout + result.stderr
        return result

    def told(self, *args, code=OK):
        return json.loads(self.check("--json", *args, code=code).stdout)


@pytest.fixture
def setup(directory, make_relay):
    return Setup(directory, make_relay)


# --- the table ----------------------------------------------------------------------------------

def test_table_of_issuers(setup, pki, responder):
    setup.relay.add_issuer("Corp CA", pki.ca, [responder.url])
    setup.relay.add_issuer("Root", pki.root, ["http://a.example/", "http://b.example/"])
    setup.relay.add_issuer("Sub CA of a name that is long", pki_module.Pki().ca, [responder.url])
    for name in "ab":
        (setup.directory / "watched" / f"{name}.pem").write_bytes(pki.leaf().pem)
    result = setup.check()
    lines = result.stdout.splitlines()
    title = next(i for i, line in enumerate(lines) if line.split()[:2] == ["ISSUER", "ID"])
    told = {one["label"]: one for one in json.loads(setup.check("--json").stdout)["issuers"]}
    for line, name, responders, watched in ((lines[title + 1], "Corp CA", 1, 2),
                                            (lines[title + 2], "Root", 2, 0),
                                            (" ".join(lines[title + 3:title + 5]),
                                             "Sub CA of a name that is long", 1, 0)):
        match = re.fullmatch(rf" +{name} +([0-9a-f]{{8}}) +(\d+) +(\d+) +(\d+) +(\S+)", line)
        assert told[name]["issuer_id"].startswith(match[1])
        assert [int(match[i]) for i in (2, 3, 4)] == [responders, 1, watched]
        assert match[5] == told[name]["not_after"][:10] and told[name]["watched"] == watched
    assert len({line.index(told[name]["not_after"][:10]) for line, name in (
        (lines[title + 1], "Corp CA"), (lines[title + 4], "Sub CA of a name that is long"))}) == 1
    fits(result.stdout)
    assert responder.connections == 0 and "online" not in setup.told()


# --- warnings -----------------------------------------------------------------------------------

def _issuer(responders, ca=None):
    def change(setup, pki):
        setup.relay.add_issuer("Corp CA", ca(pki) if ca else pki.ca, responders)
    return change


def _option(**options):
    def change(setup, pki):
        _issuer(["http://a.example/"])(setup, pki)
        setup.relay.options.update(options)
    return change


# what is changed, how many warnings there are, what one of them says
DOUBTS = {
    "none": (_issuer(["http://a.example/", "http://b.example/"]), 0, None),
    "no_responder": (_issuer([]), 1, "has no responder"),
    "one_host": (_issuer(["http://a.example/1", "http://A.example:81/2"]), 1, "on one host"),
    "https": (_issuer(["https://a.example/"]), 1, "RFC 5280 8"),
    "itself": (_option(listen=["a.example:80"]), 1, "a loop"),
    "itself_by_any": (lambda setup, pki: (
        _issuer(["http://127.0.0.1:18080/"])(setup, pki),
        setup.relay.options.update(listen=["*:18080"])), 1, "a loop"),
    "another_port": (lambda setup, pki: (
        _issuer(["http://127.0.0.1:18081/"])(setup, pki),
        setup.relay.options.update(listen=["*:18080"])), 0, None),
    "CA_ends_soon": (_issuer(["http://a.example/"], lambda pki: pki_module.new_ca(
        pki.root, not_after=10 * DAY)), 1, "ends soon"),
    "admin": (_option(admin="*:18081"), 1, "admin_token_file"),
    "admin_with_token": (_option(admin="*:18081", admin_token_file="/nowhere/token"), 0, None),
    "admin_is_local": (_option(admin="[::1]:18081"), 0, None),
    "little_memory": (_option(cache={"memory": "1M"}), 1, "1.0 MiB hold about 1024 answers"),
    "store_in_memory": (_option(store=["lmdb:/dev/shm/ocsprelay"]), 1, "tmpfs"),
}


@pytest.mark.parametrize("name", DOUBTS)
def test_what_is_legal_but_unwise(setup, pki, name):
    change, count, said = DOUBTS[name]
    change(setup, pki)
    if name == "store_in_memory" and " /dev/shm tmpfs " not in MOUNTS.read_text():
        pytest.skip("/dev/shm is no tmpfs")
    told = setup.told()
    assert len(told["warnings"]) == count and not told["faults"]
    result = setup.check()
    assert f"warnings: {count}, faults: 0" in result.stdout
    assert len(result.stderr.splitlines()) == count
    if said:
        assert ": warning: " in told["warnings"][0] and said in told["warnings"][0]


def test_weak_key_of_a_CA(setup):
    weak = pki_module.new_root(key=rsa.generate_private_key(65537, 1024))
    setup.relay.add_issuer("Old CA", weak, ["http://a.example/"])
    (warning,) = setup.told()["warnings"]
    assert "weak (1024 bits)" in warning


def test_no_issuer_is_no_success(setup):
    assert "no issuer" in setup.check(code=NO).stdout


# --- trying the responders ----------------------------------------------------------------------

def _stale(responder):
    now = time.time()
    return responder.signed(this_update=now - 2 * DAY, next_update=now - DAY)


# what it does, about whom it is asked, whether that works, and status or reason
TRIALS = {
    "good": (None, "watched", True, "good"),
    "revoked": (lambda r: r.signed(status="revoked"), "watched", True, "revoked"),
    "unknown": (lambda r: r.signed(status="unknown"), "made-up", True, "unknown"),
    "no_next_update": (lambda r: r.signed(next_update=NEVER), "made-up", True, "good"),
    "unauthorized_of_nobody": (lambda r: error(6), "made-up", True, "upstream-unauthorized"),
    "unauthorized_of_its_own": (lambda r: error(6), "watched", False, "upstream-unauthorized"),
    "of_issuer_dir": (None, "issuer_dir", True, "good"),
    "GET_refused": (lambda r: only("GET", http_status(405)), "watched", True, "good"),
    "try_later": (lambda r: error(3), "made-up", False, "upstream-try-later"),
    "HTTP_error": (lambda r: http_status(500), "watched", False, "upstream-http"),
    "portal": (lambda r: html, "watched", False, "der"),
    "stale": (_stale, "watched", False, "expired"),
    "wrong_signer": (lambda r: r.signed(signer=r.pki.root), "made-up", False, "responder-id"),
}


@pytest.mark.parametrize("name", TRIALS)
def test_responder_is_tried(setup, pki, responder, name):
    behaviour, about, works, said = TRIALS[name]
    responder.behave(behaviour(responder) if behaviour else None)
    leaf = pki.leaf(aia=responder.url)
    setup.relay.add_issuer("Corp CA", pki.ca, [responder.url])
    if about != "made-up":
        folder = "watched" if about == "watched" else "issuers.d"
        (setup.directory / folder / "leaf.pem").write_bytes(leaf.pem)
    (one,) = setup.told("--online", code=OK if works else NO)["online"]
    assert one["works"] is works and one["issuer"] == "Corp CA" and one["url"] == responder.url
    assert (one["status"] if "status" in one else one["reason"]) == said
    assert about in one["about"]
    assert one["address"] == "127.0.0.1" and one["http_status"] > 0 and one["microseconds"] > 0
    assert (responder.of()[0].serial == leaf.serial) == (about != "made-up")
    text = setup.check("--online", code=OK if works else NO).stdout
    assert f"\n  {'works' if works else 'FAILS'}  {responder.url}\n         Corp CA, 127.0.0.1, HTTP" \
        in text
    fits(text)


def test_progress_is_shown_on_a_terminal(setup, pki, responder):
    setup.relay.add_issuer("Corp CA", pki.ca, [responder.url])
    setup.relay.write_config()
    status, text = run_on_terminal("check", "-c", setup.relay.config, "--online")
    assert status == OK and "]   0 %  0, 0/s" in text and text.endswith("\r\033[K"), text
    assert "%" not in setup.check("--online").stderr


def test_each_responder_of_each_issuer_is_tried(setup, pki, make_responder):
    other = pki_module.Pki()
    first, second, third = make_responder(), make_responder(), make_responder(other)
    setup.relay.add_issuer("A", pki.ca, [first.url, second.url])
    setup.relay.add_issuer("B", other.ca, [third.url])
    told = setup.told("--online")["online"]
    assert [(one["issuer"], one["url"], one["works"]) for one in told] == [
        ("A", first.url, True), ("A", second.url, True), ("B", third.url, True)]
    first.stop()
    told = setup.told("--online", code=NO)["online"]
    assert [one["works"] for one in told] == [False, True, True]
    assert "connect" in told[0]["detail"] and told[0]["http_status"] == 0


def test_host_that_is_down_is_tried_once(setup, pki, make_responder):
    """Not once for each of its issuers: that would take their time-outs together."""
    other = pki_module.Pki()
    responder = make_responder()
    setup.relay.add_issuer("A", pki.ca, [responder.url], attempt_timeout="200ms")
    setup.relay.add_issuer("B", other.ca, [responder.url], attempt_timeout="200ms")
    with responder.held():
        told = setup.told("--online", code=NO)["online"]
    assert [(one["issuer"], one["reason"]) for one in told] == [
        ("A", "upstream-timeout"), ("B", "upstream-timeout")]
    assert responder.connections == 1


def test_expired_leaf_is_not_asked_about(setup, pki, responder):
    setup.relay.add_issuer("Corp CA", pki.ca, [responder.url])
    leaf = pki.leaf(aia=responder.url, not_before=-3 * DAY, not_after=-DAY)
    (setup.directory / "issuers.d" / "leaf.pem").write_bytes(leaf.pem)
    (one,) = setup.told("--online")["online"]
    assert "made-up" in one["about"]


def test_configuration_that_is_refused_is_not_tried(setup, pki, responder):
    setup.relay.add_issuer("Corp CA", pki.ca, [responder.url], frob="1")
    setup.check("--online", code=CONFIG)
    assert responder.connections == 0


@pytest.mark.parametrize("issuers", [0, 1])
def test_nothing_to_try(setup, pki, issuers):
    if issuers:
        setup.relay.add_issuer("Corp CA", pki.ca)
    assert setup.told("--online", code=OK if issuers else NO)["online"] == []
