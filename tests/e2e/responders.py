# SPDX-License-Identifier: ISC
"""Responders of others behind the relay, and what each of them must bring."""

from clients import field_of, openssl_ocsp, through_an_outage
from relay import run

STATUSES = {"good": 0, "revoked": 1, "unknown": 2}  # and what query exits with
NO_ANSWER = 3


def query(relay, files, name, *options):
    return run("query", "--url", relay.url, "--issuer", files.path("ca.crt"), *options,
               files.path(name + ".crt"))


def bring_answers(relay, files, responder, openssl, hashes=("sha1", "sha256")):
    """The answers about good, revoked and unknown come from the responder, and from the cache when
    it is gone; the relay's own verifier and openssl accept them. openssl wants the hash of the
    question in the answer, so only those that the responder can do are for it."""
    for turn in through_an_outage(relay, responder):
        for name, status in STATUSES.items():
            for alg in ("sha1", "sha256"):
                result = query(relay, files, name, "--hash", alg)
                assert result.returncode == status, (turn, alg, result.stdout, result.stderr)
                assert ("hit" in field_of(result.stdout, "Relay")) == (turn == "stopped")
                assert field_of(result.stdout, "Hash Algorithm") == \
                    (alg if alg in hashes else hashes[0])
            for alg in hashes:
                result = openssl_ocsp(openssl, files, relay.url, name,
                                      options=["-no_nonce", "-" + alg])
                assert "Response verify OK" in result.stderr, result.stderr
                assert f"{name}.crt: {name}" in result.stdout
