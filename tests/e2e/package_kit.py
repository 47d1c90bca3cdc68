# SPDX-License-Identifier: ISC
"""A Debian package under test, and a system to install it in.

The system is a directory with a dpkg of its own: maintainer scripts run with DPKG_ROOT instead of
in a chroot, as root or under fakeroot, so that nothing outside of it is touched. What would speak to
the machine's own systemd is replaced.
"""

import os
import re
import shutil
import subprocess

import pytest

DEB = os.environ.get("OCSPRELAY_DEB")
needs_package = pytest.mark.skipif(
    not DEB, reason="no package to test (environment variable OCSPRELAY_DEB; contrib/make-deb)")


def run(*args, **options):
    """To its end, which must be a good one; gives its standard output."""
    result = subprocess.run(list(map(str, args)), capture_output=True, text=True, timeout=120,
                            check=False, **options)
    assert result.returncode == 0, f"{args}: {result.returncode}\n{result.stdout}{result.stderr}"
    return result.stdout


def unpack(directory, deb=None):
    run("dpkg-deb", "-x", deb or DEB, directory)
    return str(directory)


def with_version(directory, version):
    """The same package, with a higher version and other contents of its configuration file."""
    tree = os.path.join(directory, "tree")
    run("dpkg-deb", "-R", DEB, tree)
    control = os.path.join(tree, "DEBIAN", "control")
    with open(control, encoding="utf-8") as file:
        text = file.read()
    with open(control, "w", encoding="utf-8") as file:
        file.write(re.sub(r"^Version: .*$", f"Version: {version}", text, flags=re.M))
    with open(os.path.join(tree, "etc/ocsprelay/ocsprelay.conf"), "a", encoding="utf-8") as file:
        file.write("# Of the next version.\n")
    out = os.path.join(directory, f"ocsprelay_{version}.deb")
    run("dpkg-deb", "--root-owner-group", "-b", tree, out)
    return out


class System:
    """A directory where packages are installed."""

    def __init__(self, root):
        self.root = str(root)
        for path in ("etc/apparmor.d/local", "run", "usr/bin", "var/lib/dpkg/info",
                     "var/lib/dpkg/updates", "var/lib/systemd", "var/log"):
            os.makedirs(self.path(path))
        for name in ("status", "available"):
            self.write("var/lib/dpkg/" + name, "")
        self.write("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n")
        self.write("etc/group", "root:x:0:\n")
        self.write("etc/shadow", "root:*:::::::\n")
        self.write("etc/gshadow", "root:*::\n")
        stubs = self.root + ".bin"
        os.mkdir(stubs)
        for name in ("systemctl", "deb-systemd-invoke", "aa-enabled"):
            with open(os.path.join(stubs, name), "w", encoding="ascii") as file:
                file.write("#!/bin/sh\nexit 1\n")
            os.chmod(os.path.join(stubs, name), 0o755)
        self.env = {**os.environ, "LC_ALL": "C.UTF-8",
                    "PATH": f"{stubs}:/usr/sbin:/usr/bin:/sbin:/bin"}
        self.fakeroot = []
        if os.geteuid() != 0:
            if not shutil.which("fakeroot"):
                pytest.skip("fakeroot is not installed (Debian package fakeroot)")
            saved = self.root + ".fakeroot"
            with open(saved, "w", encoding="ascii"):
                pass
            self.fakeroot = ["fakeroot", "-i", saved, "-s", saved]

    def path(self, path):
        return os.path.join(self.root, path.lstrip("/"))

    def write(self, path, text):
        os.makedirs(os.path.dirname(self.path(path)), exist_ok=True)
        with open(self.path(path), "w", encoding="utf-8") as file:
            file.write(text)

    def read(self, path):
        with open(self.path(path), encoding="utf-8") as file:
            return file.read()

    def dpkg(self, *args):
        return run(*self.fakeroot, "dpkg", "--root=" + self.root, "--force-script-chrootless",
                   "--force-not-root", "--force-depends", "--force-confdef", "--force-confold",
                   "--log=/dev/null", *args, env=self.env, cwd="/")

    def files(self):
        """What is in it, but for what dpkg and its helpers keep for themselves."""
        found = set()
        for directory, names, files in os.walk(self.root):
            inside = os.path.relpath(directory, self.root)
            if inside in ("var/lib/dpkg", "var/lib/systemd"):
                names.clear()
                continue
            found |= {os.path.normpath(os.path.join(inside, name)) for name in names + files}
        return {path for path in found if not re.fullmatch(
            r"etc/(systemd(/system)?|(passwd|group|g?shadow|sub[ug]id)-|\.pwd\.lock)", path)}
