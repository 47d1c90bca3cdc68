# SPDX-License-Identifier: ISC
"""ocsprelay staple, one round: whose issuer is found where, what is written and what is not."""

import json
import os
import resource
import stat
import subprocess
import time

import pytest

import pki as pki_module
from clients import free_port
from pki import NEVER, flip
from relay import BINARY, environment, run, run_on_terminal, until
from responder import error, http_status
from staple_kit import (
    CONFIG, NO_ANSWER, OK, REVOKED, UNKNOWN, USAGE, certificate, staple, staple_of, status_of,
    told)

HOUR = 3600


# --- what is written ----------------------------------------------------------------------------

def test_good_and_revoked(relay, responder, pki, tmp_path):
    """Beside the certificate; what did not change is not written again."""
    good, revoked = pki.leaf("a"), pki.leaf("b")
    responder.statuses[revoked.serial] = "revoked"
    paths = [certificate(tmp_path, "a.pem", good, pki.ca),
             certificate(tmp_path, "b.pem", revoked, pki.ca)]
    out, err = staple(relay, *paths, code=REVOKED)
    assert [line.split(", valid")[0] for line in out.splitlines()][0] == f"{paths[0]}: good, written"
    assert f"{paths[1]}: revoked since " in out and not err
    assert [status_of(path) for path in paths] == ["good", "revoked"]
    assert stat.S_IMODE(os.stat(staple_of(paths[0])).st_mode) == 0o644
    before = [os.stat(staple_of(path)) for path in paths]
    again = told(relay, *paths, code=REVOKED)
    assert [again[name]["result"] for name in ("a.pem", "b.pem")] == ["unchanged"] * 2
    assert [os.stat(staple_of(path)).st_ino for path in paths] == [one.st_ino for one in before]
    assert responder.count() == 2
    assert sorted(os.listdir(tmp_path)) == ["a.pem", "a.pem.ocsp", "b.pem", "b.pem.ocsp"]


def test_progress_is_shown_on_a_terminal(relay, pki, tmp_path):
    path = certificate(tmp_path, "a.pem", pki.leaf(), pki.ca)
    status, text = run_on_terminal("staple", "--url", relay.url, path)
    assert status == OK and "]   0 %  0, 0/s" in text and text.endswith("\r\033[K"), text
    assert run_on_terminal("staple", "--url", relay.url, "--json", path) == (OK, "")
    assert not staple(relay, path)[1]


def test_a_revoked_certificate_loses_its_good_staple(make_responder, pki, tmp_path):
    """Also when what says so has no nextUpdate and cannot be stapled; and it gets it back when it
    is released from hold."""
    responder, now = make_responder(), int(time.time())
    path = certificate(tmp_path, "a.pem", pki.leaf(), pki.ca)

    def answer(status, age, code, **options):
        responder.behave(responder.signed(status=status, this_update=now - age, **options))
        return told(responder, path, code=code)["a.pem"]["result"]
    assert answer("good", 900, OK) == "written"
    assert answer("revoked", 800, REVOKED) == "written" and status_of(path) == "revoked"
    assert answer("good", 850, REVOKED) == "kept" and status_of(path) == "revoked"
    assert answer("good", 700, OK) == "written" and status_of(path) == "good"
    assert answer("revoked", 600, REVOKED, next_update=NEVER) == "removed"
    assert not staple_of(path).exists()


BAD = {  # what the relay, or who sits there in its place, answers: what is said
    "expired": ({"this_update": -2 * HOUR, "next_update": -1}, "nextUpdate has passed"),
    "not yet valid": ({"this_update": HOUR}, "thisUpdate lies in the future"),
    "of another certificate": ({"serial": 77}, "RFC 6960 3.2 (1)"),
    "spoilt": (lambda data: flip(data, -1), None),
    "endless": ({"next_update": NEVER}, "has no nextUpdate"),
    "cut": (lambda data: data[:-10], "not DER"),
    "unauthorized": (error(6), "the relay says unauthorized"),
    "tryLater": (error(3), "the relay says tryLater"),
    "HTTP 500": (http_status(500), "HTTP status 500"),
    "no OCSP": (http_status(200, b"<html>hello</html>" * 10), "not DER"),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_is_not_to_be_stapled_is_not_written(make_responder, pki, tmp_path, kind):
    """Neither where there is nothing, nor over a valid staple, nor over an expired one."""
    behaviour, said = BAD[kind]
    responder, leaf, now = make_responder(), pki.leaf(), int(time.time())
    path = certificate(tmp_path, "a.pem", leaf, pki.ca)
    if isinstance(behaviour, dict):
        options = {key: value if value is NEVER else now + value
                   for key, value in behaviour.items() if key != "serial"}
        if "serial" in behaviour:
            options["certid"] = pki.ca.certid(behaviour["serial"])
        behaviour = responder.signed(**options)
    elif callable(behaviour):
        behaviour = responder.mangled(behaviour)
    responder.behave(behaviour)
    one = told(responder, path, code=NO_ANSWER)["a.pem"]
    assert one["result"] == "failed" and "status" not in one and (said or "") in one["text"] + one.get("detail", "")
    assert not staple_of(path).exists()
    responder.behave(None)
    staple(responder, path)
    kept = staple_of(path).read_bytes()
    responder.behave(behaviour)
    out, err = staple(responder, path, code=NO_ANSWER)
    assert staple_of(path).read_bytes() == kept and not out
    assert "; the staple at hand says good until" in err
    staple_of(path).write_bytes(b"no response")
    _, err = staple(responder, path, code=NO_ANSWER)
    assert staple_of(path).read_bytes() == b"no response" and "there is no valid staple" in err
    responder.behave(None)
    staple(responder, path)
    assert status_of(path) == "good"


def test_signed_by_another_ca(make_responder, pki, tmp_path):
    responder = make_responder(pki_module.Pki())
    path = certificate(tmp_path, "a.pem", pki.leaf(), pki.ca)
    staple(responder, path, code=NO_ANSWER)
    assert not staple_of(path).exists()


def test_unknown_leaves_the_file_as_it_is(make_responder, pki, tmp_path):
    responder = make_responder()
    path = certificate(tmp_path, "a.pem", pki.leaf(), pki.ca)
    staple(responder, path)
    responder.behave(responder.signed(status="unknown"))
    assert "status unknown" in told(responder, path, code=UNKNOWN)["a.pem"]["text"]
    assert status_of(path) == "good"


def test_relay_away(make_responder, pki, tmp_path):
    """The others are asked about, too: the exit status tells the worst of it."""
    responder = make_responder()
    paths = [certificate(tmp_path, f"{i}.pem", pki.leaf(), pki.ca) for i in range(20)]
    staple(responder, paths[0])
    responder.stop()
    _, err = staple(responder, *paths, code=NO_ANSWER)
    assert len(err.splitlines()) == 20 and err.count("the relay cannot be reached") == 20
    assert err.count("the staple at hand says good until") == 1


def test_exit_status_names_the_worst(make_responder, pki, tmp_path):
    responder = make_responder()
    leaves = {name: pki.leaf(name) for name in ("good", "unknown", "revoked")}
    for name, leaf in leaves.items():
        responder.statuses[leaf.serial] = name
    paths = {name: certificate(tmp_path, name + ".pem", leaf, pki.ca)
             for name, leaf in leaves.items()}
    none = tmp_path / "none.pem"
    for names, code in ((["good"], OK), (["good", "unknown"], UNKNOWN),
                        (["good", "unknown", "revoked"], REVOKED)):
        staple(responder, *(paths[name] for name in names), code=code)
        staple(responder, none, *(paths[name] for name in names), code=code or NO_ANSWER)


# --- certificates and issuers -------------------------------------------------------------------

@pytest.mark.parametrize("where", ["same file", "beside", "option", "configuration"])
def test_issuer_is_found(make_relay, responder, pki, tmp_path, where):
    """The private key in the same file, as HAProxy has it, does no harm."""
    leaf = pki.leaf()
    path = tmp_path / "a.pem"
    path.write_bytes(leaf.key_pem + leaf.pem + (pki.ca.pem if where == "same file" else b""))
    args = []
    if where == "beside":
        certificate(tmp_path, "a.pem.issuer", pki.root, pki.ca)
    elif where == "option":
        args = ["--issuer", certificate(tmp_path, "ca.pem", pki.root, pki.ca)]
    relay = make_relay(responder)
    if where == "configuration":
        args = ["-c", relay.config]
    else:
        _, err = staple(relay, certificate(tmp_path, "b.pem", leaf), code=NO_ANSWER)
        assert "its issuer is CN=Test Issuing CA,O=Test" in err
    staple(relay, *args, path)
    assert status_of(path) == "good"


def test_option_issuer_counts_alone(relay, pki, tmp_path):
    other = certificate(tmp_path, "other.pem", pki_module.Pki().ca)
    path = certificate(tmp_path, "a.pem", pki.leaf(), pki.ca)
    _, err = staple(relay, "--issuer", other, path, code=NO_ANSWER)
    assert "no CA certificate at hand has issued it" in err


def test_relay_of_the_configuration(make_relay, responder, pki, tmp_path):
    """Its first address with a port that is known; and its issuer's options count."""
    port = free_port()
    relay = make_relay(responder, listen=[f"unix:{tmp_path}/ocsp.sock", "127.0.0.1:0",
                                          f"*:{port}"])
    path = certificate(tmp_path, "a.pem", pki.leaf())
    result = run("staple", "-c", relay.config, "--json", path)
    assert result.returncode == OK, result.stderr
    assert json.loads(result.stdout)["url"] == f"http://127.0.0.1:{port}/"
    assert status_of(path) == "good"
    hidden = make_relay(responder)
    result = run("staple", "-c", hidden.config, path)
    assert result.returncode == CONFIG and "give --url" in result.stderr


def test_directories(relay, responder, pki, tmp_path):
    """What is no server's certificate there is left out; what is named itself is not."""
    certs, staples = tmp_path / "certs", tmp_path / "staples"
    certs.mkdir()
    staples.mkdir()
    for name in ("a.pem", "b.crt"):
        certificate(certs, name, pki.leaf(name), pki.ca)
    (certs / "d.der").write_bytes(pki.leaf("d").der)
    certificate(certs, "d.der.issuer", pki.ca)
    certificate(certs, "ca.pem", pki.ca)
    (certs / "key.pem").write_bytes(pki.leaf().key_pem)
    (certs / "README").write_text("no certificate")
    assert set(told(relay, "--dir", staples, certs, certs / "a.pem")) == {"a.pem", "b.crt", "d.der"}
    assert sorted(os.listdir(staples)) == ["a.pem.ocsp", "b.crt.ocsp", "d.der.ocsp"]
    assert responder.count() == 3
    (tmp_path / "empty").mkdir()
    assert "there is no certificate" in staple(relay, tmp_path / "empty", code=NO_ANSWER)[1]
    _, err = staple(relay, certs / "key.pem", code=NO_ANSWER)
    assert "is a private key" in err


# --- usage --------------------------------------------------------------------------------------

@pytest.mark.parametrize("args", [
    [], ["--url", "ftp://x", "x"], ["--url", "http://127.0.0.1:1/", "--timeout", "0", "x"],
    ["--shell", "x"], ["--hook", "reload", "x"], ["--hook", "/none/reload", "x"],
    ["--hook", "/", "x"], ["--dir", "/none", "x"], ["--frob", "x"]], ids=" ".join)
def test_usage(args):
    result = run("staple", *args)
    assert result.returncode == USAGE and not result.stdout
    assert len(result.stderr.splitlines()) == 1


def test_two_certificates_with_one_staple(relay, pki, tmp_path):
    paths = []
    for name in ("x", "y"):
        (tmp_path / name).mkdir()
        paths.append(certificate(tmp_path / name, "fullchain.pem", pki.leaf(), pki.ca))
    _, err = staple(relay, "--dir", tmp_path, *paths, code=USAGE)
    assert all(str(path) in err for path in paths) and f"{tmp_path}/fullchain.pem.ocsp" in err
    assert not (tmp_path / "fullchain.pem.ocsp").exists()
    staple(relay, *paths)


def test_no_configuration(tmp_path):
    assert run("staple", "-c", tmp_path / "none.conf", "x").returncode == CONFIG


# --- the file -----------------------------------------------------------------------------------

def test_mode_is_kept(relay, pki, tmp_path):
    path = certificate(tmp_path, "a.pem", pki.leaf(), pki.ca)
    staple_of(path).write_bytes(b"")
    os.chmod(staple_of(path), 0o640)
    staple(relay, path)
    assert status_of(path) == "good"
    assert stat.S_IMODE(os.stat(staple_of(path)).st_mode) == 0o640


@pytest.mark.parametrize("kind", ["no directory", "directory in the way", "full disk",
                                  "not writable"])
def test_what_cannot_be_written(relay, pki, tmp_path, kind):
    """It is said, the other one is written, what was there stays, and nothing is left behind."""
    for name in ("x", "y"):
        (tmp_path / name).mkdir()
    path = certificate(tmp_path / "x", "a.pem", pki.leaf(), pki.ca)
    other = certificate(tmp_path / "y", "b.pem", pki.leaf(), pki.ca)
    options, old = {}, b"old"
    if kind == "no directory":
        path.unlink()
        os.symlink(tmp_path / "none", path)
    elif kind == "directory in the way":
        staple_of(path).mkdir()
    else:
        staple_of(path).write_bytes(old)
    if kind == "full disk":  # no file may grow; errors as of a disk that is full
        options["preexec_fn"] = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))
    elif kind == "not writable":
        if os.geteuid() == 0:
            pytest.skip("root may write everywhere")
        os.chmod(path.parent, 0o555)
    _, err = staple(relay, path, other, code=NO_ANSWER, **options)
    os.chmod(path.parent, 0o755)
    assert f"{path}: " in err
    assert kind == "full disk" or status_of(other) == "good"
    if kind in ("full disk", "not writable"):
        assert staple_of(path).read_bytes() == old
        assert sorted(os.listdir(path.parent)) == ["a.pem", "a.pem.ocsp"]


@pytest.fixture
def small_disk(program, tmp_path):
    """A file system of two pages."""
    directory = tmp_path / "disk"
    directory.mkdir()
    mounted = subprocess.run([program("mount"), "-t", "tmpfs", "-o", "size=8k", "none", directory],
                             capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("no file system can be mounted here: " + mounted.stderr.decode().strip())
    yield directory
    subprocess.run([program("umount"), directory], check=True)


def test_full_disk(make_responder, pki, small_disk, tmp_path):
    """The former staple stays whole, and the next one comes when there is room again."""
    responder, path = make_responder(), certificate(tmp_path, "a.pem", pki.leaf(), pki.ca)
    staple(responder, "--dir", small_disk, path)
    kept = staple_of(path, small_disk).read_bytes()
    (small_disk / "other").write_bytes(bytes(4096))
    _, err = staple(responder, "--dir", small_disk, path, code=NO_ANSWER)
    assert "No space left on device" in err and "the staple at hand says good" in err
    assert staple_of(path, small_disk).read_bytes() == kept
    assert sorted(os.listdir(small_disk)) == ["a.pem.ocsp", "other"]
    (small_disk / "other").unlink()
    staple(responder, "--dir", small_disk, path)
    assert staple_of(path, small_disk).read_bytes() != kept


def test_killed_at_any_moment(make_responder, pki, tmp_path):
    """Whatever is there then is whole. The responder's answers differ each time, so that all files
    are written each time."""
    responder, key = make_responder(), pki_module.new_key()
    paths = [certificate(tmp_path, f"{i}.pem", pki.leaf(key=key), pki.ca) for i in range(20)]
    for turn in range(25):
        count = responder.count()
        # pylint: disable=consider-using-with
        process = subprocess.Popen(
            [BINARY, "staple", "--url", responder.url, *paths], env=environment(),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(lambda: responder.count() > count + turn % 20 or process.poll() is not None)
        process.kill()
        process.wait()
        for path in paths:
            if staple_of(path).exists():
                assert status_of(path) == "good"
    staple(responder, *paths)


# --- the hook -----------------------------------------------------------------------------------

SCRIPT = """#!/bin/sh
printf '%s\\n' "$@" >>{out}
env >{out}.env
echo heard
exit {code}
"""


def make_hook(directory, code=0):
    path = directory / "hook"
    path.write_text(SCRIPT.format(out=directory / "out", code=code))
    path.chmod(0o755)
    return path


def test_hook_is_run_once_for_what_has_changed(relay, pki, tmp_path):
    hook, out = make_hook(tmp_path), tmp_path / "out"
    paths = [certificate(tmp_path, f"{i} $(x).pem", pki.leaf(), pki.ca) for i in range(3)]
    staple(relay, paths[1])
    _, err = staple(relay, "--hook", hook, *paths, env={"SECRET": "1"})
    assert err == "heard\n"
    assert out.read_text().splitlines() == [str(staple_of(paths[i])) for i in (0, 2)]
    entries = dict(line.split("=", 1) for line in (tmp_path / "out.env").read_text().splitlines())
    assert entries["OCSPRELAY_STAPLES"] == "2" and entries["OCSPRELAY_REVOKED"] == "0"
    assert entries["OCSPRELAY_EVENT"] == "staples" and "SECRET" not in entries
    out.unlink()
    staple(relay, "--hook", hook, *paths)
    assert not out.exists()


def test_hook_in_a_shell(relay, pki, tmp_path):
    path = certificate(tmp_path, "a.pem", pki.leaf(), pki.ca)
    line = f'for file; do echo "$0 $file $#" >>{tmp_path}/out; done; exit 0'
    staple(relay, "--hook", line, "--shell", path)
    assert (tmp_path / "out").read_text() == f"ocsprelay-staple {staple_of(path)} 1\n"


@pytest.mark.parametrize("hook, said", [("exit 7", "exit status 7"), ("kill -9 $$", "signal 9")])
def test_hook_fails(relay, pki, tmp_path, hook, said):
    path = certificate(tmp_path, "a.pem", pki.leaf(), pki.ca)
    _, err = staple(relay, "--hook", hook, "--shell", path, code=NO_ANSWER)
    assert f"hook {hook}: " in err and said in err
    assert status_of(path) == "good"
    path = certificate(tmp_path, "b.pem", pki.leaf(), pki.ca)
    out, _ = staple(relay, "--json", "--hook", hook, "--shell", path, code=NO_ANSWER)
    assert said in json.loads(out)["hook"]
