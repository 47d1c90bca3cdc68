# SPDX-License-Identifier: ISC
"""cfssl ocspserve behind the relay: it hands out answers that were signed before, finds them by the
serial number alone, and has them in SHA-1 only."""

import json

import pytest

from clients import call, field_of, free_port
from pki import awkward_certid, parse_response, request, response
from responders import NO_ANSWER, STATUSES, bring_answers, query


@pytest.fixture
def cfssl(program, start):
    """cfssl(files): URL and process of a responder for all leaves but the one called absent."""
    binary = program("cfssl")

    def signed(files, name):
        done = call(binary, "ocspsign", "-ca", files.path("ca.crt"), "-responder",
                    files.path("signer.crt"), "-responder-key", files.path("signer.key"), "-cert",
                    files.path(name + ".crt"), "-interval", "96h", "-reason", "1",
                    "-status", name if name in STATUSES else "good")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["ocspResponse"]

    def serve(files):
        port = free_port()
        responses = "".join(signed(files, name) + "\n" for name in files.certs if name != "absent")
        server = start(binary, "ocspserve", "-address", "127.0.0.1", "-port", port, "-responses",
                       files.write("responses.txt", responses.encode()))
        return f"http://127.0.0.1:{port}/", server.listens(port)
    return serve


@pytest.fixture
def cfssl_relayed(files, cfssl, make_relay):
    """(files with a leaf for each status, one called absent, and one called awkward, whose request
    has two slashes in base64; relay, process of the responder, its URL)"""
    for name in (*STATUSES, "absent"):
        files.leaf(name)
    files.leaf("awkward", serial=awkward_certid(files.pki.ca).number)
    url, server = cfssl(files)
    return files, make_relay(url, ca=files.pki.ca), server, url


def test_cfssl(cfssl_relayed, program):
    """Its SHA-1 answers to SHA-256 questions are right all the same (NK-08); nonces it ignores, so
    that they, too, are answered from the cache."""
    files, relay, server, _ = cfssl_relayed
    for found in ("fwd=", "hit"):
        result = query(relay, files, "awkward", "--nonce")
        assert result.returncode == 0 and found in field_of(result.stdout, "Relay"), result.stdout
    assert query(relay, files, "absent").returncode == NO_ANSWER
    bring_answers(relay, files, server, program("openssl"), answered="sha1")


def test_cfssl_cleans_paths(cfssl_relayed):
    """It answers GET with 301 if the path has two slashes in a row, and POST as usual (HC-01)."""
    files, relay, _, url = cfssl_relayed
    certid = files.pki.ca.certid(files.certs["awkward"].serial)
    got = relay.get(request(certid))
    assert parse_response(got.body).certificate_status.name == "GOOD"
    relay.log.wait_for("fetch-failed", http=301)
    relay.log.wait_for("responder-wants-post", responder=url)
    assert relay.get(request(certid)).cache_status["hit"]


def test_cfssl_confuses_issuers(cfssl_relayed):
    """Asked about one of the root's certificates, it tells of the CA's with that number (VS-03)."""
    files, relay, _, url = cfssl_relayed
    relay.add_issuer("root", files.pki.root, [url])
    relay.reload()
    serial = files.certs["good"].serial
    assert relay.get(request(files.pki.root.certid(serial))).body == response(2)
    relay.log.wait_for("response-refused", issuer="root", reason="certid")
    got = relay.get(request(files.pki.ca.certid(serial)))
    assert parse_response(got.body).certificate_status.name == "GOOD"
