# SPDX-License-Identifier: ISC
"""Configurations: broken ones, each with exactly what is said about it, and files that are put in
while the relay runs."""

import concurrent.futures
import glob
import os
import signal
import subprocess

import pytest

from pki import new_serial, request
from relay import BINARY, ROOT, environment, render, run

BROKEN = os.path.join(ROOT, "tests", "config", "broken")
NAMES = sorted(os.path.basename(path)[:-5] for path in glob.glob(os.path.join(BROKEN, "*.conf")))
CONFIG = 78


def _check(name):
    return subprocess.run([BINARY, "check", "-c", name + ".conf"], cwd=BROKEN, env=environment(),
                          capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def checked():
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(NAMES, pool.map(_check, NAMES)))


def test_there_are_broken_files():
    assert len(NAMES) >= 40
    assert len(glob.glob(os.path.join(BROKEN, "*.expected"))) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_broken_file_is_refused_with_this_message(checked, name):
    with open(os.path.join(BROKEN, name + ".expected"), encoding="utf-8") as file:
        expected = file.read()
    result = checked[name]
    assert result.stderr == expected
    assert result.returncode == CONFIG
    assert not result.stdout


def test_serve_refuses_with_the_same_message(checked):
    result = run("serve", "-c", "everything.conf", cwd=BROKEN)
    assert result.returncode == CONFIG
    assert result.stderr == checked["everything"].stderr


# --- conf.d ---------------------------------------------------------------------------------------


@pytest.fixture
def included(make_relay):
    """A relay that takes in conf.d, which is empty."""
    relay = make_relay(ca=None, start=False)
    os.mkdir(relay.path("conf.d"))
    relay.write_config()
    with open(relay.config, "a", encoding="utf-8") as file:
        file.write('include("conf.d/*.conf")\n')
    relay.write_config = lambda: None  # start() would write it anew
    return relay.start()


def _add(relay, pki, responder):
    """A file in conf.d with an issuer."""
    certificate = relay.write("ca.pem", pki.ca.pem)
    section = {"certificate": [certificate], "responders": [responder.url]}
    relay.write("conf.d/50-ca.conf", render({"issuer": {"new": section}}))


def _ask(relay, pki):
    return relay.get(request(pki.ca.certid(new_serial()))).field("cache-status") or ""


@pytest.mark.parametrize("how", ["SIGHUP", "reload"])
def test_reload_takes_conf_d_up(included, pki, responder, how):
    assert "stored" not in _ask(included, pki)
    _add(included, pki, responder)
    if how == "SIGHUP":
        included.signal(signal.SIGHUP)
        included.log.wait_for("reload")
    else:
        result = run("reload", "--admin", "unix:" + included.admin_socket)
        assert result.returncode == 0 and "new" in result.stdout
    assert "stored" in _ask(included, pki)
    os.unlink(included.path("conf.d/50-ca.conf"))
    included.signal(signal.SIGHUP)
    included.log.wait_for("reload", count=2)
    assert "stored" not in _ask(included, pki)


def test_reload_names_the_file_of_conf_d_that_is_wrong(included, pki, responder):
    _add(included, pki, responder)
    included.write("conf.d/60-wrong.conf", "\nthreads = x\n")
    result = run("reload", "--admin", "unix:" + included.admin_socket)
    assert result.returncode == CONFIG
    said = result.stdout + result.stderr
    assert 'conf.d/60-wrong.conf:2: threads: "x" is no whole number' in said
    assert "stored" not in _ask(included, pki)
