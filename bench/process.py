# SPDX-License-Identifier: ISC
"""Servers under measurement: started on a core of their own, and what the kernel says of them."""

import contextlib
import os
import pathlib
import socket
import subprocess
import time

TICK = os.sysconf("SC_CLK_TCK")
PATIENCE = 60  # seconds


_ports = set()


def free_port():
    """One that nobody has been given before: several servers start at once."""
    while True:
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            port = sock.getsockname()[1]
        if port not in _ports:
            _ports.add(port)
            return port


def _family(pid):
    """The process and all below it, living ones."""
    pids = [pid]
    while pids:
        pid = pids.pop()
        yield pid
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
                pids += map(int, (task / "children").read_text().split())


def _by_scheduler(pid):
    """To the nanosecond, of the threads that live."""
    tasks = pathlib.Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def _by_ticks(pid):
    """To the hundredth of a second, everywhere."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


_cpu_seconds = _by_scheduler if os.path.exists("/proc/self/schedstat") else _by_ticks


def cpu_seconds(pid):
    """User and system time of a server, its children included."""
    total = 0
    for member in _family(pid):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            total += _cpu_seconds(member)
    return total


def memory(pid):
    """Octets: resident; of these private and dirty, which files mapped do not count into."""
    resident = private = 0
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        word, _, value = line.partition(":")
        if word == "Rss":
            resident = int(value.split()[0]) * 1024
        elif word == "Private_Dirty":
            private = int(value.split()[0]) * 1024
    return resident, private


def wait_for_port(port, process):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args}: ended with {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise RuntimeError(f"{process.args}: does not listen")


@contextlib.contextmanager
def running(argv, port, cores="0", **options):
    """A server pinned to these cores, until the block ends; gives its process id."""
    options = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **options}
    with subprocess.Popen(["taskset", "-c", cores, *map(str, argv)], **options) as process:
        try:
            wait_for_port(port, process)
            yield process.pid
        finally:
            process.terminate()
