# SPDX-License-Identifier: ISC
"""The metrics page: its two formats, as strict readers of others see them, and what is counted as
what."""

import os
import re
import signal
import subprocess
import time

import pytest

import pki as pki_module
import rawhttp
from pki import request
from rawhttp import get
from relay import ROOT, until
from responder import error

OPENMETRICS = "application/openmetrics-text"


def rows(name, pattern):
    """What the pattern finds in include/tbl/NAME.h."""
    with open(os.path.join(ROOT, "include", "tbl", name + ".h"), encoding="utf-8") as file:
        return re.findall(pattern, file.read(), re.MULTILINE)


def new_certid(pki):
    return pki.ca.certid(pki_module.new_serial())


def busy(relay, responder, pki):
    """Something of everything."""
    certid = new_certid(pki)
    for _ in range(2):
        assert relay.get(request(certid)).status == 200
    relay.get(None, target="/x")
    responder.behave(error(6))
    relay.get(request(new_certid(pki)))
    responder.behave(None)
    until(lambda: relay.metric("runway_answers") == 1, what="a look at the runway")


@pytest.fixture
def counted(make_relay, responder, pki):
    relay = make_relay(responder, start=False)
    section = relay.options["issuer"].pop("test")
    relay.options["issuer"]["Müller's CA, {x=1}"] = section
    relay.start()
    busy(relay, responder, pki)
    return relay


def test_openmetrics_when_asked_for(counted):
    """As the reference reader of the format takes it."""
    parser = pytest.importorskip("prometheus_client.openmetrics.parser",
                                 reason="Debian package python3-prometheus-client")
    status, text, content_type = counted.admin("/metrics", Accept=OPENMETRICS + ";version=1.0.0")
    assert (status, content_type) == \
        (200, OPENMETRICS + "; version=1.0.0; charset=utf-8")
    families = {family.name: family for family in
                parser.text_string_to_metric_families(text)}
    assert families["ocsprelay_requests"].type == "counter"
    assert families["ocsprelay_build"].type == "info"
    assert families["ocsprelay_request_seconds"].unit == "seconds"
    assert families["ocsprelay_cache_bytes"].unit == "bytes"
    assert families["process_cpu_seconds"].type == "counter"
    assert {sample.labels["issuer"] for sample in families["ocsprelay_runway_seconds"].samples} == \
        {"Müller's CA, {x=1}"}
    # both formats have the same series
    assert {(sample.name, tuple(sorted(sample.labels.items())))
            for family in families.values() for sample in family.samples} == \
        {(name, tuple(sorted(labels.items()))) for name, labels, _ in counted.metrics()}


def test_text_for_everybody_else(counted):
    """As the reference reader of that format takes it."""
    parser = pytest.importorskip("prometheus_client.parser",
                                 reason="Debian package python3-prometheus-client")
    for accept in ("*/*", "text/plain", f"{OPENMETRICS};q=0.4, text/plain;q=0.5"):
        status, text, content_type = counted.admin("/metrics", Accept=accept)
        assert (status, content_type) == (200, "text/plain; version=0.0.4; charset=utf-8")
    families = {family.name: family for family in parser.text_string_to_metric_families(text)}
    names = rows("counters", r'^METRIC\(\w+, "(\w+)"') + rows("process", r'^PROCESS\(\w+, "(\w+)"')
    assert {name.removesuffix("_total") for name in families} == \
        {name.removesuffix("_total") if name.startswith("process_") else
         "ocsprelay_" + name.removesuffix("_total") for name in names}
    assert all(family.documentation for family in families.values())


def test_promtool_has_nothing_to_say(counted, program):
    promtool = program("promtool")
    result = subprocess.run([promtool, "check", "metrics"], input=counted.admin("/metrics")[1],
                            capture_output=True, text=True, check=False, timeout=20)
    assert (result.returncode, result.stdout + result.stderr) == (0, "")


def test_nothing_is_there_twice(counted):
    series = [(name, tuple(sorted(labels.items()))) for name, labels, _ in counted.metrics()]
    assert len(series) == len(set(series))


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/api/v1/status",
                                  "/api/v1/runway"])
def test_head_tells_of_what_get_brings(relay, path):
    fields = rawhttp.ask(relay.admin_socket, f"GET {path} HTTP/1.1\r\nHost: localhost\r\n"
                         "Connection: close\r\n\r\n".encode())
    head = rawhttp.ask(relay.admin_socket, f"HEAD {path} HTTP/1.1\r\nHost: localhost\r\n"
                       "Connection: close\r\n\r\n".encode(), head_only=True)
    assert (head.status, head.body) == (200, b"")
    for name in ("Content-Type", "Cache-Control", "Vary"):
        assert head.field(name) == fields.field(name)


def test_what_is_known_starts_at_zero(relay, responder):
    """So that the first increase is seen as one."""
    samples = {(name, tuple(sorted(labels.items()))): value for name, labels, value in
               relay.metrics()}
    for name, labels in [
            ("rollbacks_refused_total", {"issuer": "test"}),
            ("status_changes_total", {"issuer": "test", "from": "good", "to": "revoked"}),
            ("refreshes_total", {"issuer": "test", "result": "error"}),
            ("responses_total", {"issuer": "test", "status": "try_later"}),
            ("config_reloads_total", {"result": "error"}),
            ("runway_answers", {"issuer": "test"}),
            ("log_dropped_total", {})]:
        assert samples["ocsprelay_" + name, tuple(sorted(labels.items()))] == 0, name
    assert not [labels for name, labels, _ in relay.metrics()
                if name.endswith("status_changes_total") and labels["from"] == labels["to"]]


def test_health_of_a_responder_is_told_once_it_was_asked(relay, responder, pki):
    def up():
        return [value for name, labels, value in relay.metrics()
                if name == "ocsprelay_responder_up" and labels["responder"] == responder.url]
    assert up() == []
    relay.get(request(new_certid(pki)))
    assert up() == [1]
    responder.stop()
    relay.get(request(new_certid(pki)))
    assert up() == [0]


def test_process_metrics(relay):
    values = {name: value for name, labels, value in relay.metrics()
              if name.startswith("process_") and not labels}
    pid = relay.process.pid
    assert 0 < values["process_cpu_seconds_total"] < 1000
    assert abs(values["process_start_time_seconds"] - time.time()) < 300
    assert values["process_resident_memory_bytes"] > 1 << 20
    assert values["process_virtual_memory_bytes"] >= values["process_resident_memory_bytes"]
    assert values["process_open_fds"] <= len(os.listdir(f"/proc/{pid}/fd")) + 2
    assert values["process_open_fds"] > 5
    with open(f"/proc/{pid}/limits", encoding="ascii") as file:
        limit = re.search(r"Max open files +(\d+)", file.read())[1]
    assert values["process_max_fds"] == int(limit)


# --- what is counted as what --------------------------------------------------------------------

def hit(relay, _, certid):
    relay.get(request(certid))
    relay.get(request(certid))


def miss(relay, _, certid):
    relay.get(request(certid))


def collapsed(relay, responder, certid):
    with relay.connect() as first, relay.connect() as second:
        with responder.held():
            for connection in (first, second):
                connection.send(get(request(certid)))
            relay.wait_for_metric("waiters", 2)  # of one fetch
        assert first.read().body == second.read().body


def refreshed(relay, responder, certid):
    responder.behave(responder.signed(next_update=time.time() + 200))  # within expiry_margin
    until(lambda: relay.get(request(certid)).cache_status.get("fwd") == "stale")


def bypass(relay, _, certid):
    relay.get(request(certid, certid))


def negative(relay, responder, certid):
    responder.behave(error(6))
    relay.get(request(certid))
    relay.get(request(certid))


def rejected(relay, _, __):
    relay.get(None, target="/favicon.ico")


def failed(relay, responder, certid):
    responder.behave(error(2))
    relay.get(request(certid))


@pytest.mark.parametrize("story, result, others", [
    (hit, "hit", {"miss": 1}), (miss, "miss", {}), (collapsed, "collapsed", {"miss": 1}),
    (refreshed, "refreshed", {"miss": 1}), (bypass, "bypass", {}),
    (negative, "negative", {"error": 1}), (rejected, "rejected", {}), (failed, "error", {}),
])
def test_each_result_is_counted_where_it_occurs(make_relay, responder, certid, story, result,
                                                others):
    relay = make_relay(responder, issuer={"min_refresh_interval": "1s"})
    story(relay, responder, certid)
    counted = {}
    for name, labels, value in relay.metrics():
        if name == "ocsprelay_requests_total" and value:
            assert labels["issuer"] == ("" if story is rejected else "test")
            counted[labels["result"]] = value
    for one in counted:
        assert relay.metric("request_seconds_count", result=one) == counted[one]
    if story is refreshed:
        counted.pop("hit", None)  # while it was too early
    assert counted == {result: 1, **others}
    assert relay.metric("rejected_total") == counted.get("rejected", 0)
    assert relay.metric("errors_total", issuer="test") == \
        counted.get("error", 0) + counted.get("negative", 0)


def test_errors_have_their_reason(relay, responder, certid):
    responder.behave(error(6))
    relay.get(request(certid))
    relay.get(request(certid))
    assert relay.metric("errors_total", issuer="test", reason="upstream-unauthorized") == 2


def test_refused_reload_shows_until_one_succeeds(relay):
    assert relay.metric("config_last_reload_successful") == 1
    right = relay.options["threads"]
    for wrong in ("many", right, "many", "more", right):
        relay.options["threads"] = wrong
        relay.write_config()
        n = len(relay.log.find("reload")) + len(relay.log.find("reload-failed"))
        relay.signal(signal.SIGHUP)
        until(lambda: len(relay.log.find("reload")) + len(relay.log.find("reload-failed")) > n)
        assert relay.metric("config_last_reload_successful") == (wrong == right)


def test_every_result_of_the_table_has_its_story():
    marks = test_each_result_is_counted_where_it_occurs.pytestmark
    assert {args[1] for args in marks[0].args[1]} == \
        set(rows("labels", r'^LABEL\(RESULT, \w+, "(\w+)"'))
