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


def wrk(url, seconds, script=None):
    """The number of answers."""
    argv = ["taskset", "-c", CORE, "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s"]
    if script:
        argv += ["-s", str(script)]
    out = subprocess.run([*argv, url], capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in out or "Socket errors" in out:
        raise RuntimeError(out)
    return int(re.search(r"(\d+) requests in", out)[1])


def drive_command(args, material, port, core=CORE, **options):
    return ["taskset", "-c", core, str(args.programs / "drive"), "-p", str(port), "-d",
            str(material), *(part for name, value in options.items()
                             for part in ("-" + name, str(value)))]


def begin(args, material, port, **options):
    """drive, which has opened its connections and begins to ask; options: those of drive.c."""
    # pylint: disable=consider-using-with
    driver = subprocess.Popen(drive_command(args, material, port, **options), text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    if driver.stdout.readline() != "begin\n":
        driver.wait()
        raise RuntimeError(f"drive ended with {driver.returncode}")
    return driver


def result(driver, is_strict=True):
    """What it printed at the end, as numbers; its connections stay open. is_strict: all must have
    been answered with 200."""
    line = driver.stdout.readline()
    told = {name: float(value) for name, value in re.findall(r"(\w+)=([\d.]+)", line)}
    if is_strict and (told["refused"] or told["lost"]):
        raise RuntimeError(line)
    return told


def end(driver):
    driver.stdin.close()
    driver.stdout.close()
    driver.wait()


def drive(args, material, port, **options):
    driver = begin(args, material, port, **options)
    told = result(driver)
    end(driver)
    return told


def drive_cost(pids, args, material, port, settle=0.0, **options):
    """CPU microseconds per request, without those of opening and closing connections; and what
    drive told."""
    driver = begin(args, material, port, **options)
    before = sum(map(cpu_seconds, pids))
    told = result(driver)
    time.sleep(settle)
    cpu = sum(map(cpu_seconds, pids)) - before
    end(driver)
    return cpu / told["requests"] * 1e6, told


def wrk_cost(pid, url, seconds, script=None):
    """CPU microseconds per request and requests per second."""
    before, start = cpu_seconds(pid), time.monotonic()
    n = wrk(url, seconds, script)
    return (cpu_seconds(pid) - before) / n * 1e6, n / (time.monotonic() - start)
