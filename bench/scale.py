#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""What a hit costs and what memory is taken, the more entries, connections and threads there are.

    scale.py --relay ./ocsprelay --programs bench --seconds 5 [--entries 1000000] [--signer rsa]

Entries: look-ups are spread by Zipf's law (exponent 1) over all that there are, in turns with a relay
that holds a thousand. Connections: that many, of which all or only 64 ask. Threads: two front
threads, against two relays of one thread each with half of the connections, all on the same two
cores and with the load generators in between: what sharing costs is the difference. Memory is what
is private and written (Private_Dirty), without what is mapped from the store's file.
"""

import contextlib
import os
import pathlib
import resource
import statistics
import tempfile

import filled
import load
import servers
import setting
import table
from process import cpu_seconds, memory

FEW = 1000
ASKING = 64
CONNECTIONS = (100, 1000, 10000)
DESCRIPTORS = 2 / 3  # of those allowed: the relay leaves a quarter of them for other things


def steps(entries):
    count = FEW
    while count < entries:
        yield count
        count *= 10
    yield entries


def hits(args, of, pid, port, **options):
    """CPU per hit and what drive told."""
    return load.drive_cost([pid], args, of, port, s=args.seconds / setting.rounds(args), **options)


def measure_entries(args, stack, directory, of):
    """Rows: entries, CPU, ratio, octets: resident, counted, beyond what is not shared."""
    upstream = setting.start_responder(stack, args, of)
    few_pid, few_port = setting.start(stack, servers.relay(args, directory / "few", of, upstream))
    filled.fill(args, of, few_port, 0, FEW)
    pid, port = filled.start_with_store(stack, args, directory / "many", of)
    load.ask(port, load.target_of((of / "request").read_bytes()))
    empty, own = memory(pid)[1], filled.lengths(of)[1]
    have, rows = 0, []
    for count in steps(args.entries):
        filled.fill(args, of, port, have, count - have)
        have = count
        few, many = [], []
        for _ in range(setting.rounds(args)):
            few.append(hits(args, of, few_pid, few_port, k=FEW, z=1)[0])
            many.append(hits(args, of, pid, port, k=count, z=1)[0])
        private = (memory(pid)[1] - empty) / count
        counted = filled.metric(directory / "many", "cache_bytes") / count
        assert filled.metric(directory / "many", "cache_entries") == count
        cpu, base = statistics.median(many), statistics.median(few)
        rows.append((f"{count:,}", f"{cpu:.2f}", table.ratio(cpu, base), f"{private:.0f}",
                     f"{counted:.0f}", f"{private - own:.0f}"))
    return rows


def idle_memory(args, of, pid, port, count):
    """Octets of user space for each of so many idle connections."""
    before = memory(pid)[1]
    driver = load.begin(args, of, port, c=1, i=count, s=0.1)
    load.result(driver)
    each = (memory(pid)[1] - before) / count
    load.end(driver)
    return each


def connection_counts(args):
    """As many as there may be descriptors for; in a short run not the most."""
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[1] * DESCRIPTORS
    counts = [count for count in CONNECTIONS if count <= allowed]
    if len(counts) < len(CONNECTIONS):
        print(f"too few descriptors (ulimit -Hn) for more than {counts[-1]} connections\n")
    return counts if args.seconds >= 1 else counts[:2]


def measure_connections(args, stack, directory, of):
    """Rows: connections, asking, CPU, rate, p50, p99, octets for an idle one."""
    upstream = setting.start_responder(stack, args, of)
    pid, port = setting.start(stack, servers.relay(args, directory / "relay", of, upstream))
    load.ask(port, load.target_of((of / "request").read_bytes()))
    rows = []
    for count in connection_counts(args):
        each = idle_memory(args, of, pid, port, count)
        for asking in (min(ASKING, count), count):
            figures = [hits(args, of, pid, port, c=asking, i=count - asking)
                       for _ in range(setting.rounds(args))]
            cpu = statistics.median(figure[0] for figure in figures)
            told = figures[-1][1]
            rows.append((f"{count:,}", f"{asking:,}", f"{cpu:.2f}",
                         f"{told['requests'] / told['seconds']:,.0f}", f"{told['p50']:.0f}",
                         f"{told['p99']:.0f}", f"{each:.0f}" if asking < count else ""))
    return rows


def pin_fronts(pid):
    """Each thread that serves to a core of its own."""
    fronts = [task for task in pathlib.Path(f"/proc/{pid}/task").iterdir()
              if (task / "comm").read_text() == "front\n"]
    for core, task in enumerate(fronts):
        os.sched_setaffinity(int(task.name), {core})


def measure_threads(args, stack, directory, of):
    """Rows: what serves, CPU, ratio to two processes. On each core there is one that serves, and
    one load generator for each of both: who meets whom on a core decides what a request costs."""
    upstream = setting.start_responder(stack, args, of)

    def relay(name, threads, cores):
        pid, port = setting.start(stack, servers.relay(args, directory / name, of, upstream,
                                                       threads=threads), cores)
        filled.fill(args, of, port, 0, FEW)
        return pid, port

    def run(relays):
        drivers = [load.begin(args, of, port, c=ASKING // 4, k=FEW, z=1, core=core,
                              s=args.seconds / setting.rounds(args))
                   for _, port in relays for core in "01"]
        pids = {pid for pid, _ in relays}
        before = sum(map(cpu_seconds, pids))
        n = sum(load.result(driver)["requests"] for driver in drivers)
        cpu = sum(map(cpu_seconds, pids)) - before
        for driver in drivers:
            load.end(driver)
        return cpu / n * 1e6

    apart = [relay("first", 1, "0"), relay("second", 1, "1")]
    together = [relay("both", 2, "0,1")] * 2
    pin_fronts(together[0][0])
    figures = [(run(apart), run(together)) for _ in range(setting.rounds(args))]
    two, one = map(statistics.median, zip(*figures))
    return [("two relays of one thread", f"{two:.2f}", "1.00"),
            ("one relay of two threads", f"{one:.2f}", table.ratio(one, two))]


def main():
    args = setting.parse(__doc__, entries=1000000)
    of = setting.material(args, args.entries, args.signer or "ec")
    whole, own = filled.lengths(of)
    print(f"Responses of {whole} octets, {own} of them not shared.\n")
    parts = ((("entries", "CPU us/hit", "to 1,000", "private octets/entry", "counted/entry",
               "beyond what is not shared"), measure_entries),
             (("connections", "asking", "CPU us/hit", "requests/s", "p50 us", "p99 us",
               "octets/idle one"), measure_connections),
             (("served by", "CPU us/hit", "ratio"), measure_threads))
    for head, measure in parts:
        with contextlib.ExitStack() as stack:
            directory = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
            print(table.markdown(head, measure(args, stack, directory, of)), flush=True)
    filled.mark_stored(of)


if __name__ == "__main__":
    main()
