# SPDX-License-Identifier: ISC
"""strongSwan as a client: its command pki has the plugin that its daemon checks peers with."""

import pytest

from clients import call, through_an_outage

# only what is needed: which others there are differs from machine to machine
CONF = b"pki { load = random nonce x509 revocation constraints pubkey pkcs1 pem openssl curl }\n"
PACKAGES = {"curl": "libstrongswan-extra-plugins", "openssl": "libstrongswan-standard-plugins"}


def test_strongswan(aia_chained, program):
    """POST over HTTP/1.1 with nonce and AcceptableResponses, for the whole chain."""
    files, relay, responder, of_root = aia_chained
    command = [program("pki"), "--verify", "--online", "--cacert", files.path("root.crt"),
               "--cacert", files.path("ca.crt"), "--in"]
    env = {"STRONGSWAN_CONF": files.write("strongswan.conf", CONF)}
    for _ in through_an_outage(relay, responder, of_root):
        for name, status, verdict in (("good", 0, "certificate not revoked"),
                                      ("revoked", 1, "certificate untrusted"),
                                      ("unknown", 0, "revocation checking failed")):
            result = call(*command, files.path(name + ".crt"), env=env)
            for plugin, package in PACKAGES.items():
                if f"plugin '{plugin}': failed to load" in result.stderr:
                    pytest.skip(f"strongSwan's plugin {plugin} is not installed "
                                f"(Debian package {package})")
            assert verdict in result.stdout and result.returncode == status, result.stderr
            assert ("certificate was revoked" in result.stderr) == (name == "revoked")
    assert (responder.count(), of_root.count()) == (3, 1)
    # in both turns about three leaves, and about what stands above those that are not revoked
    assert relay.metric("requests_total", method="post") == 2 * (3 + 2)
