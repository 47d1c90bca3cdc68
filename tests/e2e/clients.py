# SPDX-License-Identifier: ISC
"""Programs of others as clients of the relay: their certificates in files, their run to the end."""

import re
import subprocess

from relay import TIMEOUT, environment


class Files:
    """Certificates in files, as programs want them."""

    def __init__(self, directory, pki):
        self.directory = directory
        self.pki = pki
        pki.write(directory)
        self.certs = {}

    def path(self, name):
        return str(self.directory / name)

    def leaf(self, name, **options):
        self.certs[name] = cert = self.pki.leaf(**options)
        (self.directory / (name + ".crt")).write_bytes(cert.pem)
        (self.directory / (name + ".key")).write_bytes(cert.key_pem)
        (self.directory / (name + "-chain.pem")).write_bytes(cert.pem + self.pki.ca.pem)
        return cert

    def write(self, name, content):
        (self.directory / name).write_bytes(content)
        return self.path(name)


def call(*args, **options):
    return subprocess.run(list(map(str, args)), capture_output=True, text=True, timeout=TIMEOUT,
                          env=environment(), stdin=subprocess.DEVNULL, check=False, **options)


def field_of(text, name):
    return re.search(rf"{name}: (.*)", text)[1].strip()
