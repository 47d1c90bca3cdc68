# SPDX-License-Identifier: ISC
"""Real programs on both sides of the relay, and its own query and verify."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

import der
import pki as pki_module
import rawhttp
from pki import HOUR, Basic, Single, flip, parse_response, request, response
from relay import TIMEOUT, environment, run, until
from responder import error
from test_verify import Cast

GOOD, REVOKED, UNKNOWN, NO_ANSWER, USAGE = 0, 1, 2, 3, 64


class Files:
    """Certificates in files, as programs want them."""

    def __init__(self, directory, pki):
        self.directory = directory
        self.pki = pki
        pki.write(directory)
        self.certs = {}

    def path(self, name):
        return str(self.directory / name)

    def leaf(self, name, **options):
        self.certs[name] = cert = self.pki.leaf(**options)
        (self.directory / (name + ".crt")).write_bytes(cert.pem)
        (self.directory / (name + ".key")).write_bytes(cert.key_pem)
        (self.directory / (name + "-chain.pem")).write_bytes(cert.pem + self.pki.ca.pem)
        return cert

    def write(self, name, content):
        (self.directory / name).write_bytes(content)
        return self.path(name)


@pytest.fixture(params=["ec", "rsa"])
def files(request, tmp_path, pki, rsa_pki):  # pylint: disable=redefined-outer-name
    return Files(tmp_path, {"ec": pki, "rsa": rsa_pki}[request.param])


@pytest.fixture
def ec_files(tmp_path, pki):
    return Files(tmp_path, pki)


@pytest.fixture
def relayed(files, make_responder, make_relay):
    """(files with good, revoked and unknown, relay, responder)"""
    responder = make_responder(files.pki)
    relay = make_relay(responder, ca=files.pki.ca)
    for status in ("good", "revoked", "unknown"):
        responder.statuses[files.leaf(status, aia=relay.url).serial] = status
    return files, relay, responder


def call(*args, **options):
    return subprocess.run(list(map(str, args)), capture_output=True, text=True, timeout=TIMEOUT,
                          env=environment(), stdin=subprocess.DEVNULL, check=False, **options)


# --- openssl ------------------------------------------------------------------------------------

@pytest.mark.parametrize("options", [["-no_nonce"], [], ["-no_nonce", "-sha256"]],
                         ids=["no_nonce", "nonce", "sha256"])
def test_openssl_ocsp_client(relayed, program, options):
    """HTTP/1.0, POST, Host without port; HS-01, HS-14, HS-18."""
    files, relay, responder = relayed
    for status in ("good", "revoked", "unknown"):
        for _ in range(2):
            result = call(program("openssl"), "ocsp", *options, "-issuer", files.path("ca.crt"),
                          "-cert", files.path(status + ".crt"), "-CAfile", files.path("root.crt"),
                          "-verify_other", files.path("ca.crt"), "-url", relay.url)
            assert "Response verify OK" in result.stderr, result.stderr
            assert f"{status}.crt: {status}" in result.stdout
            assert result.returncode == 0
    assert responder.count() == 3
    if not options:  # the responder does not do nonces: found out once, then from the cache
        assert "no nonce" in result.stderr


def test_openssl_ocsp_client_with_an_echoed_nonce(relayed, program):
    files, relay, responder = relayed
    responder.behave(responder.echoing())
    for count in (1, 2):
        result = call(program("openssl"), "ocsp", "-issuer", files.path("ca.crt"), "-cert",
                      files.path("good.crt"), "-CAfile", files.path("root.crt"), "-url", relay.url)
        assert "Response verify OK" in result.stderr and "good.crt: good" in result.stdout
        assert "WARNING" not in result.stderr
        assert responder.count() == count


def test_openssl_ocsp_client_asks_about_two_certificates(relayed, program):
    files, relay, _ = relayed
    result = call(program("openssl"), "ocsp", "-no_nonce", "-issuer", files.path("ca.crt"),
                  "-cert", files.path("good.crt"), "-cert", files.path("revoked.crt"),
                  "-CAfile", files.path("root.crt"), "-url", relay.url)
    assert "Response verify OK" in result.stderr
    assert "good.crt: good" in result.stdout and "revoked.crt: revoked" in result.stdout


def test_openssl_ocsp_client_hears_errors(relayed, program):
    files, relay, responder = relayed
    responder.behave(error(3))
    result = call(program("openssl"), "ocsp", "-no_nonce", "-issuer", files.path("ca.crt"),
                  "-cert", files.path("good.crt"), "-CAfile", files.path("root.crt"),
                  "-url", relay.url)
    assert "trylater (3)" in result.stdout + result.stderr
    result = call(program("openssl"), "ocsp", "-no_nonce", "-issuer", files.path("root.crt"),
                  "-cert", files.path("ca.crt"), "-CAfile", files.path("root.crt"),
                  "-url", relay.url)
    assert "unauthorized (6)" in result.stdout + result.stderr


class OpensslResponder:
    """"openssl ocsp -port" behind the relay. It is never probed: a client that connects and says
    nothing makes it spin for ever. Its log line tells that it listens."""

    def __init__(self, binary, files, signer="signer"):
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::", 0))
            self.port = probe.getsockname()[1]
        index = "".join(
            f"{'R' if name == 'revoked' else 'V'}\t301231235959Z\t"
            f"{'260101000000Z,keyCompromise' if name == 'revoked' else ''}\t{cert.serial:X}\t"
            "unknown\t/CN=x\n"
            for name, cert in files.certs.items() if name != "unknown")
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen(
            [binary, "ocsp", "-index", files.write("index.txt", index.encode()), "-port",
             str(self.port), "-rsigner", files.path(signer + ".crt"), "-rkey",
             files.path(signer + ".key"), "-CA", files.path("ca.crt"), "-nmin", "60",
             "-ignore_err"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment())
        self.lines = []
        for line in self.process.stdout:
            self.lines.append(line)
            if b"ACCEPT" in line or b"waiting for" in line.lower():
                break
        assert self.process.poll() is None, self.lines
        threading.Thread(target=self.lines.extend, args=(self.process.stdout,),
                         daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/"

    def stop(self):
        self.process.kill()
        self.process.wait()


@pytest.mark.parametrize("signer", ["signer", "ca"])
def test_openssl_ocsp_responder(files, make_relay, program, signer):
    openssl = program("openssl")
    for status in ("good", "revoked", "unknown"):
        files.leaf(status)
    responder = OpensslResponder(openssl, files, signer)
    try:
        relay = make_relay(responder.url, ca=files.pki.ca)
        answers = {}
        for status in ("good", "revoked", "unknown"):
            for alg in ("sha1", "sha256"):
                data = request(files.pki.ca.certid(files.certs[status].serial, alg))
                got = relay.get(data)
                assert got.status == 200
                parsed = parse_response(got.body)
                assert parsed.certificate_status.name.lower() == status
                assert parsed.hash_algorithm.name == alg
                assert relay.post(data).cache_status["hit"]
                answers[data] = got.body
        # its nonces: echoed, so delivered to the client and not stored
        nonce = os.urandom(32)
        got = relay.post(request(files.pki.ca.certid(files.certs["good"].serial), nonce=nonce))
        assert pki_module.nonce_extension(nonce) in got.body
    finally:
        responder.stop()
    for data, body in answers.items():
        got = relay.get(data)
        assert got.body == body and got.cache_status["hit"]


def test_openssl_on_both_sides(files, make_relay, program):
    openssl = program("openssl")
    files.leaf("good")
    responder = OpensslResponder(openssl, files)
    try:
        relay = make_relay(responder.url, ca=files.pki.ca)
        for running in (True, False):
            result = call(openssl, "ocsp", "-no_nonce", "-issuer", files.path("ca.crt"), "-cert",
                          files.path("good.crt"), "-CAfile", files.path("root.crt"), "-url",
                          relay.url)
            assert "Response verify OK" in result.stderr, (running, result.stderr)
            assert "good.crt: good" in result.stdout
            responder.stop()
    finally:
        responder.stop()


# --- gnutls -------------------------------------------------------------------------------------

def test_gnutls_ocsptool(relayed, program):
    files, relay, responder = relayed
    ocsptool = program("ocsptool")
    for status in ("good", "revoked", "unknown"):
        result = call(ocsptool, f"--ask={relay.url}", "--load-cert", files.path(status + ".crt"),
                      "--load-issuer", files.path("ca.crt"), "--load-trust",
                      files.path("chain.pem"))
        assert f"Certificate Status: {status}" in result.stdout, result.stdout + result.stderr
        assert "Verifying OCSP Response: Success." in result.stdout
    responder.behave(responder.echoing())
    relay.reload()
    result = call(ocsptool, f"--ask={relay.url}", "--nonce", "--load-cert",
                  files.path("good.crt"), "--load-issuer", files.path("ca.crt"), "--load-trust",
                  files.path("chain.pem"))
    assert "Certificate Status: good" in result.stdout, result.stdout + result.stderr


def test_curl(relayed, program, tmp_path):
    """HTTP/1.1 with keep-alive, --data-binary with the form type, conditional GET."""
    files, relay, _ = relayed
    curl = program("curl")
    data = request(files.pki.ca.certid(files.certs["good"].serial))
    body = files.write("request.der", data)
    answers = [str(tmp_path / name) for name in ("1.der", "2.der")]
    result = call(curl, "-sS", "-f", "--data-binary", "@" + body, relay.url, "-o", answers[0],
                  "--next", "-sS", "-f", relay.url.rstrip("/") + rawhttp.get_target(data), "-o",
                  answers[1], "-w", "%{num_connects}")
    assert result.returncode == 0, result.stderr
    assert result.stdout == "0"  # the second went over the connection of the first
    first, second = (open(path, "rb").read() for path in answers)
    assert first == second and parse_response(first).serial_number == files.certs["good"].serial
    result = call(curl, "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-z", "1 Jan 2035",
                  relay.url.rstrip("/") + rawhttp.get_target(data))
    assert result.stdout == "304"


# --- nginx --------------------------------------------------------------------------------------

class Nginx:
    def __init__(self, binary, files, responder_url, name="good"):
        self.directory = files.directory / "nginx"
        self.directory.mkdir(exist_ok=True)
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        where = self.directory
        conf = where / "nginx.conf"
        conf.write_text(f"""
            daemon off; master_process off; worker_processes 1; pid {where}/pid;
            error_log stderr info;
            events {{ }}
            http {{
              access_log off;
              client_body_temp_path {where}/a; proxy_temp_path {where}/b;
              fastcgi_temp_path {where}/c; uwsgi_temp_path {where}/d; scgi_temp_path {where}/e;
              server {{
                listen 127.0.0.1:{self.port} ssl;
                ssl_certificate {files.path(name + "-chain.pem")};
                ssl_certificate_key {files.path(name + ".key")};
                ssl_stapling on; ssl_stapling_verify on;
                ssl_trusted_certificate {files.path("chain.pem")};
                ssl_stapling_responder {responder_url};
                location / {{ return 204; }}
              }}
            }}
            """)
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen([binary, "-p", str(where), "-c", str(conf)],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                        env=environment())
        self.log = b""
        threading.Thread(target=self._read, daemon=True).start()
        until(self._listens, what="nginx")

    def _read(self):
        for line in self.process.stderr:
            self.log += line

    def _listens(self):
        assert self.process.poll() is None, self.log.decode()
        with contextlib.suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", self.port)).close()
            return True
        return False

    def staple(self, openssl, files):
        """What s_client -status says, once there is a staple: the first handshake only makes
        nginx fetch it."""
        def shown():
            result = call(openssl, "s_client", "-connect", f"127.0.0.1:{self.port}",
                          "-servername", "localhost", "-CAfile", files.path("root.crt"), "-status")
            return result.stdout if "OCSP Response Data" in result.stdout else None
        return until(shown, what=f"a staple\n{self.log.decode()}")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def field_of(text, name):
    return re.search(rf"{name}: (.*)", text)[1].strip()


def test_nginx_stapling(relayed, program):
    """And again with the CA's responder stopped, nginx restarted so that it must ask the relay."""
    files, relay, responder = relayed
    nginx, openssl = program("nginx"), program("openssl")
    cached = parse_response(relay.get(request(
        files.pki.ca.certid(files.certs["good"].serial))).body)
    for turn in range(2):
        server = Nginx(nginx, files, relay.url)
        try:
            text = server.staple(openssl, files)
        finally:
            server.stop()
        assert field_of(text, "OCSP Response Status") == "successful (0x0)"
        assert field_of(text, "Cert Status") == "good"
        assert int(field_of(text, "Serial Number"), 16) == files.certs["good"].serial
        shown = time.strptime(field_of(text, "Next Update"), "%b %d %H:%M:%S %Y GMT")
        assert time.strftime("%F %T", shown) == str(cached.next_update)
        assert responder.count() == 1  # the relay had it
        if turn == 0:
            assert relay.metric("requests_total", method="get", result="hit") >= 1
            responder.stop()


def test_nginx_stapling_of_a_miss_after_a_restart(relayed, program):
    files, relay, responder = relayed
    nginx, openssl = program("nginx"), program("openssl")
    server = Nginx(nginx, files, relay.url)
    try:
        server.staple(openssl, files)
        assert responder.count() == 1
    finally:
        server.stop()
    relay.wait_for_stored()
    responder.stop()
    relay.restart()  # a new port: nginx gets a new configuration
    server = Nginx(nginx, files, relay.url)
    try:
        text = server.staple(openssl, files)
        assert field_of(text, "Cert Status") == "good"
    finally:
        server.stop()


# --- our responder as a program -----------------------------------------------------------------

def test_responder_as_a_program(tmp_path, make_relay):
    """As somebody would use it who tries the relay out."""
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "responder.py")
    with subprocess.Popen([sys.executable, script, "--pki", str(tmp_path), "--make-pki",
                           "--revoked", "2a"], stdout=subprocess.PIPE, text=True,
                          env=environment()) as process:
        try:
            url = process.stdout.readline().split()[-1]
            ca = pki_module.Pki.read(tmp_path).ca
            relay = make_relay(url, ca=ca)
            for serial, status in ((0x29, "GOOD"), (0x2A, "REVOKED")):
                parsed = parse_response(relay.get(request(ca.certid(serial))).body)
                assert parsed.certificate_status.name == status
                assert process.stdout.readline().endswith(f"GET serial {serial:x}\n")
        finally:
            process.terminate()


# --- ocsprelay query ----------------------------------------------------------------------------

@pytest.mark.parametrize("options", [[], ["--hash", "sha256"], ["--method", "post"], ["--nonce"]],
                         ids=lambda options: "_".join(options) or "plain")
def test_query(relayed, options):
    files, relay, responder = relayed
    if "--nonce" in options:
        responder.behave(responder.echoing())
    for status, code in (("good", GOOD), ("revoked", REVOKED), ("unknown", UNKNOWN)):
        result = run("query", "--url", relay.url, "--issuer", files.path("ca.crt"), *options,
                     files.path(status + ".crt"))
        assert result.returncode == code, result.stderr
        text = result.stdout
        cert = files.certs[status]
        assert field_of(text, "OCSP Response Status") == "successful (0x0)"
        assert field_of(text, "Response Type") == "Basic OCSP Response"
        assert field_of(text, "Version") == "1 (0x0)"
        assert "OCSP signer" in field_of(text, "Responder Id")
        assert field_of(text, "Hash Algorithm") == ("sha256" if "sha256" in options else "sha1")
        certid = files.pki.ca.certid(cert.serial, field_of(text, "Hash Algorithm"))
        assert field_of(text, "Issuer Name Hash") == certid.name_hash.hex().upper()
        assert field_of(text, "Issuer Key Hash") == certid.key_hash.hex().upper()
        assert int(field_of(text, "Serial Number"), 16) == cert.serial
        assert field_of(text, "Cert Status") == status
        assert ("Revocation Time" in text) == (status == "revoked")
        for name in ("Produced At", "This Update", "Next Update"):
            time.strptime(field_of(text, name), "%b %d %H:%M:%S %Y GMT")
        assert "accepted" in field_of(text, "Verdict")
        assert field_of(text, "Relay").startswith("ocsprelay; fwd=")
        assert re.fullmatch(r"1h", field_of(text, "Age"))
        assert re.search(r"\((23h 5\dm|1d) left\)", field_of(text, "Valid until"))


def test_query_shows_the_hit(relayed):
    files, relay, _ = relayed
    for verdict in ("fwd=miss", "hit; ttl="):
        result = run("query", "--url", relay.url, "--issuer", files.path("ca.crt"),
                     files.path("good.crt"))
        assert verdict in field_of(result.stdout, "Relay")


def test_query_as_openssl_prints_it(relayed, program):
    """Line for line what users of openssl know."""
    files, relay, _ = relayed
    out = files.path("answer.der")
    ours = run("query", "--url", relay.url, "--issuer", files.path("ca.crt"), "--out", out,
               files.path("revoked.crt")).stdout
    theirs = call(program("openssl"), "ocsp", "-respin", out, "-resp_text", "-noverify").stdout
    ours_lines = [line.strip() for line in ours.splitlines()]
    for name in ("OCSP Response Status", "Response Type", "Version", "Responder Id", "Produced At",
                 "Hash Algorithm", "Issuer Name Hash", "Issuer Key Hash", "Serial Number",
                 "Cert Status", "Revocation Time", "This Update", "Next Update"):
        line = re.search(rf"^ *({name}: .*?) *$", theirs, re.M)[1]
        assert re.sub(" +", " ", line) in [re.sub(" +", " ", one) for one in ours_lines], line


def test_query_json(relayed):
    files, relay, _ = relayed
    result = run("query", "--url", relay.url, "--issuer", files.path("ca.crt"), "--json",
                 files.path("revoked.crt"))
    assert result.returncode == REVOKED
    data = json.loads(result.stdout)
    assert data["response_status"] == "successful"
    assert data["accepted"] is True and data["status"] == "revoked"
    assert int(data["responses"][0]["serial"], 16) == files.certs["revoked"].serial
    assert data["cache_status"].startswith("ocsprelay; fwd=miss")


def test_query_finds_responder_and_issuer_in_the_certificate(relayed):
    """The chain file holds the issuer, the leaf's AIA names the relay."""
    files, _, responder = relayed
    result = run("query", files.path("good-chain.pem"))
    assert result.returncode == GOOD, result.stderr
    assert responder.count() == 1


@pytest.mark.parametrize("behaviour", [error(3), error(6), None])
def test_query_that_finds_nothing_out(relayed, behaviour):
    files, relay, responder = relayed
    if behaviour:
        responder.behave(behaviour)
    else:
        relay.terminate()
    result = run("query", "--url", relay.url, "--issuer", files.path("ca.crt"),
                 files.path("good.crt"))
    assert result.returncode == NO_ANSWER
    assert result.stderr or "refused" in result.stdout or "Status" in result.stdout


def test_query_does_not_believe_bad_answers(ec_files, make_responder):
    files = ec_files
    files.leaf("good")
    responder = make_responder()
    responder.behave(responder.mangled(flip, signer=files.pki.ca))
    result = run("query", "--url", responder.url, "--issuer", files.path("ca.crt"),
                 files.path("good.crt"))
    assert result.returncode == NO_ANSWER
    assert "signature" in field_of(result.stdout, "Verdict")


@pytest.mark.parametrize("args", [
    ["absent.crt"], ["--issuer", "absent.crt", "good.crt"], ["--issuer", "root.crt", "good.crt"],
    ["--issuer", "ca.crt", "good.crt"]])
def test_query_with_the_wrong_files(ec_files, args):
    """The last one: no responder is named anywhere."""
    ec_files.leaf("good")
    result = run("query", *[arg if arg.startswith("--") else ec_files.path(arg) for arg in args])
    assert result.returncode == NO_ANSWER
    assert len(result.stderr.splitlines()) == 1


# --- ocsprelay verify ---------------------------------------------------------------------------

@pytest.fixture(scope="module")
def cast():
    return Cast()


NOW = 1800000000  # stands for the present; see test_verify

VERDICTS = {
    # name: (options of Basic given the cast and the CertID, change, words of the verdict)
    "accepted": (lambda c, i: {}, None, None),
    "accepted_of_the_ca": (lambda c, i: {"signer": c.ca}, None, None),
    "signature": (lambda c, i: {"signer": c.ca}, flip, "signature"),
    "certid": (lambda c, i: {"singles": [Single(c.ca.certid(99))]}, None, "certid"),
    "time": (lambda c, i: {"singles": [Single(i, this_update="20260101000000.5Z")]}, None, "time"),
    "future": (lambda c, i: {"singles": [Single(i, this_update=NOW + 301)]}, None, "future"),
    "produced-future": (lambda c, i: {"produced_at": NOW + 301}, None, "produced-future"),
    "order": (lambda c, i: {"singles": [Single(i, this_update=NOW - 60, next_update=NOW - 61)]},
              None, ("order", "expired")),
    "expired": (lambda c, i: {"singles": [Single(i, next_update=NOW)]}, None, "expired"),
    "critical": (lambda c, i: {"extensions": (der.extension("1.2.3", b"", critical=True),)}, None,
                 "critical"),
    "version": (lambda c, i: {"version": 1}, None, "version"),
    "type": (lambda c, i: {"basic_type": "1.2.3"}, None, "type"),
    "signer-eku": (lambda c, i: {"signer": c.no_eku}, None, "signer-eku"),
    "signer-issuer": (lambda c, i: {"signer": c.of_sibling}, None,
                      ("signer-issuer", "signer-chain")),
    "signer-key-usage": (lambda c, i: {"signer": c.wrong_usage}, None, "signer-key-usage"),
    "responder-id": (lambda c, i: {"certs": []}, None, "responder-id"),
    "trailing": (lambda c, i: {}, lambda d: d + b"\0", "trailing"),
    "der": (lambda c, i: {}, lambda d: d[:-1], "der"),
}


@pytest.mark.parametrize("options, change, words", VERDICTS.values(), ids=VERDICTS.keys())
def test_verify(tmp_path, cast, options, change, words):
    """Times are written relative to NOW and moved to the present, when the certificates are
    valid."""
    offset = int(time.time()) - NOW
    files = Files(tmp_path, cast)
    leaf = files.leaf("leaf")
    certid = cast.ca.certid(leaf.serial)

    def moved(value):
        return value + offset if isinstance(value, int) else value
    basic = Basic(**{"singles": [Single(certid)], "signer": cast.signer, "now": NOW + offset,
                     **options(cast, certid)})
    basic.produced_at = moved(basic.produced_at)
    for single in basic.singles:
        single.this_update = moved(single.this_update)
        single.next_update = moved(single.next_update)
    data = basic.encode()
    path = files.write("answer.der", change(data) if change else data)
    at = NOW + offset
    iso = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
    asked = files.write("request.der", request(certid))
    for by in (["--cert", files.path("leaf.crt"), "--at", iso], ["--request", asked, "--at", at]):
        result = run("verify", "--issuer", files.path("ca.crt"), *by, path)
        verdict = field_of(result.stdout, "Verdict")
        if words is None:
            assert result.returncode == 0, result.stdout + result.stderr
            assert verdict.startswith("accepted")
            assert "1d left" in result.stdout
        else:
            assert result.returncode == 1, result.stdout + result.stderr
            reason = verdict.split(": ")[1]
            assert reason in ((words,) if isinstance(words, str) else words)


def test_verify_at_another_time(ec_files):
    """The same file: not yet, now, no longer."""
    leaf = ec_files.leaf("leaf")
    certid = ec_files.pki.ca.certid(leaf.serial)
    now = int(time.time())
    path = ec_files.write("answer.der", Basic(
        [Single(certid, this_update=now, next_update=now + HOUR)], ec_files.pki.signer).encode())
    for at, code, word in ((now - 301, 1, "future"), (now - 299, 0, "accepted"),
                           (now + HOUR - 1, 0, "accepted"), (now + HOUR, 1, "expired")):
        result = run("verify", "--issuer", ec_files.path("ca.crt"), "--cert",
                     ec_files.path("leaf.crt"), "--at", at, path)
        assert result.returncode == code, (at - now, result.stdout)
        assert word in field_of(result.stdout, "Verdict")


def test_verify_without_a_question(ec_files):
    """Then it only has to be about the issuer; errors of responders are refused too."""
    certid = ec_files.pki.ca.certid(5)
    path = ec_files.write("answer.der", Basic([Single(certid)], ec_files.pki.signer).encode())
    assert run("verify", "--issuer", ec_files.path("ca.crt"), path).returncode == 0
    assert run("verify", "--issuer", ec_files.path("root.crt"), path).returncode == 1
    path = ec_files.write("error.der", response(3))
    result = run("verify", "--issuer", ec_files.path("ca.crt"), path)
    assert result.returncode == 1
    assert "try-later" in field_of(result.stdout, "Verdict")


def test_verify_trusted_and_json(tmp_path, cast):
    files = Files(tmp_path, cast)
    certid = cast.ca.certid(5)
    path = files.write("answer.der", Basic([Single(certid, "revoked", reason=1)],
                                           cast.of_stranger).encode())
    trusted = files.write("trusted.pem", cast.of_stranger.pem)
    asked = files.write("request.der", request(certid))
    base = ["verify", "--issuer", files.path("ca.crt"), "--request", asked, "--json"]
    refused = run(*base, path)
    assert refused.returncode == 1 and json.loads(refused.stdout)["accepted"] is False
    accepted = run(*base, "--trusted", trusted, path)
    data = json.loads(accepted.stdout)
    assert accepted.returncode == 0 and data["accepted"] is True
    assert data["status"] == "revoked" and data["signer"] == "trusted responder"


@pytest.mark.parametrize("args, code", [
    (["--issuer", "absent", "answer.der"], NO_ANSWER), (["--issuer", "ca.crt", "absent"],
                                                        NO_ANSWER),
    (["--issuer", "ca.crt", "--request", "answer.der", "answer.der"], NO_ANSWER),
    (["answer.der"], USAGE), (["--issuer", "ca.crt"], USAGE),
    (["--issuer", "ca.crt", "--cert", "ca.crt", "--request", "x", "answer.der"], USAGE),
    (["--issuer", "ca.crt", "--at=tomorrow", "answer.der"], USAGE)])
def test_verify_with_the_wrong_files(ec_files, args, code):
    ec_files.write("answer.der", Basic([Single(ec_files.pki.ca.certid(5))],
                                       ec_files.pki.signer).encode())
    result = run("verify", *[arg if arg.startswith("--") else ec_files.path(arg) for arg in args])
    assert result.returncode == code, result.stdout + result.stderr
    assert len(result.stderr.splitlines()) == 1 and not result.stdout
