# SPDX-License-Identifier: ISC
"""Systemd's watchdog: it is told that the relay is alive only as long as every thread's loop turns."""

import contextlib
import ctypes
import os
import socket

import pytest

PTRACE_ATTACH, PTRACE_DETACH = 16, 17
WAIT_ALL = 0x40000000  # __WALL: threads, too


@pytest.fixture
def notify(tmp_path):
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bound:
        bound.bind(path)
        bound.settimeout(20)
        yield path, bound


@pytest.fixture
def watched(make_relay, responder, notify):
    """(relay with a watchdog of so many microseconds, what it says)"""
    path, bound = notify

    def make(usec):
        env = {"NOTIFY_SOCKET": path, "WATCHDOG_USEC": str(usec)}
        relay = make_relay(responder, env=env, start=False)
        relay.start(ready=False)
        assert b"READY=1" in bound.recv(4096)
        relay.log.wait_for("ready")
        return relay, bound
    return make


def threads(relay, name):
    """Their ids."""
    base = f"/proc/{relay.process.pid}/task"
    found = []
    for tid in os.listdir(base):
        with open(f"{base}/{tid}/comm", encoding="ascii") as file:
            if file.read().strip() == name:
                found.append(int(tid))
    return found


@contextlib.contextmanager
def halted(tid):
    """One thread is stopped, the others run."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long] * 4
    if libc.ptrace(PTRACE_ATTACH, tid, 0, 0) != 0:
        pytest.skip(f"no thread may be stopped here: {os.strerror(ctypes.get_errno())}")
    os.waitpid(tid, WAIT_ALL)
    try:
        yield
    finally:
        libc.ptrace(PTRACE_DETACH, tid, 0, 0)


def drain(bound):
    """What has been said so far."""
    said = []
    bound.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            said.append(bound.recv(4096))
    bound.settimeout(20)
    return said


def test_watchdog_is_told(watched):
    _, bound = watched(300000)
    for _ in range(3):
        assert bound.recv(4096) == b"WATCHDOG=1"


def test_nothing_is_told_without_a_watchdog(make_relay, responder, notify):
    path, bound = notify
    relay = make_relay(responder, env={"NOTIFY_SOCKET": path})
    relay.terminate()
    assert [word.split(b"\n")[0] for word in drain(bound)] == [b"READY=1", b"STOPPING=1"]


@pytest.mark.parametrize("name", ["front", "back"])
def test_watchdog_is_not_told_while_a_thread_hangs(watched, name):
    relay, bound = watched(30000)
    assert bound.recv(4096) == b"WATCHDOG=1"
    with halted(threads(relay, name)[-1]):
        drain(bound)
        # One may have been on its way; after that there is silence, which cannot be waited for: in
        # this time there would be fifty.
        bound.settimeout(0.5)
        said = []
        with contextlib.suppress(TimeoutError):
            for _ in range(10):
                said.append(bound.recv(4096))
        assert len(said) <= 1, said
        bound.settimeout(20)
    assert bound.recv(4096) == b"WATCHDOG=1"
