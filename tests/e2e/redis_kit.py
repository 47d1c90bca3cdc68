# SPDX-License-Identifier: ISC
"""Real redis-server processes on loopback, each in a directory of its own: alone, under sentinels, as
a cluster. Whoever starts one stops it."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile

from relay import TIMEOUT, until

SERVER = shutil.which("redis-server")


def free_port():
    """A port that nobody listens at, nor at the one that a cluster adds."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        if port < 55000:
            return port


class RedisError(Exception):
    """An error reply."""


def _read_reply(stream):
    line = stream.readline()
    if not line.endswith(b"\r\n"):
        raise ConnectionError("no reply")
    kind, rest = line[:1], line[1:-2]
    if kind == b"-":
        raise RedisError(rest.decode())
    if kind == b"+":
        return rest.decode()
    if kind == b":":
        return int(rest)
    length = int(rest)
    if kind == b"$":
        return None if length < 0 else stream.read(length + 2)[:-2]
    return None if length < 0 else [_read_reply(stream) for _ in range(length)]


class Redis:
    """
    One redis-server. conf: lines of its configuration beside the port; call(...) asks it by a
    connection of its own.
    """

    def __init__(self, *conf, start=True, sentinel=False, password=None):
        self.directory = tempfile.mkdtemp(prefix="ocsprelay-redis-")
        self.port = free_port()
        self.conf = list(conf)
        self.arguments = ["--sentinel"] if sentinel else []
        self.password = password
        self.process = None
        self.stopped = False
        if start:
            self.start()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    @property
    def url(self):
        return f"redis://{self.address}"

    def path(self, name):
        return os.path.join(self.directory, name)

    def start(self):
        if not os.path.exists(self.path("redis.conf")):  # sentinels and clusters write it anew
            with open(self.path("redis.conf"), "w", encoding="ascii") as out:
                out.write("\n".join([
                    f"port {self.port}", "bind 127.0.0.1", f"dir {self.directory}", "save ''".replace("''", '""'),
                    "daemonize no", "loglevel warning", *self.conf]) + "\n")
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen([SERVER, self.path("redis.conf"), *self.arguments],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        until(self.answers, what="redis-server")
        return self

    def answers(self):
        assert self.process.poll() is None, "redis-server ended"
        try:
            self.call("PING")
        except OSError:
            return False
        except RedisError as error:
            return not str(error).startswith("LOADING")
        return True

    def call(self, *words):
        with socket.create_connection(("127.0.0.1", self.port), TIMEOUT) as connection, \
                connection.makefile("rwb") as stream:
            for command in ([["AUTH", self.password]] if self.password else []) + [words]:
                command = [word if isinstance(word, bytes) else str(word).encode()
                           for word in command]
                stream.write(b"*%d\r\n" % len(command) +
                             b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in command))
                stream.flush()
                reply = _read_reply(stream)
            return reply

    def keys(self, pattern="*"):
        return sorted(key.decode() for key in self.call("KEYS", pattern))

    def info(self, name):
        for line in self.call("INFO").decode().split("\r\n"):
            if line.startswith(name + ":"):
                return line.split(":", 1)[1]
        raise KeyError(name)

    def freeze(self):
        """Takes connections, answers nothing."""
        self.process.send_signal(signal.SIGSTOP)
        self.stopped = True

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)
        self.stopped = False

    def kill(self):
        self.process.kill()
        self.process.wait(TIMEOUT)

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)
