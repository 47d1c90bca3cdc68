# SPDX-License-Identifier: ISC
"""Java's certificate path validator as a client."""

import subprocess

import pytest

from clients import through_an_outage
from recipes import RELAY, recipe
from relay import environment


class Validator:
    """Check.java, asked again and again."""

    def __init__(self, command, files):
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, bufsize=1, env=environment())
        self.files = files

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()

    def verdict(self, how, name):
        print(how, self.files.path(name + ".crt"), file=self.process.stdin)
        return self.process.stdout.readline()


@pytest.mark.parametrize("files, method, properties", [
    ("ec", "get", []),
    ("rsa", "get", []),
    ("ec", "post", ["-Dcom.sun.security.ocsp.useget=false"]),
    ("ec", "get", ["-Djdk.security.certpath.ocspNonce=true"])],
    ids=["ec", "rsa", "post", "nonce"], indirect=["files"])
def test_java_validator(aia_chained, java, method, properties):
    """HTTP/1.1 on kept connections. The security properties have one URL for the whole chain."""
    files, relay, responder, of_root = aia_chained
    security = files.write("security", recipe("java", "properties", {RELAY: relay.url}).encode())
    command = java("Check.java", files.path("root.crt"), files.path("ca.crt"), relay.url,
                   options=["-Djava.security.properties=" + security, *properties])
    with Validator(command, files) as validator:
        for _ in through_an_outage(relay, responder, of_root):
            for how in ("checker", "properties"):
                assert validator.verdict(how, "good") == "VALID\n"
                assert validator.verdict(how, "revoked").startswith("REVOKED at 0")
                assert validator.verdict(how, "unknown").startswith("UNDETERMINED_")
    assert (responder.count(), of_root.count()) == (3, 1)
    # in both turns about three leaves, and with the properties about what stands above them too
    assert relay.metric("requests_total", method=method) == 2 * (3 + 3 * 2)
