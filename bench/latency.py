#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""How long hits take, and how long while something else goes on.

    latency.py --relay ./ocsprelay --programs bench --seconds 5 [--rate 5000]

Hits fall due by the clock, whatever becomes of those before, and the time of one counts from then
on: what a wrk that waits does not see. They are spread by Zipf's law over a thousand certificates.
For each trouble the same relay is measured without and with it in turns. The relay is pinned to one
core with all its threads, and everything else to the other one.
"""

import contextlib
import os
import pathlib
import signal
import statistics
import subprocess
import tempfile

import filled
import load
import misses
import servers
import setting
import table

HITS = 1000  # certificates
HANGING = 1000  # misses
DELAY_MS = 1000  # of the responder that is slow
TOO_MANY = 3000  # misses per second, where 64 at a time wait for that responder
TRICKLE = 200  # misses per second that go through Redis
QUANTILES = ("p50", "p99", "p999")


class Bench:
    """What all troubles have: options, material, and certificates that nobody has asked for yet."""

    def __init__(self, args, stack, directory, of, count):
        self.args, self.stack, self.directory, self.of = args, stack, directory, of
        self.count = count
        self.next = {}
        self.seconds = args.seconds / setting.rounds(args)

    def relay(self, name, delay_ms=0, stores=(), issuer=""):
        """(process id, port) of one that has what the hits ask for."""
        upstream = setting.start_responder(self.stack, self.args, self.of, delay_ms, HITS)
        server = setting.start(self.stack, servers.relay(
            self.args, self.directory / name, self.of, upstream, stores=stores, issuer=issuer))
        filled.fill(self.args, self.of, server[1], 0, HITS)
        self.next[server[1]] = HITS
        return server

    def hits(self, port):
        driver = load.begin(self.args, self.of, port, c=32, k=HITS, z=1, r=self.args.rate,
                            s=self.seconds)
        told = load.result(driver)
        load.end(driver)
        return told

    @contextlib.contextmanager
    def asking(self, port, rate, connections):
        """Misses at that rate."""
        first, most = self.next[port], self.count - self.next[port]
        n = min(int(rate * (self.seconds + 0.5)), most)
        self.next[port] += n
        driver = load.begin(self.args, self.of, port, c=connections, f=first, k=n, n=n, r=rate)
        yield
        load.result(driver, is_strict=False)
        load.end(driver)


# --- troubles: each gives (what is measured without it, a context manager that makes it) ----------


def hanging_misses(bench):
    _, port = bench.relay("hanging", DELAY_MS, issuer=f"max_inflight = {2 * HANGING}")

    @contextlib.contextmanager
    def trouble():
        with bench.asking(port, HANGING * 1000 / DELAY_MS, 2 * HANGING):
            filled.wait_for(bench.directory / "hanging", "waiters", min(HANGING, 100) / 2)
            yield
    return port, contextlib.nullcontext, trouble


def overload(bench):
    _, port = bench.relay("overload", DELAY_MS)
    return port, contextlib.nullcontext, lambda: bench.asking(port, TOO_MANY, 1000)


def mass_refresh(bench):
    _, port = bench.relay("refresh")
    filled.fill(bench.args, bench.of, port, HITS, bench.count - HITS)

    @contextlib.contextmanager
    def trouble():
        with subprocess.Popen(
                ["taskset", "-c", load.CORE, bench.args.relay, "refresh", "--all", "--admin",
                 f"unix:{bench.directory}/refresh/admin"], stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL):
            yield
    return port, contextlib.nullcontext, trouble


def _with_redis(bench, name):
    pid, redis = setting.start(bench.stack, servers.redis(bench.directory / (name + "-redis")),
                               load.CORE)
    _, port = bench.relay(name, stores=[f"redis://127.0.0.1:{redis}/0"])
    misses.Redis(redis).wait_for(HITS)
    return pid, port, lambda: bench.asking(port, TRICKLE, 256)


def redis_hangs(bench):
    pid, port, quiet = _with_redis(bench, "hangs")

    @contextlib.contextmanager
    def trouble():
        os.kill(pid, signal.SIGSTOP)
        try:
            with quiet():
                yield
        finally:
            os.kill(pid, signal.SIGCONT)
    return port, quiet, trouble


def redis_gone(bench):
    pid, port, quiet = _with_redis(bench, "gone")

    @contextlib.contextmanager
    def trouble():
        os.kill(pid, signal.SIGKILL)
        with quiet():
            yield
    return port, quiet, trouble


TROUBLES = (
    (f"{HANGING} misses hang on a responder that takes 1 s", hanging_misses, setting.ROUNDS),
    (f"{TOO_MANY} misses/s, 64 at a time on that responder", overload, setting.ROUNDS),
    ("all entries are refreshed", mass_refresh, setting.ROUNDS),
    (f"Redis hangs ({TRICKLE} misses/s)", redis_hangs, setting.ROUNDS),
    (f"Redis is killed ({TRICKLE} misses/s)", redis_gone, 1),
)


def measure(bench, begin, rounds):
    """Two rows of quantiles, without and with, and the ratio of the p99."""
    port, quiet, trouble = begin(bench)
    figures = [], []
    for _ in range(min(rounds, setting.rounds(bench.args))):
        for told, situation in zip(figures, (quiet, trouble)):
            with situation():
                told.append(bench.hits(port))
    rows = [[statistics.median(figure[quantile] for figure in of) for quantile in QUANTILES]
            for of in figures]
    return rows, table.ratio(rows[1][1], rows[0][1])


def main():
    args = setting.parse(__doc__, rate=5000)
    have = setting.installed("redis-server")
    count = setting.misses(args)
    of = setting.material(args, count, args.signer or "rsa")
    print(f"{args.rate} hits per second by the clock, over 32 connections; {count} certificates.\n")
    rows = []
    for name, begin, rounds in TROUBLES:
        if name.startswith("Redis") and not have:
            continue
        with contextlib.ExitStack() as stack:
            directory = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
            (without, during), ratio = measure(Bench(args, stack, directory, of, count), begin,
                                               rounds)
        rows += [(f"before: {name}", *(f"{us:.0f}" for us in without), ""),
                 (name, *(f"{us:.0f}" for us in during), ratio)]
    print(table.markdown(("while", "p50 us", "p99 us", "p99.9 us", "p99 to before"), rows))


if __name__ == "__main__":
    main()
