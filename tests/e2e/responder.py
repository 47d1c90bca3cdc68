#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""A scriptable OCSP responder: what the relay asks, and what it has to put up with.

As a library:

    with Responder(pki) as responder:
        responder.statuses[serial] = "revoked"      # others are good
        responder.then(html)                        # the next answer only
        responder.behave(error(6))                  # all answers from now on; behave(None): normal
        with responder.held():                      # answers wait until the block ends
            ...
        responder.requests                          # everything that was asked

A behaviour is a Reply, or a function of the Request that returns one (None: the normal answer).

As a program: responder.py --pki DIR --port N [--revoked SERIAL]... serves the CA whose files
Pki.write() made; --make-pki creates them first.
"""

import argparse
import base64
import contextlib
import socket
import struct
import sys
import threading
import time
import urllib.parse
from dataclasses import dataclass, field

import pki as pki_module
from pki import Basic, Single

TIMEOUT = 20


@dataclass
class Request:
    """One HTTP request as it arrived."""

    head: bytes       # up to and with the empty line
    body: bytes
    connection: int   # number of the connection it came on, from 0
    method: str = ""
    target: str = ""
    version: str = ""
    fields: list = field(default_factory=list)  # (name, value), in order

    def __post_init__(self):
        lines = self.head.decode("latin-1").split("\r\n")
        self.method, self.target, self.version = lines[0].split(" ")
        self.fields = [tuple(part.strip() for part in line.split(":", 1))
                       for line in lines[1:] if line]

    def field(self, name):
        """The value of a header field, or None; "a, b" where it came twice."""
        values = [value for key, value in self.fields if key.lower() == name.lower()]
        return ", ".join(values) if values else None

    @property
    def der(self):
        """The OCSPRequest."""
        if self.method == "POST":
            return self.body
        target = self.target
        while True:  # base64 holds slashes itself: the shortest prefix that leaves a request wins
            _, slash, target = target.partition("/")
            if not slash:
                raise ValueError("no OCSP request in " + self.target)
            with contextlib.suppress(ValueError, IndexError, KeyError):
                data = base64.b64decode(urllib.parse.unquote(target), validate=True)
                pki_module.parse_request(data)
                return data

    @property
    def asked(self):
        return pki_module.parse_request(self.der)

    @property
    def serial(self):
        """Of the first certificate asked about; None if this is no OCSP request."""
        with contextlib.suppress(ValueError, IndexError, KeyError):
            return self.asked.certids[0].number
        return None


@dataclass
class Reply:
    """What goes back; body is framed by framing unless raw replaces everything."""

    body: bytes = b""
    status: int = 200
    fields: dict = field(default_factory=dict)
    content_type: str = "application/ocsp-response"
    framing: str = "length"   # length, chunked, close
    declared: int = None      # the Content-Length, where it is a lie
    close: bool = False       # say Connection: close and do it
    drop: bool = False        # close after it without a word
    reset: bool = False       # no answer: the connection is reset
    raw: bytes = None

    def encode(self):
        if self.raw is not None:
            return self.raw
        head = [f"HTTP/1.1 {self.status} Whatever"]
        if self.content_type:
            head.append("Content-Type: " + self.content_type)
        if self.framing == "length":
            length = len(self.body) if self.declared is None else self.declared
            head.append(f"Content-Length: {length}")
        elif self.framing == "chunked":
            head.append("Transfer-Encoding: chunked")
        if self.close or self.framing == "close":
            head.append("Connection: close")
        head += [f"{name}: {value}" for name, value in self.fields.items()]
        body = self.body
        if self.framing == "chunked":
            half = len(body) // 2
            body = b"".join(b"%x\r\n%s\r\n" % (len(part), part)
                            for part in (body[:half], body[half:]) if part) + b"0\r\n\r\n"
        return "\r\n".join(head).encode() + b"\r\n\r\n" + body


# --- behaviours that need no responder ----------------------------------------------------------


def error(status, http=200, **options):
    """A bare OCSP error."""
    return Reply(pki_module.response(status), http, **options)


def http_status(code, body=b"no", **options):
    return Reply(body, code, content_type="text/plain", **options)


def redirect(url, code=302):
    return Reply(b"", code, {"Location": url})


html = Reply(b"<html><body>Please log in to use this network</body></html>",
             content_type="text/html")
reset = Reply(reset=True)


def after(event, behaviour=None):
    """behaviour, once the threading.Event is set: holds one request, where held() holds all."""
    def answer(request):
        event.wait(TIMEOUT)
        return _decide(behaviour, request)
    return answer


def only(method, behaviour, otherwise=None):
    """behaviour for requests of this method, otherwise for the others."""
    return lambda request: _decide(behaviour if request.method == method else otherwise, request)


def _decide(behaviour, request):
    return behaviour(request) if callable(behaviour) else behaviour


# --- the responder ------------------------------------------------------------------------------


class Responder:
    """tls: an ssl.SSLContext with a certificate for localhost; the URL is https then."""

    def __init__(self, pki, port=0, address="127.0.0.1", path="/", tls=None):
        self.pki = pki
        self._tls = tls
        self.path = path
        self.statuses = {}
        self.requests = []
        self.connections = 0
        self._then = []
        self._behaviour = None
        self._gate = None
        self._changed = threading.Condition()
        self._open = set()
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._listener = socket.create_server((address, port), family=family, backlog=128)
        self.address = self._listener.getsockname()[:2]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def url(self):
        if self._tls:
            return f"https://localhost:{self.address[1]}{self.path}"
        host = f"[{self.address[0]}]" if ":" in self.address[0] else self.address[0]
        return f"http://{host}:{self.address[1]}{self.path}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """As if the host went away: nobody listens any more, connections are gone."""
        self.release()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.close_connections()
        self._thread.join(TIMEOUT)

    def close_connections(self):
        with self._changed:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    # what it does

    def behave(self, behaviour):
        self._behaviour = behaviour

    def then(self, *behaviours):
        self._then.extend(behaviours)

    @contextlib.contextmanager
    def held(self):
        """Requests are taken, answers wait until the block ends or release() is called."""
        self._gate = threading.Event()
        try:
            yield
        finally:
            self.release()

    def release(self):
        gate, self._gate = self._gate, None
        if gate:
            gate.set()

    def basic(self, request, **options):
        """The answer of this responder to request, to be changed; options of Single count for
        each certificate, the rest for Basic (extensions too, which both have)."""
        of_single = {key: options.pop(key) for key in list(options)
                     if key in Single.__dataclass_fields__ and key != "extensions"}
        singles = [Single(**{"certid": certid,
                             "status": self.statuses.get(certid.number, "good"), **of_single})
                   for certid in request.asked.certids]
        return Basic(**{"singles": singles, "signer": self.pki.signer, **options})

    def signed(self, **options):
        """A behaviour: the normal answer with these differences; http: dict of fields."""
        fields = options.pop("http", {})
        return lambda request: Reply(self.basic(request, **options).encode(), fields=fields)

    def mangled(self, change, **options):
        """A behaviour: the normal answer, its octets changed by a function."""
        return lambda request: Reply(change(self.basic(request, **options).encode()))

    def echoing(self, nonce=None, **options):
        """A behaviour: with the request's nonce (or another one)."""
        def answer(request):
            extension = request.asked.nonce_extension
            if nonce is not None:
                extension = pki_module.nonce_extension(nonce)
            return Reply(self.basic(request, extensions=(extension,) if extension else (),
                                    **options).encode())
        return answer

    # what it saw

    def of(self, serial=None):
        """The requests about this certificate; None: all of them."""
        with self._changed:
            return [request for request in self.requests
                    if serial is None or request.serial == serial]

    def count(self, serial=None):
        return len(self.of(serial))

    def wait_for(self, count, serial=None, timeout=TIMEOUT):
        """Until so many requests have come (about this certificate)."""
        with self._changed:
            came = self._changed.wait_for(lambda: self.count(serial) >= count, timeout)
        assert came, f"{self.count(serial)} of {count} requests came"

    # how

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._changed:
                number = self.connections
                self.connections += 1
                self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection, number), daemon=True).start()

    def _secure(self, connection):
        secured = self._tls.wrap_socket(connection, server_side=True)
        with self._changed:
            self._open.discard(connection)
            self._open.add(secured)
        return secured

    def _serve(self, connection, number):
        try:
            if self._tls:
                connection = self._secure(connection)
        except OSError:  # the client does not like the certificate
            connection.close()
            return
        try:
            with connection.makefile("rb") as stream, contextlib.suppress(OSError, ValueError):
                while self._one(connection, stream, number):
                    pass
        finally:
            with self._changed:
                self._open.discard(connection)
                connection.close()

    def _one(self, connection, stream, number):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = stream.readline(65536)
            if not line:
                return False
            head += line
        request = Request(head, b"", number)
        request.body = stream.read(int(request.field("Content-Length") or 0))
        with self._changed:
            self.requests.append(request)
            behaviour = self._then.pop(0) if self._then else self._behaviour
            gate = self._gate
            self._changed.notify_all()
        if gate:
            gate.wait(TIMEOUT)
        reply = _decide(behaviour, request) or self.signed()(request)
        if reply.reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        connection.sendall(reply.encode())
        if reply.close or reply.drop or reply.framing == "close":
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            return False
        return request.version == "HTTP/1.1"


def main():
    parser = argparse.ArgumentParser(description="A small OCSP responder for trying things out.")
    parser.add_argument("--pki", required=True, help="directory of ca.crt, signer.crt, signer.key")
    parser.add_argument("--make-pki", action="store_true", help="create a throw-away CA there")
    parser.add_argument("--address", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--revoked", action="append", default=[], metavar="SERIAL",
                        type=lambda text: int(text, 16), help="hexadecimal; all others are good")
    args = parser.parse_args()
    if args.make_pki:
        pki_module.Pki().write(args.pki)
    responder = Responder(pki_module.Pki.read(args.pki), args.port, args.address)
    responder.statuses.update(dict.fromkeys(args.revoked, "revoked"))
    print(f"listening on {responder.url}", flush=True)
    seen = 0
    while True:
        responder.wait_for(seen + 1, timeout=None)
        for request in responder.of()[seen:]:
            seen += 1
            serial = "no OCSP request" if request.serial is None else f"serial {request.serial:x}"
            print(time.strftime("%H:%M:%S"), request.method, serial, flush=True)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
