# SPDX-License-Identifier: ISC
"""What the package gives to the system: units, AppArmor profile, logrotate."""

import grp
import os
import pwd
import re
import stat
import subprocess

import pytest

from package_kit import needs_package, run, unpack
from relay import BINARY, ROOT, environment, until

UNITS = sorted(name for name in os.listdir(os.path.join(ROOT, "etc"))
               if name.endswith((".service", ".socket")))
SERVICES = [name for name in UNITS if name.endswith(".service")]
MAX_EXPOSURE = 2.0


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    return unpack(tmp_path_factory.mktemp("package"))


@pytest.fixture
def units(tmp_path):
    """A directory with all units, for the relay that is tested."""
    for name in UNITS:
        with open(os.path.join(ROOT, "etc", name), encoding="utf-8") as file:
            text = file.read()
        (tmp_path / name).write_text(text.replace("/usr/bin/ocsprelay", BINARY), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("name", UNITS)
def test_systemd_understands_the_unit(program, units, name):
    result = subprocess.run(
        [program("systemd-analyze"), "verify", "--man=no", "--recursive-errors=no",
         str(units / name)], capture_output=True, text=True, timeout=60, check=False,
        env=environment())
    said = [line for line in result.stderr.splitlines() if "ocsprelay" in line]
    assert (result.returncode, said) == (0, [])


@pytest.mark.parametrize("name", SERVICES)
def test_service_is_hardened(program, units, name):
    result = subprocess.run(
        [program("systemd-analyze"), "security", "--offline=yes", str(units / name)],
        capture_output=True, text=True, timeout=60, check=False, env=environment())
    exposure = re.search(r"Overall exposure level for .*: ([0-9.]+)", result.stdout)
    assert exposure, result.stdout + result.stderr
    assert float(exposure[1]) < MAX_EXPOSURE, result.stdout


def test_service_lets_the_relay_do_its_work():
    """What is easily taken away with the rest, and missed much later."""
    with open(os.path.join(ROOT, "etc", "ocsprelay.service"), encoding="utf-8") as file:
        settings = dict(re.findall(r"^(\w+)=(.*)$", file.read(), re.M))
    assert settings["Type"] == "notify"
    assert settings["StateDirectory"] == "ocsprelay"  # the default of store
    assert settings["ProtectSystem"] == "strict"
    assert "AF_UNIX" in settings["RestrictAddressFamilies"]  # log, admin socket, Redis
    assert "CAP_NET_BIND_SERVICE" in settings["AmbientCapabilities"]  # port 80
    assert "78" in settings["RestartPreventExitStatus"].split()  # configuration


def test_staple_service_may_keep_the_owners_of_files():
    with open(os.path.join(ROOT, "etc", "ocsprelay-staple.service"), encoding="utf-8") as file:
        assert re.search(r"^CapabilityBoundingSet=CAP_CHOWN$", file.read(), re.M)


@needs_package
def test_units_name_what_is_installed(unpacked):
    found = []
    for base in ("lib/systemd/system", "usr/lib/systemd/system"):
        directory = os.path.join(unpacked, base)
        for name in os.listdir(directory) if os.path.isdir(directory) else []:
            found.append(name)
            with open(os.path.join(directory, name), encoding="utf-8") as file:
                for path in re.findall(r"^ExecStart=(\S+)", file.read(), re.M):
                    assert os.access(unpacked + path, os.X_OK)
    assert sorted(found) == UNITS


def test_apparmor_profile_is_understood(program):
    run(program("apparmor_parser"), "-QTK", os.path.join(ROOT, "etc", "ocsprelay.apparmor"))


def test_log_is_rotated(program, make_relay, responder):
    """By the package's file, for a user that there is in place of the one that it makes, and for a
    relay that systemd does not know."""
    relay = make_relay(responder, start=False)
    os.mkdir(relay.path("log"), 0o750)
    log = relay.path("log", "ocsprelay.log")
    relay.options["log"] = {"target": log, "level": "info"}
    relay.start(ready=False)

    def has(event):
        if not os.path.exists(log):
            return False
        with open(log, encoding="utf-8") as file:
            return f"event={event} " in file.read()
    until(lambda: has("ready"))
    with open(os.path.join(ROOT, "etc", "ocsprelay.logrotate"), encoding="utf-8") as file:
        text = file.read().replace("/var/log/ocsprelay", relay.path("log"))
    me = f"{pwd.getpwuid(os.geteuid()).pw_name} {grp.getgrgid(os.getegid()).gr_name}"
    text = text.replace("ocsprelay ocsprelay", me)
    text, count = re.subn(r"^.*systemctl kill.*$", f"kill -HUP {relay.process.pid}", text,
                          flags=re.M)
    assert count == 1
    conf = relay.write("logrotate.conf", text)
    os.chmod(conf, 0o644)
    result = subprocess.run(
        [program("logrotate"), "--force", "--state", relay.path("state"), conf],
        capture_output=True, text=True, timeout=60, check=False, env=environment())
    assert (result.returncode, result.stderr) == (0, "")
    until(lambda: has("reload"))
    assert not has("ready")
    assert os.path.exists(log + ".1")
    assert stat.S_IMODE(os.stat(log).st_mode) == 0o640
