#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""How many instructions an answer takes: a number that repeats where times do not.

    instructions.py --relay ./ocsprelay [--numbers bench/instructions.txt] [--update] [--top 12]

The relay runs under callgrind once with a single miss, and once more for each kind of request with
many of them over one kept connection; what that run took more, divided by them, is one answer. Only instructions of our own binary are judged: those of the libraries are shown, but they
change with the distribution. More than the file says by over its tolerance is a failure. Numbers of
another compiler or of other flags are not compared. The store on disk is left out: LMDB does not
open under valgrind.
"""

import argparse
import base64
import collections
import concurrent.futures
import contextlib
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "e2e"))

import pki as pki_module  # noqa: E402
from process import PATIENCE, free_port, running  # noqa: E402
from responder import Responder  # noqa: E402

TOLERANCE = {"miss": 0.05}  # others:
HIT_TOLERANCE = 0.03
MANY = {"miss": 400}  # others:
MANY_HITS = 1600
ESCAPES = 4  # characters of a GET target that need one, on average; their number costs


class Client:
    """One kept connection."""

    def __init__(self, port):
        self.sock = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.host = f"Host: 127.0.0.1:{port}\r\n"

    def ask(self, method, target, *fields, body=b""):
        """The head of the answer; a HEAD or 304 has nothing behind it."""
        head = f"{method} {target} HTTP/1.1\r\n{self.host}" + "".join(f + "\r\n" for f in fields)
        self.sock.sendall(head.encode() + b"\r\n" + body)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self.sock.recv(65536)
        head, _, rest = answer.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        if length and method != "HEAD" and b" 304 " not in head:
            while len(rest) < int(length[1]):
                rest += self.sock.recv(65536)
        return head.decode()


def target_of(der):
    return "/" + urllib.parse.quote(base64.b64encode(der).decode(), safe="")


def new_pki():
    """One whose hashes leave a serial number room for the wanted number of escapes."""
    while True:
        pki = pki_module.Pki()
        if target_of(pki_module.request(pki.ca.certid(1 << 126))).count("%") < ESCAPES:
            return pki


def request_of(ca):
    """A request whose target has a fixed number of escapes."""
    while True:
        serial = int.from_bytes(os.urandom(16), "big") >> 2 | 1 << 126
        der = pki_module.request(ca.certid(serial))
        if target_of(der).count("%") == ESCAPES:
            return der


def send(client, ca, kind, count):
    """So many requests of a kind, after what they need to be hits."""
    der = request_of(ca)
    target = target_of(der)
    head = client.ask("GET", target)
    if kind == "304":
        etag = re.search(r"(?i)etag: (\S+)", head)[1]
    for _ in range(count):
        if kind == "miss":
            head = client.ask("GET", target_of(request_of(ca)))
        elif kind == "post":
            head = client.ask("POST", "/", "Content-Type: application/ocsp-request",
                              f"Content-Length: {len(der)}", body=der)
        elif kind == "304":
            head = client.ask("GET", target, f"If-None-Match: {etag}")
        else:
            head = client.ask(kind.upper(), target)
        if head.split(" ")[1] != ("304" if kind == "304" else "200"):
            raise RuntimeError(head)


def read_counts(path):
    """Instructions by (object, function) out of callgrind's file."""
    counts = collections.Counter()
    names = {"ob": {}, "fn": {}}
    at = {"ob": "", "fn": ""}
    is_call = False
    for line in path.read_text().splitlines():
        if match := re.match(r"(c?)(ob|fn)=\((\d+)\)(?: (.*))?$", line):
            called, what, number, name = match.groups()
            if name:
                names[what][number] = name
            if not called:
                at[what] = names[what][number]
        elif line.startswith("calls="):
            is_call = True  # the next line is what the callee took, counted there
        elif re.match(r"[-+*\d]", line):
            if not is_call:
                counts[os.path.basename(at["ob"]), at["fn"]] += int(line.split()[1])
            is_call = False
    return counts


def run(relay, kind, count):
    """Instructions of a whole life with so many requests."""
    pki = new_pki()
    with contextlib.ExitStack() as stack:
        directory = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        responder = stack.enter_context(Responder(pki))
        (directory / "ca.pem").write_bytes(pki.ca.pem)
        port = free_port()
        (directory / "relay.conf").write_text(f'''
listen = {{"127.0.0.1:{port}"}}
admin = ""
user = ""
issuer_dir = ""
threads = 1
store = {{}}
limits {{ max_requests_per_connection = 1000000000 }}
issuer "bench" {{ certificate = {{"{directory}/ca.pem"}} responders = {{"{responder.url}"}} }}
''')
        with running(["valgrind", "-q", "--tool=callgrind",
                      f"--callgrind-out-file={directory}/counts",
                      relay, "serve", "-c", directory / "relay.conf"], port, cores="0-1023"):
            send(Client(port), pki.ca, kind, count)
        return read_counts(directory / "counts")


def measure(pool, relay, kinds):
    """Instructions of one answer of each kind, by (object, function)."""
    many = {kind: MANY.get(kind, MANY_HITS) for kind in kinds}
    runs = {kind: pool.submit(run, relay, kind, many[kind]) for kind in kinds}
    idle = run(relay, "get", 0)
    counts = {}
    for kind in kinds:
        more = runs[kind].result()
        more.subtract(idle)
        counts[kind] = {where: count / many[kind] for where, count in more.items()}
    return counts


def build_of(relay):
    """Compiler and optimisation, as the debug information has them."""
    match = re.search(rb"GNU C11 ([\d.]+) [^\0]*?-march=(\S+) [^\0]*?(-O\w)",
                      pathlib.Path(relay).read_bytes())
    return "gcc {} {} {}".format(*(part.decode() for part in match.groups())) if match else "?"


def read_numbers(path):
    """(build, {kind: instructions})"""
    numbers, build = {}, None
    for line in path.read_text().splitlines():
        word, _, value = line.partition(" ")
        if word == "build":
            build = value
        elif word and word != "#":
            numbers[word] = int(value)
    return build, numbers


def write_numbers(path, build, own):
    comments = [line for line in path.read_text().splitlines() if line.startswith("#")]
    lines = [*comments, f"build {build}", *(f"{kind} {n:.0f}" for kind, n in own.items())]
    path.write_text("\n".join(lines) + "\n")


def print_top(kind, counts, n):
    print(f"\n{kind}, by function:")
    for (where, function), count in sorted(counts.items(), key=lambda row: -row[1])[:n]:
        print(f"{count:10.0f}  {where}: {function}")


def judge(kind, now, before):
    """True unless it takes too many."""
    tolerance = TOLERANCE.get(kind, HIT_TOLERANCE)
    if now > before * (1 + tolerance):
        print(f"FAILED: {kind} takes {now:.0f} instructions, {before} before "
              f"(+{(now / before - 1) * 100:.1f} %)")
        return False
    if now < before * (1 - tolerance):
        print(f"{kind} takes fewer than before: note it by --update")
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--relay", required=True, type=os.path.abspath)
    parser.add_argument("--numbers", type=pathlib.Path, default=HERE / "instructions.txt")
    parser.add_argument("--update", action="store_true", help="write the numbers of this build")
    parser.add_argument("--top", type=int, default=0, help="show so many functions of each kind")
    args = parser.parse_args()
    if not shutil.which("valgrind"):
        print("not installed, nothing counted: valgrind")
        return 0
    binary = os.path.basename(args.relay)
    build, (noted_build, noted) = build_of(args.relay), read_numbers(args.numbers)
    kinds = list(noted)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        counts = measure(pool, args.relay, kinds)
    own = {kind: sum(n for (where, _), n in counts[kind].items() if where == binary)
           for kind in kinds}
    print("| answer | instructions of our own | noted | of libraries |\n|---|---|---|---|")
    for kind in kinds:
        print(f"| {kind} | {own[kind]:.0f} | {noted[kind]} | "
              f"{sum(counts[kind].values()) - own[kind]:.0f} |")
    if args.top:
        for kind in kinds:
            print_top(kind, counts[kind], args.top)
    if args.update:
        write_numbers(args.numbers, build, own)
        return 0
    if build != noted_build:
        print(f"noted for {noted_build}, this is {build}: not compared")
        return 0
    return 0 if all([judge(kind, own[kind], noted[kind]) for kind in kinds]) else 1


if __name__ == "__main__":
    sys.exit(main())
