# SPDX-License-Identifier: ISC
"""Servers that staple what ocsprelay staple has written: HAProxy and nginx, as visitors see them."""

import pytest

from clients import BAD_STAPLE, browse, field_of, staple as stapled
from recipes import recipe
from staple_kit import OK, REVOKED, staple
from test_haproxy import NAMES, configure, make_hook
from test_nginx import run_nginx


def status_seen(openssl, files, port):
    text = stapled(openssl, files, port)
    return text and field_of(text, "Cert Status")


@pytest.mark.parametrize("when", ["before it starts", "while it runs"])
def test_haproxy(ec_relayed, program, start, when):
    files, relay, responder = ec_relayed
    openssl, curl, haproxy = program("openssl"), program("curl"), program("haproxy")
    program("nc")
    config, ports, pems = configure(files)
    if when == "before it starts":
        staple(relay, *pems, code=REVOKED)
        start(haproxy, "-db", "-f", config).listens(*ports)
    else:
        for name in NAMES:  # empty: HAProxy is to be told later
            files.write(name + ".pem.ocsp", b"")
        start(haproxy, "-db", "-f", config).listens(*ports)
        assert [status_seen(openssl, files, port) for port in ports] == [None, None]
        staple(relay, "--hook", make_hook(files), *pems, code=REVOKED)
    assert [status_seen(openssl, files, port) for port in ports] == list(NAMES)
    assert browse(curl, files, ports[0], "--cert-status") == (0, 204)
    assert browse(curl, files, ports[1], "--cert-status")[0] == BAD_STAPLE
    assert responder.count() == 2


def stapling(chain):
    return recipe("nginx", "file", {"/etc/ssl/www-chain.pem": chain})


def test_nginx(ec_relayed, program, start):
    """It reads the files when it starts, and anew when it is told to."""
    files, relay, responder = ec_relayed
    openssl, nginx = program("openssl"), program("nginx")
    chains = [files.path(name + "-chain.pem") for name in NAMES]
    staple(relay, *chains, code=REVOKED)
    server, ports = run_nginx(start, nginx, files, *(
        (name, stapling(chain))
        for name, chain in zip(NAMES, chains)))
    assert [status_seen(openssl, files, port) for port in ports] == list(NAMES)
    responder.stop()
    server.stop()
    staple(relay, chains[0], code=OK)
    server, ports = run_nginx(start, nginx, files, (
        "good", stapling(chains[0])))
    assert status_seen(openssl, files, ports[0]) == "good"
