# SPDX-License-Identifier: ISC
"""Programs of others around the relay: their certificates in files, their run to the end, servers
in the foreground, and what every client has to see: good and revoked, and the same once the CA's
responder is gone."""

import contextlib
import functools
import random
import re
import signal
import socket
import subprocess
import threading

from pki import new_key
from relay import TIMEOUT, environment, until

BAD_STAPLE = 91  # curl: CURLE_SSL_INVALIDCERTSTATUS

PACKAGES = {  # program: the Debian package that has it, where it is called otherwise
    "apache2": "apache2-bin", "certutil": "libnss3-tools", "cfssl": "golang-cfssl",
    "eapol_test": "eapoltest", "httpserv": "libnss3-tools", "java": "default-jre-headless",
    "nc": "netcat-openbsd", "nginx": "nginx-light", "ocspclnt": "libnss3-tools", "ocsptool": "gnutls-bin",
    "pk12util": "libnss3-tools", "pki": "strongswan-pki", "vfychain": "libnss3-tools",
}


@functools.lru_cache
def rsa_key():
    """One for all leaves of a run: making it takes longer than most tests."""
    return new_key("rsa")


class Files:
    """Certificates in files, as programs want them."""

    def __init__(self, directory, pki):
        self.directory = directory
        self.pki = pki
        pki.write(directory)
        self.certs = {}

    def path(self, name):
        return str(self.directory / name)

    def leaf(self, name, **options):
        """name.crt, name.key, and name-chain.pem as servers send it; for localhost."""
        if self.pki.kind == "rsa":
            options.setdefault("key", rsa_key())
        self.certs[name] = cert = self.pki.leaf(**options)
        (self.directory / (name + ".crt")).write_bytes(cert.pem)
        (self.directory / (name + ".key")).write_bytes(cert.key_pem)
        (self.directory / (name + "-chain.pem")).write_bytes(cert.pem + self.pki.ca.pem)
        return cert

    def write(self, name, content):
        (self.directory / name).write_bytes(content)
        return self.path(name)


def call(*args, env=None, **options):
    return subprocess.run(list(map(str, args)), capture_output=True, text=True, timeout=TIMEOUT,
                          env=environment(**(env or {})), stdin=subprocess.DEVNULL, check=False,
                          **options)


def openssl_ocsp(openssl, files, url, *names, options=()):
    """openssl ocsp about these certificates; -sha256 counts only for what comes after it."""
    of = [part for name in names for part in ("-cert", files.path(name + ".crt"))]
    return call(openssl, "ocsp", *options, "-issuer", files.path("ca.crt"), *of, "-CAfile",
                files.path("root.crt"), "-url", url)


def browse(curl, files, port, *options):
    """curl as a visitor of https://localhost:port/: (its exit status, the HTTP status)."""
    result = call(curl, "-q", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "--cacert",
                  files.path("root.crt"), "--resolve", f"localhost:{port}:127.0.0.1", *options,
                  f"https://localhost:{port}/")
    return result.returncode, int(result.stdout)


def certificate(files, name):
    """Options of curl: name's certificate, with its issuer's, as the visitor's."""
    return "--cert", files.path(name + "-chain.pem"), "--key", files.path(name + ".key")


def staple(openssl, files, port):
    """What s_client prints of the staple, or None."""
    text = call(openssl, "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "localhost",
                "-CAfile", files.path("root.crt"), "-status").stdout
    assert "OCSP response:" in text, text
    return text if "OCSP Response Data" in text else None


def field_of(text, name):
    return re.search(rf"{name}: (.*)", text)[1].strip()


def free_port():
    """A port of 127.0.0.1 that nobody has, nor the one 10000 above it, which a node of a Redis
    cluster takes, too. Both lie below those that the kernel gives to clients, so that nobody gets
    them until their server has bound them."""
    while True:
        port = random.randrange(15000, 22000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)), \
                socket.create_server(("127.0.0.1", port + 10000)):
            return port


class Server:
    """A program in the foreground, its output in lines. Fixture start makes them, and stops them at
    the end of the test."""

    def __init__(self, *args, **options):
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen(list(map(str, args)), stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        env=environment(), **options)
        self.lines = []
        self._ended = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        with self.process.stdout as stream:
            for raw in stream:
                with self._changed:
                    self.lines.append(raw.decode("utf-8", "replace").rstrip("\n"))
                    self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    @property
    def text(self):
        with self._changed:
            return "\n".join(self.lines)

    def find(self, pattern):
        """The lines in which the expression is found."""
        with self._changed:
            return [line for line in self.lines if re.search(pattern, line)]

    def wait_for(self, pattern, count=1):
        """Until that many lines match; gives the last of them."""
        with self._changed:
            self._changed.wait_for(lambda: len(self.find(pattern)) >= count or self._ended,
                                   TIMEOUT)
            found = self.find(pattern)
        assert len(found) >= count, f'{len(found)} of {count} lines "{pattern}" in\n{self.text}'
        return found[count - 1]

    def listens(self, *ports):
        """Waits until the program takes connections there."""
        def taken(port):
            assert self.process.poll() is None, self.text
            with contextlib.suppress(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", port)).close()
                return True
            return False
        for port in ports:
            until(lambda port=port: taken(port), what=f"port {port}\n{self.text}")
        return self

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()
        self._thread.join(TIMEOUT)


def through_an_outage(relay, *responders):
    """Two turns, "running" and "stopped": in the second the responders are gone, and the relay must
    not even try to ask them. In both of them the client must ask the relay.
    for turn in through_an_outage(relay, responder): ..."""
    for turn in ("running", "stopped"):
        if turn == "stopped":
            for responder in responders:
                responder.stop()
            upstream = relay.metric("upstream_requests_total")
        asked = relay.metric("requests_total")
        yield turn
        assert relay.metric("requests_total") > asked, turn
    assert relay.metric("upstream_requests_total") == upstream
