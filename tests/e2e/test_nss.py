# SPDX-License-Identifier: ISC
"""NSS, which is what Firefox checks certificates with, on both sides of the relay."""

import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, pkcs12

from clients import call, free_port, through_an_outage
from responders import bring_answers


@pytest.fixture
def database(program):
    """database(files): a directory with the root, trusted, and the certificates below it."""
    certutil = program("certutil")

    def make(files):
        where = "sql:" + str(files.directory)
        call(certutil, "-N", "-d", where, "--empty-password")
        for name in ("root", "ca", *files.certs):
            added = call(certutil, "-A", "-d", where, "-n", name, "-t",
                         "CT,C,C" if name == "root" else ",,", "-i", files.path(name + ".crt"))
            assert added.returncode == 0, added.stderr
        return where
    return make


def test_nss_ocspclnt(relayed, program, database):
    """POST with the extensions AcceptableResponses, and ServiceLocator of the single request."""
    files, relay, responder = relayed
    where = database(files)
    verdicts = {"good": 'certificate "good" succeeded', "revoked": "has been revoked",
                "unknown": "has no status for the certificate"}
    for _ in through_an_outage(relay, responder):
        for name, words in verdicts.items():
            result = call(program("ocspclnt"), "-d", where, "-S", name, "-l", relay.url,
                          "-t", "ca")
            assert words in result.stdout, result.stdout + result.stderr
    assert relay.metric("requests_total", method="post") == 6
    assert responder.count() == 3


def test_nss_vfychain(aia_chained, program, database):
    """GET with AcceptableResponses to the URL that the certificates name, for the whole chain."""
    files, relay, responder, of_root = aia_chained
    where = database(files)
    by_ocsp = ["-h", "requireFreshInfo", "-m", "ocsp", "-s", "failIfNoInfo"]
    # who must know takes what the responder does not know for revoked
    verdicts = {"good": "Chain is good!", "revoked": "has been revoked",
                "unknown": "has been revoked"}
    for _ in through_an_outage(relay, responder, of_root):
        for name, words in verdicts.items():
            result = call(program("vfychain"), "-d", where, "-pp", "-u", 0, "-g", "leaf", *by_ocsp,
                          "-g", "chain", *by_ocsp, name)
            assert words in result.stderr, result.stderr
            assert (result.returncode == 0) == (name == "good")
    assert (responder.count(), of_root.count()) == (3, 1)
    assert relay.metric("requests_total", method="get") == 2 * (3 + 3)


def crl(ca, *serials):
    now, hour = datetime.datetime.utcnow(), datetime.timedelta(hours=1)
    builder = x509.CertificateRevocationListBuilder().issuer_name(ca.cert.subject) \
        .last_update(now - hour).next_update(now + 24 * hour)
    for serial in serials:
        builder = builder.add_revoked_certificate(
            x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now - hour)
            .build())
    return builder.sign(ca.key, hashes.SHA256()).public_bytes(Encoding.DER)


@pytest.mark.parametrize("methods", ["all", "post"])
def test_nss_httpserv(files, program, start, make_relay, methods):
    """It makes its answers from a CRL and signs them with the CA's key, in SHA-1 (VS-20). Where it
    does not do GET it says 400 to it (HC-01)."""
    for name in ("good", "revoked"):
        files.leaf(name)
    ca, where = files.pki.ca, "sql:" + str(files.directory)
    bundle = pkcs12.serialize_key_and_certificates(b"ca", ca.key, ca.cert, None, NoEncryption())
    call(program("certutil"), "-N", "-d", where, "--empty-password")
    added = call(program("pk12util"), "-i", files.write("ca.p12", bundle), "-d", where, "-W", "")
    assert added.returncode == 0, added.stderr
    port = free_port()
    server = start(program("httpserv"), "-p", port, "-d", where, "-A", "ca", "-C",
                   files.write("crl.der", crl(ca, files.certs["revoked"].serial)), "-O", methods)
    server.listens(port)
    relay = make_relay(f"http://127.0.0.1:{port}/ocsp", ca=ca, issuer={"weak_signature": "accept"})
    bring_answers(relay, files, server, program("openssl"), ["good", "revoked"], asked=["sha1"])
    if methods == "post":
        relay.log.wait_for("responder-wants-post")
