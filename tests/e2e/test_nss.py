# SPDX-License-Identifier: ISC
"""NSS, which is what Firefox checks certificates with."""

import pytest

from clients import call, through_an_outage


@pytest.fixture
def database(program):
    """database(files): a directory with the root, trusted, and the certificates below it."""
    certutil = program("certutil")

    def make(files):
        where = "sql:" + str(files.directory)
        call(certutil, "-N", "-d", where, "--empty-password")
        for name in ("root", "ca", *files.certs):
            added = call(certutil, "-A", "-d", where, "-n", name, "-t",
                         "CT,C,C" if name == "root" else ",,", "-i", files.path(name + ".crt"))
            assert added.returncode == 0, added.stderr
        return where
    return make


def test_nss_ocspclnt(relayed, program, database):
    """POST with the extensions AcceptableResponses, and ServiceLocator of the single request."""
    files, relay, responder = relayed
    where = database(files)
    verdicts = {"good": 'certificate "good" succeeded', "revoked": "has been revoked",
                "unknown": "has no status for the certificate"}
    for _ in through_an_outage(relay, responder):
        for name, words in verdicts.items():
            result = call(program("ocspclnt"), "-d", where, "-S", name, "-l", relay.url,
                          "-t", "ca")
            assert words in result.stdout, result.stdout + result.stderr
    assert relay.metric("requests_total", method="post") == 6
    assert responder.count() == 3


def test_nss_vfychain(aia_chained, program, database):
    """GET with AcceptableResponses to the URL that the certificates name, for the whole chain."""
    files, relay, responder, of_root = aia_chained
    where = database(files)
    by_ocsp = ["-h", "requireFreshInfo", "-m", "ocsp", "-s", "failIfNoInfo"]
    # who must know takes what the responder does not know for revoked
    verdicts = {"good": "Chain is good!", "revoked": "has been revoked",
                "unknown": "has been revoked"}
    for _ in through_an_outage(relay, responder, of_root):
        for name, words in verdicts.items():
            result = call(program("vfychain"), "-d", where, "-pp", "-u", 0, "-g", "leaf", *by_ocsp,
                          "-g", "chain", *by_ocsp, name)
            assert words in result.stderr, result.stderr
            assert (result.returncode == 0) == (name == "good")
    assert (responder.count(), of_root.count()) == (3, 1)
    assert relay.metric("requests_total", method="get") == 2 * (3 + 3)
