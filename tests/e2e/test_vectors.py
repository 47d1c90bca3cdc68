# SPDX-License-Identifier: ISC
"""The vectors of the unit tests end to end: requests of appendix A over HTTP, responses through
ocsprelay verify.

Rules of the requests: NO-01 NO-02 NO-03 RP-01 RP-02 RP-07 RP-20 RP-25 RP-30 RP-31 RP-32 RP-34
RP-35 RP-36 RP-37 RP-38 RP-39; of the responses: those that their catalogue names, VS-01 to VS-23.
"""

import base64
import json
import os
import re
import sys
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

import pytest

from pki import response
from relay import ROOT, run

sys.path.insert(0, os.path.join(ROOT, "tests", "vectors"))
from make_responses import CATALOGUE, write_all  # noqa: E402 pylint: disable=wrong-import-position

# --- requests -----------------------------------------------------------------------------------

MALFORMED, UNAUTHORIZED = (400, response(1)), (200, response(6))  # nobody knows their issuer

REQUESTS = {
    **dict.fromkeys(("TV1", "TV1_enc", "TV2", "TV3", "TV3b", "TV4", "TV4_8", "TV4_raw", "TV5",
                     "TV6", "TV8neg", "TV8zero", "TV11", "TV_RFC_HEX"), UNAUTHORIZED),
    **dict.fromkeys(("TV4_0", "TV4_129", "TV6b", "TV7a", "TV7b", "TV8nonmin", "TV9", "TV12",
                     "TV13"), MALFORMED),
}


def request_vectors():
    """{name: octets} of tests/unit/vectors.h"""
    with open(os.path.join(ROOT, "tests", "unit", "vectors.h"), encoding="ascii") as file:
        text = file.read()
    found = {}
    for name, literals in re.findall(r'#define (TV\w+) /\*.*?\*/((?:\s*\\\n\s*"[^"]*")+)', text):
        value = "".join(re.findall(r'"([^"]*)"', literals))
        found[name] = (bytes.fromhex(value) if name.endswith("_HEX") else
                       base64.b64decode(urllib.parse.unquote(value)))
    return found


def test_appendix_a_is_whole():
    assert request_vectors().keys() == REQUESTS.keys()


@pytest.mark.parametrize("name, expected", REQUESTS.items(), ids=REQUESTS.keys())
def test_appendix_a(shared, name, expected):
    """By POST, and by GET escaped, as it is, and in base64url without padding; HC-18: nothing of
    it goes upstream."""
    relay, responder = shared
    before = responder.count()
    data = request_vectors()[name]
    url = base64.urlsafe_b64encode(data).decode().rstrip("=")
    targets = ["/" + base64.b64encode(data).decode(), "/" + url]
    answers = [relay.post(data), relay.get(data)]
    answers += [relay.ask(f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
                for target in targets]
    assert [(got.status, got.body) for got in answers] == [expected] * 4
    assert responder.count() == before


# --- responses ----------------------------------------------------------------------------------

SIGNERS = {"issuer": "issuer", "delegate": "delegated responder", "trusted": "trusted responder"}
NO_CERTIFICATE = 3  # exit status


def verify(directory, row):
    def path(name):
        return os.path.join(directory, name)
    trusted = ["--trusted", path(row["trusted"])] if row["trusted"] != "-" else []
    return run("verify", "--json", "--issuer", path(row["issuer"]), "--request",
               path(row["request"]), "--at", row["now"], *trusted, path(row["name"] + ".der"))


@pytest.fixture(scope="module")
def verified(tmp_path_factory):
    """{name: (row of the manifest, what ocsprelay verify made of it)}; several run at once."""
    directory = tmp_path_factory.mktemp("vectors")
    write_all(directory)
    columns = ("name rules now issuer trusted request result "
               "status reason signer until kept flags").split()
    with open(directory / "manifest.tsv", encoding="ascii") as file:
        rows = [dict(zip(columns, line.rstrip("\n").split("\t"))) for line in file]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(lambda row: verify(directory, row), rows)
        return {row["name"]: (row, result) for row, result in zip(rows, results)}


@pytest.mark.parametrize("vector", CATALOGUE, ids=[
    "_".join([*vector.rules.split(), vector.name]) for vector in CATALOGUE])
def test_response(verified, vector):
    row, result = verified[vector.name]
    if row["result"] == "certificate":  # there is no issuer to judge by
        assert (result.returncode, result.stdout) == (NO_CERTIFICATE, "")
        return
    said = json.loads(result.stdout)
    if row["result"] != "ok":
        assert (result.returncode, said["accepted"], said["reason"]) == (1, False, row["result"])
        return
    flags = row["flags"].split(",")
    assert (result.returncode, said["accepted"]) == (0, True)
    assert (said["status"], said["signer"]) == (row["status"], SIGNERS[row["signer"]])
    left = None if "no-next-update" in flags else int(row["until"]) - int(row["now"])
    assert said.get("time_left") == left
    assert said["weak_signature"] == ("weak" in flags) and said["nonce"] == ("nonce" in flags)
