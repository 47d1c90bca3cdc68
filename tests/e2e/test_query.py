# SPDX-License-Identifier: ISC
"""ocsprelay query."""

import json
import re
import time

import pytest

from clients import call, field_of
from pki import flip
from relay import run
from responder import error

GOOD, REVOKED, UNKNOWN, NO_ANSWER = range(4)


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
