# SPDX-License-Identifier: ISC
"""ocsprelay verify; what it judges by is proven by test_verify.py."""

import json
import time

import pytest

import der
from clients import Files, field_of
from pki import HOUR, Basic, Single, flip, request, response
from relay import run
from test_verify import Cast

NO_ANSWER, USAGE = 3, 64


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
