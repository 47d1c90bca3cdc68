# SPDX-License-Identifier: ISC
"""ocsprelay issuer add: whose issuer is found, what is written, what is asked before, and that a relay
then answers for it."""

import os
import pty
import re
import stat
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import AuthorityInformationAccessOID

import pki as pki_module
from pki import Identity, new_ca, new_root, request
from relay import BINARY, environment, run
from test_warm import tls_server

OK, NO, NO_ANSWER, USAGE, CONFIG = 0, 1, 3, 64, 78
URL = "http://ocsp.example/"


@pytest.fixture
def issuers(tmp_path):
    directory = tmp_path / "issuers.d"
    directory.mkdir()
    return directory


def write(path, *identities):
    path.write_bytes(b"".join(one.pem for one in identities))
    return path


def add(*args, code=OK, **options):
    """(output, errors)"""
    result = run("issuer", "add", *args, stdin=subprocess.DEVNULL, **options)
    assert result.returncode == code, (result.returncode, result.stdout, result.stderr)
    return result.stdout, result.stderr


def written(directory):
    """The certificates of the only file there."""
    (name,) = os.listdir(directory)
    return [x509.load_pem_x509_certificate(block) for block in re.findall(
        rb"-----BEGIN.*?-----END CERTIFICATE-----\n", (directory / name).read_bytes(), re.DOTALL)]


def fingerprint(identity):
    return identity.cert.fingerprint(hashes.SHA256()).hex(":").upper()


# --- what is found ------------------------------------------------------------------------------

def test_relay_answers_for_it(make_relay, responder, pki, tmp_path):
    """From a chain with its root and a key; --reload has the relay take it up."""
    relay = make_relay(ca=pki_module.Pki().ca)
    leaf = pki.leaf(aia=responder.url)
    chain = write(tmp_path / "chain.pem", pki.root, leaf, pki.ca)
    chain.write_bytes(leaf.key_pem + chain.read_bytes())
    assert relay.get(request(pki.ca.certid(leaf.serial))).body == b"\x30\x03\x0a\x01\x06"
    out, err = add("-c", relay.config, "--reload", "--online", chain)
    assert not err
    assert f"  sha256       {fingerprint(pki.ca)}\n" in out and "leaf is good" in out
    assert f"  responder    {responder.url}\n" in out and out.endswith("reloaded, 2 issuers\n")
    directory = tmp_path.__class__(relay.path("issuers.d"))
    assert written(directory) == [pki.ca.cert, leaf.cert]
    (name,) = os.listdir(directory)
    assert re.fullmatch(r"Test-Issuing-CA-[0-9a-f]{8}\.pem", name)
    assert stat.S_IMODE(os.stat(directory / name).st_mode) == 0o644
    assert b"# CA certificate\n#   subject      CN=Test Issuing CA,O=Test\n" in \
        (directory / name).read_bytes()
    assert relay.get(request(pki.ca.certid(leaf.serial))).status == 200
    assert responder.count(leaf.serial) == 2
    result = run("check", "-c", relay.config)
    assert result.returncode == OK, result.stderr
    out, _ = add("-c", relay.config, chain)
    assert "known already: issuer \"Test Issuing CA\", from " in out and name in out


@pytest.mark.parametrize("kind", ["pem", "der", "several files", "leaf only"])
def test_ways_to_give_it(pki, issuers, tmp_path, kind):
    leaf, args = pki.leaf(aia=URL), []
    if kind == "der":
        (tmp_path / "a").write_bytes(leaf.der)
        (tmp_path / "b").write_bytes(pki.ca.der)
        args = [tmp_path / "a", tmp_path / "b"]
    elif kind == "pem":
        args = [write(tmp_path / "a", leaf, pki.ca)]
    else:
        args = [write(tmp_path / "a", leaf)]
        if kind == "several files":
            args.append(write(tmp_path / "b", pki.root, pki.ca))
    if kind == "leaf only":
        _, err = add("--dir", issuers, *args, code=NO_ANSWER)
        assert "the certificate of the issuer is missing: CN=Test Issuing CA,O=Test" in err
        assert not os.listdir(issuers)
        return
    out, _ = add("--dir", issuers, *args)
    assert written(issuers) == [pki.ca.cert, leaf.cert] and f"responder    {URL}\n" in out
    assert out.endswith("next: ocsprelay reload\n")


def test_the_signature_decides_and_not_the_name(pki, issuers, tmp_path):
    impostor, leaf = pki_module.Pki(), pki.leaf(aia=URL)  # of the same names
    _, err = add("--dir", issuers, write(tmp_path / "a", leaf, impostor.ca), code=NO_ANSWER)
    assert "missing" in err and not os.listdir(issuers)
    add("--dir", issuers, write(tmp_path / "a", leaf, impostor.ca, pki.ca))
    assert written(issuers) == [pki.ca.cert, leaf.cert]


def test_where_the_issuer_lies_is_said_and_not_fetched(make_responder, pki, issuers, tmp_path):
    web = make_responder()
    builder = (x509.CertificateBuilder().subject_name(pki_module.name("a"))
               .issuer_name(pki.ca.cert.subject).public_key(pki.ca.cert.public_key())
               .serial_number(pki_module.new_serial())
               .not_valid_before(pki.ca.cert.not_valid_before)
               .not_valid_after(pki.ca.cert.not_valid_after)
               .add_extension(x509.AuthorityInformationAccess([
                   x509.AccessDescription(oid, x509.UniformResourceIdentifier(url))
                   for oid, url in ((AuthorityInformationAccessOID.OCSP, web.url),
                                    (AuthorityInformationAccessOID.CA_ISSUERS,
                                     web.url + "ca.crt"))]), False))
    leaf = Identity(builder.sign(pki.ca.key, hashes.SHA256()), pki.ca.key)
    _, err = add("--dir", issuers, "--online", write(tmp_path / "a", leaf), code=NO_ANSWER)
    assert f"it lies at {web.url}ca.crt (not fetched" in err
    assert web.connections == 0 and not os.listdir(issuers)


@pytest.mark.parametrize("aia, said", [
    (None, "the leaf names none"), ("ldap://x/", "the leaf names none"),
    ("http://user@ocsp.example/", "cannot be used"), ("http://ocsp.example/?a", "cannot be used")])
def test_no_responder(pki, issuers, tmp_path, aia, said):
    """It is written all the same: a section of the configuration may name one."""
    path = write(tmp_path / "a", pki.leaf(aia=aia), pki.ca)
    assert said in add("--dir", issuers, path)[0]
    (issuers / os.listdir(issuers)[0]).unlink()
    _, err = add("--dir", issuers, "--online", path, code=NO_ANSWER)
    assert "there is no responder to ask" in err and not os.listdir(issuers)


def test_a_ca_alone(pki, issuers, tmp_path):
    out, _ = add("--dir", issuers, write(tmp_path / "a", pki.ca))
    assert written(issuers) == [pki.ca.cert]
    assert "responder    not known: a leaf of this issuer tells it" in out
    leaf = pki.leaf(aia=URL)  # and now the leaf that tells it, whose issuer is known
    (path,) = issuers.iterdir()
    path.write_bytes(b"# a note\n" + path.read_bytes())
    assert ": would be extended\n" in add(
        "--dir", issuers, "--dry-run", write(tmp_path / "b", leaf))[0]
    assert written(issuers) == [pki.ca.cert]
    assert ": extended\n" in add("--dir", issuers, tmp_path / "b")[0]
    assert written(issuers) == [pki.ca.cert, leaf.cert]
    assert path.read_bytes().startswith(b"# a note\n")
    assert "known already" in add("--dir", issuers, write(tmp_path / "c", pki.leaf(aia=URL)))[0]


def test_other_certificates_are_not_replaced_unasked(pki, issuers, tmp_path):
    """Only a file whose certificates are all among the new ones is extended."""
    first, second = pki.leaf(aia=URL), pki.leaf(aia="http://other.example/")
    add("--dir", issuers, write(tmp_path / "a", pki.ca, first))
    _, err = add("--dir", issuers, write(tmp_path / "b", second), code=NO)
    assert "is there and has other certificates" in err and fingerprint(pki.ca) in err
    assert written(issuers) == [pki.ca.cert, first.cert]
    add("--dir", issuers, "--replace", tmp_path / "b")
    assert written(issuers) == [pki.ca.cert, second.cert]


@pytest.mark.parametrize("behaviour", ["down", "another key", "good"])
def test_online(make_responder, pki, issuers, tmp_path, behaviour):
    responder = make_responder(pki_module.Pki() if behaviour == "another key" else pki)
    path = write(tmp_path / "a", pki.leaf(aia=responder.url), pki.ca)
    if behaviour == "down":
        responder.stop()
    _, err = add("--dir", issuers, "--online", path, code=OK if behaviour == "good" else NO_ANSWER)
    assert (responder.url in err) == (behaviour != "good")
    assert bool(os.listdir(issuers)) == (behaviour == "good")


# --- TLS ----------------------------------------------------------------------------------------

def test_from_a_tls_server(pki, issuers, tmp_path):
    """Who it is nobody knows: without a terminal it takes --yes."""
    leaf = pki.leaf(aia=URL)
    with tls_server(tmp_path, leaf, pki.ca) as (port, names):
        args = ["--dir", issuers, "--tls", f"localhost:{port}"]
        out, err = add(*args, code=USAGE)
        assert "may be anybody" in err and fingerprint(pki.ca) in out
        assert not os.listdir(issuers)
        assert "would be written" in add("--dry-run", *args)[0] and not os.listdir(issuers)
        add("--yes", *args)
    assert written(issuers) == [pki.ca.cert, leaf.cert]
    assert names[:2] == ["localhost", b""]  # nothing is sent to it


def test_what_a_file_vouches_for_needs_no_yes(pki, issuers, tmp_path):
    leaf = pki.leaf(aia=URL)
    with tls_server(tmp_path, leaf, pki.ca) as (port, _):
        add("--dir", issuers, "--tls", f"localhost:{port}", write(tmp_path / "ca.pem", pki.ca))
    assert written(issuers) == [pki.ca.cert, leaf.cert]


def test_a_known_key_vouches_for_no_certificate(pki, issuers, tmp_path):
    """Anybody can make one with the key and the name of a known CA, and a later end."""
    leaf = pki.leaf(aia=URL)
    forged = new_ca(new_root("Somebody"), subject=pki.ca.cert.subject, key=pki.ca.key)
    add("--dir", issuers, write(tmp_path / "ca.pem", pki.ca))
    for one, code in ((pki.ca, OK), (forged, USAGE)):
        with tls_server(tmp_path, leaf, one) as (port, _):
            add("--dir", issuers, "--tls", f"localhost:{port}", "--replace", code=code)
        assert written(issuers) == [pki.ca.cert, leaf.cert]


def test_nobody_is_contacted_before_the_yes(make_responder, pki, issuers, tmp_path):
    responder = make_responder()
    with tls_server(tmp_path, pki.leaf(aia=responder.url), pki.ca) as (port, _):
        args = ["--dir", issuers, "--online", "--tls", f"localhost:{port}"]
        for more in ([], ["--dry-run"]):
            add(*args, *more, code=USAGE)
        assert responder.connections == 0
        add(*args, "--yes")
    assert responder.count() == 1


@pytest.mark.parametrize("answer, code", [("y\n", OK), ("\n", NO), ("no\n", NO)])
def test_asked_on_a_terminal(pki, issuers, tmp_path, answer, code):
    with tls_server(tmp_path, pki.leaf(aia=URL), pki.ca) as (port, _):
        ours, theirs = pty.openpty()
        with os.fdopen(ours, "wb", buffering=0) as terminal:
            terminal.write(answer.encode())
            result = subprocess.run(
                [BINARY, "issuer", "add", "--dir", issuers, "--tls", f"localhost:{port}"],
                stdin=theirs, capture_output=True, text=True, timeout=20, check=False,
                env=environment())
            os.close(theirs)
    assert result.returncode == code, result.stderr
    assert "[y/N]" in result.stdout and bool(os.listdir(issuers)) == (code == OK)


def test_tls_server_away(free_address, issuers):
    _, err = add("--dir", issuers, "--tls", free_address, code=NO_ANSWER)
    assert free_address in err


@pytest.fixture
def free_address(make_responder):
    responder = make_responder()
    responder.stop()
    return "127.0.0.1:%d" % responder.address[1]


# --- the file -----------------------------------------------------------------------------------

def test_names_and_what_is_there(pki, issuers, tmp_path):
    first, second = pki.leaf(aia=URL), pki.leaf(aia=URL + "other")
    path = write(tmp_path / "a", first, pki.ca)
    add("--dir", issuers, "--name", "ours", path)
    assert os.listdir(issuers) == ["ours.pem"]
    kept = (issuers / "ours.pem").read_bytes()
    assert "known already" in add("--dir", issuers, "--name", "ours", path)[0]
    other = write(tmp_path / "b", second, pki.ca)
    _, err = add("--dir", issuers, "--name", "ours.pem", other, code=NO)
    assert fingerprint(first) in err and (issuers / "ours.pem").read_bytes() == kept
    add("--dir", issuers, "--name", "ours.pem", "--replace", other)
    assert written(issuers) == [pki.ca.cert, second.cert]
    (issuers / "ours.pem").write_bytes(b"no certificate")
    add("--dir", issuers, "--name", "ours", path, code=NO)
    assert (issuers / "ours.pem").read_bytes() == b"no certificate"


def test_dry_run_prints_what_would_be_written(pki, issuers, tmp_path):
    path = write(tmp_path / "a", pki.leaf(aia=URL), pki.ca)
    out, _ = add("--dir", issuers, "--dry-run", path)
    assert not os.listdir(issuers)
    add("--dir", issuers, path)
    assert out.endswith("\n\n" + (issuers / os.listdir(issuers)[0]).read_text())


def test_names_that_are_no_names(issuers, tmp_path):
    """What stands in a subject stays in its comment, and in no path."""
    evil = pki_module.new_root("../../x\n-----BEGIN CERTIFICATE-----\n" + "y" * 300)
    add("--dir", issuers, write(tmp_path / "a", evil.issue("z", aia=URL), evil))
    (name,) = os.listdir(issuers)
    assert re.fullmatch(r"issuer-[0-9a-f]{8}\.pem", name)
    assert len(written(issuers)) == 2
    text = (issuers / name).read_text()
    assert max(map(len, text.splitlines())) < 254 and text.count("-----BEGIN") == 2
    assert "known already" in add("--dir", issuers, tmp_path / "a")[0]


@pytest.mark.parametrize("args, code", [
    ([], USAGE), (["x"], USAGE), (["add"], USAGE), (["add", "--tls", "a/b"], USAGE),
    (["add", "--name", "../x", "x"], USAGE), (["add", "--name", ".x", "x"], USAGE),
    (["add", "--timeout", "0", "x"], USAGE), (["add", "--frob", "x"], USAGE),
    (["add", "--reload", "--admin", "nowhere", "x"], USAGE),
    (["add", "--dir", "/none", "/none/x"], NO_ANSWER)], ids=str)
def test_usage(args, code):
    result = run("issuer", *args)
    assert result.returncode == code and not result.stdout
    assert len(result.stderr.splitlines()) == 1


def test_where_nothing_can_be_written(pki, tmp_path):
    path = write(tmp_path / "a", pki.leaf(aia=URL), pki.ca)
    _, err = add("--dir", tmp_path / "none", path, code=NO_ANSWER)
    assert "No such file or directory" in err
    assert run("issuer", "add", "-c", tmp_path / "none.conf", path).returncode == CONFIG
    (tmp_path / "x.conf").write_text('issuer_dir = ""\n')
    _, err = add("-c", tmp_path / "x.conf", path, code=CONFIG)
    assert "issuer_dir is empty" in err


def test_reload_of_a_relay_that_is_down(pki, issuers, tmp_path):
    """The file is written, and it is said that the relay does not know of it yet."""
    path = write(tmp_path / "a", pki.leaf(aia=URL), pki.ca)
    _, err = add("--dir", issuers, "--reload", "--admin", f"unix:{tmp_path}/none.sock", path,
                 code=NO_ANSWER)
    assert "cannot be reached" in err and len(written(issuers)) == 2
