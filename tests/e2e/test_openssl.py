# SPDX-License-Identifier: ISC
"""openssl ocsp on both sides of the relay."""

import os
import socket
import subprocess
import threading

import pytest

import pki as pki_module
from clients import (
    BAD_STAPLE, browse, call, field_of, free_port, openssl_ocsp, staple, through_an_outage)
from pki import parse_response, request
from relay import environment
from responder import error


@pytest.mark.parametrize("options", [["-no_nonce"], [], ["-no_nonce", "-sha256"]],
                         ids=["no_nonce", "nonce", "sha256"])
def test_openssl_ocsp_client(relayed, program, options):
    """HTTP/1.0, POST, Host without port; HS-01, HS-14, HS-18."""
    files, relay, responder = relayed
    for turn in through_an_outage(relay, responder):
        for status in ("good", "revoked", "unknown"):
            result = openssl_ocsp(program("openssl"), files, relay.url, status, options=[
                *options, "-verify_other", files.path("ca.crt")])
            assert "Response verify OK" in result.stderr, (turn, result.stderr)
            assert f"{status}.crt: {status}" in result.stdout
            assert result.returncode == 0  # whatever the status
    assert responder.count() == 3
    if not options:  # the responder does not do nonces: found out once, then from the cache
        assert "no nonce" in result.stderr


def test_openssl_ocsp_client_with_an_echoed_nonce(relayed, program):
    """It prefers its nonce, and takes an answer of the cache (NO-06)."""
    files, relay, responder = relayed
    responder.behave(responder.echoing())
    openssl = program("openssl")
    for count in (1, 2):
        result = openssl_ocsp(openssl, files, relay.url, "good")
        assert "Response verify OK" in result.stderr and "good.crt: good" in result.stdout
        assert "WARNING" not in result.stderr
        assert responder.count() == count
    assert "good.crt: good" in openssl_ocsp(openssl, files, relay.url, "good",
                                            options=["-no_nonce"]).stdout
    responder.stop()
    result = openssl_ocsp(openssl, files, relay.url, "good")
    assert "Response verify OK" in result.stderr and "good.crt: good" in result.stdout
    assert "WARNING: no nonce in response" in result.stderr


def test_openssl_ocsp_client_asks_about_two_certificates(relayed, program):
    files, relay, _ = relayed
    result = openssl_ocsp(program("openssl"), files, relay.url, "good", "revoked",
                          options=["-no_nonce"])
    assert "Response verify OK" in result.stderr
    assert "good.crt: good" in result.stdout and "revoked.crt: revoked" in result.stdout


def test_openssl_ocsp_client_hears_errors(relayed, program):
    files, relay, responder = relayed
    responder.behave(error(3))
    result = openssl_ocsp(program("openssl"), files, relay.url, "good", options=["-no_nonce"])
    assert "trylater (3)" in result.stdout + result.stderr
    result = call(program("openssl"), "ocsp", "-no_nonce", "-issuer", files.path("root.crt"),
                  "-cert", files.path("ca.crt"), "-CAfile", files.path("root.crt"),
                  "-url", relay.url)
    assert "unauthorized (6)" in result.stdout + result.stderr


def test_openssl_s_server(chained, program, start):
    """Its certificates name no responder: -status_url counts only then."""
    files, relay, responder, _ = chained
    openssl, curl = program("openssl"), program("curl")
    ports = {}
    for name in ("good", "revoked"):
        ports[name] = port = free_port()
        start(openssl, "s_server", "-accept", f"127.0.0.1:{port}", "-cert",
              files.path(name + ".crt"), "-key", files.path(name + ".key"), "-cert_chain",
              files.path("ca.crt"), "-CAfile", files.path("chain.pem"), "-status_url", relay.url,
              "-www").wait_for("ACCEPT")
    for _ in through_an_outage(relay, responder):
        for name, seen in (("good", (0, 200)), ("revoked", (BAD_STAPLE, 0))):
            assert browse(curl, files, ports[name], "--cert-status") == seen
            assert field_of(staple(openssl, files, ports[name]), "Cert Status") == name
    assert responder.count() == 2


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
