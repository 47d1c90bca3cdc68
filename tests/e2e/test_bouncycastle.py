# SPDX-License-Identifier: ISC
"""A responder made of BouncyCastle behind the relay."""

import os

import pytest

from clients import field_of
from responders import STATUSES, bring_answers, query

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
    """It names itself by its key, and echoes nonces, so that those answers are not kept (NO-04)."""
    for name in STATUSES:
        files.leaf(name)
    url, server = bouncycastle(files)
    relay = make_relay(url, ca=files.pki.ca)
    for _ in range(2):
        result = query(relay, files, "good", "--nonce")
        assert result.returncode == 0 and "fwd=bypass" in field_of(result.stdout, "Relay")
        assert field_of(result.stdout, "Nonce").startswith("present")
        assert len(field_of(result.stdout, "Responder Id")) == 2 * 20
    bring_answers(relay, files, server, program("openssl"))
