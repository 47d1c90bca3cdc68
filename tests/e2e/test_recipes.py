# SPDX-License-Identifier: ISC
"""The recipes of doc/clients: commands that are run as they stand there, and that each recipe which
is said to be tested is one that a test takes from there."""

import os
import re

import pytest

from clients import call, through_an_outage
from recipes import RELAY, names, recipe
from relay import ROOT

CLIENTS = sorted(name[:-3] for name in os.listdir(os.path.join(ROOT, "doc", "clients")))


def read(*parts):
    with open(os.path.join(ROOT, *parts), encoding="utf-8") as file:
        return file.read()


@pytest.mark.parametrize("client", CLIENTS)
def test_what_is_said_to_be_tested_is(client):
    text = read("doc", "clients", client + ".md")
    tests = set(re.findall(r"`(test_\w+\.py)`", text))
    assert tests or "Not tested." in text
    used = "".join(read("tests", "e2e", test) for test in tests)
    for name in names(client):
        assert f'"{client}", "{name}",' in used, f"no test of {tests} takes recipe {name}"


def test_every_recipe_is_in_the_guide():
    guide = read("doc", "operating.md")
    assert sorted(re.findall(r"\(clients/(\w+)\.md\)", guide)) == CLIENTS


@pytest.mark.parametrize("client, name, places, said", [
    ("openssl", "ocsp", ["ca.pem", "www.pem", "root.pem"], "www.pem: {}"),
    ("gnutls", "ocsptool", ["ca.pem", "www.pem", "ca-chain.pem"], "Certificate Status: {}"),
], ids=["openssl", "ocsptool"])
def test_recipes_that_are_commands(ec_relayed, program, client, name, places, said):
    files, relay, responder = ec_relayed
    program({"openssl": "openssl", "gnutls": "ocsptool"}[client])
    here = {"ca.pem": "ca.crt", "root.pem": "root.crt", "ca-chain.pem": "chain.pem"}
    for _ in through_an_outage(relay, responder):
        for status in ("good", "revoked", "unknown"):
            here["www.pem"] = status + ".crt"
            result = call("sh", "-ec", recipe(client, name, {
                RELAY: relay.url, **{"/etc/ssl/" + one: files.path(here[one]) for one in places}}))
            expected = said.replace("www.pem", files.path(here["www.pem"])).format(status)
            assert expected in result.stdout, result.stdout + result.stderr
    assert responder.count() == 3
