# SPDX-License-Identifier: ISC
"""Responders of others behind the relay, and what each of them must bring."""

from clients import field_of, openssl_ocsp, through_an_outage
from relay import run

STATUSES = {"good": 0, "revoked": 1, "unknown": 2}  # and what query exits with
NO_ANSWER = 3


def query(relay, files, name, *options):
    return run("query", "--url", relay.url, "--issuer", files.path("ca.crt"), *options,
               files.path(name + ".crt"))


def echo_nonces(relay, files):
    """Answers with the client's nonce are for that client only (NO-04)."""
    for _ in range(2):
        result = query(relay, files, "good", "--nonce")
        assert result.returncode == STATUSES["good"], result.stdout + result.stderr
        assert field_of(result.stdout, "Nonce").startswith("present")
        assert "fwd=bypass" in field_of(result.stdout, "Relay")


def bring_answers(relay, files, responder, openssl, names=STATUSES, asked=("sha1", "sha256"),
                  answered=None):
    """The answers about the certificates of these names, which are their statuses, come from the
    responder, and from the cache when it is gone; the relay's own verifier and openssl accept them.
    asked: hash algorithms of the questions; answered: the one of all answers, unless the same.
    openssl refuses another one than it asked with."""
    for turn in through_an_outage(relay, responder):
        for name in names:
            for alg in asked:
                result = query(relay, files, name, "--hash", alg)
                assert result.returncode == STATUSES[name], result.stdout + result.stderr
                assert ("hit" in field_of(result.stdout, "Relay")) == (turn == "stopped")
                assert field_of(result.stdout, "Hash Algorithm") == (answered or alg)
            for alg in [answered] if answered else asked:
                result = openssl_ocsp(openssl, files, relay.url, name,
                                      options=["-no_nonce", "-" + alg])
                assert "Response verify OK" in result.stderr, result.stderr
                assert f"{name}.crt: {name}" in result.stdout
