# SPDX-License-Identifier: ISC
"""ocsprelay staple --follow: staples are renewed in time, certificates may change, relays go and
come, and the service manager is told."""

import json
import os
import socket
import time

import pki as pki_module
from pki import parse_response
from relay import until
from responder import Responder
from staple_kit import Follower, certificate, staple_of, status_of


def octets(path):
    return staple_of(path).read_bytes() if staple_of(path).exists() else None


def serial_of(path):
    return parse_response(octets(path)).serial_number


def short_lived(responder, seconds=4):
    """Each answer is valid for so long from the moment on that it is given."""
    responder.behave(lambda request: responder.signed(
        this_update=int(time.time()), next_update=int(time.time()) + seconds)(request))


def test_renewed_before_it_ends(make_responder, pki, tmp_path):
    """At no moment is there a staple that is not valid."""
    responder = make_responder()
    short_lived(responder)
    path = certificate(tmp_path, "a.pem", pki.leaf(), pki.ca)
    follower = Follower(responder, path)
    follower.wait_for("good, written", 3)
    assert parse_response(octets(path)).next_update.timestamp() > time.time() - 1
    follower.end()
    assert responder.count() <= 20


def test_relay_goes_and_comes(make_responder, pki, tmp_path):
    """The staple at hand stays; what is wrong is said once of each certificate, not each time."""
    responder = make_responder()
    path = certificate(tmp_path, "a.pem", pki.leaf(), pki.ca)
    follower = Follower(responder, tmp_path)
    follower.wait_for("good, written")
    kept = octets(path)
    responder.stop()
    others = []
    for name in ("b.pem", "c.pem", "d.pem"):
        others.append(certificate(tmp_path, name, pki.leaf(), pki.ca))
        follower.reread()  # all are asked about, the new one last
        follower.wait_for(f"{name}: the relay cannot be reached; there is no valid staple")
    assert octets(path) == kept
    with Responder(pki, port=responder.address[1]) as again:
        again.wait_for(4)
        for name in ("b.pem", "c.pem", "d.pem"):
            follower.wait_for(f"{name}: good, written")
        follower.end()
    assert all(status_of(other) == "good" for other in others)
    assert len(follower.find("cannot be reached")) == 4
    assert len(follower.find("a.pem: .*; the staple at hand says good until")) == 1


def test_certificate_is_replaced(make_responder, pki, tmp_path):
    """As ACME clients do it. The staple of another certificate does not count as one."""
    responder, leaves = make_responder(), [pki.leaf(), pki.leaf()]
    path = certificate(tmp_path, "a.pem", leaves[0], pki.ca)
    follower = Follower(responder, tmp_path)
    follower.wait_for("a.pem: good, written")
    os.replace(certificate(tmp_path, "new", leaves[1], pki.ca), path)
    added = certificate(tmp_path, "b.pem", pki.leaf(), pki.ca)
    follower.reread()
    follower.wait_for("a.pem: good, written", 2)
    follower.wait_for("b.pem: good, written")
    assert serial_of(path) == leaves[1].serial
    added.unlink()
    path.write_bytes(b"half a cert")
    follower.reread()
    follower.wait_for("a.pem: no certificate could be read")
    follower.end()
    assert serial_of(path) == leaves[1].serial  # nothing valid is removed


def test_revoked_while_it_is_followed(make_responder, pki, tmp_path):
    """The hook is told; one that fails is told again, although nothing has changed since."""
    responder, leaf = make_responder(), pki.leaf()
    path = certificate(tmp_path, "a.pem", leaf, pki.ca)
    hook = (f'echo "$OCSPRELAY_REVOKED $1" >>{tmp_path}/out; test "$OCSPRELAY_REVOKED" = 0 || '
            f'test -e {tmp_path}/may')
    follower = Follower(responder, "--hook", hook, "--shell", path)
    follower.wait_for("good, written")
    until((tmp_path / "out").exists)
    responder.statuses[leaf.serial] = "revoked"
    responder.behave(responder.signed(this_update=int(time.time())))
    follower.reread()
    follower.wait_for("a.pem: revoked since .*, written")
    follower.wait_for("hook .*: exit status 1", 2)
    (tmp_path / "may").write_text("")
    until(lambda: len((tmp_path / "out").read_text().splitlines()) >= 4)
    follower.end()
    lines = (tmp_path / "out").read_text().splitlines()
    assert lines[0] == f"0 {staple_of(path)}" and set(lines[1:]) == {f"1 {staple_of(path)}"}
    assert status_of(path) == "revoked"


def test_json_and_a_staple_that_somebody_removed(relay, pki, tmp_path):
    path = certificate(tmp_path, "a.pem", pki.leaf(), pki.ca)
    follower = Follower(relay, "--json", path)
    follower.wait_for('"written"')
    staple_of(path).unlink()
    follower.reread()
    follower.wait_for('"written"', 2)
    follower.end()
    assert [json.loads(line)["hook"] for line in follower.lines] == ["not run"] * 2


def test_service_manager_is_told(make_responder, pki, tmp_path):
    """READY once the first round is over, whatever came of it."""
    responder = make_responder()
    revoked = pki.leaf()
    responder.statuses[revoked.serial] = "revoked"
    paths = [certificate(tmp_path, "a.pem", pki.leaf(), pki.ca),
             certificate(tmp_path, "b.pem", revoked, pki.ca), tmp_path / "none.pem"]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(20)
        os.environ["NOTIFY_SOCKET"] = str(tmp_path / "notify")
        try:
            follower = Follower(responder, *paths)
        finally:
            del os.environ["NOTIFY_SOCKET"]
        said = [manager.recv(1000).decode() for _ in range(2)]
        assert said == ["STATUS=3 certificates: 1 have a good staple, 1 are revoked", "READY=1"]
        assert status_of(paths[0]) == "good"
        follower.reread()
        assert manager.recv(1000).decode().startswith("RELOADING=1\nMONOTONIC_USEC=")
        until(lambda: manager.recv(1000) == b"READY=1")
        follower.end()
        until(lambda: manager.recv(1000) == b"STOPPING=1")


def test_nothing_to_follow_yet(make_responder, pki, tmp_path):
    """An empty directory is no reason to end: certificates may come."""
    (tmp_path / "certs").mkdir()
    follower = Follower(make_responder(), tmp_path / "certs")
    follower.wait_for("there is no certificate")
    path = certificate(tmp_path / "certs", "a.pem", pki.leaf(key=pki_module.new_key()), pki.ca)
    follower.reread()
    follower.wait_for("a.pem: good, written")
    assert status_of(path) == "good"
    follower.end()
