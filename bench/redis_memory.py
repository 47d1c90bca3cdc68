#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""What records take in Redis: a million of them as the relay stores them, and the same values as
redis-benchmark stores them.

    redis_memory.py [--count 1000000] [--serial 16] [--sizes 300,500,720,1000,1300,2000]

For each size of a response a redis-server of its own is filled with records, 24 octets of header and
so many of response, under the relay's keys (PREFIX:1:ISSUER:s1:SERIAL, one issuer, serials of so many
octets) with an expiry; another one with the same values under redis-benchmark's keys (key: and twelve
digits) without; and a third one with these keys and an expiry, which shows how much of the difference
is the expiry's and how much the key's text. What counts is used_memory, less that of the empty server.
Prints a table (Markdown).
"""

import argparse
import hashlib
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

HEADER = 24
WEEK = b"$2\r\nPX\r\n$9\r\n604800000\r\n"
BATCH = 2000


def relay_key(issuer, serial_len):
    """The name of the n-th record."""
    head = f"ocspr:1:{issuer}:s1:4a"
    return lambda n: f"{head}{n:0{2 * (serial_len - 1)}x}".encode()


def benchmark_key(n):
    return b"key:%012d" % n


def command(key, value, has_expiry):
    head = b"*5\r\n" if has_expiry else b"*3\r\n"
    return b"%s$3\r\nSET\r\n$%d\r\n%s\r\n%s%s" % (head, len(key), key, value,
                                                  WEEK if has_expiry else b"")


def ask(path, *words):
    with socket.socket(socket.AF_UNIX) as connection, connection.makefile("rwb") as stream:
        connection.connect(path)
        stream.write(b"*%d\r\n" % len(words) +
                     b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words))
        stream.flush()
        return stream.read(int(stream.readline()[1:]))


def used_memory(path):
    for line in ask(path, b"INFO", b"memory").split(b"\r\n"):
        if line.startswith(b"used_memory:"):
            return int(line.split(b":")[1])
    raise KeyError("used_memory")


def fill(path, count, name, value, has_expiry):
    """value: as a word of the protocol."""
    with socket.socket(socket.AF_UNIX) as connection, connection.makefile("rb") as stream:
        connection.connect(path)
        for first in range(0, count, BATCH):
            numbers = range(first, min(first + BATCH, count))
            connection.sendall(b"".join(command(name(n), value, has_expiry) for n in numbers))
            if stream.read(5 * len(numbers)) != b"+OK\r\n" * len(numbers):
                raise RuntimeError("Redis has not taken all")


def measure(count, name, size, has_expiry):
    """Octets of memory for each record."""
    with tempfile.TemporaryDirectory() as directory:
        path = str(pathlib.Path(directory) / "socket")
        with subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", path, "--save", "",
                               "--appendonly", "no", "--dir", directory],
                              stdout=subprocess.DEVNULL) as server:
            try:
                while not pathlib.Path(path).exists():
                    time.sleep(0.01)
                empty = used_memory(path)
                length = HEADER + size
                fill(path, count, name, b"$%d\r\n%s\r\n" % (length, bytes(length)), has_expiry)
                return (used_memory(path) - empty) / count
            finally:
                server.kill()


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000000)
    parser.add_argument("--serial", type=int, default=16, help="octets of a serial number")
    parser.add_argument("--sizes", default="300,500,720,1000,1300,2000", help="of responses")
    args = parser.parse_args()
    if shutil.which("redis-server") is None:
        parser.error("redis-server is not installed")
    version = subprocess.run(["redis-server", "--version"], capture_output=True, text=True,
                             check=True).stdout.split()[2].removeprefix("v=")
    name = relay_key(hashlib.sha256(b"issuer").hexdigest(), args.serial)
    print(f"Redis {version}, {args.count} records, keys of {len(name(0))} octets.\n\n"
          "| response | record in Redis | same value by redis-benchmark | ratio | of the difference: "
          "key | expiry |\n|---|---|---|---|---|---|")
    for size in map(int, args.sizes.split(",")):
        ours = measure(args.count, name, size, True)
        plain = measure(args.count, benchmark_key, size, False)
        expiring = measure(args.count, benchmark_key, size, True)
        print(f"| {size} | {ours:.0f} | {plain:.0f} | {ours / plain:.3f} | {ours - expiring:.0f} | "
              f"{expiring - plain:.0f} |", flush=True)


if __name__ == "__main__":
    main()
