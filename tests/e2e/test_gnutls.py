# SPDX-License-Identifier: ISC
"""gnutls' ocsptool as a client of the relay."""

from clients import call


def test_gnutls_ocsptool(relayed, program):
    files, relay, responder = relayed
    ocsptool = program("ocsptool")
    for status in ("good", "revoked", "unknown"):
        result = call(ocsptool, f"--ask={relay.url}", "--load-cert", files.path(status + ".crt"),
                      "--load-issuer", files.path("ca.crt"), "--load-trust",
                      files.path("chain.pem"))
        assert f"Certificate Status: {status}" in result.stdout, result.stdout + result.stderr
        assert "Verifying OCSP Response: Success." in result.stdout
    responder.behave(responder.echoing())
    relay.reload()
    result = call(ocsptool, f"--ask={relay.url}", "--nonce", "--load-cert",
                  files.path("good.crt"), "--load-issuer", files.path("ca.crt"), "--load-trust",
                  files.path("chain.pem"))
    assert "Certificate Status: good" in result.stdout, result.stdout + result.stderr
