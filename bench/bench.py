#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""What hits and misses cost: CPU of the server per request, side by side on this machine.

    bench.py --relay ./ocsprelay --programs bench --seconds 5 [--out DIR]

Each server that is installed is pinned to one core and has one worker; what drives it is on another
one. Its user and system time is read from the kernel before and after, and divided by the answers
that were counted: a figure that holds also when the load generator is the bottleneck. Servers take
turns, and the median of a server's turns counts, so that a machine that changes its mind does not
spoil ratios. All serve the same response with the same header fields; the caches of the peers are
filled from the relay. Prints tables (Markdown) and writes them with a plot to DIR.
"""

import pathlib
import tempfile

import hits
import misses
import setting
import table


def main():
    args = setting.parse(__doc__, out=".")
    have = setting.installed("wrk", "haproxy", "nginx", "varnishd", "redis-server")
    count = setting.misses(args)
    material = setting.material(args, count, args.signer or "rsa")
    text, groups = "", []
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        if "wrk" in have:
            rows, octets = hits.measure(args, have, directory, material)
            text += (f"Hits: {octets} octets, {hits.CONNECTIONS} kept connections, about "
                     f"{args.seconds:g} s each.\n\n" + hits.tell(rows))
            groups.append(("Server CPU per hit, microseconds", [row[:2] for row in rows]))
            print(text, flush=True)
        rows, told = misses.measure(args, have, directory, material, count)
    part = (f"Misses: {count} certificates, {misses.CONNECTIONS} kept connections.\n\n" +
            misses.tell(rows) + "\n" + told)
    print(part)
    groups.append(("Server CPU per miss, microseconds", [row[:2] for row in rows]))
    out = pathlib.Path(args.out)
    (out / "bench.md").write_text(text + "\n" + part)
    (out / "bench.svg").write_text(table.bars(groups))


if __name__ == "__main__":
    main()
