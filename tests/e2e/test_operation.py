# SPDX-License-Identifier: ISC
"""The daemon's life: configuration, start, reload, drain, log, metrics, listeners."""

import json
import os
import pwd
import re
import signal
import socket
import stat
import subprocess
import sys
import threading

import pytest

import pki as pki_module
import rawhttp
import relay as relay_module
from pki import parse_response, request, response
from rawhttp import get
from relay import ROOT, parse_line, render, run, until
from responder import after, error

OK, CONFIG, USAGE = 0, 78, 64


def version():
    with open(os.path.join(ROOT, "configure.ac"), encoding="utf-8") as file:
        return re.search(r"AC_INIT\(\[ocsprelay\], \[([^]]+)\]", file.read())[1]


# --- command line -------------------------------------------------------------------------------

@pytest.mark.parametrize("args", [["--version"], ["serve", "--version"], ["query", "--version"]])
def test_version(args):
    result = run(*args)
    assert result.returncode == OK
    assert version() in result.stdout.splitlines()[0]
    assert not result.stderr


@pytest.mark.parametrize("args", [["--help"], ["serve", "--help"], ["check", "--help"],
                                  ["query", "--help"], ["verify", "--help"]])
def test_help(args):
    result = run(*args)
    assert result.returncode == OK
    assert "ocsprelay" in result.stdout and not result.stderr


@pytest.mark.parametrize("args, said", [
    ([], "command"), (["srve"], "serve"), (["--frob"], "--frob"), (["serve", "--frob"], "--frob"),
    (["serve", "-c"], "-c"), (["query"], "CERT"), (["check", "extra"], "extra"),
    (["verify", "x.der"], "--issuer"), (["query", "--timeout", "soon", "x"], "timeout"),
    (["query", "--hash", "md5", "x"], "--hash")])
def test_usage(args, said):
    result = run(*args)
    assert result.returncode == USAGE
    assert said in result.stderr and not result.stdout
    assert len(result.stderr.splitlines()) == 1


# --- check --------------------------------------------------------------------------------------

@pytest.fixture
def directory(tmp_path, pki):
    pki.write(tmp_path)
    os.mkdir(tmp_path / "issuers.d")
    return tmp_path


def config(directory, text="", name="test.conf", **options):
    options = {"user": "", "issuer_dir": str(directory / "issuers.d"), "store": [], **options}
    path = directory / name
    path.write_text(render(options) + "\n" + text)
    return path


def issuer_section(directory, **options):
    return {"certificate": [str(directory / "ca.crt")],
            "responders": ["http://ocsp.ca.example/"], **options}


def test_check_of_a_good_configuration(directory):
    path = config(directory, issuer={"Corp CA": issuer_section(directory)})
    result = run("check", "-c", path)
    assert result.returncode == OK, result.stderr
    assert "Corp CA" in result.stdout
    assert "http://ocsp.ca.example/" in result.stdout
    assert not result.stderr


def test_check_json(directory):
    path = config(directory, issuer={"Corp CA": issuer_section(directory)})
    result = run("check", "-c", path, "--json")
    assert result.returncode == OK
    assert "Corp CA" in json.dumps(json.loads(result.stdout))


def test_check_of_the_commented_sample():
    path = os.path.join(ROOT, "etc", "ocsprelay.conf")
    if not os.path.exists(path):
        pytest.skip("no sample configuration yet")
    result = run("check", "-c", path)
    assert not re.search(r"\.conf:\d+: (?!warning)", result.stderr), result.stderr


BAD_LINES = [
    # line of the file, what the message must hold
    ('admn = "127.0.0.1:1"', ["admn", "did you mean", "admin"]),
    ("threads = many", ["threads"]),
    ("threads = 100000", ["threads", "256"]),
    ('listen = {"nowhere"}', ["listen", "nowhere"]),
    ('allow = {"10.0.0.0/33"}', ["allow", "10.0.0.0/33"]),
    ('store = {"ldap:/x"}', ["store", "ldap"]),
    ('cache { memory = "64X" }', ["memory"]),
    ('cache { memory = "1K" }', ["memory", "1M"]),
    ('log { format = "xml" }', ["format", "logfmt", "json"]),
    ('log { level = "loud" }', ["level", "notice"]),
    ('limits { header_timeout = "fast" }', ["header_timeout"]),
    ('limits { max_hedders = 3 }', ["max_hedders", "max_headers"]),
    ('defaults { method = "put" }', ["method", "auto", "get", "post"]),
    ('defaults { certificate = {"x"} }', ["certificate"]),
    ('issuer "x" { responders = {"ftp://x/"} }', ["responders", "ftp://x/"]),
    ('issuer "x" { responders = {"http://u:p@x/"} }', ["responders"]),
    ('issuer "x" { }', ["certificate"]),
    ("frobnicate { }", ["frobnicate"]),
]


@pytest.mark.parametrize("line, said", BAD_LINES, ids=[line for line, _ in BAD_LINES])
def test_check_names_file_and_line(directory, line, said):
    path = directory / "bad.conf"
    path.write_text(f'user = ""\n# a comment\n{line}\n')
    result = run("check", "-c", path)
    assert result.returncode == CONFIG
    assert re.search(rf"^{re.escape(str(path))}:3: ", result.stderr, re.M), result.stderr
    for word in said:
        assert word in result.stderr
    assert run("serve", "-c", path).returncode == CONFIG


def test_check_of_a_configuration_without_listeners(directory):
    result = run("check", "-c", config(directory, listen=[]))
    assert result.returncode == CONFIG
    assert "listen" in result.stderr


def test_check_says_all_errors_at_once(directory):
    path = directory / "bad.conf"
    path.write_text('threads = 1000\nadmn = "x"\nlog {\n  level = "loud"\n}\n'
                    'allow = {"x"}\nissuer "a" {\n  method = "put"\n}\n')
    result = run("check", "-c", path)
    assert result.returncode == CONFIG
    lines = {int(number) for number in re.findall(rf"^{re.escape(str(path))}:(\d+): ",
                                                  result.stderr, re.M)}
    assert {1, 2, 4, 6, 8} <= lines, result.stderr


@pytest.mark.parametrize("text", ['log {\n', 'threads = = 1\n', 'listen = {"a"\n', '"\n', "}\n",
                                  "\0\1\2", 'issuer {\n}\n'])
def test_check_of_broken_syntax(directory, text):
    path = directory / "bad.conf"
    path.write_text('user = ""\n' + text)
    result = run("check", "-c", path)
    assert result.returncode == CONFIG
    assert re.search(rf"^{re.escape(str(path))}:\d+: ", result.stderr, re.M), result.stderr


def test_check_of_no_file(directory):
    for command in ("check", "serve"):
        result = run(command, "-c", directory / "absent.conf")
        assert result.returncode == CONFIG
        assert "absent.conf" in result.stderr


def test_check_reports_certificates_that_cannot_be_read(directory):
    (directory / "issuers.d" / "broken.pem").write_text("-----BEGIN CERTIFICATE-----\nxx\n")
    (directory / "issuers.d" / "fine.pem").write_bytes((directory / "ca.crt").read_bytes())
    result = run("check", "-c", config(directory))
    assert "broken.pem" in result.stdout + result.stderr
    assert "Test Issuing CA" in result.stdout


def test_include_and_environment(directory):
    os.mkdir(directory / "conf.d")
    section = {"issuer": {"Included CA": issuer_section(directory)}}
    (directory / "conf.d" / "one.conf").write_text(render(section) + "\n")
    path = config(directory, 'include("conf.d/*.conf")\nlog { level = "${THE_LEVEL}" }\n')
    result = run("check", "-c", path, env={"THE_LEVEL": "debug"})
    assert result.returncode == OK, result.stderr
    assert "Included CA" in result.stdout
    (directory / "conf.d" / "two.conf").write_text("\nthreads = x\n")
    result = run("check", "-c", path, env={"THE_LEVEL": "loud"})
    assert result.returncode == CONFIG
    assert re.search(r"conf\.d/two\.conf:2: ", result.stderr), result.stderr
    assert "loud" in result.stderr


# --- start --------------------------------------------------------------------------------------

def test_no_issuer_at_all_starts_and_says_so(make_relay, pki):
    relay = make_relay(ca=None)
    assert relay.log.find("no-issuers")
    assert relay.get(request(pki.ca.certid(1))).body == response(6)
    assert relay.admin("/readyz")[0] == 200


def test_issuer_dir(make_relay, responder, pki):
    """A CA and a leaf that names the responder: adding a CA is dropping two files."""
    relay = make_relay(ca=None, start=False)
    leaf = pki.leaf(aia=responder.url)
    relay.write("issuers.d/ca.crt", pki.ca.der)        # DER
    relay.write("issuers.d/leaf.pem", leaf.pem)
    relay.write("issuers.d/README", "not a certificate, and not looked at")
    relay.start()
    assert relay.get(request(pki.ca.certid(leaf.serial))).cache_status["stored"]
    assert not relay.log.find("certificate-skipped")


def test_issuer_dir_with_a_bundle(make_relay, responder, pki):
    others = [pki_module.new_ca(pki.root, f"CA {number}") for number in range(20)]
    relay = make_relay(ca=None, start=False)
    leaf = pki.leaf(aia=responder.url)
    relay.write("issuers.d/bundle.pem",
                b"".join(b"subject: x\n" + one.pem for one in [*others, pki.ca, leaf]))
    relay.start()
    assert relay.log.wait_for("ready")["issuers"] == "21"
    assert relay.get(request(pki.ca.certid(1))).cache_status["stored"]


@pytest.mark.parametrize("content", [b"", b"rubbish", b"-----BEGIN CERTIFICATE-----\nAAAA\n",
                                     b"\x30\x82\x01\x00" + bytes(20)])
def test_broken_certificate_files_are_skipped(make_relay, responder, pki, content):
    relay = make_relay(ca=None, start=False)
    relay.write("issuers.d/a-broken.pem", content)
    relay.write("issuers.d/b-ca.pem", pki.ca.pem)
    relay.write("issuers.d/c-leaf.pem", pki.leaf(aia=responder.url).pem)
    relay.start()
    event = relay.log.wait_for("certificate-skipped")
    assert "a-broken.pem" in " ".join(event.values())
    assert relay.get(request(pki.ca.certid(1))).cache_status["stored"]


def test_absent_certificate_of_a_section_is_skipped(make_relay, responder, pki):
    relay = make_relay(responder, start=False)
    relay.options["issuer"]["gone"] = {"certificate": [relay.path("gone.pem")],
                                       "responders": [responder.url]}
    relay.start()
    assert "gone.pem" in " ".join(relay.log.wait_for("certificate-skipped").values())
    assert relay.get(request(pki.ca.certid(1))).cache_status["stored"]


def test_one_address_of_several_cannot_be_bound(make_relay, responder, request_der):
    relay = make_relay(responder, listen=["192.0.2.1:1", "127.0.0.1:0"])
    assert relay.log.wait_for("listen-failed")["address"] == "192.0.2.1:1"
    assert relay.get(request_der).status == 200


def test_no_address_can_be_bound(make_relay, responder):
    relay = make_relay(responder, listen=["192.0.2.1:1"], start=False)
    relay.start(ready=False)
    assert relay.process.wait(20) not in (0, CONFIG)
    relay.log.join()
    relay.check_log()
    assert relay.log.find("listen-failed")


def test_a_port_in_use_is_not_shared(make_relay, responder):
    first = make_relay(responder)
    second = make_relay(responder, listen=["%s:%d" % first.address], start=False)
    second.start(ready=False)
    assert second.process.wait(20) != 0
    second.log.join()
    assert second.log.find("listen-failed")


# --- drain and stop -----------------------------------------------------------------------------

@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_idle_relay_stops_at_once(relay, number):
    relay.signal(number)
    assert relay.wait() == 0
    assert relay.log.find("drain") and relay.log.find("stop")


@pytest.mark.threads
def test_EM_25_sigterm_drains(make_relay, responder, pki, certid):
    relay = make_relay(responder)
    idle, busy, piped = relay.connect(), relay.connect(), relay.connect()
    assert idle.ask(get(None, target="/x")).status == 400
    other = request(pki.ca.certid(pki_module.new_serial()))
    with responder.held():
        busy.send(get(request(certid)))
        piped.send(get(other) * 2)
        relay.wait_for_metric("waiters", 2)
        relay.signal(signal.SIGTERM)
        relay.log.wait_for("drain")
        assert idle.is_closed()
        until(lambda: refused(relay.address))
        assert relay.admin("/readyz")[0] == 503
        assert relay.admin("/healthz")[0] == 200
        assert json.loads(relay.admin("/api/v1/status")[1])["draining"] is True
        assert relay.process.poll() is None
    got = busy.read()
    assert got.status == 200
    assert parse_response(got.body).serial_number == certid.number
    assert got.field("Connection") == "close"
    assert busy.is_closed()
    assert piped.read().status == 200
    assert relay.wait() == 0
    for one in (idle, busy, piped):
        one.close()


def refused(address):
    try:
        with rawhttp.Connection(address) as connection:
            return connection.is_closed()
    except ConnectionRefusedError:
        return True


@pytest.mark.threads
def test_drain_has_an_end(make_relay, responder, certid):
    relay = make_relay(responder, limits={"drain_timeout": "300ms"})
    with responder.held(), relay.connect() as connection:
        connection.send(get(request(certid)))
        responder.wait_for(1)
        relay.signal(signal.SIGTERM)
        assert relay.wait() == 0


@pytest.mark.threads
def test_second_sigterm_does_not_wait(make_relay, responder, certid):
    relay = make_relay(responder)
    with responder.held(), relay.connect() as connection:
        connection.send(get(request(certid)))
        responder.wait_for(1)
        relay.signal(signal.SIGTERM)
        relay.log.wait_for("drain")
        relay.signal(signal.SIGTERM)
        assert relay.wait() == 0


@pytest.mark.threads
def test_what_is_fetched_while_draining_is_stored(make_relay, responder, certid):
    relay = make_relay(responder)
    with responder.held(), relay.connect() as connection:
        connection.send(get(request(certid)))
        responder.wait_for(1)
        relay.signal(signal.SIGTERM)
        relay.log.wait_for("drain")
        responder.release()
        body = connection.read().body
    assert relay.wait() == 0
    relay.start()
    assert relay.get(request(certid)).body == body
    assert responder.count() == 1


# --- reload -------------------------------------------------------------------------------------

@pytest.mark.threads
def test_reload_adds_an_issuer(make_relay, make_responder, responder, pki, certid):
    """Without dropping a connection, the cache, or what is under way."""
    other_pki = pki_module.Pki()
    other = make_responder(other_pki)
    relay = make_relay(responder)
    relay.get(request(certid))
    slow = request(pki.ca.certid(pki_module.new_serial()))
    released = threading.Event()
    responder.then(after(released))
    with relay.connect() as kept, relay.connect() as waiting:
        assert kept.ask(get(request(other_pki.ca.certid(1)))).body == response(6)
        waiting.send(get(slow))
        responder.wait_for(2)
        relay.add_issuer("other", other_pki.ca, [other.url])
        assert relay.reload()["issuers"] == "2"
        got = kept.ask(get(request(other_pki.ca.certid(1))))
        assert parse_response(got.body).serial_number == 1
        assert kept.ask(get(request(certid))).cache_status["hit"]
        released.set()
        assert waiting.read().status == 200
    assert relay.metric("config_reloads_total", result="ok") == 1
    assert relay.metric("requests_total", issuer="other") == 1


def test_reload_removes_an_issuer(make_relay, responder, certid):
    relay = make_relay(responder)
    relay.get(request(certid))
    relay.wait_for_stored()  # memory forgets what an issuer that is gone has signed
    section = relay.options.pop("issuer")
    relay.reload()
    assert relay.get(request(certid)).body == response(6)
    relay.options["issuer"] = section
    relay.reload()
    assert relay.get(request(certid)).cache_status["hit"]
    assert responder.count() == 1


def test_reload_changes_responders_and_limits(make_relay, make_responder, responder, pki):
    second = make_responder()
    relay = make_relay(responder)
    relay.options["issuer"]["test"]["responders"] = [second.url]
    relay.options["limits"] = {"max_request_line": 300}
    relay.options["allow"] = ["127.0.0.0/8"]
    with relay.connect() as kept:
        assert kept.ask(get(request(pki.ca.certid(1)))).status == 200
        relay.reload()
        assert kept.ask(get(request(pki.ca.certid(2)))).status == 200
    assert (responder.count(), second.count()) == (1, 1)
    assert relay.get(None, target="/" + "x" * 400).status == 414


def test_reload_of_a_broken_configuration_keeps_the_old_one(relay, responder, certid):
    relay.write("ocsprelay.conf", "threads = x\n")
    relay.signal(signal.SIGHUP)
    relay.log.wait_for("reload-failed")
    event = relay.log.wait_for("config")
    assert "ocsprelay.conf:1" in " ".join(event.values())
    assert relay.get(request(certid)).status == 200
    assert relay.metric("config_reloads_total", result="error") == 1
    relay.reload()
    assert relay.metric("config_reloads_total", result="ok") == 1


def test_reload_of_broken_certificates(relay, responder, certid):
    relay.write("issuers.d/broken.pem", "rubbish")
    relay.reload()
    assert "broken.pem" in " ".join(relay.log.wait_for("certificate-skipped").values())
    assert relay.get(request(certid)).status == 200


@pytest.mark.threads
def test_reloads_under_load(make_relay, responder, pki):
    relay = make_relay(responder, threads=4, back_threads=2)
    stop, faults = threading.Event(), []

    def client():
        with relay.connect() as connection:
            while not stop.is_set():
                got = connection.ask(get(request(pki.ca.certid(pki_module.new_serial()))))
                if got.status != 200 or len(got.body) < 100:
                    faults.append(got)
                    return
                if got.field("Connection") == "close":
                    return
    clients = [threading.Thread(target=client) for _ in range(4)]
    for one in clients:
        one.start()
    for _ in range(10):
        relay.reload()
    stop.set()
    for one in clients:
        one.join()
    assert not faults
    assert relay.metric("config_reloads_total", result="ok") == 10


# --- log ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("form", ["logfmt", "json"])
def test_log_to_a_file(make_relay, responder, certid, form):
    relay = make_relay(responder, start=False)
    path = relay.path("relay.log")
    relay.options["log"] = {"format": form, "target": path, "access": True, "level": "info"}
    relay.write_config()
    relay.start(ready=False)

    def events():
        if not os.path.exists(path):
            return []
        with open(path, encoding="utf-8") as file:
            return [parse_line(line.rstrip("\n")) for line in file if line.endswith("\n")]
    until(lambda: any(event["event"] == "ready" for event in events()))
    assert all(events())
    listen = next(event for event in events() if event["event"] == "listen")
    address = relay_module.socket_address(listen["address"])
    assert rawhttp.ask(address, get(request(certid))).status == 200
    access = until(lambda: [event for event in events() if event["event"] == "access"])[0]
    assert (access["method"], access["issuer"], access["result"], access["status"]) == \
        ("get", "test", "miss", "good")
    assert access["level"] == "info"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", access["ts"])
    with open(path, encoding="utf-8") as file:
        assert f"{certid.number:x}" not in file.read().lower()  # SL-15
    # logrotate: moved away, SIGHUP makes a new one
    os.rename(path, path + ".1")
    relay.signal(signal.SIGHUP)
    until(lambda: any(event["event"] == "reload" for event in events()))
    relay.signal(signal.SIGTERM)
    assert relay.process.wait(20) == 0
    relay.log.join()
    assert not relay.log.lines


def test_log_level(make_relay, responder, certid):
    relay = make_relay(responder, log={"level": "warning"}, start=False)
    relay.start(ready=False)
    until(lambda: os.path.exists(relay.admin_socket) and admin_answers(relay))
    responder.behave(error(3))
    assert not relay.log.lines
    relay.terminate()
    assert not relay.log.lines


def admin_answers(relay):
    try:
        return relay.admin("/readyz")[0] == 200
    except OSError:
        return False


def test_what_clients_send_cannot_break_the_log(make_relay, responder):
    relay = make_relay(responder, log={"access": True, "level": "debug"})
    for target in ("/%0Aevent=ready", '/"%22', "/\x7f"):
        relay.ask(get(None, target=target))
    relay.check()


@pytest.mark.threads
def test_repeated_events_are_folded(make_relay, responder, pki):
    relay = make_relay(responder, issuer={"neg_ttl_error": 0})
    responder.behave(error(3))
    with relay.connect() as connection:
        for _ in range(40):
            connection.ask(get(request(pki.ca.certid(pki_module.new_serial()))))
    assert 1 <= len(relay.log.find("fetch-failed")) < 20


# --- admin --------------------------------------------------------------------------------------

def test_health_and_readiness(relay):
    for path in ("/healthz", "/readyz"):
        status, _, content_type = relay.admin(path)
        assert status == 200 and content_type.startswith("text/plain")
    assert relay.admin("/nothing")[0] == 404
    assert relay.admin("/metrics", "POST")[0] in (404, 405, 501)


def test_admin_on_tcp(make_relay, responder):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    relay = make_relay(responder, admin=f"127.0.0.1:{port}")
    got = rawhttp.ask(("127.0.0.1", port), b"GET /healthz HTTP/1.0\r\n\r\n")
    assert got.status == 200
    assert relay.log.find("ready")


def test_admin_off(make_relay, responder, request_der):
    relay = make_relay(responder, admin="")
    assert relay.get(request_der).status == 200
    assert not os.path.exists(relay.admin_socket)


@pytest.mark.threads
def test_metrics_page(relay, responder, pki):
    certids = [pki.ca.certid(pki_module.new_serial()) for _ in range(3)]
    for certid in certids:
        relay.get(request(certid))
        relay.post(request(certid))
    relay.get(None, target="/x")
    responder.behave(error(6))
    relay.get(request(pki.ca.certid(pki_module.new_serial())))
    status, text, content_type = relay.admin("/metrics")
    assert status == 200 and content_type.startswith("text/plain; version=0.0.4")
    assert relay.metric("requests_total", issuer="test", method="get", result="miss") == 3
    assert relay.metric("requests_total", issuer="test", method="post", result="hit") == 3
    assert relay.metric("requests_total", result="rejected") == 1
    assert relay.metric("rejected_total", reason="req-target") == 1
    assert relay.metric("responses_total", issuer="test", status="good") == 6
    assert relay.metric("responses_total", issuer="test", status="unauthorized") == 1
    assert relay.metric("upstream_requests_total", issuer="test", responder=responder.url) == 4
    assert relay.metric("request_seconds_count", result="hit") == 3
    assert relay.metric("request_seconds_bucket", result="hit", le="+Inf") == 3
    assert relay.metric("request_seconds_sum", result="miss") > 0
    assert relay.metric("upstream_seconds_count", responder=responder.url) == 4
    assert relay.metric("cache_entries") == 3
    assert relay.metric("build_info", version=version()) == 1
    assert relay.metric("connections_total") == 8
    assert relay.metric("responder_up", responder=responder.url) == 1
    assert relay.metric("store_up") == 1
    # each sample belongs to a family that was announced just before (Prometheus text format)
    families, current = set(), None
    for line in text.splitlines():
        if line.startswith("# TYPE"):
            current = line.split()[2]
            assert current not in families, f"{current} comes twice"
            families.add(current)
        elif not line.startswith("#"):
            assert re.match(rf"{current}(_bucket|_sum|_count)?[{{ ]", line), line
    for certid in certids:  # no serial is ever a label
        assert f"{certid.number:x}" not in text.lower() and str(certid.number) not in text


def test_label_values_are_escaped(make_relay, responder, pki):
    relay = make_relay(start=False)
    relay.options["issuer"] = {}
    relay.add_issuer("quote", pki.ca, [responder.url])
    relay.options["issuer"] = {'a b, c}=': relay.options["issuer"]["quote"]}
    relay.start()
    relay.get(request(pki.ca.certid(1)))
    assert relay.metric("requests_total", issuer="a b, c}=") == 1


def test_status(relay, responder, certid):
    relay.get(request(certid))
    status, text, content_type = relay.admin("/api/v1/status")
    assert status == 200 and content_type.startswith("application/json")
    data = json.loads(text)
    assert data["version"] == version()
    assert data["pid"] == relay.process.pid
    assert data["draining"] is False
    assert data["cache"]["entries"] == 1
    assert data["requests"]["miss"] == 1
    assert [issuer["name"] for issuer in data["issuers"]] == ["test"]
    assert data["issuers"][0]["responders"][0]["url"] == responder.url
    assert data["stores"] and data["stores"][0]["up"] is True


# --- listeners ----------------------------------------------------------------------------------

def test_unix_socket(make_relay, responder, request_der):
    relay = make_relay(responder, start=False)
    path = relay.path("http.sock")
    relay.options["listen"] = ["unix:" + path]
    relay.start()
    assert relay.addresses() == ["unix:" + path]
    assert stat.S_ISSOCK(os.stat(path).st_mode)
    assert relay.get(request_der).cache_status["stored"]
    assert relay.post(request_der).cache_status["hit"]
    relay.terminate()
    assert not os.path.exists(path)


def test_stale_unix_socket_is_replaced(make_relay, responder, request_der):
    relay = make_relay(responder, start=False)
    path = relay.path("http.sock")
    relay.options["listen"] = ["unix:" + path]
    relay.start()
    relay.kill()
    assert os.path.exists(path) and os.path.exists(relay.admin_socket)
    relay.start()
    assert relay.get(request_der).status == 200
    assert relay.admin("/healthz")[0] == 200


@pytest.mark.parametrize("umask", [0o022, 0o077, 0])
def test_modes_of_unix_sockets(make_relay, responder, umask):
    """Clients may be anybody; administrators are the relay's user and group."""
    relay = make_relay(responder, start=False, launcher=["sh", "-c", f'umask {umask:o}; exec "$@"',
                                                         "sh"])
    path = relay.path("http.sock")
    relay.options["listen"] = ["unix:" + path]
    relay.start()
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o666
    assert stat.S_IMODE(os.stat(relay.admin_socket).st_mode) == 0o660


def test_unix_socket_that_answers_is_left_alone(make_relay, responder, request_der):
    first = make_relay(responder, start=False)
    path = first.path("http.sock")
    first.options["listen"] = ["unix:" + path]
    first.start()
    second = make_relay(responder, listen=["127.0.0.1:0", "unix:" + path])
    assert second.log.find("listen-failed")
    assert first.get(request_der).status == 200


def test_ipv6(make_relay, responder, request_der):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 on this machine")
    relay = make_relay(responder, listen=["[::1]:0"])
    assert relay.address[0] == "::1"
    assert relay.get(request_der).cache_status["stored"]


def test_several_listeners(make_relay, responder, request_der):
    relay = make_relay(responder, listen=["127.0.0.1:0", "*:0"])
    for address in relay.addresses():
        host, port = relay_module.socket_address(address)
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
        assert rawhttp.ask((host, port), get(request_der)).status == 200


@pytest.mark.parametrize("family", ["tcp", "unix"])
def test_systemd_passed_sockets(make_relay, responder, request_der, tmp_path, family):
    """What systemd does: descriptors from 3 on, LISTEN_FDS, and LISTEN_PID of the process."""
    if family == "tcp":
        listener = socket.create_server(("127.0.0.1", 0))
    else:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(tmp_path / "s"))
        listener.listen()
    with listener:
        address = listener.getsockname()
        activate = (f"import os, sys; os.dup2({listener.fileno()}, 3); "
                    "os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid())); "
                    "os.execv(sys.argv[1], sys.argv[1:])")
        relay = make_relay(responder, start=False, listen=["systemd"],
                           launcher=[sys.executable, "-c", activate],
                           pass_fds=[listener.fileno()])
        relay.start()
        for _ in range(3):
            assert rawhttp.ask(address, get(request_der)).status == 200
        if family == "unix":
            relay.terminate()
            assert os.path.exists(address)  # not ours to remove


def test_systemd_without_sockets(make_relay, responder, request_der):
    relay = make_relay(responder, listen=["systemd", "127.0.0.1:0"])
    assert relay.log.find("listen-failed")
    assert relay.get(request_der).status == 200


def test_systemd_socket_activate(make_relay, responder, request_der, program):
    """The real program."""
    activate = program("systemd-socket-activate")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    relay = make_relay(responder, start=False, listen=["systemd"],
                       launcher=[activate, "-l", f"127.0.0.1:{port}",
                                 "--setenv=ASAN_OPTIONS"])
    relay.start(ready=False)
    until(lambda: not refused_port(port))  # it starts the relay with the first connection
    relay.log.wait_for("ready")
    assert rawhttp.ask(("127.0.0.1", port), get(request_der)).status == 200
    relay.log.strange.clear()  # lines of systemd-socket-activate


def refused_port(port):
    try:
        socket.create_connection(("127.0.0.1", port)).close()
        return False
    except ConnectionRefusedError:
        return True


def test_notify_socket(make_relay, responder, tmp_path):
    """sd_notify: READY when serving, RELOADING and READY around a reload, STOPPING at the end."""
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(path)
        notify.settimeout(20)
        relay = make_relay(responder, env={"NOTIFY_SOCKET": path}, start=False)
        relay.start(ready=False)
        assert b"READY=1" in notify.recv(4096)
        relay.log.wait_for("ready")
        relay.reload()
        assert b"RELOADING=1" in notify.recv(4096)
        assert b"READY=1" in notify.recv(4096)
        relay.terminate()
        assert b"STOPPING=1" in notify.recv(4096)


def other_user():
    """Somebody to change to. Skips where that cannot be done, or where the other user could not
    reach any file: some containers close their root directory to all but root."""
    if os.geteuid() != 0:
        pytest.skip("only root can change to another user")
    user = pwd.getpwnam("nobody")
    try:
        subprocess.run(["/bin/true"], user=user.pw_uid, group=user.pw_gid, extra_groups=[],
                       check=True)
    except PermissionError:
        pytest.skip("this machine's root directory is closed to other users")
    return user


def test_privileges_are_dropped(make_relay, responder, request_der):
    """SL-16: started as root, it runs as the configured user, who owns the store."""
    user = other_user()
    relay = make_relay(responder, start=False, user="nobody")
    os.chmod(relay.directory, 0o755)
    relay.start()
    with open(f"/proc/{relay.process.pid}/status", encoding="ascii") as file:
        text = file.read()
    assert re.search(rf"^Uid:\s+{user.pw_uid}\s+{user.pw_uid}\s+{user.pw_uid}\s+{user.pw_uid}$",
                     text, re.M), text
    assert re.search(r"^CapEff:\s+0+$", text, re.M)
    assert relay.get(request_der).cache_status["stored"]
    relay.wait_for_stored()
    assert os.stat(relay.path("store", "data.mdb")).st_uid == user.pw_uid


def can_connect(path, user):
    """Whether that user may connect to a Unix socket."""
    code = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
    return subprocess.run([sys.executable, "-c", code, path], user=user, group=user,
                          extra_groups=[], stderr=subprocess.DEVNULL, cwd="/",
                          check=False).returncode == 0


def test_unix_sockets_made_by_root(make_relay, responder):
    """SL-16: they belong to the configured user; clients may be anybody, administrators not."""
    user = other_user()
    relay = make_relay(responder, start=False, user="nobody")
    os.chmod(relay.directory, 0o755)
    path = relay.path("http.sock")
    relay.options["listen"] = ["unix:" + path]
    relay.start()
    for one in (path, relay.admin_socket):
        assert (os.stat(one).st_uid, os.stat(one).st_gid) == (user.pw_uid, user.pw_gid)
    assert can_connect(path, user.pw_uid) and can_connect(path, 12345)
    assert can_connect(relay.admin_socket, user.pw_uid)
    assert not can_connect(relay.admin_socket, 12345)


def test_log_file_made_by_root_is_opened_anew(make_relay, responder):
    """SL-16: what root has opened, the configured user opens again at SIGHUP."""
    user = other_user()
    relay = make_relay(responder, start=False, user="nobody")
    os.chmod(relay.directory, 0o755)
    path = relay.path("relay.log")
    relay.options["log"] = {"target": path, "level": "info"}
    relay.start(ready=False)

    def events(name):
        if not os.path.exists(path):
            return []
        with open(path, encoding="utf-8") as file:
            return [line for line in file if f"event={name} " in line]
    until(lambda: events("ready"))
    assert os.stat(path).st_uid == user.pw_uid
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o640
    relay.signal(signal.SIGHUP)
    until(lambda: events("reload"))
    assert not events("system")
    # logrotate: moved away, and another one made for the user
    os.rename(path, path + ".1")
    with open(path, "wb"):
        os.chown(path, user.pw_uid, user.pw_gid)
    relay.signal(signal.SIGHUP)
    until(lambda: events("reload"))


def test_check_warns_of_an_unknown_user(directory):
    path = config(directory, user="no-such-user", issuer={"Corp CA": issuer_section(directory)})
    result = run("check", "-c", path)
    assert result.returncode == OK
    assert re.fullmatch(rf'{path}:1: warning: user = "no-such-user": .*no such user: create it.*\n',
                        result.stderr)
    assert "warnings: 1," in result.stdout
    told = json.loads(run("check", "-c", path, "--json").stdout)
    assert len(told["warnings"]) == 1 and not told["errors"]


def test_check_names_the_line_of_what_is_unwise(directory):
    """Of a file that is included, too; and what is only by default has none."""
    (directory / "more.conf").write_text('\n\nstore = {\n  "lmdb:/dev/shm/x"\n}\n'
                                         'cache { memory = 1M }\n')
    path = directory / "test.conf"
    path.write_text(f'user = ""\nissuer_dir = "{directory}"\nadmin = "0.0.0.0:8081"\n'
                    'include("more.conf")\n')
    result = run("check", "-c", path)
    found = [line.split(": warning: ")[0] for line in result.stderr.splitlines()
             if re.search(r"warning: (admin|cache.memory|store)\b", line)]
    assert found == [f"{path}:3", f"{directory}/more.conf:6", f"{directory}/more.conf:4"]


def test_check_misses_user_and_directory_beside_other_errors(directory):
    path = directory / "test.conf"
    path.write_text('threads = many\nuser = "no-such-user"\nissuer_dir = "/no/such/place"\n')
    result = run("check", "-c", path)
    assert (result.returncode, result.stdout) == (CONFIG, "")
    assert [line.split(", ")[0].split(": started")[0] for line in result.stderr.splitlines()] == [
        f'{path}:1: threads: "many" is no whole number',
        f'{path}:2: warning: user = "no-such-user"',
        "/no/such/place: No such file or directory"]
    told = json.loads(run("check", "-c", path, "--json").stdout)
    assert [len(told[name]) for name in ("errors", "warnings", "faults")] == [1, 1, 1]
    path.write_text("threads = many\n")  # the defaults may do well elsewhere
    assert len(run("check", "-c", path).stderr.splitlines()) == 1


def test_SL_16_root_follows_no_link_to_a_log(make_relay, responder):
    if os.geteuid() != 0:
        pytest.skip("only root is careful")
    relay = make_relay(responder, start=False)
    victim, link = relay.path("victim"), relay.path("relay.log")
    os.symlink(victim, link)
    relay.options["log"]["target"] = link
    relay.write_config()
    result = run("serve", "-c", relay.config)
    assert result.returncode == CONFIG
    assert "symbolic link" in result.stderr and link in result.stderr
    assert not os.path.exists(victim)


def test_unknown_user_is_an_error(make_relay, responder):
    if os.geteuid() != 0:
        pytest.skip("only root can change to another user")
    relay = make_relay(responder, start=False, user="no-such-user")
    relay.start(ready=False)
    assert relay.process.wait(20) != 0
    relay.log.join()
    relay.check_log()
    assert "create it" in relay.log.find("privileges", user="no-such-user")[0]["what"]


@pytest.mark.threads
def test_many_clients_many_threads(make_relay, responder, pki):
    """Hits, misses, failures and client faults at once; every answer is the right one."""
    relay = make_relay(responder, threads=4, back_threads=2, issuer={"neg_ttl_error": 0})
    certids = [pki.ca.certid(pki_module.new_serial()) for _ in range(40)]
    faults = []

    def client(number):
        try:
            with relay.connect() as connection:
                for turn in range(60):
                    certid = certids[(number * 7 + turn) % len(certids)]
                    make = (rawhttp.get, rawhttp.post)[turn % 2]
                    got = connection.ask(make(request(certid)))
                    assert parse_response(got.body).serial_number == certid.number
                    if turn % 20 == number % 20:
                        with relay.connect() as gone:
                            gone.send(get(request(pki.ca.certid(pki_module.new_serial()))))
        except (AssertionError, OSError, ValueError) as fault:
            faults.append(fault)
    clients = [threading.Thread(target=client, args=(number,)) for number in range(8)]
    for one in clients:
        one.start()
    for one in clients:
        one.join()
    assert not faults
    assert all(responder.count(certid.number) == 1 for certid in certids)
