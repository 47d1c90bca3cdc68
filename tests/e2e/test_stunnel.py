# SPDX-License-Identifier: ISC
"""stunnel, which asks the relay about its visitors' certificates and their CAs. Its log is what
counts: with TLS 1.3 a visitor's handshake is over before stunnel has judged the certificate."""

import contextlib
import socket
import ssl

from clients import free_port, through_an_outage
from recipes import RELAY, recipe
from relay import TIMEOUT

CONFIGURATION = """
foreground = yes
pid =
debug = info
[door]
accept = 127.0.0.1:{port}
exec = /bin/echo
execArgs = echo welcome
cert = {certificate}
key = {key}
{recipe}
"""


def run_stunnel(start, binary, files, url, nonce="no"):
    """(server, port)"""
    port = free_port()
    text = CONFIGURATION.format(port=port, certificate=files.path("server-chain.pem"),
                                key=files.path("server.key"), recipe=recipe("stunnel", "visitors", {
                                    "/etc/ssl/ca-chain.pem": files.path("chain.pem"), RELAY: url,
                                    "OCSPnonce = no": "OCSPnonce = " + nonce}))
    server = start(binary, files.write(f"stunnel-{nonce}.conf", text.encode()))
    return server.listens(port), port


def visit(files, port, name):
    """What the door says to whom it lets in."""
    context = ssl.create_default_context(cafile=files.path("root.crt"))
    context.load_cert_chain(files.path(name + "-chain.pem"), files.path(name + ".key"))
    with contextlib.suppress(ssl.SSLError, ConnectionError), \
         socket.create_connection(("127.0.0.1", port), TIMEOUT) as raw, \
         context.wrap_socket(raw, server_hostname="localhost") as connection:
        return connection.recv(100).decode().strip()
    return None


def test_stunnel(chained, program, start):
    """It asks about leaf and CA at one URL: the issuer decides whom the relay asks."""
    files, relay, responder, of_root = chained
    server, port = run_stunnel(start, program("stunnel4"), files, relay.url)
    for count, turn in enumerate(through_an_outage(relay, responder, of_root), 1):
        assert visit(files, port, "good") == "welcome", (turn, server.text)
        assert visit(files, port, "revoked") is None, turn
        server.wait_for("OCSP: Certificate revoked", count)
        server.wait_for("Rejected by OCSP at depth=0", count)
        server.wait_for("OCSP: Certificate accepted", 3 * count)
    assert responder.count() == 2
    assert of_root.count(files.pki.ca.serial) == of_root.count() == 1


def test_stunnel_and_a_revoked_ca(chained, program, start):
    files, relay, responder, of_root = chained
    of_root.statuses[files.pki.ca.serial] = "revoked"
    server, port = run_stunnel(start, program("stunnel4"), files, relay.url)
    assert visit(files, port, "good") is None
    server.wait_for("Rejected by OCSP at depth=1")
    assert (responder.count(), of_root.count()) == (0, 1)


def test_stunnel_with_nonces(chained, program, start):
    """It insists on its nonce: an answer of the cache (NO-06) does not help it."""
    files, relay, responder, of_root = chained
    responder.behave(responder.echoing())
    of_root.behave(of_root.echoing())
    stunnel = program("stunnel4")
    server, port = run_stunnel(start, stunnel, files, relay.url, "yes")
    _, without = run_stunnel(start, stunnel, files, relay.url)
    assert visit(files, port, "good") == visit(files, without, "good") == "welcome", server.text
    responder.stop()
    of_root.stop()
    assert visit(files, without, "good") == "welcome"
    assert visit(files, port, "good") is None
    server.wait_for("Invalid or unsupported nonce")
