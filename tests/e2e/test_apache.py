# SPDX-License-Identifier: ISC
"""Apache httpd, which asks the relay for its own staples and about its visitors' certificates."""

import os

import pytest

from clients import BAD_STAPLE, browse, certificate, field_of, free_port, staple, through_an_outage
from recipes import RELAY, recipe

MODULES = "/usr/lib/apache2/modules"

CONFIGURATION = """
ServerName localhost
ServerRoot {where}
DefaultRuntimeDir {where}
PidFile {where}/pid
ErrorLog /dev/stderr
LogLevel ssl:info
{user}
LoadModule mpm_prefork_module {modules}/mod_mpm_prefork.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule alias_module {modules}/mod_alias.so
LoadModule socache_shmcb_module {modules}/mod_socache_shmcb.so
LoadModule ssl_module {modules}/mod_ssl.so
Mutex file:{where}
{staples_cache}
{hosts}
"""

HOST = """
Listen 127.0.0.1:{port}
<VirtualHost 127.0.0.1:{port}>
SSLEngine on
SSLCertificateFile {certificate}
SSLCertificateKeyFile {key}
RedirectMatch 204 ^/
{directives}
</VirtualHost>
"""


def run_apache(start, binary, files, *hosts):
    """hosts: (name of the certificate, directives). Gives (server, ports)."""
    where = files.directory / "apache"
    where.mkdir(exist_ok=True)
    ports = [free_port() for _ in hosts]
    (where / "apache.conf").write_text(CONFIGURATION.format(
        where=where, modules=MODULES,
        staples_cache=recipe("apache", "staples-cache", {"/run/apache2": where}),
        user="" if os.getuid() else "User nobody\nGroup nogroup",
        hosts="".join(HOST.format(port=port, certificate=files.path(name + "-chain.pem"),
                                  key=files.path(name + ".key"), directives=directives)
                      for port, (name, directives) in zip(ports, hosts))))
    server = start(binary, "-X", "-f", where / "apache.conf")
    return server.listens(*ports), ports


def test_apache_stapling(chained, program, start):
    """It asks in the first handshake, and staples a revocation too."""
    files, relay, responder, _ = chained
    apache, openssl, curl = program("apache2"), program("openssl"), program("curl")
    for _ in through_an_outage(relay, responder):
        server, (good, revoked) = run_apache(start, apache, files, *(
            (name, recipe("apache", "staples", {RELAY: relay.url}))
            for name in ("good", "revoked")))
        for name, port, curls in (("good", good, (0, 204)), ("revoked", revoked, (BAD_STAPLE, 0))):
            assert browse(curl, files, port, "--cert-status") == curls, server.text
            text = staple(openssl, files, port)
            assert field_of(text, "Cert Status") == name
            assert int(field_of(text, "Serial Number"), 16) == files.certs[name].serial
        server.stop()
    assert responder.count() == 2


def is_admitted(curl, files, port, name):
    """Who is not gets an alert, and no answer."""
    status, http_status = browse(curl, files, port, *certificate(files, name))
    assert (status == 0, http_status) in ((True, 204), (False, 0))
    return status == 0


def clients_of(files, relay, ocsp="leaf", nonce="off"):
    return "server", recipe("apache", "visitors", {
        "/etc/ssl/ca-chain.pem": files.path("chain.pem"), RELAY: relay.url,
        "SSLOCSPEnable leaf": "SSLOCSPEnable " + ocsp,
        "SSLOCSPUseRequestNonce off": "SSLOCSPUseRequestNonce " + nonce})


@pytest.mark.parametrize("ocsp, of_the_ca", [("leaf", 0), ("on", 1)])
def test_apache_client_certificates(chained, program, start, ocsp, of_the_ca):
    """"on" asks about the CA as well, at the same URL: its issuer decides whom the relay asks."""
    files, relay, responder, of_root = chained
    server, (port,) = run_apache(start, program("apache2"), files, clients_of(files, relay, ocsp))
    for count, turn in enumerate(through_an_outage(relay, responder, of_root), 1):
        assert is_admitted(program("curl"), files, port, "good"), turn
        assert not is_admitted(program("curl"), files, port, "revoked"), turn
        server.wait_for("certificate status: revoked", count)
    assert responder.count() == 2
    assert of_root.count(files.pki.ca.serial) == of_root.count() == of_the_ca


def test_apache_client_certificates_with_nonces(chained, program, start):
    """It insists on its nonce. So it works while the responder echoes nonces and is there, and an
    answer of the cache (NO-06) does not help it: SSLOCSPUseRequestNonce off is for the relay."""
    files, relay, responder, _ = chained
    responder.behave(responder.echoing())
    server, (port, without) = run_apache(start, program("apache2"), files, *(
        clients_of(files, relay, nonce=nonce) for nonce in ("on", "off")))

    def admits(name, port=port):
        return is_admitted(program("curl"), files, port, name)
    for count in (1, 2):
        assert admits("good")
        assert not admits("revoked")
        server.wait_for("certificate status: revoked", count)
        assert responder.count() == 2 * count  # never from the cache
    assert admits("good", without)
    responder.stop()
    assert admits("good", without)
    assert not admits("good")
    server.wait_for("bad nonce")
