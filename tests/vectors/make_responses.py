#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Writes the response vectors into a directory: make_responses.py DIRECTORY

  manifest.tsv   one line per vector; columns, separated by tabs:
                 name  rules  now  issuer  trusted  request  result
                 status  reason  signer  until  kept  flags
  NAME.der       the response
  *.pem          certificates, *.req requests: files that several vectors may share

"-" stands for what there is not. The last six columns tell the verdict when result is "ok": the
hard expiry is in until, and kept is until when a store may have it. All times are fixed, all keys
are made anew.
"""

import hashlib
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "e2e")]  # der.py and pki.py

# pylint: disable=wrong-import-position
import good  # noqa: E402
import malformed  # noqa: E402
import signers  # noqa: E402
import times  # noqa: E402
from cast import Cast  # noqa: E402

CATALOGUE = good.ALL + signers.ALL + times.ALL + malformed.ALL


class Directory:
    """Files by content: the same octets are written once."""

    def __init__(self, path):
        self.path = path
        self.names = {}
        os.makedirs(path, exist_ok=True)

    def write(self, name, data):
        with open(os.path.join(self.path, name), "wb") as out:
            out.write(data)

    def share(self, kind, data):
        """A file named after its content; "-" for none."""
        if not data:
            return "-"
        if data not in self.names:
            self.names[data] = f"{hashlib.sha256(data).hexdigest()[:16]}.{kind}"
            self.write(self.names[data], data)
        return self.names[data]


def pem(identities):
    return b"".join(one.pem for one in identities)


def write_all(path):
    """Writes the directory; the manifest comes last."""
    cast, directory, lines = Cast(), Directory(path), []
    for vector in CATALOGUE:
        directory.write(vector.name + ".der", vector.make(cast))
        lines.append([vector.name, vector.rules, vector.now,
                      directory.share("pem", pem(vector.issuer(cast))),
                      directory.share("pem", pem(vector.trusted(cast))),
                      directory.share("req", vector.request(cast)), vector.result,
                      *vector.facts()])
    directory.write("manifest.tsv", "".join(
        "\t".join(map(str, line)) + "\n" for line in lines).encode())


if __name__ == "__main__":
    assert len({vector.name for vector in CATALOGUE}) == len(CATALOGUE), "a name occurs twice"
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    write_all(sys.argv[1])
