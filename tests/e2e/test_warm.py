# SPDX-License-Identifier: ISC
"""ocsprelay warm: certificates from files, directories and TLS servers, and what the relay then has."""

import contextlib
import json
import os
import socket
import ssl
import threading

import pytest

import pki as pki_module
import relay as relay_module
from pki import request
from relay import run
from responder import http_status
from test_admin import entries, lines
from test_commands import NO, NO_ANSWER, OK, USAGE, ask

PEM = "application/pem-certificate-chain"


def write(path, *identities):
    path.write_bytes(b"".join(one.pem for one in identities))
    return path


def is_hit(relay, pki, leaf):
    return bool(relay.get(request(pki.ca.certid(leaf.serial))).cache_status.get("hit"))


# --- files --------------------------------------------------------------------------------------

@pytest.mark.threads
def test_files_of_every_kind(relay, responder, pki, tmp_path):
    """PEM with many, DER, a directory; what is revoked is warm, too."""
    leaves = [pki.leaf(f"{i}.example") for i in range(5)]
    responder.statuses[leaves[1].serial] = "revoked"
    many = write(tmp_path / "many.pem", *leaves[:2])
    (tmp_path / "one").write_bytes(leaves[2].der)
    (tmp_path / "d").mkdir()
    write(tmp_path / "d" / "a.crt", leaves[3])
    (tmp_path / "d" / "b.der").write_bytes(leaves[4].der)
    (tmp_path / "d" / "README").write_text("no certificate")
    text = ask(relay, "warm", many, tmp_path / "one", tmp_path / "d")
    assert text == "5 of 5 warm: 0 were there, 5 fetched; 0 failed\n"
    assert responder.count() == 5
    assert all(is_hit(relay, pki, leaf) for leaf in leaves)
    assert {one["status"] for one in entries(relay)["entries"]} == {"good", "revoked"}


def test_warm_already_asks_nobody(relay, responder, pki, tmp_path):
    """In memory, or in a store after a restart."""
    leaf = pki.leaf()
    path = write(tmp_path / "x.pem", leaf)
    assert ask(relay, "warm", path) == "1 of 1 warm: 0 were there, 1 fetched; 0 failed\n"
    relay.wait_for_stored(1)
    for restart in (False, True):
        if restart:
            relay.restart()
        assert ask(relay, "warm", path) == "1 of 1 warm: 1 were there, 0 fetched; 0 failed\n"
    assert responder.count() == 1 and is_hit(relay, pki, leaf)


def test_of_a_chain_what_has_a_known_issuer(make_relay, make_responder, responder, pki, tmp_path):
    """An issuer of the relay's whose own issuer is not known is passed over; known, it is asked
    about, and its self-signed root is passed over."""
    leaf = pki.leaf()
    relay = make_relay(responder)
    below = write(tmp_path / "x.pem", leaf, pki.ca)
    whole = write(tmp_path / "y.pem", leaf, pki.ca, pki.root)
    assert ask(relay, "warm", below) == "1 of 1 warm: 0 were there, 1 fetched; 0 failed\n"
    of_root = make_responder(type("", (), {"signer": pki.root.delegate()}))
    relay.add_issuer("root", pki.root, [of_root.url])
    relay.reload()
    assert ask(relay, "warm", whole) == "2 of 2 warm: 1 were there, 1 fetched; 0 failed\n"
    assert of_root.count(pki.ca.serial) == 1 and responder.count() == 1


def test_what_fails_is_named_and_the_rest_goes_on(relay, responder, pki, tmp_path):
    good, refused, stranger = pki.leaf("a"), pki.leaf("b"), pki_module.Pki().leaf("c")
    mixed = write(tmp_path / "mixed.pem", stranger, good, refused)
    (tmp_path / "d").mkdir()
    broken = tmp_path / "d" / "broken.crt"
    broken.write_text("no certificate")
    half = tmp_path / "half.pem"
    half.write_bytes(pki.leaf().pem + b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    args = mixed, tmp_path / "d", tmp_path / "none", half
    responder.behave(lambda request: http_status(503) if request.serial == refused.serial
                     else None)
    told = json.loads(ask(relay, "warm", "--json", *args, code=NO))
    reasons = told.pop("reasons")
    assert told == {"all": 7, "there": 0, "fetched": 2, "failed": 5}
    by_reason = {(one["source"], one["reason"]): one for one in reasons}
    assert set(by_reason) == {
        (str(broken), "source"), (str(tmp_path / "none"), "source"), (str(half), "source"),
        (str(mixed), "issuer-unknown"), (str(mixed), "upstream-http")}
    assert by_reason[str(mixed), "issuer-unknown"]["subject"] == "CN=c,O=Test"
    failed = by_reason[str(mixed), "upstream-http"]
    assert failed["subject"] == "CN=b,O=Test" and int(failed["serial"], 16) == refused.serial
    assert "certificate" not in failed
    text = ask(relay, "warm", *args, code=NO).splitlines()
    assert f"{mixed}: CN=c,O=Test: its issuer is not known" in text
    assert f"{tmp_path}/none: No such file or directory" in text
    assert text[-1] == "2 of 7 warm: 2 were there, 0 fetched; 5 failed"


def test_responder_down(relay, responder, pki, tmp_path):
    leaves = [pki.leaf(f"{i}.example") for i in range(3)]
    path = write(tmp_path / "x.pem", *leaves)
    responder.stop()
    text = ask(relay, "warm", path, code=NO).splitlines()
    assert sorted(text[:-1]) == [f"{path}: CN={i}.example,O=Test: responder unreachable: DNS, connection "
                                 "or TLS failed" for i in range(3)]
    assert text[-1] == "0 of 3 warm: 0 were there, 0 fetched; 3 failed"


def test_an_answer_that_is_not_kept_is_not_warm(relay, responder, pki, tmp_path):
    leaf = pki.leaf()
    path = write(tmp_path / "x.pem", leaf)
    responder.behave(responder.signed(http={"Cache-Control": "no-store"}))
    told = json.loads(ask(relay, "warm", "--json", path, code=NO))
    assert told["failed"] == 1 and told["reasons"][0]["reason"] == "not-kept"
    assert not is_hit(relay, pki, leaf)


@pytest.mark.threads
def test_more_than_are_sent_at_once(make_relay, responder, pki, tmp_path):
    """By one who has hundreds; each failure is told although all fail."""
    relay = make_relay(responder, limits={"max_requests_per_connection": 10 ** 6})
    key = pki_module.new_key()
    leaves = [pki.leaf(f"{i}.example", key=key) for i in range(250)]
    path = write(tmp_path / "x.pem", *leaves)
    assert ask(relay, "warm", path) == "250 of 250 warm: 0 were there, 250 fetched; 0 failed\n"
    assert entries(relay, "?limit=1")["matching"] == 250
    strangers = make_relay(responder, ca=pki_module.Pki().ca)
    text = ask(strangers, "warm", path, code=NO).splitlines()
    assert len(text) == 251
    assert text[249] == f"{path}: CN=249.example,O=Test: its issuer is not known"


# --- TLS ----------------------------------------------------------------------------------------

@contextlib.contextmanager
def tls_server(tmp_path, *chain):
    """Its port, and the names that it was asked for. It speaks no HTTP."""
    path = tmp_path / "server.pem"
    path.write_bytes(b"".join(one.pem for one in chain) + chain[0].key_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    names = []
    context.sni_callback = lambda _, name, __: names.append(name)

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError), \
                    context.wrap_socket(connection, server_side=True) as secured:
                names.append(secured.recv(100))
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1], names
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(relay_module.TIMEOUT)


def test_tls(relay, responder, pki, tmp_path):
    """An expired certificate of another name, by a CA that the machine does not know: the relay
    asks about it none the less. Nothing is sent to the server."""
    leaf = pki.leaf("other.example", not_before=-3 * pki_module.DAY, not_after=-pki_module.DAY)
    path = write(tmp_path / "x.pem", pki.leaf())
    with tls_server(tmp_path, leaf, pki.ca) as (port, names):
        text = ask(relay, "warm", path, "--tls", f"localhost:{port}", "--tls",
                   f"127.0.0.1:{port}")
        assert text == "3 of 3 warm: 0 were there, 3 fetched; 0 failed\n"
    assert names == ["localhost", b"", None, b""]
    assert responder.count(leaf.serial) == 1


def test_tls_peers_that_say_nothing(relay, responder, pki, tmp_path):
    """One that never answers, one that is not there; the one after them is taken."""
    leaf = pki.leaf()
    with socket.create_server(("127.0.0.1", 0)) as silent, \
            socket.create_server(("127.0.0.1", 0)) as gone, \
            tls_server(tmp_path, leaf) as (port, _):
        ports = [one.getsockname()[1] for one in (silent, gone)] + [port]
        gone.close()
        addresses = [f"127.0.0.1:{one}" for one in ports]
        told = json.loads(ask(relay, "warm", "--json", "--timeout", "1", code=NO, *(
            arg for address in addresses for arg in ("--tls", address))))
    assert {one["source"] for one in told["reasons"]} == set(addresses[:2])
    assert all(one["text"] for one in told["reasons"])
    assert told["all"] == 3 and told["fetched"] == 1 and told["failed"] == 2
    assert is_hit(relay, pki, leaf)


# --- the relay ----------------------------------------------------------------------------------

@pytest.mark.parametrize("args", [
    [], ["--tls", ""], ["--tls", "a:b"], ["--tls", "a/b"], ["--tls", "u@a"], ["--tls", "a:99999"],
    ["--timeout", "0", "x"], ["--frob", "x"]], ids=" ".join)
def test_usage(args):
    result = run("warm", *args)
    assert result.returncode == USAGE and not result.stdout
    assert len(result.stderr.splitlines()) == 1


def test_no_relay_and_no_token(make_relay, responder, pki, tmp_path):
    path = write(tmp_path / "x.pem", pki.leaf())
    result = run("warm", "--admin", f"unix:{tmp_path}/none.sock", path)
    assert result.returncode == NO_ANSWER and "cannot be reached" in result.stderr
    with socket.create_server(("127.0.0.1", 0)) as probe:
        address = "127.0.0.1:%d" % probe.getsockname()[1]
    relay = make_relay(responder, admin=address, start=False)
    relay.options["admin_token_file"] = relay.write("token", "secret\n")
    os.chmod(relay.path("token"), 0o640)
    relay.start()
    result = run("warm", "--admin", address, path)
    assert result.returncode == NO_ANSWER and "admin_token_file" in result.stderr
    assert responder.count() == 0
    assert run("warm", "-c", relay.config, path).returncode == OK


def test_over_http(relay, pki):
    leaf, stranger = pki.leaf(), pki_module.Pki().leaf("c")
    status, text = relay.post_admin("/api/v1/warm", stranger.pem + leaf.pem, Content_Type=PEM)
    assert status == 200
    told = lines(text)
    assert told[-1] == {"all": 2, "there": 0, "fetched": 1, "failed": 1, "done": True}
    assert [one for one in told if "reason" in one] == [
        {"certificate": 0, "subject": "CN=c,O=Test", "reason": "issuer-unknown",
         "text": "its issuer is not known"}]
    for body, kind, wanted in ((b"", PEM, 400), (b"{}", PEM, 400), (b"\0" * 1000, PEM, 400),
                               (leaf.pem, "application/json", 415),
                               (leaf.pem, "text/plain", 415)):
        status, text = relay.post_admin("/api/v1/warm", body, Content_Type=kind)
        assert status == wanted, text
    assert relay.admin("/api/v1/warm")[0] == 405
    assert relay.post_admin("/api/v1/warm", leaf.pem, Content_Type=PEM,
                            Origin="http://evil.example")[0] == 403
