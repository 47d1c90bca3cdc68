# SPDX-License-Identifier: ISC
"""openssl ocsp on both sides of the relay."""

import pytest

from clients import (
    BAD_STAPLE, browse, call, field_of, free_port, openssl_ocsp, staple, through_an_outage)
from responder import error
from responders import STATUSES, bring_answers, echo_nonces


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


@pytest.fixture
def openssl_responder(program, start):
    """openssl_responder(files, signer, options): URL and process of "openssl ocsp -port". It is
    never probed: a client that connects and says nothing makes it spin for ever. Its log line tells
    that it listens."""
    def serve(files, signer, options):
        port = free_port()
        index = "".join(
            f"{'R' if name == 'revoked' else 'V'}\t301231235959Z\t"
            f"{'260101000000Z,keyCompromise' if name == 'revoked' else ''}\t{cert.serial:X}\t"
            "unknown\t/CN=x\n"
            for name, cert in files.certs.items() if name != "unknown")
        server = start(program("openssl"), "ocsp", "-port", port, "-index",
                       files.write("index.txt", index.encode()), "-rsigner",
                       files.path(signer + ".crt"), "-rkey", files.path(signer + ".key"), "-CA",
                       files.path("ca.crt"), "-nmin", "60", "-ignore_err", *options)
        server.wait_for("ACCEPT|[Ww]aiting for")
        return f"http://127.0.0.1:{port}/", server
    return serve


@pytest.mark.parametrize("signer, options, method", [
    ("signer", [], "get"), ("ca", ["-resp_key_id"], "post")], ids=["delegate", "ca"])
def test_openssl_ocsp_responder(files, openssl_responder, make_relay, program, signer, options,
                                method):
    """A delegate, or the CA itself by the hash of its key; openssl on both sides."""
    for name in STATUSES:
        files.leaf(name)
    url, server = openssl_responder(files, signer, options)
    relay = make_relay(url, ca=files.pki.ca, issuer={"method": method})
    echo_nonces(relay, files)
    bring_answers(relay, files, server, program("openssl"))
