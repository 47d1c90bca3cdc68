# SPDX-License-Identifier: ISC
"""The operator's program: for which events it is run, what it is told, and that nothing waits."""

import os

import pytest

import pki as pki_module
from pki import request
from relay import run, until
from responder import http_status


@pytest.fixture
def make_hook(tmp_path):
    """make_hook(lines) -> path of a program; wait() -> [{name: value}] of its environments."""
    tmp_path.chmod(0o755)
    out = tmp_path / "out"
    out.mkdir()

    def make(lines="", name="hook"):
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{lines}\nenv >{out}/.$$ && mv {out}/.$$ {out}/$$\n")
        path.chmod(0o755)
        return str(path)

    def wait(count, event=None):
        def found():
            told = [dict(line.split("=", 1) for line in path.read_text().splitlines())
                    for path in sorted(out.glob("[0-9]*"), key=os.path.getmtime)]
            told = [one for one in told if event in (None, one["OCSPRELAY_EVENT"])]
            return told if len(told) >= count else None
        return until(found, what=f"{count} runs of the hook for {event}")

    make.wait = wait
    return make


def ask(relay, pki):
    return relay.get(request(pki.ca.certid(pki_module.new_serial())))


def test_down_and_up(make_relay, make_hook, responder, pki):
    relay = make_relay(responder, hook=make_hook(), env={"SECRET": "sesame"})
    known = request(pki.ca.certid(pki_module.new_serial()))
    relay.get(known)
    responder.then(http_status(500))
    ask(relay, pki)
    down, = make_hook.wait(1)
    assert down["OCSPRELAY_EVENT"] == "responder-down"
    assert (down["OCSPRELAY_ISSUER"], down["OCSPRELAY_RESPONDER"]) == ("test", responder.url)
    assert down["OCSPRELAY_REASON"] == "upstream-http"
    assert down["OCSPRELAY_TIME"].endswith("Z") and down["OCSPRELAY_TEXT"]
    assert "SECRET" not in down
    relay.get(known)
    relay.get(known)
    ask(relay, pki)
    up, = make_hook.wait(1, "responder-up")
    assert (up["OCSPRELAY_SECONDS"], up["OCSPRELAY_SAVED"]) == ("0", "2")
    relay.wait_for_metric("hook_runs_total", 2, result="ok")


def test_status_change(make_relay, make_hook, responder, certid):
    relay = make_relay(responder, hook=make_hook())
    data = request(certid)
    relay.get(data)
    responder.statuses[certid.number] = "revoked"
    status, _ = relay.post_admin("/api/v1/refresh", {"all": True})
    assert status == 200
    told, = make_hook.wait(1)
    assert told["OCSPRELAY_EVENT"] == "status-changed"
    assert (told["OCSPRELAY_FROM"], told["OCSPRELAY_TO"]) == ("good", "revoked")
    assert int(told["OCSPRELAY_SERIAL"], 16) == certid.number


def test_only_for_what_was_asked_for(make_relay, make_hook, responder, pki):
    relay = make_relay(responder, hook=make_hook(), hook_events=["rehearsal-ended"])
    assert run("rehearse", "-c", relay.config, "--issuer", "test", "--for", "1h").returncode == 0
    ask(relay, pki)
    assert run("rehearse", "-c", relay.config, "--issuer", "test", "--stop").returncode == 0
    told, = make_hook.wait(1)
    assert told["OCSPRELAY_EVENT"] == "rehearsal-ended" and told["OCSPRELAY_FAILED"] == "1"


@pytest.mark.parametrize("lines, timeout, said, result", [
    ("exit 3", "30s", "exit status 3", "failed"),
    ("kill -9 $$", "30s", "died of signal 9", "failed"),
    ("sleep 1000", "100ms", "killed: it took too long", "killed")])
def test_what_goes_wrong_is_told(make_relay, make_hook, responder, pki, lines, timeout, said,
                                 result):
    relay = make_relay(responder, hook=make_hook(lines), hook_timeout=timeout)
    responder.then(http_status(500))
    ask(relay, pki)
    event = relay.log.wait_for("hook-failed")
    assert (event["for"], event["what"]) == ("responder-down", said)
    relay.wait_for_metric("hook_runs_total", 1, result=result)


def test_what_cannot_be_run_stops_nothing(make_relay, responder, pki, tmp_path):
    relay = make_relay(responder, hook=str(tmp_path / "none"))
    assert "there is no such program" in relay.log.text
    responder.then(http_status(500))
    ask(relay, pki)
    assert "No such file" in relay.log.wait_for("hook-failed")["what"]
    assert ask(relay, pki).cache_status["stored"]


def test_reload_takes_another_one(make_relay, make_hook, responder, pki):
    relay = make_relay(responder)
    relay.options["hook"] = make_hook()
    relay.reload()
    assert not relay.log.find("config")
    responder.then(http_status(500))
    ask(relay, pki)
    assert make_hook.wait(1)[0]["OCSPRELAY_EVENT"] == "responder-down"


def test_storm_is_bounded_and_nobody_waits_for_it(make_relay, make_hook, responder, pki, tmp_path):
    """A hundred changes at once while the hook hangs: some are dropped, clients are served."""
    relay = make_relay(responder, hook=make_hook(f"while ! [ -e {tmp_path}/go ]; do sleep 0.02; "
                                                 "done"))
    certids = [pki.ca.certid(pki_module.new_serial()) for _ in range(100)]
    for certid in certids:
        relay.get(request(certid))
        responder.statuses[certid.number] = "revoked"
    relay.post_admin("/api/v1/refresh", {"all": True})
    relay.wait_for_metric("hook_runs_total", 1, result="dropped")
    assert "too many wait" in relay.log.text
    assert ask(relay, pki).cache_status["stored"]
    (tmp_path / "go").touch()
    relay.wait_for_metric("hook_runs_total", 68, result="ok")
    until(lambda: relay.metric("hook_runs_total") == 100)


@pytest.mark.parametrize("options, said", [
    ({"hook": "bin/hook"}, "absolute path"), ({"hook_events": ["ready"]}, "runway-short"),
    ({"hook_timeout": "2h"}, "hook_timeout")])
def test_configuration(make_relay, responder, options, said):
    relay = make_relay(responder, start=False, **options)
    relay.write_config()
    result = run("check", "-c", relay.config)
    assert result.returncode == 78 and said in result.stdout + result.stderr
