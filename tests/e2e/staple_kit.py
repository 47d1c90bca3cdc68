# SPDX-License-Identifier: ISC
"""ocsprelay staple around a relay: certificates in files, the command, what is in the staples."""

import json
import os
import signal

from clients import Server
from pki import parse_response
from relay import BINARY, SANITIZER, run

OK, REVOKED, UNKNOWN, NO_ANSWER, USAGE, CONFIG = 0, 1, 2, 3, 64, 78


def certificate(directory, name, *identities):
    """Certificates in a file, and its path."""
    path = directory / name
    path.write_bytes(b"".join(one.pem for one in identities))
    return path


def staple_of(path, directory=None):
    return (directory or path.parent) / (path.name + ".ocsp")


def status_of(path, directory=None):
    return parse_response(staple_of(path, directory).read_bytes()).certificate_status.name.lower()


def staple(url, *args, code=OK, **options):
    """Runs it to its end: (output, errors)."""
    result = run("staple", "--url", getattr(url, "url", url), *args, **options)
    assert result.returncode == code, (result.returncode, result.stdout, result.stderr)
    return result.stdout, result.stderr


def told(url, *args, **options):
    """The certificates of its JSON, by the names of their files."""
    out, _ = staple(url, "--json", *args, **options)
    return {os.path.basename(one["certificate"]): one for one in json.loads(out)["certificates"]}


class Follower(Server):
    """ocsprelay staple --follow, whose lines are waited for."""

    def __init__(self, url, *args, **options):
        super().__init__(BINARY, "staple", "--url", getattr(url, "url", url), "--follow", *args,
                         **options)

    def reread(self):
        self.process.send_signal(signal.SIGHUP)

    def end(self):
        """SIGTERM must end it with 0."""
        self.stop()
        assert self.process.returncode == OK, self.text
        assert not SANITIZER.search(self.text), self.text
