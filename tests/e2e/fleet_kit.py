# SPDX-License-Identifier: ISC
"""A fleet: relays behind one Redis, which can be reached through a proxy that is slow or mad; and what
they keep and say there, written by hand."""

import contextlib
import hashlib
import socket
import struct
import threading
import time

import rawhttp
from pki import HASHES  # noqa: F401  (the order of the algorithms is NK-11's)
from relay import TIMEOUT, until

HEADER_LEN = 24
PATIENT = {"timeout": "10s"}  # where the test is not about slowness, no machine is too slow for it
_ALGORITHMS = {"sha1": "s1", "sha224": "s224", "sha256": "s256", "sha384": "s384", "sha512": "s512"}
assert set(_ALGORITHMS) <= set(HASHES)


# --- what is in Redis ---------------------------------------------------------------------------


def key_text(ca, certid):
    """The key of the certificate without prefix and version: how news name it."""
    issuer = hashlib.sha256(ca.subject_der + ca.key_bits).hexdigest()
    return f"{issuer}:{_ALGORITHMS[certid.alg]}:{certid.serial.hex()}"


def record_key(ca, certid, version=1):
    return f"ocspr:{version}:{key_text(ca, certid)}"


def record(body, version=1, fetched_at=None, refresh_at=None, length=None):
    now = int(time.time())
    return struct.pack(">BBHIqq", version, 0, 0, len(body) if length is None else length,
                       now if fetched_at is None else fetched_at,
                       now + 3600 if refresh_at is None else refresh_at) + body


def put(redis, ca, certid, value):
    """As a relay would, or an intruder."""
    redis.call("SET", record_key(ca, certid), value, "PX", 3600000)


def age(redis, key, seconds=120, is_due=False):
    """As if the record had been stored earlier; is_due: and should be fetched anew."""
    stored = redis.call("GET", key)
    fetched_at, refresh_at = struct.unpack(">qq", stored[8:HEADER_LEN])
    redis.call("SETRANGE", key, 8, struct.pack(
        ">qq", fetched_at - seconds, int(time.time()) if is_due else refresh_at))


def news(ca, certid, this_update, produced_at, sender="somebody"):
    return f"1 {sender} stored {key_text(ca, certid)} {int(this_update)} {int(produced_at)}"


def say(redis, message):
    """To all who listen; how many these are."""
    return redis.call("PUBLISH", "ocspr:news", message)


# --- relays -------------------------------------------------------------------------------------


def wait_until_up(relay):
    until(lambda: relay.metric("store_up", tier="redis") == 1, what="Redis as store")


def listeners(redis):
    """How many connections listen to the news."""
    return redis.call("PUBSUB", "NUMSUB", "ocspr:news")[1]


def wait_for_listeners(redis, count):
    until(lambda: listeners(redis) >= count, what=f"{count} who listen to news")


def operations(relay, **labels):
    return relay.metric("store_operations_total", tier="redis", **labels)


class Clients:
    """Connections to all relays of a fleet, each asked one thing at a time."""

    def __init__(self, relays):
        self.connections = [relay.connect() for relay in relays]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for connection in self.connections:
            connection.close()

    def ask_all(self, data):
        """The same of all at the same moment; the answers."""
        return self.ask_each([data] * len(self.connections))

    def ask_each(self, requests):
        for connection, data in zip(self.connections, requests):
            connection.send(rawhttp.post(data))
        return [connection.read() for connection in self.connections]


# --- a bad way to Redis -------------------------------------------------------------------------


class Proxy:
    """
    Stands before a Redis. What it does with what Redis says can be changed at any time, for
    connections that are open, too: behave(function of the octets that gives others, or None to
    close the connection).
    """

    def __init__(self, server):
        self._server = server
        self._behaviour = bytes
        self._open = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.address = "127.0.0.1:%d" % self._listener.getsockname()[1]
        self.url = "redis://" + self.address
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def behave(self, behaviour):
        self._behaviour = behaviour or bytes

    def stop(self):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for end in self._open:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
        self._thread.join(TIMEOUT)

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._server.port), TIMEOUT)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            with self._lock:
                self._open |= {client, server}
            for ends in ((client, server, False), (server, client, True)):
                threading.Thread(target=self._pass_on, args=ends, daemon=True).start()

    def _pass_on(self, source, target, is_reply):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                data = self._behaviour(data) if is_reply else data
                if data is None:
                    break
                target.sendall(data)
        for end in (source, target):  # the other direction ends, and both close
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        with self._lock:
            self._open -= {source}
        source.close()
