# SPDX-License-Identifier: ISC
"""nginx, which asks the relay for its own staples and about its visitors' certificates."""

import time

import pytest

from clients import (
    BAD_STAPLE, browse, certificate, field_of, free_port, staple, through_an_outage)
from pki import parse_response, request
from recipes import RELAY, recipe
from relay import until

CONFIGURATION = """
daemon off; master_process off; worker_processes 1; pid {where}/pid; error_log stderr info;
events {{ }}
http {{
  access_log off;
  client_body_temp_path {where}/a; proxy_temp_path {where}/b; fastcgi_temp_path {where}/c;
  uwsgi_temp_path {where}/d; scgi_temp_path {where}/e;
  {servers}
}}
"""

SERVER = """
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {certificate}; ssl_certificate_key {key};
    {directives}
    location / {{ return 204; }}
  }}
"""


def run_nginx(start, binary, files, *servers):
    """servers: (name of the certificate, directives). Gives (server, ports)."""
    where = files.directory / "nginx"
    where.mkdir(exist_ok=True)
    ports = [free_port() for _ in servers]
    (where / "nginx.conf").write_text(CONFIGURATION.format(where=where, servers="".join(
        SERVER.format(port=port, certificate=files.path(name + "-chain.pem"),
                      key=files.path(name + ".key"), directives=directives)
        for port, (name, directives) in zip(ports, servers))))
    server = start(binary, "-p", where, "-c", where / "nginx.conf", "-e", "stderr")
    return server.listens(*ports), ports


def stapling(files, url):
    return recipe("nginx", "staples", {
        "/etc/ssl/ca-chain.pem": files.path("chain.pem"), RELAY: url})


def visitors(files, url, ocsp):
    return recipe("nginx", "visitors", {
        "/etc/ssl/ca-chain.pem": files.path("chain.pem"), RELAY: url,
        "ssl_ocsp leaf": "ssl_ocsp " + ocsp})


def first_staple(openssl, files, server, port):
    """The first handshake only makes nginx fetch it."""
    return until(lambda: staple(openssl, files, port), what=f"a staple\n{server.text}")


def test_nginx_stapling(relayed, program, start):
    """nginx is started anew for the outage, so that it must ask the relay."""
    files, relay, responder = relayed
    nginx, openssl, curl = program("nginx"), program("openssl"), program("curl")
    cached = parse_response(relay.get(request(
        files.pki.ca.certid(files.certs["good"].serial))).body)
    for _ in through_an_outage(relay, responder):
        server, (good, revoked) = run_nginx(
            start, nginx, files, *((name, stapling(files, relay.url))
                                   for name in ("good", "revoked")))
        text = first_staple(openssl, files, server, good)
        assert field_of(text, "OCSP Response Status") == "successful (0x0)"
        assert field_of(text, "Cert Status") == "good"
        assert int(field_of(text, "Serial Number"), 16) == files.certs["good"].serial
        shown = time.strptime(field_of(text, "Next Update"), "%b %d %H:%M:%S %Y GMT")
        assert time.strftime("%F %T", shown) == str(cached.next_update)
        assert browse(curl, files, good, "--cert-status") == (0, 204)
        assert staple(openssl, files, revoked) is None  # and now it asks
        server.wait_for('certificate status "revoked" in the OCSP response')
        assert browse(curl, files, revoked, "--cert-status")[0] == BAD_STAPLE
        server.stop()
        assert responder.count() == 2  # the relay had the good one
        assert relay.metric("requests_total", method="get", result="hit") >= 1


def test_nginx_stapling_of_a_miss_after_a_restart(relayed, program, start):
    files, relay, responder = relayed
    nginx, openssl = program("nginx"), program("openssl")
    server, (port,) = run_nginx(start, nginx, files, ("good", stapling(files, relay.url)))
    first_staple(openssl, files, server, port)
    server.stop()
    assert responder.count() == 1
    relay.wait_for_stored()
    responder.stop()
    relay.restart()  # a new port: nginx gets a new configuration
    server, (port,) = run_nginx(start, nginx, files, ("good", stapling(files, relay.url)))
    assert field_of(first_staple(openssl, files, server, port), "Cert Status") == "good"


@pytest.mark.parametrize("ocsp, of_the_ca", [("leaf", 0), ("on", 1)])
def test_nginx_client_certificates(chained, program, start, ocsp, of_the_ca):
    """"on" asks about the CA as well, at the same URL: its issuer decides whom the relay asks."""
    files, relay, responder, of_root = chained
    server, (port,) = run_nginx(start, program("nginx"), files, (
        "server", visitors(files, relay.url, ocsp)))
    for count, turn in enumerate(through_an_outage(relay, responder, of_root), 1):
        for name, status in (("good", 204), ("revoked", 400)):
            seen = browse(program("curl"), files, port, *certificate(files, name))
            assert seen == (0, status), (turn, name)
        server.wait_for("certificate verify error: .*certificate revoked", count)
    assert responder.count() == 2
    assert of_root.count(files.pki.ca.serial) == of_root.count() == of_the_ca


def test_nginx_client_certificates_of_a_revoked_ca(chained, program, start):
    files, relay, _, of_root = chained
    of_root.statuses[files.pki.ca.serial] = "revoked"
    server, ports = run_nginx(start, program("nginx"), files, *((
        "server", visitors(files, relay.url, ocsp)) for ocsp in ("leaf", "on")))
    for port, status in zip(ports, (204, 400)):
        assert browse(program("curl"), files, port, *certificate(files, "good")) == (0, status)
    server.wait_for("certificate verify error: .*certificate revoked")
