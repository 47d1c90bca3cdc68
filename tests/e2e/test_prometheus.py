# SPDX-License-Identifier: ISC
"""What is shipped for Prometheus and Grafana: a real Prometheus with our scrape configuration and
our alert rules, and the dashboard's queries against what a relay shows."""

import json
import os
import re
import signal
import subprocess
import urllib.error
import urllib.parse
import urllib.request

import pytest

import pki as pki_module
from clients import free_port
from pki import request
from relay import ROOT, run, until

CONTRIB = os.path.join(ROOT, "contrib")
RULES = os.path.join(CONTRIB, "prometheus", "ocsprelay.rules.yml")
NAME = re.compile(r"\b((?:ocsprelay|process)_[a-z_]+)\b")
JOB = "ocsprelay"  # of the scrape configuration


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def dashboard():
    return json.loads(read("contrib", "grafana", "ocsprelay.json"))


def queries():
    """Every PromQL expression of the dashboard, as Grafana would send it."""
    board = dashboard()
    texts = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
    texts += [one["expr"] for one in board["annotations"]["list"] if "expr" in one]
    for name, value in [("$job", ".*"), ("$instance", ".*"), ("$issuer", ".*"),
                        ("$__rate_interval", "1m")]:
        texts = [text.replace(name, value) for text in texts]
    assert not [text for text in texts if "$" in text]
    return texts


def expressions():
    """Of the alert rules: {alert: its text in the file}."""
    parts = re.split(r"^ +- alert: ", read("contrib", "prometheus", "ocsprelay.rules.yml"),
                     flags=re.MULTILINE)[1:]
    return {part.split("\n", 1)[0].strip(): part for part in parts}


# --- promtool -----------------------------------------------------------------------------------

@pytest.mark.parametrize("args", [
    ("check", "rules", "--lint-fatal", "ocsprelay.rules.yml"),
    ("check", "config", "--lint-fatal", "prometheus.yml"),
    ("test", "rules", "ocsprelay.test.yml")], ids=" ".join)
def test_promtool(program, args):
    result = subprocess.run([program("promtool"), *args], capture_output=True, text=True,
                            cwd=os.path.join(CONTRIB, "prometheus"), check=False, timeout=60)
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_alert_is_tried_and_leads_to_its_section():
    handbook = read("doc", "operating.md")
    tried = read("contrib", "prometheus", "ocsprelay.test.yml")
    alerts = expressions()
    assert len(alerts) == len(set(alerts)) >= 10
    for alert, text in alerts.items():
        assert re.search(rf"^### {alert}$", handbook, re.MULTILINE), f"{alert} is in no handbook"
        assert f'handbook: "doc/operating.md#{alert.lower()}"' in text
        assert re.search(r"severity: (critical|warning|info)$", text, re.MULTILINE), alert
        for annotation in ("summary", "description", "action"):
            assert f"          {annotation}: " in text, (alert, annotation)
        assert re.search(rf"alertname: {alert}, exp_alerts: \[\]", tried), f"{alert} never rests"
        assert re.search(rf"alertname: {alert}\n +exp_alerts:", tried), f"{alert} never comes"


# --- names --------------------------------------------------------------------------------------

def shown():
    """All families that /metrics has, by the tables."""
    families = set(re.findall(r'^METRIC\(\w+, "(\w+)"', read("include", "tbl", "counters.h"),
                              re.MULTILINE))
    names = {"ocsprelay_" + name for name in families}
    names |= set(re.findall(r'^PROCESS\(\w+, "(\w+)"', read("include", "tbl", "process.h"),
                            re.MULTILINE))
    return names | {name + end for name in names if name.endswith("_seconds")
                    for end in ("_bucket", "_sum", "_count")}


@pytest.mark.parametrize("where", ["dashboard", "rules"])
def test_every_metric_that_is_asked_for_exists(where):
    text = "\n".join(queries()) if where == "dashboard" else "\n".join(expressions().values())
    variables = [one["query"]["query"] for one in dashboard()["templating"]["list"]
                 if one["type"] == "query"]
    asked = set(NAME.findall(text + "\n".join(variables)))
    assert len(asked) > 8
    assert asked <= shown(), f"no metric of the relay: {sorted(asked - shown())}"


def test_dashboard_shows_every_metric():
    used = {re.sub("_(bucket|sum|count)$", "", name) for name in NAME.findall("\n".join(queries()))}
    assert {name for name in shown() if not re.search("_(bucket|sum|count)$", name)} - used == {
        "ocsprelay_config_last_reload_successful", "process_virtual_memory_bytes"}


def test_label_values_that_are_asked_for_exist():
    """result="..." and so on, in rules and dashboard, against the table of labels."""
    known = {}
    for dimension, name in re.findall(r'^LABEL_DIM\((\w+), "(\w+)"', read("include/tbl/labels.h"),
                                      re.MULTILINE):
        known.setdefault(name, set()).update(re.findall(
            rf'^LABEL\({dimension}, \w+, "(\w+)"', read("include/tbl/labels.h"), re.MULTILINE))
    text = "\n".join(queries() + list(expressions().values()))
    matched = 0
    for name, values in re.findall(r'(\w+)=~?"([a-z_|]+)"', text):
        for value in values.split("|") if name in known else []:
            assert value in known[name], f'{name}="{value}"'
            matched += 1
    assert matched > 10


# --- the dashboard ------------------------------------------------------------------------------

def test_dashboard_is_one_that_grafana_takes():
    board = dashboard()
    assert board["id"] is None and board["uid"] and board["title"] and board["schemaVersion"] >= 36
    assert board["templating"]["list"][0] == {**board["templating"]["list"][0],
                                              "name": "datasource", "type": "datasource",
                                              "query": "prometheus"}
    ids, places = set(), set()
    for panel in board["panels"]:
        assert panel["id"] not in ids
        ids.add(panel["id"])
        at = panel["gridPos"]
        assert 0 <= at["x"] and at["x"] + at["w"] <= 24
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"])
                 for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & places, f"{panel['title']} lies over another"
        places |= cells
        if panel["type"] == "row":
            continue
        assert panel["type"] in ("stat", "timeseries", "state-timeline")
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert panel["title"] and panel["fieldConfig"]["defaults"]["unit"]
        refs = [target["refId"] for target in panel["targets"]]
        assert refs and len(refs) == len(set(refs))
        assert all(target["datasource"] == panel["datasource"] for target in panel["targets"])


# --- a real Prometheus --------------------------------------------------------------------------

class Prometheus:
    def __init__(self, start, path, directory, target):
        self.port = free_port()
        config = read("contrib", "prometheus", "prometheus.yml")
        assert '"127.0.0.1:8081"' in config and "rule_files:\n  - ocsprelay.rules.yml" in config
        for old, new in [("127.0.0.1:8081", target), ("_interval: 15s", "_interval: 250ms"),
                         ("  - ocsprelay.rules.yml", "  - " + RULES)]:
            config = config.replace(old, new)
        (directory / "prometheus.yml").write_text(config)
        self.server = start(path, f"--config.file={directory}/prometheus.yml",
                            f"--storage.tsdb.path={directory}/data",
                            f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=info")
        self.server.wait_for("Server is ready to receive web requests")

    def ask(self, path, **query):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(url, timeout=20) as answer:
                told = json.load(answer)
        except urllib.error.HTTPError as fault:
            told = json.load(fault)
        assert told["status"] == "success", f"{query}: {told.get('error')}"
        return told["data"]

    def rules(self):
        """{alert: how its evaluation went}, once all have been evaluated."""
        def told():
            found = {rule["name"]: rule["health"] for group in self.ask("rules")["groups"]
                     for rule in group["rules"]}
            return "unknown" not in found.values() and found
        return until(told, what="every rule evaluated")

    def value(self, query):
        """Of the one series that it gives, or None."""
        result = self.ask("query", query=query)["result"]
        assert len(result) < 2, result
        return float(result[0]["value"][1]) if result else None

    def wait_for(self, query, value):
        until(lambda: self.value(query) == value, what=f"{query} == {value}")


def test_prometheus_watches_a_relay(make_relay, responder, pki, program, start, tmp_path):
    target = f"127.0.0.1:{free_port()}"
    relay = make_relay(responder, admin=target)
    prometheus = Prometheus(start, program("prometheus"), tmp_path, target)
    certid = pki.ca.certid(pki_module.new_serial())
    for _ in range(4):
        relay.get(request(certid))

    # what is counted
    prometheus.wait_for(f'up{{job="{JOB}"}}', 1)
    prometheus.wait_for('ocsprelay_requests_total{issuer="test",result="hit"}', 3)
    prometheus.wait_for("sum(ocsprelay_requests_total)", 4)
    prometheus.wait_for("ocsprelay_cache_entries", 1)
    prometheus.wait_for('ocsprelay_runway_answers{issuer="test"}', 1)
    assert prometheus.value('ocsprelay_runway_seconds{quantile="0"} > 0') is not None
    version = run("--version").stdout.split()[1]
    prometheus.wait_for(f'ocsprelay_build_info{{version="{version}"}}', 1)
    # it asked for OpenMetrics, and understood it
    about = prometheus.ask("metadata")["ocsprelay_request_seconds"]
    assert [(one["type"], one["unit"]) for one in about] == [("histogram", "seconds")]

    # all that is shipped is a query that it takes
    for query in queries():
        prometheus.ask("query", query=query)
    assert prometheus.rules() == {name: "ok" for name in expressions()}
    assert prometheus.value("count(ALERTS)") is None

    # alerts that wait for nothing, from cause to Prometheus
    responder.behave(responder.mangled(lambda der: der[:-1] + bytes([der[-1] ^ 1])))
    relay.get(request(pki.ca.certid(pki_module.new_serial())))
    relay.options["threads"] = "many"
    relay.write_config()
    relay.signal(signal.SIGHUP)
    relay.log.wait_for("reload-failed")
    for alert in ("VerificationFailures", "ReloadFailed"):
        prometheus.wait_for(f'count(ALERTS{{alertstate="firing",alertname="{alert}"}})', 1)
