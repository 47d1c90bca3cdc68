# SPDX-License-Identifier: ISC
"""gnutls' ocsptool as a client of the relay."""

from clients import call, through_an_outage


def ask(ocsptool, files, relay, name, *options):
    """It builds no chains: it has to be given root and CA."""
    result = call(ocsptool, f"--ask={relay.url}", *options, "--load-cert",
                  files.path(name + ".crt"), "--load-issuer", files.path("ca.crt"),
                  "--load-trust", files.path("chain.pem"))
    return result.returncode, result.stdout + result.stderr


def test_gnutls_ocsptool(relayed, program):
    files, relay, responder = relayed
    for _ in through_an_outage(relay, responder):
        for status in ("good", "revoked", "unknown"):
            code, text = ask(program("ocsptool"), files, relay, status)
            assert f"Certificate Status: {status}" in text
            assert "Verifying OCSP Response: Success." in text
            assert code == 0  # whatever the status
    assert responder.count() == 3


def test_gnutls_ocsptool_with_nonces(relayed, program):
    """It insists on its nonce: an answer of the cache (NO-06) does not help it."""
    files, relay, responder = relayed
    responder.behave(responder.echoing())
    for options in ([], ["--nonce"]):
        code, text = ask(program("ocsptool"), files, relay, "good", *options)
        assert (code, "Certificate Status: good" in text) == (0, True), text
    responder.stop()
    assert ask(program("ocsptool"), files, relay, "good")[0] == 0
    code, text = ask(program("ocsptool"), files, relay, "good", "--nonce")
    assert code == 1 and "could not read response's nonce" in text, text
    assert "Response Status: Successful" in text  # it was given one
