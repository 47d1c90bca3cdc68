#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""What a hit costs: CPU of the server per request, side by side on this machine.

    bench.py --relay ./ocsprelay --limit bench/limit --seconds 5 [--out DIR]

Each server that is installed runs in turn, pinned to one core and with one worker, and is driven by
wrk on another core over kept connections. Its user and system time is read from the kernel before
and after, and divided by the answers that wrk counted: a figure that holds also when the load
generator is the bottleneck. All serve the same response with the same header fields; the caches of
the peers are filled from the relay. Prints a table (Markdown) and writes it with a plot to DIR.
"""

import argparse
import contextlib
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "e2e"))

import pki as pki_module  # noqa: E402
from responder import Responder  # noqa: E402

CONNECTIONS = 64
TICK = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def cpu_seconds(pid):
    """User and system time of a process and all below it, living ones."""
    total = 0
    pids = [pid]
    while pids:
        pid = pids.pop()
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
            total += int(fields[11]) + int(fields[12])
            for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
                pids += map(int, (task / "children").read_text().split())
    return total / TICK


def wait_for_port(port, process):
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError("the server ended")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise RuntimeError("the server does not listen")


@contextlib.contextmanager
def running(argv, port, **options):
    """A server pinned to the first core, until the block ends."""
    with subprocess.Popen(["taskset", "-c", "0", *map(str, argv)], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, **options) as process:
        try:
            wait_for_port(port, process)
            yield process.pid
        finally:
            process.terminate()


def relay_config(directory, ca, responder):
    (directory / "ca.pem").write_bytes(ca.pem)
    port = free_port()
    config = directory / "relay.conf"
    config.write_text(f'''
listen = {{"127.0.0.1:{port}"}}
admin = ""
user = ""
issuer_dir = ""
threads = 1
store = {{}}
limits {{ max_requests_per_connection = 1000000000 }}
issuer "bench" {{ certificate = {{"{directory}/ca.pem"}} responders = {{"{responder.url}"}} }}
''')
    return config, port


def haproxy_config(directory, origin):
    port = free_port()
    config = directory / "haproxy.cfg"
    config.write_text(f'''
global
    nbthread 1
    maxconn 1000
defaults
    mode http
    timeout client 30s
    timeout server 30s
    timeout connect 5s
cache ocsp
    total-max-size 64
    max-object-size 100000
    max-age 3600
frontend front
    bind 127.0.0.1:{port}
    http-request cache-use ocsp
    http-response cache-store ocsp
    default_backend origin
backend origin
    server origin 127.0.0.1:{origin}
''')
    return config, port


def nginx_config(directory, origin):
    port = free_port()
    config = directory / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""
    config.write_text(f'''
{user}
daemon off; worker_processes 1; pid {directory}/nginx.pid; error_log {directory}/nginx.err;
events {{ worker_connections 1000; }}
http {{
    access_log off; keepalive_requests 1000000000; client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/temp; fastcgi_temp_path {directory}/f; uwsgi_temp_path {directory}/u;
    scgi_temp_path {directory}/s; client_body_buffer_size 16k; client_body_in_single_buffer on;
    proxy_cache_path {directory}/cache keys_zone=ocsp:10m;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://127.0.0.1:{origin};
            proxy_cache ocsp;
            proxy_cache_methods GET HEAD POST;
            proxy_cache_key "$request_method$request_uri$request_body";
        }}
    }}
}}
''')
    return config, port


def post_script(directory, der):
    escaped = "".join(f"\\{octet:03d}" for octet in der)
    script = directory / "post.lua"
    script.write_text('wrk.method = "POST"\n'
                      'wrk.headers["Content-Type"] = "application/ocsp-request"\n'
                      f'wrk.body = "{escaped}"\n')
    return script


def measure(pid, url, seconds, script=None):
    """CPU microseconds per request and requests per second."""
    def drive(duration):
        argv = ["taskset", "-c", "1", "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{duration}s"]
        if script:
            argv += ["-s", str(script)]
        out = subprocess.run([*argv, url], capture_output=True, text=True, check=True).stdout
        if "Non-2xx" in out:
            raise RuntimeError(out)
        return int(re.search(r"(\d+) requests in", out)[1])

    drive(1)
    before, start = cpu_seconds(pid), time.monotonic()
    n = drive(seconds)
    after, end = cpu_seconds(pid), time.monotonic()
    return (after - before) / n * 1e6, n / (end - start)


def plot(rows, path):
    """Bars of CPU per request, as SVG."""
    widest = max(row[1] for row in rows)
    height = 26 * len(rows) + 40
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="720" height="{height}" '
             'font-family="sans-serif" font-size="13">',
             f'<rect width="720" height="{height}" fill="white"/>',
             '<text x="8" y="20" font-weight="bold">Server CPU per hit, microseconds</text>']
    for i, (name, cpu, _) in enumerate(rows):
        y = 32 + 26 * i
        colour = "#2b6cb0" if name.startswith("ocsprelay") else "#a0aec0"
        width = 440 * cpu / widest
        parts.append(f'<text x="8" y="{y + 16}">{name}</text>'
                     f'<rect x="200" y="{y + 2}" width="{width:.0f}" height="20" fill="{colour}"/>'
                     f'<text x="{206 + width:.0f}" y="{y + 16}">{cpu:.1f}</text>')
    path.write_text("\n".join(parts) + "\n</svg>\n")


def table(rows):
    limit = rows[0][1]
    peers = [cpu for name, cpu, _ in rows[1:] if not name.startswith("ocsprelay")]
    best = min(peers) if peers else None
    lines = ["| server | CPU us/request | requests/s | to the limit | to the best peer |",
             "|---|---|---|---|---|"]
    for name, cpu, rate in rows:
        to_best = f"{cpu / best:.2f}" if best else "-"
        lines.append(f"| {name} | {cpu:.2f} | {rate:,.0f} | {cpu / limit:.2f} | {to_best} |")
    return "\n".join(lines) + "\n"


def run(args, directory):
    """The rows: name, CPU, rate."""
    ca = pki_module.new_root("Bench CA")
    pki = pki_module.Pki()
    rows = []
    ca = pki.ca
    leaf = pki.leaf()
    with Responder(pki) as responder:
        config, relay_port = relay_config(directory, ca, responder)
        request = pki_module.request(ca.certid(leaf.serial))
        path = "/" + __import__("base64").b64encode(request).decode().replace(
            "+", "%2B").replace("/", "%2F").replace("=", "%3D")
        script = post_script(directory, request)
        with running([args.relay, "serve", "-c", config], relay_port) as relay:
            url = f"http://127.0.0.1:{relay_port}{path}"
            with socket.create_connection(("127.0.0.1", relay_port)) as sock:
                ask = f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode()
                for _ in range(2):  # a miss, then the hit that the limit server repeats
                    sock.sendall(ask)
                    answer = b""
                    while b"\r\n\r\n" not in answer:
                        answer += sock.recv(65536)
                    head, _, body = answer.partition(b"\r\n\r\n")
                    length = int(re.search(rb"Content-Length: (\d+)", head)[1])
                    while len(body) < length:
                        body += sock.recv(65536)
            (directory / "answer").write_bytes(head + b"\r\n\r\n" + body)
            limit_port = free_port()
            with running([args.limit, limit_port, directory / "answer"], limit_port) as pid:
                rows.append(("limit", *measure(pid, f"http://127.0.0.1:{limit_port}{path}",
                                               args.seconds)))
            rows.append(("ocsprelay GET", *measure(relay, url, args.seconds)))
            rows.append(("ocsprelay POST", *measure(relay, url, args.seconds, script)))
            if shutil.which("haproxy"):
                config, port = haproxy_config(directory, relay_port)
                with running(["haproxy", "-db", "-f", config], port) as pid:
                    rows.append(("HAProxy cache GET", *measure(
                        pid, f"http://127.0.0.1:{port}{path}", args.seconds)))
            if shutil.which("nginx"):
                config, port = nginx_config(directory, relay_port)
                with running(["nginx", "-c", config, "-p", directory], port) as pid:
                    url = f"http://127.0.0.1:{port}{path}"
                    rows.append(("nginx proxy_cache GET", *measure(pid, url, args.seconds)))
                    rows.append(("nginx proxy_cache POST",
                                 *measure(pid, url, args.seconds, script)))
    print(f"Response of {len(body)} octets, {CONNECTIONS} kept connections, "
          f"{args.seconds} s each.\n", flush=True)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--relay", required=True, type=os.path.abspath)
    parser.add_argument("--limit", required=True, type=os.path.abspath)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("."))
    args = parser.parse_args()
    for tool in ("wrk", "haproxy", "nginx"):
        if not shutil.which(tool):
            print(f"not installed, left out: {tool}")
    if not shutil.which("wrk"):
        return
    with tempfile.TemporaryDirectory() as name:
        rows = run(args, pathlib.Path(name))
    text = table(rows)
    print(text)
    (args.out / "bench.md").write_text(text)
    plot(rows, args.out / "bench.svg")


if __name__ == "__main__":
    main()
