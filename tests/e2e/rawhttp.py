# SPDX-License-Identifier: ISC
"""An HTTP client that sends exactly the octets it is told, and shows exactly what came back."""

import base64
import contextlib
import email.utils
import re
import select
import socket
import struct
import urllib.parse
from dataclasses import dataclass

TIMEOUT = 15


@dataclass
class Response:
    head: bytes  # up to and with the empty line
    body: bytes

    @property
    def lines(self):
        return self.head.decode("latin-1").split("\r\n")[:-2]

    @property
    def status(self):
        return int(self.lines[0].split(" ")[1])

    @property
    def fields(self):
        """(name, value), in order."""
        return [tuple(line.split(": ", 1)) for line in self.lines[1:]]

    def field(self, name):
        values = [value for key, value in self.fields if key.lower() == name.lower()]
        assert len(values) <= 1, f"{name} came twice"
        return values[0] if values else None

    def date(self, name):
        """A date field in seconds since 1970."""
        return email.utils.parsedate_to_datetime(self.field(name)).timestamp()

    @property
    def max_age(self):
        directives = dict(part.strip().partition("=")[::2]
                          for part in self.field("Cache-Control").split(","))
        return int(directives["max-age"])

    @property
    def cache_status(self):
        """Parameters of Cache-Status; "" is the cache's name (RFC 9211). HS-24: a list of one
        member, a token, whose parameters are flags, integers and tokens (RFC 8941)."""
        text = self.field("Cache-Status")
        if text is None:
            return {}
        assert re.fullmatch(r"[A-Za-z*][!#$%&'*+.^_`|~:/\w-]*"
                            r"(; [a-z*][a-z0-9_.*-]*(=(-?\d{1,15}|[A-Za-z*][!#$%&'*+.^_`|~:/\w-]*)"
                            r")?)*", text, re.ASCII), text
        name, *parameters = text.split("; ")
        pairs = (parameter.partition("=") for parameter in parameters)
        return {"": name, **{key: value if equals else True for key, equals, value in pairs}}


class Connection:
    """One connection. address: (host, port) or the path of a Unix socket."""

    def __init__(self, address):
        family = (socket.AF_UNIX if isinstance(address, str) else
                  socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(TIMEOUT)
        self.socket.connect(address)
        self._buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def abort(self):
        """Closes with a reset: unlike the end of a stream, it says that nobody waits any more."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def send(self, data):
        self.socket.sendall(data)

    def _more(self):
        data = self.socket.recv(65536)
        self._buffer += data
        return len(data) > 0

    def read(self, head_only=False):
        """The next response. head_only: of a HEAD, or a 304."""
        while b"\r\n\r\n" not in self._buffer:
            assert self._more(), f"connection closed after {self._buffer!r}"
        head, _, rest = self._buffer.partition(b"\r\n\r\n")
        response = Response(head + b"\r\n\r\n", b"")
        status = response.status
        length = int(response.field("Content-Length") or 0)
        if head_only or status < 200 or status == 304:
            length = 0
        self._buffer = rest
        while len(self._buffer) < length:
            assert self._more(), "connection closed inside a body"
        response.body, self._buffer = self._buffer[:length], self._buffer[length:]
        return response

    def is_silent(self):
        """Nothing has come that was not read."""
        return not self._buffer and not select.select([self.socket], [], [], 0)[0]

    def is_closed(self):
        """Waits for the end of the connection; False if the server sends something instead."""
        try:
            return not self._buffer and not self._more()
        except ConnectionResetError:
            return True

    def ask(self, data, head_only=False):
        self.send(data)
        return self.read(head_only)


def ask(address, data, head_only=False):
    """One request on a connection of its own."""
    with contextlib.closing(Connection(address)) as connection:
        return connection.ask(data, head_only)


# --- requests -----------------------------------------------------------------------------------


def message(start_line, fields, body=b""):
    head = "\r\n".join([start_line] + [f"{name}: {value}" for name, value in fields])
    return head.encode("latin-1") + b"\r\n\r\n" + body


def get_target(der, prefix="/"):
    return prefix + urllib.parse.quote(base64.b64encode(der).decode(), safe="")


def get(der, *fields, method="GET", target=None, version="1.1", host="relay.test"):
    """A GET for an OCSPRequest, or for a target."""
    target = target or get_target(der)
    host_field = [("Host", host)] if host else []
    return message(f"{method} {target} HTTP/{version}", host_field + list(fields))


def post(der, *fields, target="/", version="1.1", content_type="application/ocsp-request",
         chunks=None, host="relay.test"):
    """A POST; chunks: sizes in which the body is sent in chunked coding."""
    head = [("Host", host)] if host else []
    if content_type:
        head.append(("Content-Type", content_type))
    body = der
    if chunks is None:
        head.append(("Content-Length", len(der)))
    else:
        head.append(("Transfer-Encoding", "chunked"))
        body, at = b"", 0
        for size in chunks:
            part = der[at:at + size]
            body += b"%x\r\n%s\r\n" % (len(part), part)
            at += size
        assert at >= len(der)
        body += b"0\r\n\r\n"
    return message(f"POST {target} HTTP/{version}", head + list(fields), body)
