# SPDX-License-Identifier: ISC
"""Servers that staple what ocsprelay staple has written: HAProxy and nginx, as visitors see them."""

import sys

import pytest

from clients import BAD_STAPLE, browse, field_of, free_port, staple as stapled
from staple_kit import OK, REVOKED, staple
from test_haproxy import CONFIGURATION, FRONTEND
from test_nginx import run_nginx

NAMES = ("good", "revoked")

# as an operator's hook does it, with socat and base64
PUSH = """#!{python}
import base64, socket, sys
for path in sys.argv[1:]:
    with socket.create_connection(("127.0.0.1", {admin})) as haproxy, open(path, "rb") as file:
        haproxy.sendall(b"set ssl ocsp-response " + base64.b64encode(file.read()) + b"\\n")
        answer = haproxy.makefile().read().strip()
        if answer != "OCSP Response updated!":
            sys.exit(answer)
"""


def status_seen(openssl, files, port):
    text = stapled(openssl, files, port)
    return text and field_of(text, "Cert Status")


@pytest.mark.parametrize("when", ["before it starts", "while it runs"])
def test_haproxy(ec_relayed, program, start, when):
    files, relay, responder = ec_relayed
    openssl, curl, haproxy = program("openssl"), program("curl"), program("haproxy")
    admin, *ports = (free_port() for _ in range(3))
    pems = [files.write(name + ".pem", files.certs[name].pem + files.pki.ca.pem +
                        files.certs[name].key_pem) for name in NAMES]
    for name in NAMES:
        files.write(name + ".pem.issuer", files.pki.ca.pem)
    config = files.write("haproxy.cfg", "".join([CONFIGURATION.format(admin=admin)] + [
        FRONTEND.format(name=name, port=port, pem=pem)
        for name, port, pem in zip(NAMES, ports, pems)]).encode())
    if when == "before it starts":
        staple(relay, *pems, code=REVOKED)
        start(haproxy, "-db", "-f", config).listens(admin, *ports)
    else:
        for name in NAMES:  # empty: HAProxy is to be told later
            files.write(name + ".pem.ocsp", b"")
        start(haproxy, "-db", "-f", config).listens(admin, *ports)
        assert [status_seen(openssl, files, port) for port in ports] == [None, None]
        hook = files.directory / "push"
        hook.write_text(PUSH.format(python=sys.executable, admin=admin))
        hook.chmod(0o755)
        staple(relay, "--hook", hook, *pems, code=REVOKED)
    assert [status_seen(openssl, files, port) for port in ports] == list(NAMES)
    assert browse(curl, files, ports[0], "--cert-status") == (0, 204)
    assert browse(curl, files, ports[1], "--cert-status")[0] == BAD_STAPLE
    assert responder.count() == 2


def test_nginx(ec_relayed, program, start):
    """It reads the files when it starts, and anew when it is told to."""
    files, relay, responder = ec_relayed
    openssl, nginx = program("openssl"), program("nginx")
    chains = [files.path(name + "-chain.pem") for name in NAMES]
    staple(relay, *chains, code=REVOKED)
    server, ports = run_nginx(start, nginx, files, *(
        (name, f"ssl_stapling on; ssl_stapling_file {chain}.ocsp;")
        for name, chain in zip(NAMES, chains)))
    assert [status_seen(openssl, files, port) for port in ports] == list(NAMES)
    responder.stop()
    server.stop()
    staple(relay, chains[0], code=OK)
    server, ports = run_nginx(start, nginx, files, (
        "good", f"ssl_stapling on; ssl_stapling_file {chains[0]}.ocsp;"))
    assert status_seen(openssl, files, ports[0]) == "good"
