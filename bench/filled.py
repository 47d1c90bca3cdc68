# SPDX-License-Identifier: ISC
"""A relay that holds many responses: what it says of itself, and how it came by them."""

import contextlib
import http.client
import re
import socket
import struct
import time

import load
import servers
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from process import PATIENCE
from setting import start, start_responder

BATCH = 100000  # certificates asked for by one run of drive
CONNECTIONS = 64  # as many as an issuer's fetches at once: max_inflight


class _Admin(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=PATIENCE)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


def metric(directory, name):
    """Of the relay with that directory."""
    connection = _Admin(str(directory / "admin"))
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    return sum(float(value) for value in
               re.findall(rf"^ocsprelay_{name}(?:{{.*}})? (\S+)$", text, re.M))


def wait_for(directory, name, value):
    end = time.monotonic() + PATIENCE
    while metric(directory, name) < value:
        if time.monotonic() > end:
            raise RuntimeError(f"{name} stays below {value}")
        time.sleep(0.05)


def fill(args, of, port, first, count):
    """Asks once for each of these certificates."""
    for at in range(first, first + count, BATCH):
        n = min(BATCH, first + count - at)
        load.drive(args, of, port, c=CONNECTIONS, f=at, k=n, n=n)


def lengths(of):
    """Octets of a response, and of these the ones that no other has: the embedded certificate stands
    at the end, with 8 octets in front of it."""
    with open(of / "answers", "rb") as file:
        file.seek(16)
        der = file.read(struct.unpack("<I", file.read(4))[0])
    certificate = ocsp.load_der_ocsp_response(der).certificates[0]
    return len(der), len(der) - len(certificate.public_bytes(Encoding.DER)) - 8


def start_with_store(stack, args, directory, of, cores="0"):
    """A relay with nothing in memory, whose store has, or comes to have, the responses of this
    material: (process id, port)."""
    upstream = start_responder(stack, args, of)
    return start(stack, servers.relay(args, directory, of, upstream, stores=[f"lmdb:{of}/store"]),
                 cores)


def mark_stored(of):
    """All of this material is in its store."""
    (of / "stored").touch()


def ensure_store(args, directory, of, count):
    if not (of / "stored").exists():
        with contextlib.ExitStack() as stack:
            _, port = start_with_store(stack, args, directory, of, "0,1")
            fill(args, of, port, 0, count)
        mark_stored(of)
