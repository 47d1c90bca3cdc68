#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""What a tier costs: CPU of the relay for an answer that memory does not hold, from the disk and from
Redis, and the memory that records take in Redis.

    tiers.py --relay ./ocsprelay --certificates 5000

One relay fetches the responses of so many certificates into both stores. Then one with an empty
memory and the disk alone, and one with Redis alone, are asked for each of them once, over 16 kept
connections, and their user and system time is divided by the answers. Both verify each record: the
difference is the store's. Prints tables (Markdown).
"""

import argparse
import base64
import contextlib
import os
import pathlib
import socket
import sys
import tempfile
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "e2e"))

import pki as pki_module  # noqa: E402
from bench import cpu_seconds, free_port, running  # noqa: E402
from redis_kit import Redis  # noqa: E402
from relay import until  # noqa: E402
from responder import Responder  # noqa: E402

CONNECTIONS = 16


def config_with(directory, pki, responder, stores):
    port = free_port()
    config = directory / "relay.conf"
    (directory / "ca.pem").write_bytes(pki.ca.pem)
    config.write_text(f'''
listen = {{"127.0.0.1:{port}"}}
admin = ""
user = ""
issuer_dir = ""
threads = 1
store = {{{", ".join(f'"{store}"' for store in stores)}}}
redis {{ timeout = 1s }}
limits {{ max_requests_per_connection = 1000000000 }}
issuer "bench" {{ certificate = {{"{directory}/ca.pem"}} responders = {{"{responder.url}"}} }}
''')
    return config, port


def read_answer(stream):
    """The last word of its Cache-Status."""
    length, status = 0, ""
    while (line := stream.readline()) != b"\r\n":
        name, _, value = line.decode().strip().partition(": ")
        if name == "Content-Length":
            length = int(value)
        if name == "Cache-Status":
            status = value.rsplit("=", 1)[-1]
    stream.read(length)
    return status


def ask_all(port, requests):
    """Each once, over so many connections at a time; where the answers came from, counted."""
    seen = {}
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_connection(("127.0.0.1", port)))
                   for _ in range(CONNECTIONS)]
        streams = [stack.enter_context(sock.makefile("rb")) for sock in sockets]
        for start in range(0, len(requests), CONNECTIONS):
            part = requests[start:start + CONNECTIONS]
            for sock, der in zip(sockets, part):
                target = urllib.parse.quote(base64.b64encode(der).decode(), safe="")
                sock.sendall(f"GET /{target} HTTP/1.1\r\nHost: bench\r\n\r\n".encode())
            for stream in streams[:len(part)]:
                status = read_answer(stream)
                seen[status] = seen.get(status, 0) + 1
    return seen


def measure(relay, directory, setting, stores, requests):
    """CPU microseconds per answer, and where the answers came from."""
    config, port = config_with(directory, *setting, stores)
    with running([relay, "serve", "-c", config], port) as pid:
        ask_all(port, requests[:50])
        before = cpu_seconds(pid)
        seen = ask_all(port, requests[50:])
        return (cpu_seconds(pid) - before) / (len(requests) - 50) * 1e6, seen


def redis_memory(server):
    return int(dict(line.split(":", 1) for line in server.call("INFO", "memory").decode().split()
                    if ":" in line)["used_memory"])


def run(args, directory):
    pki = pki_module.Pki()
    requests = [pki_module.request(pki.ca.certid(pki_module.new_serial()))
                for _ in range(args.certificates)]
    server = Redis()
    disk = f"lmdb:{directory}/store"
    with Responder(pki) as responder:
        setting = pki, responder
        empty = redis_memory(server)
        measure(args.relay, directory, setting, [disk, server.url], requests)
        until(lambda: server.call("DBSIZE") == len(requests))
        used = redis_memory(server) - empty
        rows = [("miss from LMDB", *measure(args.relay, directory, setting, [disk], requests)),
                ("miss from Redis", *measure(args.relay, directory, setting, [server.url],
                                             requests))]
        lengths = [server.call("STRLEN", key) for key in server.keys("ocspr:1:*")]
        other = Redis()
        empty = redis_memory(other)
        for i, length in enumerate(lengths):  # as redis-benchmark names its keys
            other.call("SET", f"key:{i:012d}", "x" * length)
        plain = redis_memory(other) - empty
    server.stop()
    other.stop()
    print("| answer | CPU us | to LMDB | from |\n|---|---|---|---|")
    for name, cpu, seen in rows:
        print(f"| {name} | {cpu:.1f} | {cpu / rows[0][1]:.2f} | {seen} |")
    n = len(lengths)
    print(f"\n{n} records of {sum(lengths) / n:.0f} octets in Redis: {used / n:.0f} octets each; "
          f"the same values under redis-benchmark's keys: {plain / n:.0f}; "
          f"ratio {used / plain:.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--relay", required=True, type=os.path.abspath)
    parser.add_argument("--certificates", type=int, default=5000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        run(args, pathlib.Path(name))


if __name__ == "__main__":
    main()
