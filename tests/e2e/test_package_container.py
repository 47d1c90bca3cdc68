# SPDX-License-Identifier: ISC
"""The container's recipe, as far as it can be judged without images."""

import os
import re

import pytest

from package_kit import DEB, needs_package, run
from relay import ROOT
from relay import run as run_relay

DIRECTORY = os.path.join(ROOT, "contrib", "container")
INSTRUCTIONS = ("FROM WORKDIR COPY RUN USER VOLUME EXPOSE STOPSIGNAL HEALTHCHECK ENTRYPOINT "
                "CMD").split()


def instructions():
    """[(instruction, arguments)] with continued lines joined."""
    with open(os.path.join(DIRECTORY, "Containerfile"), encoding="utf-8") as file:
        lines = [line for line in file.read().splitlines() if not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [tuple(line.split(None, 1)) for line in joined.splitlines() if line.strip()]


def test_instructions_are_known_and_what_is_copied_is_there():
    found = instructions()
    assert {name for name, _ in found} == set(INSTRUCTIONS)
    for name, arguments in found:
        if name == "COPY" and not arguments.startswith("--from"):
            for source in arguments.split()[:-1]:
                assert os.path.exists(os.path.join(ROOT, source)), source


def test_it_runs_as_nobody_special_and_writes_to_one_place():
    found = dict(instructions())  # the last of each
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", found["USER"])
    assert found["VOLUME"] == "/var/lib/ocsprelay"
    assert '"/usr/bin/ocsprelay", "status"' in found["HEALTHCHECK"]


def test_shell_understands_each_step(program):
    for name, arguments in instructions():
        if name == "RUN":
            run(program("sh"), "-n", "-c", arguments)


def test_configuration_is_understood():
    result = run_relay("check", "-c", os.path.join(DIRECTORY, "ocsprelay.conf"))
    assert result.returncode in (0, 1)  # not 78; there may be no issuers here
    assert ".conf:" not in result.stderr


@needs_package
def test_libraries_are_those_of_the_package():
    depends = run("dpkg-deb", "-f", DEB, "Depends")
    if "libssl3t64" in depends:
        pytest.skip("the image is of Debian 12, the package is not")
    libraries = set(re.findall(r"\b(lib[^\s,]+)", depends)) - {"libc6", "libsystemd0"}
    last = [arguments for name, arguments in instructions() if name == "RUN"][-1]
    assert set(re.findall(r"\s(lib\S+)", last)) == libraries
