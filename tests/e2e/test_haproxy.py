# SPDX-License-Identifier: ISC
"""HAProxy, which asks nobody: it gets staples that openssl fetched from the relay."""

import base64
import socket

import pytest

from clients import (
    BAD_STAPLE, browse, field_of, free_port, openssl_ocsp, staple, through_an_outage)

CONFIGURATION = """
global
  stats socket ipv4@127.0.0.1:{admin} level admin
defaults
  mode http
  timeout client 10s
  timeout connect 10s
  timeout server 10s
"""

FRONTEND = """
frontend {name}
  bind 127.0.0.1:{port} ssl crt {pem}
  http-request return status 204
"""

NAMES = ("good", "revoked")


def fetch(openssl, files, relay, name):
    """As the script of an operator does it: the response, from the relay."""
    out = files.path(name + ".der")
    result = openssl_ocsp(openssl, files, relay.url, name,
                          options=["-no_nonce", "-respout", out])
    assert "Response verify OK" in result.stderr, result.stderr
    with open(out, "rb") as file:
        return file.read()


def run_haproxy(start, binary, files, staples):
    """staples: contents of the .ocsp files by name. Gives (server, port of its socket, ports)."""
    admin, *ports = (free_port() for _ in range(1 + len(staples)))
    text = CONFIGURATION.format(admin=admin)
    for port, (name, content) in zip(ports, staples.items()):
        pem = files.write(name + ".pem", files.certs[name].pem + files.pki.ca.pem +
                          files.certs[name].key_pem)
        files.write(name + ".pem.issuer", files.pki.ca.pem)
        files.write(name + ".pem.ocsp", content)
        text += FRONTEND.format(name=name, port=port, pem=pem)
    server = start(binary, "-db", "-f", files.write("haproxy.cfg", text.encode()))
    return server.listens(admin, *ports), admin, ports


def tell(admin, command):
    with socket.create_connection(("127.0.0.1", admin)) as connection:
        connection.sendall(command.encode() + b"\n")
        return connection.makefile().read().strip()


@pytest.mark.parametrize("way", ["file", "socket"])
def test_haproxy(chained, program, start, way):
    """It takes a staple when it starts, or at any time through its socket; of a revoked
    certificate too, so that visitors learn of it."""
    files, relay, responder, _ = chained
    openssl, curl, haproxy = program("openssl"), program("curl"), program("haproxy")
    for _ in through_an_outage(relay, responder):
        staples = {name: fetch(openssl, files, relay, name) for name in NAMES}
        server, admin, ports = run_haproxy(
            start, haproxy, files,
            staples if way == "file" else dict.fromkeys(NAMES, b""))  # empty: to be told later
        for name, port, seen in zip(NAMES, ports, ((0, 204), (BAD_STAPLE, 0))):
            if way == "socket":
                assert staple(openssl, files, port) is None
                encoded = base64.b64encode(staples[name]).decode()
                assert tell(admin, "set ssl ocsp-response " + encoded) == "OCSP Response updated!"
            text = staple(openssl, files, port)
            assert text and field_of(text, "Cert Status") == name, server.text
            assert browse(curl, files, port, "--cert-status") == seen
        server.stop()
    assert responder.count() == 2
