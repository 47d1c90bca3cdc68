#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""How soon a relay answers that has many responses on disk, and what they take in memory.

    start.py --relay ./ocsprelay --programs bench [--entries 1000000] [--signer rsa]

The time is from the start of the process until the first answer is there, whole and the right one:
with the store's file in the page cache, and after the kernel has been asked to forget it. Then all
responses are asked for once, by which they come into memory.
"""

import contextlib
import os
import pathlib
import random
import struct
import subprocess
import tempfile
import time

import filled
import load
import servers
import setting
import table
from process import PATIENCE, memory

WATCHED = 2  # seconds
STARTS = 5
MIB = 1 << 20


def request_for(of, index):
    """GET target and response of that number; serial numbers as in net.c."""
    z = (index + 1) * 0x9e3779b97f4a7c15 % 2**64
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9 % 2**64
    serial = struct.pack(">QQ", (z ^ z >> 27) >> 2 | 1 << 62, index)
    with open(of / "answers", "rb") as file:
        slot, _ = struct.unpack("<QQ", file.read(16))
        file.seek(16 + index * slot)
        response = file.read(struct.unpack("<I", file.read(4))[0])
    return load.target_of((of / "request").read_bytes()[:-len(serial)] + serial), response


def forget(directory):
    """Asks the kernel to drop what it has of these files."""
    for path in directory.iterdir():
        with open(path, "rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def seconds_to_hit(server, target, expected, watched):
    """Until the first right answer; and resident octets at some seconds after that."""
    argv, port = server
    start = time.monotonic()
    with subprocess.Popen(["taskset", "-c", "0", *map(str, argv)], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as process:
        try:
            body = b""
            while body != expected:
                if time.monotonic() > start + PATIENCE:
                    raise RuntimeError("no right answer")
                with contextlib.suppress(OSError):
                    body = load.ask(port, target)[1]
                time.sleep(0.001)
            took = time.monotonic() - start
            resident = [memory(process.pid)[0]]
            for _ in range(watched):
                time.sleep(1)
                resident.append(memory(process.pid)[0])
        finally:
            process.terminate()
    return took, resident


def measure_starts(args, directory, of):
    """Rows: page cache, longest and shortest time, resident octets."""
    rows = []
    stores = [f"lmdb:{of}/store"]
    watch = round(min(args.seconds, WATCHED))
    for name, is_cold in (("warm", False), ("cold", True)):
        times, watched = [], []
        for i in range(STARTS):
            if is_cold:
                forget(of / "store")
            # a responder that is not there: what is answered comes from the disk
            server = servers.relay(args, directory / f"{name}{i}", of, 9, stores=stores)
            took, resident = seconds_to_hit(server, *request_for(of, random.randrange(args.entries)),
                                            watch if i == 0 else 0)
            times.append(took)
            watched = resident if i == 0 else watched
        rows.append((name, f"{max(times) * 1000:.0f}", f"{min(times) * 1000:.0f}",
                     " ".join(f"{octets / MIB:.1f}" for octets in watched)))
    return rows


def measure_memory(args, stack, directory, of):
    pid, port = filled.start_with_store(stack, args, directory / "full", of)
    empty = memory(pid)
    filled.fill(args, of, port, 0, args.entries)
    full = memory(pid)
    counted = filled.metric(directory / "full", "cache_bytes")
    entries = filled.metric(directory / "full", "cache_entries")
    whole, own = filled.lengths(of)
    return [("entries in memory", f"{entries:,.0f}"),
            ("octets of a response", whole), ("of these not shared", own),
            ("private memory, MiB", f"{full[1] / MIB:.0f}"),
            ("resident, pages of the store's file included, MiB", f"{full[0] / MIB:.0f}"),
            ("counted by the cache, MiB", f"{counted / MIB:.0f}"),
            ("private octets of an entry beyond what is not shared",
             f"{(full[1] - empty[1]) / entries - own:.0f}"),
            ("counted octets of an entry beyond what is not shared", f"{counted / entries - own:.0f}")]


def main():
    args = setting.parse(__doc__, entries=1000000)
    of = setting.material(args, args.entries, args.signer or "ec")
    with contextlib.ExitStack() as stack:
        directory = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        filled.ensure_store(args, directory / "filling", of, args.entries)
        print(table.markdown(
            (f"store of {args.entries:,} in the page cache", "first hit after at most ms",
             "at least ms", "MiB resident then and in each second"),
            measure_starts(args, directory, of)), flush=True)
        print(table.markdown(("memory", ""), measure_memory(args, stack, directory, of)))


if __name__ == "__main__":
    main()
