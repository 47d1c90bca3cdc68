# SPDX-License-Identifier: ISC
"""Where contrib/make-deb puts things: what else is there stays. Nothing is built here."""

import os
import pathlib
import shutil
import subprocess

import pytest

SCRIPT = pathlib.Path(__file__).parents[2] / "contrib" / "make-deb"


def make(directory, tmp_path):
    """A build that ends at once; its exit status and what it said."""
    fake = tmp_path / "bin" / "dpkg-buildpackage"
    fake.parent.mkdir(exist_ok=True)
    fake.write_text("#!/bin/sh\nexit 1\n")
    fake.chmod(0o755)
    environment = dict(os.environ, OCSPRELAY_NO_INSTALL="1",
                       PATH=f"{fake.parent}:{os.environ['PATH']}")
    return subprocess.run([SCRIPT, "--output", directory], env=environment, capture_output=True,
                          text=True, timeout=60, check=False)


@pytest.mark.skipif(not shutil.which("dpkg-query"), reason="no dpkg here")
def test_what_is_not_its_own_stays(tmp_path):
    output = tmp_path / "out"
    (output / "ocsprelay").mkdir(parents=True)
    (output / "ocsprelay" / "precious").write_text("sources")
    (output / "thesis").write_text("years of work")
    result = make(output, tmp_path)
    assert result.returncode == 1 and "not of an earlier run" in result.stderr
    assert (output / "ocsprelay" / "precious").exists() and (output / "thesis").exists()
    shutil.rmtree(output / "ocsprelay")
    (output / "ocsprelay_0_amd64.deb").write_text("old")
    for _ in range(2):
        assert "could not be built" in make(output, tmp_path).stderr
        assert sorted(os.listdir(output)) == ["build.log", "ocsprelay", "thesis"]
