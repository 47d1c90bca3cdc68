# SPDX-License-Identifier: ISC
"""Load: what is asked, by wrk (hits of one certificate) or by drive.c (many, or by the clock)."""

import base64
import re
import socket
import subprocess
import time
import urllib.parse

from process import PATIENCE, cpu_seconds

CONNECTIONS = 64
CORE = "1"  # of the load generators, and of responders and Redis
SETTLE = 0.3  # seconds: what a server does after the last answer counts too


def target_of(der):
    return "/" + urllib.parse.quote(base64.b64encode(der).decode(), safe="")


def ask(port, target):
    """One GET: the head with its empty line, and the body."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as sock:
        sock.sendall(f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += sock.recv(65536)
        head, _, body = answer.partition(b"\r\n\r\n")
        length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])
        while len(body) < length:
            body += sock.recv(65536)
    return head + b"\r\n\r\n", body


def write_script(path, method="GET", body=b"", **fields):
    """For wrk; fields with _ for -."""
    lines = [f'wrk.method = "{method}"']
    lines += [f"wrk.headers[\"{name.replace('_', '-')}\"] = '{value}'"
              for name, value in fields.items()]
    if body:
        lines.append('wrk.body = "' + "".join(f"\\{octet:03d}" for octet in body) + '"')
    path.write_text("\n".join(lines) + "\n")
    return path


def wrk(url, seconds, script=None, core=CORE, threads=1, connections=CONNECTIONS):
    """The number of answers."""
    argv = ["taskset", "-c", core, "wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}s"]
    if script:
        argv += ["-s", str(script)]
    out = subprocess.run([*argv, url], capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in out or "Socket errors" in out:
        raise RuntimeError(out)
    return int(re.search(r"(\d+) requests in", out)[1])


def drive_command(args, material, port, **options):
    return ["taskset", "-c", CORE, str(args.programs / "drive"), "-p", str(port), "-d",
            str(material), *(part for name, value in options.items()
                             for part in ("-" + name, str(value)))]


def read_driven(text):
    """What drive prints, as numbers; all must have been answered with 200."""
    told = {name: float(value) for name, value in re.findall(r"(\w+)=([\d.]+)", text)}
    if told["refused"] or told["lost"]:
        raise RuntimeError(text)
    return told


def drive(args, material, port, **options):
    """options: those of drive.c. What it printed."""
    command = drive_command(args, material, port, **options)
    return read_driven(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def cost(pids, load, settle=0.0):
    """CPU microseconds per request and requests per second, while load() gives its number of
    answers."""
    before, start = sum(map(cpu_seconds, pids)), time.monotonic()
    n = load()
    end = time.monotonic()
    time.sleep(settle)
    return (sum(map(cpu_seconds, pids)) - before) / n * 1e6, n / (end - start)
