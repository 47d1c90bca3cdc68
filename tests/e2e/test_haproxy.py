# SPDX-License-Identifier: ISC
"""HAProxy, which asks nobody: it gets staples that openssl fetched from the relay. For those of
ocsprelay staple see test_staple_servers.py."""

import os

import pytest

from clients import (
    BAD_STAPLE, browse, call, field_of, free_port, staple, through_an_outage)
from recipes import RELAY, recipe

CONFIGURATION = """
{socket}
defaults
  mode http
  timeout client 10s
  timeout connect 10s
  timeout server 10s
"""

ANSWER = "  http-request return status 204\n"

NAMES = ("good", "revoked")


def fetch(files, relay, name):
    """As the script of an operator does it: the response, from the relay."""
    result = call("sh", "-ec", recipe("haproxy", "fetch", {
        RELAY: relay.url, "/etc/haproxy/ca.pem": files.path("ca.crt"),
        "/etc/haproxy/www.crt": files.path(name + ".crt"),
        "/etc/haproxy/root.pem": files.path("root.crt"),
        "/etc/haproxy/www.pem.ocsp": files.path(name + ".pem.ocsp")}))
    assert "Response verify OK" in result.stderr, result.stderr


def configure(files):
    """(configuration, ports, files with certificate and key), for each of NAMES."""
    ports, pems = [free_port() for _ in NAMES], []
    text = CONFIGURATION.format(socket=recipe("haproxy", "socket", {
        "/run/haproxy/admin.sock": files.path("admin.sock")}))
    for port, name in zip(ports, NAMES):
        pems.append(files.write(name + ".pem", files.certs[name].pem + files.pki.ca.pem +
                                files.certs[name].key_pem))
        files.write(name + ".pem.issuer", files.pki.ca.pem)
        text += recipe("haproxy", "staples", {
            "frontend www": "frontend " + name, "bind :443": f"bind 127.0.0.1:{port}",
            "/etc/haproxy/www.pem": pems[-1]}) + ANSWER
    return files.write("haproxy.cfg", text.encode()), ports, pems


def make_hook(files):
    """The program that tells the running server of new staples, whose files are its arguments."""
    hook = files.write("tell-haproxy", recipe("haproxy", "hook", {
        "/run/haproxy/admin.sock": files.path("admin.sock")}).encode())
    os.chmod(hook, 0o755)
    return hook


@pytest.mark.parametrize("way", ["file", "socket"])
def test_haproxy(chained, program, start, way):
    """It takes a staple when it starts, or at any time through its socket; of a revoked
    certificate too, so that visitors learn of it."""
    files, relay, responder, _ = chained
    openssl, curl, haproxy = program("openssl"), program("curl"), program("haproxy")
    program("nc")
    for _ in through_an_outage(relay, responder):
        for name in NAMES:
            if way == "file":
                fetch(files, relay, name)
            else:
                files.write(name + ".pem.ocsp", b"")  # to be told later
        config, ports, _ = configure(files)
        server = start(haproxy, "-db", "-f", config).listens(*ports)
        for name, port, seen in zip(NAMES, ports, ((0, 204), (BAD_STAPLE, 0))):
            if way == "socket":
                assert staple(openssl, files, port) is None
                fetch(files, relay, name)
                told = call(make_hook(files), files.path(name + ".pem.ocsp"))
                assert told.stdout.strip() == "OCSP Response updated!"
            text = staple(openssl, files, port)
            assert text and field_of(text, "Cert Status") == name, server.text
            assert browse(curl, files, port, "--cert-status") == seen
        server.stop()
    assert responder.count() == 2
