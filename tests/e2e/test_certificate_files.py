# SPDX-License-Identifier: ISC
"""Certificates in files as people have them: every command reads the same forms, and calls by its
name what is none. The forms themselves are in tests/unit/test_certificates.c."""

import json

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import pkcs7, pkcs12

from relay import run
from responder import Responder

DER, PEM = serialization.Encoding.DER, serialization.Encoding.PEM
OK, NO, NO_ANSWER = 0, 1, 3


def _bundle(encoding):
    return lambda certs: pkcs7.serialize_certificates([one.cert for one in certs], encoding)


def _pem(certs):
    return b"".join(one.pem for one in certs)


READ = {  # form of [leaf, CA]
    "PEM": _pem,
    "text_between": lambda certs: b"Bag Attributes\n" + b"subject=x\n".join(one.pem
                                                                           for one in certs),
    "CRLF": lambda certs: _pem(certs).replace(b"\n", b"\r\n"),
    "CA_first": lambda certs: _pem(certs[::-1]),
    "BOM": lambda certs: b"".join(b"\xef\xbb\xbf" + one.pem for one in certs),
    "key_beside": lambda certs: certs[0].key_pem + _pem(certs),
    "key_behind": lambda certs: _pem(certs) + certs[0].key_pem,
    "PKCS7": _bundle(DER),
    "PKCS7_in_PEM": _bundle(PEM),
}


def _request(leaf):
    return x509.CertificateSigningRequestBuilder().subject_name(leaf.cert.subject).sign(
        leaf.key, hashes.SHA256()).public_bytes(PEM)


def _crl(pki):
    return x509.CertificateRevocationListBuilder().issuer_name(pki.ca.cert.subject).last_update(
        pki.ca.cert.not_valid_before).next_update(pki.ca.cert.not_valid_after).sign(
            pki.ca.key, hashes.SHA256()).public_bytes(PEM)


REFUSED = {
    "key": (lambda pki, leaf: leaf.key_pem, "is a private key, not a certificate"),
    "request": (lambda pki, leaf: _request(leaf), "is a certificate request"),
    "CRL": (lambda pki, leaf: _crl(pki), "is a revocation list (CRL)"),
    "PKCS12": (lambda pki, leaf: pkcs12.serialize_key_and_certificates(
        b"x", leaf.key, leaf.cert, None, serialization.BestAvailableEncryption(b"secret")),
               "is a PKCS#12 file"),
    "public_key": (lambda pki, leaf: leaf.key.public_key().public_bytes(
        PEM, serialization.PublicFormat.SubjectPublicKeyInfo), "is a public key"),
    "UTF16": (lambda pki, leaf: leaf.pem.decode("ascii").encode("utf-16"), "is UTF-16 text: save it"),
    "base64": (lambda pki, leaf: b"".join(leaf.pem.splitlines()[1:-1]),
               "is base64 without -----BEGIN CERTIFICATE-----"),
    "text": (lambda pki, leaf: b"hello\n", "no certificate could be read"),
    "empty": (lambda pki, leaf: b"", "no certificate could be read"),
}


@pytest.fixture(scope="module")
def of_all(pki):
    with Responder(pki) as one:
        yield one


@pytest.fixture
def leaf(pki, of_all):
    return pki.leaf(aia=of_all.url)


@pytest.fixture
def files(tmp_path):
    (tmp_path / "issuers.d").mkdir()
    (tmp_path / "x.conf").write_text(
        f'issuer_dir = "{tmp_path}/issuers.d"\nuser = ""\nstore = {{}}\n'
        f'admin = "unix:{tmp_path}/none.sock"\n')
    return tmp_path


def secret(identity):
    """A line of the private key, which nobody may print."""
    return identity.key_pem.decode().splitlines()[1]


@pytest.mark.parametrize("form", READ)
@pytest.mark.parametrize("command", ["query", "explain", "verify"])
def test_form_is_read(files, pki, leaf, command, form):
    path = files / "chain"
    path.write_bytes(READ[form]([leaf, pki.ca]))
    (files / "issuers.d" / "ca.pem").write_bytes(pki.ca.pem)
    (files / "issuers.d" / "leaf.pem").write_bytes(leaf.pem)
    answer = files / "answer.der"
    args = {"query": ["--out", answer, path], "explain": ["-c", files / "x.conf", path],
            "verify": ["--issuer", path, "--cert", path, answer]}
    if command == "verify":
        assert run("query", *args["query"]).returncode == OK
    result = run(command, *args[command])
    assert result.returncode == OK, result.stdout + result.stderr
    warned = result.stderr.count(f"warning: {path}: holds a private key, which is skipped")
    assert (warned > 0) == form.startswith("key_")
    assert secret(leaf) not in result.stdout + result.stderr
    assert len(result.stderr.splitlines()) == warned


@pytest.mark.parametrize("form", READ)
def test_issuer_dir_takes_the_form(files, pki, leaf, form):
    (files / "issuers.d" / "all.pem").write_bytes(READ[form]([leaf, pki.ca]))
    result = run("check", "-c", files / "x.conf", "--json")
    told = json.loads(result.stdout)
    assert result.returncode == OK and not told["faults"]
    (issuer,) = told["issuers"]
    assert issuer["certificates"] == 1 and len(issuer["responders"]) == 1
    assert len(told["warnings"]) == form.startswith("key_")
    assert secret(leaf) not in result.stdout


@pytest.mark.parametrize("form", REFUSED)
def test_what_is_none_is_named(files, pki, leaf, form):
    make, said = REFUSED[form]
    path = files / "issuers.d" / "strange.pem"
    path.write_bytes(make(pki, leaf))
    for args in (["query", path], ["explain", "-c", files / "x.conf", path],
                 ["verify", "--issuer", path, path]):
        result = run(*args)
        assert result.returncode == NO_ANSWER and not result.stdout
        assert len(result.stderr.splitlines()) == 1 and f"{path}: {said}" in result.stderr
    result = run("check", "-c", files / "x.conf")
    assert result.returncode == NO and f"{path}: {said}" in result.stderr
    assert secret(leaf) not in result.stdout + result.stderr


def test_serve_logs_no_key(make_relay, pki, leaf):
    relay = make_relay(ca=None, start=False)
    relay.write("issuers.d/all.pem", leaf.key_pem + leaf.pem + pki.ca.pem)
    relay.write("issuers.d/key.pem", leaf.key_pem)
    relay.start()
    reasons = {event["file"].rsplit("/", 1)[1]: event["reason"]
               for event in relay.log.find("certificate-skipped")}
    assert reasons == {"all.pem": "holds a private key, which is skipped",
                       "key.pem": "is a private key, not a certificate"}
    assert secret(leaf) not in relay.log.text


def test_warm_takes_a_directory_of_all_forms(make_relay, pki, of_all, tmp_path):
    relay = make_relay(of_all)
    certs = {form: pki.leaf() for form in READ}
    for form, cert in certs.items():
        (tmp_path / f"{form}.pem").write_bytes(READ[form]([cert, pki.ca]))
    result = run("warm", "-c", relay.config, "--json", tmp_path)
    assert result.returncode == OK, result.stdout + result.stderr
    assert result.stderr.count("holds a private key") == 2
    listed = json.loads(run("list", "-c", relay.config, "--json").stdout)["entries"]
    assert {int(one["serial"], 16) for one in listed} == {one.serial for one in certs.values()}
