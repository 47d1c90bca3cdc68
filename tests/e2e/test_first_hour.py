# SPDX-License-Identifier: ISC
"""The first hour of doc/operating.md, followed literally: each block of commands is run as it
stands there, and what it prints is compared with the block of text behind it. Only places differ
(ports, /etc/ocsprelay, the home directory), and the few programs of STAND_INS, which would change
the machine.

With FIRST_HOUR=clone it begins with the build, in a clean clone; else with the installation of the
program that is tested.
"""

import os
import re
import signal
import subprocess

import pytest

from clients import free_port
from relay import BINARY, ROOT, TIMEOUT, environment

GUIDE = os.path.join(ROOT, "doc", "operating.md")
PORTS = ("8080", "8081", "8443", "8888")
BUILD = os.path.dirname(BINARY)

STAND_INS = {
    "sudo": 'exec "$@"',  # everything belongs to whoever runs the test
    "apt-get": "exit 0",
    "useradd": "exit 0",
    "chgrp": "exit 0",
    # the places that are compiled in are not those of the test
    "ocsprelay": """
relay=$FIRST_HOUR_BIN/ocsprelay
case ${1:-} in
query | --*) exec "$relay" "$@" ;;
esac
exec "$relay" "$@" -c "$FIRST_HOUR_ETC/ocsprelay/ocsprelay.conf"
""",
}


def blocks_of(section):
    """[(commands, [line of what they print])] of the guide's section."""
    with open(GUIDE, encoding="utf-8") as file:
        text = re.search(rf"^## {section}\n(.*?)^## ", file.read(), re.M | re.S)[1]
    blocks = []
    for kind, body in re.findall(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S):
        if kind == "sh":
            blocks.append((body, []))
        else:
            assert kind == "text", f"a block of kind {kind!r}"
            blocks[-1][1].extend(body.splitlines())
    return blocks


class Place:
    """A directory that stands for the machine."""

    def __init__(self, directory):
        self.root = directory
        self.bin = directory / "stand-ins"
        self.home = directory / "home"
        for one in (self.bin, self.home):
            one.mkdir()
        for name, script in STAND_INS.items():
            path = self.bin / name
            path.write_text(f"#!/bin/sh\n{script}\n")
            path.chmod(0o755)
        self.prefix, self.etc = "/usr", "/etc"
        self.ports = {port: str(free_port()) for port in PORTS}

    def use_prefix_of(self, build):
        """That of a build that is there already."""
        with open(os.path.join(build, "config.status"), encoding="utf-8") as file:
            text = file.read()
        self.prefix = re.search(r'^S\["prefix"\]="(.*)"$', text, re.M)[1]
        self.etc = re.search(r'^S\["sysconfdir"\]="(.*)"$', text, re.M)[1].replace(
            "${prefix}", self.prefix)

    def there(self, path):
        return f"{self.root}/installed{path}"

    def moved(self, text):
        """The guide's text, as it has to be in this place."""
        text = re.sub(r"\b(" + "|".join(PORTS) + r")\b", lambda match: self.ports[match[1]], text)
        return text.replace("/etc/ocsprelay", self.there(self.etc) + "/ocsprelay").replace(
            "/var/lib/ocsprelay", self.there("/var/lib/ocsprelay")).replace(
            "clone URL", f"clone -q {ROOT}")

    @property
    def environment(self):
        path = f"{self.bin}:{os.environ['PATH']}"
        return environment(PATH=path, HOME=str(self.home), DESTDIR=self.there(""),
                           FIRST_HOUR_BIN=self.there(self.prefix + "/bin"),
                           FIRST_HOUR_ETC=self.there(self.etc))

    def settings(self):
        """What the guide leaves as it is installed, and what cannot be so here."""
        return self.moved(f"""
listen = {{"127.0.0.1:8080"}}
admin = "127.0.0.1:8081"
issuer_dir = "/etc/ocsprelay/issuers.d"
store = {{"lmdb:/var/lib/ocsprelay"}}
user = ""
""")

    def script(self, blocks):
        """All of it for one shell. A line before each block tells where its output begins."""
        parts = ["set -eu"]
        for i, (commands, _) in enumerate(blocks):
            parts += [f"printf '@@ {i}\\n'", self.moved(commands)]
            if "make install" in commands:
                conf = self.there(self.etc) + "/ocsprelay/ocsprelay.conf"
                parts += [f"cat >>{conf} <<'END'{self.settings()}END",
                          f"mkdir -p {self.there('/var/lib/ocsprelay')}"]
        return "\n".join(parts)


def run(script, directory, cwd, env, timeout):
    """(exit status, output) of a shell with a session of its own, of which nothing is left over."""
    path = directory / "first-hour.sh"
    path.write_text(script)
    output = directory / "output"
    with open(output, "wb") as file, subprocess.Popen(
            ["bash", str(path)], stdin=subprocess.DEVNULL, stdout=file, stderr=file, env=env,
            cwd=cwd, start_new_session=True) as process:
        try:
            status = process.wait(timeout)
        except subprocess.TimeoutExpired:
            status = "not over in time"
        finally:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
    return status, output.read_text(errors="replace")


def test_first_hour(tmp_path, program):
    for name in ("bash", "openssl", "curl", "nginx", "make"):
        program(name)
    blocks = blocks_of("The first hour")
    place = Place(tmp_path)
    env = place.environment
    if os.environ.get("FIRST_HOUR") == "clone":
        cwd, timeout = place.home, 1800
    else:
        if not os.path.exists(os.path.join(BUILD, "config.status")):
            pytest.skip(f"{BUILD} is no build tree to install from")
        assert "git clone" in blocks[0][0]
        del blocks[0]
        place.use_prefix_of(BUILD)
        env, cwd, timeout = place.environment, BUILD, 3 * TIMEOUT
    status, output = run(place.script(blocks), tmp_path, cwd, env, timeout)
    printed = re.split(r"^@@ \d+\n", output, flags=re.M)[1:]
    assert status == 0 and len(printed) == len(blocks), output
    for (commands, expected), text in zip(blocks, printed):
        lines = iter(text.splitlines())
        for one in expected:
            pattern = ".*".join(map(re.escape, place.moved(one).split("...")))
            assert any(re.fullmatch(pattern, line) for line in lines), \
                f"{one!r} does not come (in this order) from\n{commands}\nwhich prints\n{text}"
