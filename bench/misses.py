# SPDX-License-Identifier: ISC
"""What a miss costs: each certificate is asked for once, by drive.c in turns, against nginx that
passes on what it does not look at. Then again, out of the stores that were filled by that."""

import contextlib
import re
import socket
import statistics
import time

import servers
import setting
import table
from load import CORE, drive_cost
from process import PATIENCE
from setting import start, start_responder

PASSED = "nginx passing through"
FROM_LMDB, FROM_REDIS = "ocsprelay, from LMDB", "ocsprelay, from Redis"
HEAD = ("miss", "CPU us/request", "requests/s", f"to {PASSED}", f"to {FROM_LMDB}")
CONNECTIONS = 16
SETTLE = 0.3  # seconds: what a server does after its last answer counts too


class Redis:
    """As much of a client as is needed."""

    def __init__(self, port):
        self.stream = socket.create_connection(("127.0.0.1", port), PATIENCE).makefile("rwb")

    def call(self, *words):
        """Words as they are; the answer, a number or octets."""
        self.stream.write(b"*%d\r\n" % len(words) + b"".join(
            b"$%d\r\n%s\r\n" % (len(word), word) for word in words))
        self.stream.flush()
        line = self.stream.readline()
        if line[:1] == b"$":
            return self.stream.read(int(line[1:]) + 2)[:-2]
        return int(line[1:]) if line[:1] == b":" else line

    def memory(self):
        return int(re.search(rb"used_memory:(\d+)", self.call(b"INFO", b"memory"))[1])

    def wait_for(self, count):
        end = time.monotonic() + PATIENCE
        while self.call(b"DBSIZE") < count:
            if time.monotonic() > end:
                raise RuntimeError("Redis has not got all records")
            time.sleep(0.05)


def in_turns(args, material, figures, rows, count):
    """Asks each server for all certificates, a part in each round."""
    rounds = setting.rounds(args)
    part = count // rounds
    for turn in range(rounds):
        for name, pid, port in rows:
            cpu, told = drive_cost([pid], args, material, port, SETTLE, c=CONNECTIONS,
                                   f=turn * part, k=part, n=part)
            figures.setdefault(name, []).append((cpu, told["requests"] / told["seconds"]))


def measure(args, have, directory, material, count):
    """([name, CPU, rate], what Redis takes as text)"""
    figures, told = {}, ""
    disk = f"lmdb:{directory}/store"
    with contextlib.ExitStack() as stack:
        upstream = start_responder(stack, args, material)
        shared = None
        if "redis-server" in have:
            _, port = start(stack, servers.redis(directory / "redis"), CORE)
            shared, url = Redis(port), f"redis://127.0.0.1:{port}/0"
            empty = shared.memory()
        rows = []
        with contextlib.ExitStack() as servers_of_misses:
            def relay(name, stores):
                return start(servers_of_misses, servers.relay(
                    args, directory / name, material, upstream, stores=stores))
            if "nginx" in have:
                rows.append((PASSED, *start(servers_of_misses, servers.nginx(
                    directory / "pass", upstream, "proxy_buffers 8 4k;"))))
            rows += [("ocsprelay, memory alone", *relay("memory", [])),
                     ("ocsprelay, stored in LMDB", *relay("disk", [disk]))]
            if shared:
                rows.append(("ocsprelay, stored in Redis", *relay("shared", [url])))
            in_turns(args, material, figures, rows, count)
        if shared:
            shared.wait_for(count - count % setting.rounds(args))
            told = redis_memory(shared, shared.memory() - empty, directory)
        rows = [(FROM_LMDB, *start(stack, servers.relay(args, directory / "disk2", material,
                                                         upstream, stores=[disk])))]
        if shared:
            rows.append((FROM_REDIS, *start(stack, servers.relay(
                args, directory / "shared2", material, upstream, stores=[url]))))
        in_turns(args, material, figures, rows, count)
    return [(name, *map(statistics.median, zip(*of))) for name, of in figures.items()], told


def redis_memory(shared, used, directory):
    """Against the same values under keys as redis-benchmark names them."""
    count = shared.call(b"DBSIZE")
    length = shared.call(b"STRLEN", shared.call(b"RANDOMKEY"))
    with contextlib.ExitStack() as stack:
        other = Redis(start(stack, servers.redis(directory / "plain"), CORE)[1])
        empty = other.memory()
        for i in range(count):
            other.call(b"SET", b"key:%012d" % i, b"x" * length)
        plain = other.memory() - empty
    return (f"{count} records of {length} octets in Redis: {used / count:.0f} octets each; the same "
            f"values under redis-benchmark's keys: {plain / count:.0f}; ratio {used / plain:.2f}\n")


def tell(rows):
    by_name = {name: cpu for name, cpu, _ in rows}
    return table.markdown(HEAD, [
        (name, f"{cpu:.1f}", f"{rate:,.0f}", table.ratio(cpu, by_name.get(PASSED)),
         table.ratio(cpu, by_name[FROM_LMDB]) if " from " in name else "-")
        for name, cpu, rate in rows])
