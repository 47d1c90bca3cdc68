# SPDX-License-Identifier: ISC
"""How responders are reached: over https (HC-16), and through HTTP proxies."""

import contextlib
import socket
import ssl
import threading

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

import pki as pki_module
from pki import request, response
from responder import Request, http_status

FAR = "http://ocsp.ca.example/ocsp"
FAR_HTTPS = "https://ocsp.ca.example/ocsp"


# --- https --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def web():
    """The CA of web servers, which has nothing to do with the one that is asked about."""
    return pki_module.Pki()


@pytest.fixture
def trusting(web, tmp_path):
    """An environment in which that CA, and no other, is trusted."""
    path = tmp_path / "web.pem"
    path.write_bytes(web.root.pem)
    return {"SSL_CERT_FILE": str(path)}


@pytest.fixture
def make_https(make_responder, web, tmp_path):
    """make_https(name) starts a responder with a certificate of web for that host."""
    def make(name="localhost", **options):
        path = tmp_path / (name + ".pem")
        leaf = web.leaf(name, eku=[ExtendedKeyUsageOID.SERVER_AUTH], **options)
        path.write_bytes(leaf.key_pem + leaf.pem + web.ca.pem)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return make_responder(tls=context)
    return make


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_HC_16_https_responder(make_relay, make_https, make_responder, trusting, certid, method):
    """And nobody is asked about the certificate of its server."""
    trap = make_responder()
    responder = make_https(aia=trap.url)
    relay = make_relay(responder, env=trusting, issuer={"method": method.lower()})
    got = relay.get(request(certid))
    assert got.cache_status["stored"]
    assert relay.get(request(certid)).body == got.body
    asked, = responder.of()
    assert (asked.method, asked.der) == (method, request(certid))
    assert asked.field("Host") == f"localhost:{responder.address[1]}"
    assert trap.connections == 0


def refused(relay, request_der):
    got = relay.get(request_der)
    assert (got.status, got.body) == (200, response(3))
    assert got.field("Cache-Status") == "ocsprelay; fwd=miss; detail=upstream-unreachable"
    relay.log.wait_for("fetch-failed", reason="upstream-unreachable")


def test_HC_16_EM_09_certificate_of_another_ca(make_relay, make_https, pki, trusting, request_der):
    """Of the one that is asked about, even, whose name is that of the trusted one."""
    responder = make_https()
    with open(trusting["SSL_CERT_FILE"], "wb") as out:
        out.write(pki.root.pem)
    refused(make_relay(responder, env=trusting), request_der)
    assert responder.connections > 0 and responder.count() == 0


def test_HC_16_EM_09_certificate_of_another_host(make_relay, make_https, trusting, request_der):
    responder = make_https("other.example")
    refused(make_relay(responder, env=trusting), request_der)
    assert responder.connections > 0 and responder.count() == 0


# --- proxies for http: absolute targets ---------------------------------------------------------


def via_proxy(proxy, request_der, got):
    assert got.cache_status["stored"]
    asked, = proxy.of()
    assert asked.target.startswith(FAR + "/")
    assert asked.field("Host") == "ocsp.ca.example"
    assert asked.der == request_der
    assert not [name for name, _ in asked.fields if name.lower().startswith("proxy-")]


def test_proxy_option(make_relay, responder, request_der):
    relay = make_relay(FAR, issuer={"proxy": responder.url.rstrip("/")})
    via_proxy(responder, request_der, relay.get(request_der))


def test_proxy_is_asked_by_post_too(make_relay, responder, request_der):
    relay = make_relay(FAR, issuer={"proxy": responder.url, "method": "post"})
    assert relay.get(request_der).cache_status["stored"]
    asked, = responder.of()
    assert (asked.method, asked.target, asked.body) == ("POST", FAR, request_der)


def test_proxy_of_the_environment(make_relay, responder, request_der):
    relay = make_relay(FAR, env={"http_proxy": responder.url})
    via_proxy(responder, request_der, relay.get(request_der))


@pytest.mark.parametrize("no_proxy", ["127.0.0.1", "example.net, 127.0.0.1", "*"])
def test_no_proxy_of_the_environment(make_relay, make_responder, responder, request_der, no_proxy):
    proxy = make_responder()
    relay = make_relay(responder, env={"http_proxy": proxy.url, "no_proxy": no_proxy})
    assert relay.get(request_der).cache_status["stored"]
    assert (proxy.connections, responder.count()) == (0, 1)


def test_no_proxy_is_for_others_hosts_only(make_relay, responder, request_der):
    relay = make_relay(FAR, env={"http_proxy": responder.url, "no_proxy": "127.0.0.1,example.net"})
    via_proxy(responder, request_der, relay.get(request_der))


def test_no_proxy_is_not_for_the_option(make_relay, responder, request_der):
    relay = make_relay(FAR, env={"no_proxy": "*"}, issuer={"proxy": responder.url})
    via_proxy(responder, request_der, relay.get(request_der))


def test_proxy_none(make_relay, make_responder, responder, request_der):
    proxy = make_responder()
    relay = make_relay(responder, env={"http_proxy": proxy.url}, issuer={"proxy": "none"})
    assert relay.get(request_der).cache_status["stored"]
    assert (proxy.connections, responder.count()) == (0, 1)


def test_proxy_of_each_issuer(make_relay, make_responder, pki):
    """Its own, that of the section defaults, and none."""
    cas = [pki_module.new_ca(pki.root, f"CA {number}") for number in range(3)]
    own, common, direct = (make_responder() for _ in cas)
    for one, ca in zip((own, common, direct), cas):
        one.behave(one.signed(signer=ca))
    relay = make_relay(start=False, ca=None, defaults={"proxy": common.url})
    relay.add_issuer("own", cas[0], [FAR], proxy=own.url)
    relay.add_issuer("common", cas[1], [FAR])
    relay.add_issuer("direct", cas[2], [direct.url], proxy="none")
    relay.start()
    for ca in cas:
        assert relay.get(request(ca.certid(1))).cache_status["stored"]
    assert [one.of()[0].target.startswith(FAR) for one in (own, common, direct)] == \
        [True, True, False]
    assert [one.count() for one in (own, common, direct)] == [1, 1, 1]


@pytest.mark.parametrize("status", [403, 407, 502])
def test_EM_11_proxy_that_refuses(make_relay, responder, request_der, status):
    responder.behave(http_status(status))
    relay = make_relay(FAR, issuer={"proxy": responder.url})
    got = relay.get(request_der)
    assert (got.status, got.body) == (200, response(3))
    assert got.cache_status["fwd-status"] == str(status)


def test_EM_09_proxy_that_is_gone(make_relay, make_responder, responder, request_der):
    """The responder is not asked without it."""
    proxy = make_responder()
    proxy.stop()
    refused(make_relay(responder, issuer={"proxy": proxy.url}), request_der)
    assert responder.connections == 0


# --- proxies for https: CONNECT -----------------------------------------------------------------


class TunnelProxy:
    """A proxy that knows CONNECT only, and connects to one place whatever it is told. status:
    what it answers."""

    def __init__(self, target, status=200):
        self.requests = []
        self._target = target
        self._status = status
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d/" % self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, client):
        with client, contextlib.suppress(OSError):
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += client.recv(1)
            self.requests.append(Request(head, b"", 0))
            client.sendall(b"HTTP/1.1 %d Whatever\r\n%s\r\n" % (
                self._status, b"" if self._status == 200 else b"Content-Length: 0\r\n"))
            if self._status != 200:
                return
            with socket.create_connection(self._target) as server:
                threading.Thread(target=self._copy, args=(server, client), daemon=True).start()
                self._copy(client, server)

    @staticmethod
    def _copy(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


@pytest.fixture
def make_tunnel():
    started = []

    def make(*args, **options):
        started.append(TunnelProxy(*args, **options))
        return started[-1]
    yield make
    for one in started:
        one.stop()


@pytest.mark.parametrize("by", ["option", "environment"])
def test_HC_16_https_through_a_proxy(make_relay, make_https, make_tunnel, make_responder, trusting,
                                     request_der, by):
    """CONNECT to the responder's name and port; the proxy sees nothing else of the request."""
    responder = make_https("ocsp.ca.example")
    tunnel, other = make_tunnel(responder.address), make_responder()
    if by == "option":
        relay = make_relay(FAR_HTTPS, env=trusting, issuer={"proxy": tunnel.url})
    else:
        relay = make_relay(FAR_HTTPS, env={
            **trusting, "https_proxy": tunnel.url, "http_proxy": other.url})
    assert relay.get(request_der).cache_status["stored"]
    connect, = tunnel.requests
    assert (connect.method, connect.target) == ("CONNECT", "ocsp.ca.example:443")
    assert sorted(name for name, _ in connect.fields) == ["Host", "User-Agent"]
    asked, = responder.of()
    assert asked.target.startswith("/ocsp/") and asked.der == request_der
    assert asked.field("Host") == "ocsp.ca.example"
    assert asked.field("Via")
    assert other.connections == 0


def test_HC_16_EM_09_https_through_a_proxy_is_verified(make_relay, make_https, make_tunnel,
                                                       trusting, request_der):
    responder = make_https("other.example")
    relay = make_relay(FAR_HTTPS, env=trusting,
                       issuer={"proxy": make_tunnel(responder.address).url})
    refused(relay, request_der)
    assert responder.connections > 0 and responder.count() == 0


def test_no_proxy_is_for_https_too(make_relay, make_https, make_tunnel, trusting, request_der):
    responder = make_https()
    tunnel = make_tunnel(responder.address)
    relay = make_relay(responder, env={**trusting, "https_proxy": tunnel.url,
                                       "no_proxy": "localhost"})
    assert relay.get(request_der).cache_status["stored"]
    assert not tunnel.requests


@pytest.mark.parametrize("status", [403, 407])
def test_EM_09_proxy_that_refuses_to_connect(make_relay, make_https, make_tunnel, trusting,
                                             request_der, status):
    responder = make_https()
    tunnel = make_tunnel(responder.address, status)
    refused(make_relay(responder, env=trusting, issuer={"proxy": tunnel.url}), request_der)
    assert len(tunnel.requests) == 1 and responder.connections == 0
