# SPDX-License-Identifier: ISC
"""Real redis-server processes on loopback, each in a directory of its own: alone, under sentinels, as
a cluster. Whoever starts one stops it."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile

from clients import free_port
from relay import TIMEOUT, until

SERVER = shutil.which("redis-server")


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
                    f"port {self.port}", "bind 127.0.0.1", f"dir {self.directory}", 'save ""',
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

    def calls(self, command):
        """How many times it has been called."""
        for line in self.call("INFO", "commandstats").decode().split("\r\n"):
            if line.startswith(f"cmdstat_{command}:calls="):
                return int(line.split("=")[1].split(",")[0])
        return 0

    def wait_for(self, name, value):
        """Sentinels close all connections to a server that they give another role."""

        def is_so():
            try:
                return self.info(name) == value
            except OSError:
                return False

        until(is_so, what=f"{name}:{value}")

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


class Sentinels:
    """A master, a replica and three sentinels that watch them under the name mymaster; password: what
    the sentinels require."""

    def __init__(self, password=None):
        secret = [f"requirepass {password}", f"sentinel sentinel-pass {password}"]
        self.master = Redis("repl-diskless-sync-delay 0")
        self.replica = Redis(f"replicaof 127.0.0.1 {self.master.port}")
        self.sentinels = [Redis(
            f"sentinel monitor mymaster 127.0.0.1 {self.master.port} 2",
            "sentinel down-after-milliseconds mymaster 500",
            "sentinel failover-timeout mymaster 4000", *(secret if password else []),
            sentinel=True, password=password) for _ in range(3)]
        self.replica.wait_for("master_link_status", "up")
        until(lambda: all("slaves=1,sentinels=3" in one.info("master0") for one in self.sentinels),
              what="sentinels")

    @property
    def url(self):
        return self.url_of("")

    def url_of(self, user):
        hosts = ",".join(one.address for one in self.sentinels)
        return f"redis+sentinel://{user and user + '@'}{hosts}/mymaster/0"

    def stop(self):
        for one in [*self.sentinels, self.replica, self.master]:
            one.stop()


class Cluster:
    """Masters with one replica each."""

    NODE = ("cluster-enabled yes", "cluster-node-timeout 800", "cluster-require-full-coverage no",
            "cluster-replica-validity-factor 0", "repl-diskless-sync-delay 0",
            "repl-ping-replica-period 1")

    def __init__(self, n_masters=3):
        self.masters = [Redis(*self.NODE) for _ in range(n_masters)]
        self.replicas = [Redis(*self.NODE) for _ in range(n_masters)]
        first, *rest = nodes = self.masters + self.replicas
        for epoch, node in enumerate(nodes, 1):
            node.call("CLUSTER", "SET-CONFIG-EPOCH", epoch)
        for i, node in enumerate(self.masters):
            node.call("CLUSTER", "ADDSLOTSRANGE", 16384 * i // n_masters,
                      16384 * (i + 1) // n_masters - 1)
        for node in rest:
            node.call("CLUSTER", "MEET", "127.0.0.1", first.port)
        until(lambda: all(one.call("CLUSTER", "INFO").count(b"cluster_known_nodes:%d" % len(nodes))
                          for one in nodes), what="cluster nodes that know each other")
        for master, replica in zip(self.masters, self.replicas):
            until(lambda: self.try_to_follow(replica, master), what="replica")
        until(lambda: all(b"cluster_state:ok" in one.call("CLUSTER", "INFO") for one in nodes) and
              all(one.info("master_link_status") == "up" for one in self.replicas), what="cluster")

    @staticmethod
    def try_to_follow(replica, master):
        try:
            replica.call("CLUSTER", "REPLICATE", master.call("CLUSTER", "MYID"))
            return True
        except RedisError:
            return False

    @property
    def url(self):
        return "redis+cluster://" + ",".join(one.address for one in self.masters[:2])

    def keys(self):
        """Of all masters, together."""
        return sorted({key for one in self.masters + self.replicas if one.process.poll() is None and
                       not one.stopped for key in one.keys()})

    @staticmethod
    def move_slot(slot, source, target, meanwhile=lambda: None):
        """meanwhile() is called when the keys have moved, and the slot has not."""
        ids = [one.call("CLUSTER", "MYID") for one in (source, target)]
        target.call("CLUSTER", "SETSLOT", slot, "IMPORTING", ids[0])
        source.call("CLUSTER", "SETSLOT", slot, "MIGRATING", ids[1])
        while keys := source.call("CLUSTER", "GETKEYSINSLOT", slot, 100):
            source.call("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *keys)
        meanwhile()
        for one in (target, source):
            one.call("CLUSTER", "SETSLOT", slot, "NODE", ids[1])

    def stop(self):
        for one in self.masters + self.replicas:
            one.stop()
