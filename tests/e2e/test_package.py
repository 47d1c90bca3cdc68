# SPDX-License-Identifier: ISC
"""The Debian package: what is in it, and its life on a system from installation to purge."""

import os
import re
import shutil

import pytest

import package_kit
import relay as relay_module
from package_kit import DEB, System, needs_package, run
from relay import ROOT

pytestmark = needs_package

CONTENTS = """
    /usr/bin/ocsprelay
    /etc/ocsprelay/ocsprelay.conf
    /etc/ocsprelay/issuers.d/
    /etc/apparmor.d/ocsprelay
    /etc/default/ocsprelay-staple
    /etc/logrotate.d/ocsprelay
    /lib/systemd/system/ocsprelay-staple.service
    /lib/systemd/system/ocsprelay.service
    /lib/systemd/system/ocsprelay.socket
    /usr/lib/sysusers.d/ocsprelay.conf
    /usr/lib/tmpfiles.d/ocsprelay.conf
    /usr/share/bash-completion/completions/ocsprelay
    /usr/share/zsh/vendor-completions/_ocsprelay
    /usr/share/fish/vendor_completions.d/ocsprelay.fish
    /usr/share/man/man8/ocsprelay.8.gz
    /usr/share/man/man5/ocsprelay.conf.5.gz
    /usr/share/doc/ocsprelay/README.md
    /usr/share/doc/ocsprelay/copyright
    /usr/share/doc/ocsprelay/examples/ocsprelay.conf
""".split()

UNITS_ELSEWHERE = re.compile(r"^/usr/lib/systemd/")  # from Debian 13 on


@pytest.fixture
def system(tmp_path):
    return System(tmp_path / "system")


def test_contents():
    listed = {line.split(None, 5)[5][1:] for line in run("dpkg-deb", "-c", DEB).splitlines()}
    listed |= {UNITS_ELSEWHERE.sub("/lib/systemd/", path) for path in listed}
    assert not set(CONTENTS) - listed


def test_every_manual_is_in_it():
    listed = run("dpkg-deb", "-c", DEB)
    with open(os.path.join(ROOT, "Makefile.am"), encoding="utf-8") as file:
        lists = dict(re.findall(r"^(man_\w+) = ((?:\\\n|.)*)$", file.read(), re.M))
    for page in re.findall(r"doc/([^ ]+\.\d)", lists["man_pages"] + " " + lists["man_links"]):
        assert f"/{page}.gz" in listed


def test_the_name_of_a_command_leads_to_its_page():
    listed = run("dpkg-deb", "-c", DEB)
    for name, page in (("query.1", "ask.1"), ("status.8", "watch.8"), ("import.8", "cache.8")):
        assert re.search(rf"/ocsprelay-{name}.gz -> \S*ocsprelay-{page}.gz$", listed, re.M)


def test_what_is_in_etc_is_the_operator_s(tmp_path):
    run("dpkg-deb", "-e", DEB, tmp_path)
    conffiles = (tmp_path / "conffiles").read_text(encoding="ascii").split()
    assert set(conffiles) == {path for path in CONTENTS if path.startswith("/etc/")
                              and not path.endswith("/")} | {"/etc/ocsprelay/issuers.d/README"}


def test_lintian_has_nothing_to_say(program):
    assert run(program("lintian"), "--fail-on", "error,warning", "--allow-root", DEB) == ""


def test_version_is_that_of_the_tree():
    with open(os.path.join(ROOT, "configure.ac"), encoding="utf-8") as file:
        version = re.search(r"AC_INIT\(\[ocsprelay\], \[([^]]+)\]", file.read())[1]
    assert run("dpkg-deb", "-f", DEB, "Version").strip() == version


def test_life_from_installation_to_purge(system, tmp_path):
    before = system.files()
    system.dpkg("-i", DEB)
    assert re.search(r"^ocsprelay:.*:/usr/sbin/nologin$", system.read("etc/passwd"), re.M)
    for directory in ("var/lib/ocsprelay", "var/log/ocsprelay", "run/ocsprelay"):
        assert os.path.isdir(system.path(directory))
    wanted = os.listdir(system.path("etc/systemd/system/multi-user.target.wants"))
    assert wanted == ["ocsprelay.service"]
    assert not os.path.lexists(system.path("etc/systemd/system/sockets.target.wants"))

    # What the operator has changed and made stays, through an upgrade and a removal.
    changed = system.read("etc/ocsprelay/ocsprelay.conf") + "threads = 3\n"
    system.write("etc/ocsprelay/ocsprelay.conf", changed)
    system.write("etc/ocsprelay/issuers.d/corp.pem", "")
    system.write("etc/apparmor.d/local/ocsprelay", "")
    system.write("var/lib/ocsprelay/data.mdb", "")
    system.write("var/lib/ocsprelay-staple/state", "")
    system.dpkg("-i", package_kit.with_version(str(tmp_path), "99"))
    assert system.read("etc/ocsprelay/ocsprelay.conf") == changed
    assert "# Of the next version." in system.read("etc/ocsprelay/ocsprelay.conf.dpkg-dist")
    system.dpkg("-r", "ocsprelay")
    assert not os.path.exists(system.path("usr/bin/ocsprelay"))
    assert system.read("etc/ocsprelay/ocsprelay.conf") == changed
    assert os.path.exists(system.path("etc/ocsprelay/issuers.d/corp.pem"))
    assert os.path.exists(system.path("var/lib/ocsprelay/data.mdb"))

    system.dpkg("-P", "ocsprelay")
    assert not system.files() - before
    assert "ocsprelay" not in system.read("etc/passwd") + system.read("etc/group")


def test_configuration_that_nobody_changed_follows_the_package(system, tmp_path):
    system.dpkg("-i", DEB)
    system.dpkg("-i", package_kit.with_version(str(tmp_path), "99"))
    assert "# Of the next version." in system.read("etc/ocsprelay/ocsprelay.conf")


def test_installed_relay_answers(system, make_relay, responder, request_der, monkeypatch):
    system.dpkg("-i", DEB)
    monkeypatch.setattr(relay_module, "BINARY", system.path("usr/bin/ocsprelay"))
    relay = make_relay(responder)
    assert relay.get(request_der).cache_status["stored"]
    assert relay.get(request_der).cache_status["hit"]


def test_installed_sample_starts_as_it_is(system, make_relay, monkeypatch):
    """But for the ports, which are perhaps taken, and the directories of this test."""
    system.dpkg("-i", DEB)
    monkeypatch.setattr(relay_module, "BINARY", system.path("usr/bin/ocsprelay"))
    relay = make_relay(ca=None, start=False, threads=0, log={},
                       issuer_dir=system.path("etc/ocsprelay/issuers.d"))
    relay.write_config()
    with open(relay.config, encoding="utf-8") as file:
        text = file.read()
    relay.write("ocsprelay.conf", system.read("etc/ocsprelay/ocsprelay.conf") + text)
    relay.write_config = lambda: None  # start() would write it anew
    relay.start()
    assert relay.admin("/readyz")[0] == 200


def test_purge_without_a_user_or_directories(system):
    system.dpkg("-i", DEB)
    system.write("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n")
    shutil.rmtree(system.path("var/lib/ocsprelay"))
    system.dpkg("-P", "ocsprelay")
    assert not os.path.exists(system.path("etc/ocsprelay"))
