# SPDX-License-Identifier: ISC
"""A responder made of BouncyCastle behind the relay."""

import os

import pytest

from clients import field_of
from responders import STATUSES, bring_answers, echo_nonces, query

JARS = [f"/usr/share/java/{name}.jar" for name in ("bcpkix", "bcprov", "bcutil")]


@pytest.fixture
def bouncycastle(java, start):
    """bouncycastle(files): URL and process."""
    for jar in JARS:
        if not os.path.exists(jar):
            pytest.skip(f"{jar} is not installed (Debian package libbcpkix-java)")

    def serve(files):
        statuses = (f"{cert.serial}={name}" for name, cert in files.certs.items())
        server = start(*java("Responder.java", files.directory, *statuses,
                             options=["-cp", ":".join(JARS)]))
        port = server.wait_for("listening at port").split()[-1]
        return f"http://127.0.0.1:{port}/", server
    return serve


def test_bouncycastle(files, bouncycastle, make_relay, program):
    """It names itself by the hash of its key."""
    for name in STATUSES:
        files.leaf(name)
    url, server = bouncycastle(files)
    relay = make_relay(url, ca=files.pki.ca)
    echo_nonces(relay, files)
    bring_answers(relay, files, server, program("openssl"))
    assert len(field_of(query(relay, files, "good").stdout, "Responder Id")) == 2 * 20
