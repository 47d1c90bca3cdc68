# SPDX-License-Identifier: ISC
"""What a hit costs: everybody answers for one certificate, driven by wrk in turns."""

import contextlib
import statistics

import servers
import setting
import table
from load import CONNECTIONS, ask, drive_cost, target_of, write_script, wrk_cost
from process import free_port
from setting import start, start_responder

HEAD = ("server", "CPU us/request", "requests/s", "to the limit", "to the best peer")
OURS = "ocsprelay"


def scripts(directory, der, etag):
    return {"GET": None,
            "POST": write_script(directory / "post.lua", "POST", der,
                                 Content_Type="application/ocsp-request"),
            "304": write_script(directory / "304.lua", If_None_Match=etag)}


def etag_of(head):
    return next(line.split(": ", 1)[1] for line in head.decode().split("\r\n")
                if line.lower().startswith("etag: "))


def start_all(stack, args, have, directory, material):
    """([name, process id, port, kind of request], target, head and body of the answer)"""
    upstream = start_responder(stack, args, material)
    relay, origin = start(stack, servers.relay(args, directory / "relay", material, upstream))
    target = target_of((material / "request").read_bytes())
    ask(origin, target)  # the miss
    answer = ask(origin, target)
    (directory / "answer").write_bytes(b"".join(answer))
    rows = [("limit", *start(stack, servers.program(args, "limit", free_port(),
                                                    directory / "answer")), "GET"),
            ("libevent evhttp", *start(stack, servers.program(args, "evhttp", free_port(),
                                                              directory / "answer")), "GET")]
    rows += [(f"{OURS} {kind}", relay, origin, kind) for kind in ("GET", "POST", "304", "HEAD")]
    if "haproxy" in have:
        server = start(stack, servers.haproxy(directory / "haproxy", origin))
        rows.append(("HAProxy cache GET", *server, "GET"))
    if "nginx" in have:
        server = start(stack, servers.nginx(directory / "nginx", origin))
        rows += [("nginx proxy_cache GET", *server, "GET"),
                 ("nginx proxy_cache POST", *server, "POST")]
    if "varnishd" in have:
        server = start(stack, servers.varnish(directory / "varnish", origin))
        rows.append(("Varnish GET", *server, "GET"))
    return rows, target, answer


def measure(args, have, directory, material):
    """([name, CPU, rate], octets of the response)"""
    rounds = setting.rounds(args)
    seconds = max(1, round(args.seconds / rounds))
    figures = {}
    with contextlib.ExitStack() as stack:
        rows, target, (head, body) = start_all(stack, args, have, directory, material)
        script = scripts(directory, (material / "request").read_bytes(), etag_of(head))
        for _, _, port, _ in rows:  # fills the caches
            ask(port, target)
        for _ in range(rounds):
            for name, pid, port, kind in rows:
                if kind == "HEAD":  # wrk waits for a body
                    cpu, told = drive_cost([pid], args, material, port, s=seconds, m="HEAD")
                    figure = cpu, told["requests"] / told["seconds"]
                else:
                    figure = wrk_cost(pid, f"http://127.0.0.1:{port}{target}", seconds,
                                      script[kind])
                figures.setdefault(name, []).append(figure)
    return [(name, *map(statistics.median, zip(*of))) for name, of in figures.items()], len(body)


def tell(rows):
    limit = rows[0][1]
    best = min((cpu for name, cpu, _ in rows[2:] if not name.startswith(OURS)), default=None)
    return table.markdown(HEAD, [(name, f"{cpu:.2f}", f"{rate:,.0f}", table.ratio(cpu, limit),
                                  table.ratio(cpu, best)) for name, cpu, rate in rows])
