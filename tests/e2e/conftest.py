# SPDX-License-Identifier: ISC
"""Fixtures: every test gets what it needs fresh, or shared where serial numbers keep it apart."""

import copy
import os
import shutil
import types

import pytest

import clients
import fleet_kit
import pki as pki_module
import redis_kit
import relay as relay_module
import responder as responder_module


def pytest_sessionstart(session):
    if not session.config.option.collectonly and not os.access(relay_module.BINARY, os.X_OK):
        pytest.exit(f"no relay to test: {relay_module.BINARY} (environment variable OCSPRELAY)", 2)


@pytest.fixture(scope="session")
def pki():
    return pki_module.Pki()


@pytest.fixture(scope="session")
def rsa_pki():
    return pki_module.Pki("rsa")


@pytest.fixture
def make_responder(pki):
    """make_responder() starts one; all are stopped at the end."""
    started = []

    def make(of=pki, **options):
        started.append(responder_module.Responder(of, **options))
        return started[-1]

    yield make
    for one in started:
        one.stop()


@pytest.fixture
def make_relay(pki):
    """make_relay(responder or URL..., **options) starts one for the CA of pki; each is checked and
    stopped at the end of the test."""
    started = []

    def make(*responders, ca=pki.ca, **options):
        urls = [getattr(one, "url", one) for one in responders]
        started.append(relay_module.Relay(ca, urls, **options))
        return started[-1]

    yield make
    faults = []
    for one in started:
        try:
            one.stop()
        except AssertionError as fault:
            faults.append(str(fault))
    assert not faults, "\n".join(faults)


@pytest.fixture
def responder(make_responder):
    return make_responder()


@pytest.fixture
def relay(make_relay, responder):
    """A relay with nothing special in front of responder."""
    return make_relay(responder)


@pytest.fixture
def certid(pki):
    """Of a certificate that no other test knows."""
    return pki.ca.certid(pki_module.new_serial())


@pytest.fixture
def request_der(certid):
    return pki_module.request(certid)


@pytest.fixture
def make_redis():
    """make_redis(line of configuration...) starts a server; all are stopped at the end."""
    if redis_kit.SERVER is None:
        pytest.skip("redis-server is not installed")
    started = []

    def make(*conf, **options):
        started.append(redis_kit.Redis(*conf, **options))
        return started[-1]

    yield make
    for one in started:
        one.stop()


@pytest.fixture
def redis(make_redis):
    return make_redis()


@pytest.fixture
def make_proxy():
    """make_proxy(redis) stands before it; all are stopped at the end."""
    started = []

    def make(server):
        started.append(fleet_kit.Proxy(server))
        return started[-1]

    yield make
    for one in started:
        one.stop()


@pytest.fixture
def make_fleet(make_relay, responder):
    """make_fleet(8, redis, **options): small relays behind one Redis, once all of them hear the news
    of the others. via: the URL by which they reach it."""

    def make(count, server, via=None, **options):
        n_others = fleet_kit.listeners(server)
        options = {"store": [via or server.url], "redis": fleet_kit.PATIENT, "threads": 1,
                   "limits": {"max_requests_per_connection": 10 ** 6}, **options}
        relays = [make_relay(responder, **options) for _ in range(count)]
        for relay in relays:
            fleet_kit.wait_until_up(relay)
        fleet_kit.wait_for_listeners(server, n_others + count)
        return relays

    return make


# --- shared by the tests of a module that only differ in what one request looks like ------------


@pytest.fixture(scope="module")
def _shared_pair(pki):
    with responder_module.Responder(pki) as one, \
            relay_module.Relay(pki.ca, [one.url]) as other:
        yield one, other


@pytest.fixture
def shared(_shared_pair):
    """(relay, responder) of the whole module, for tests that use serials of their own and leave
    no behaviour behind."""
    responder, relay = _shared_pair
    yield relay, responder
    responder.behave(None)
    relay.check()


# --- programs of others -------------------------------------------------------------------------


@pytest.fixture(scope="session")
def program():
    """program("nginx"): its path, or the test is skipped."""
    def find(name):
        path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
        if not path:
            package = clients.PACKAGES.get(name, name)
            pytest.skip(f"{name} is not installed (Debian package {package})")
        return path
    return find


@pytest.fixture
def java(program):
    """java("Check.java", argument..., options=[...]): the command that runs one of the programs in
    java/ from its source, started as soon as can be."""
    def command(source, *args, options=()):
        return [program("java"), "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", *options,
                os.path.join(os.path.dirname(os.path.abspath(__file__)), "java", source), *args]
    return command


@pytest.fixture
def start():
    """start(program, arguments...) runs a server in the foreground; all are stopped at the end."""
    started = []

    def run(*args, **options):
        started.append(clients.Server(*args, **options))
        return started[-1]

    yield run
    for one in started:
        one.stop()


@pytest.fixture(params=["ec", "rsa"])
def files(request, tmp_path, pki, rsa_pki):
    return clients.Files(tmp_path, {"ec": pki, "rsa": rsa_pki}[request.param])


@pytest.fixture
def ec_files(tmp_path, pki):
    return clients.Files(tmp_path, pki)


def _relayed(files, make_responder, make_relay):
    responder = make_responder(files.pki)
    relay = make_relay(responder, ca=files.pki.ca)
    for status in ("good", "revoked", "unknown"):
        responder.statuses[files.leaf(status, aia=relay.url).serial] = status
    return files, relay, responder


@pytest.fixture
def relayed(files, make_responder, make_relay):
    """(files with good, revoked and unknown, relay, responder); once for each kind of key."""
    return _relayed(files, make_responder, make_relay)


@pytest.fixture
def ec_relayed(ec_files, make_responder, make_relay):
    return _relayed(ec_files, make_responder, make_relay)


@pytest.fixture
def chained(ec_files, make_responder, make_relay):
    """(files with server, good and revoked, which name no responder, relay, responder of the CA,
    responder of the root): for clients that ask about the whole chain at one URL."""
    pki = ec_files.pki
    responder = make_responder(pki)
    of_root = make_responder(types.SimpleNamespace(signer=pki.root.delegate()))
    relay = make_relay(responder, ca=pki.ca, start=False)
    relay.add_issuer("root", pki.root, [of_root.url])
    relay.start()
    ec_files.leaf("server")
    for status in ("good", "revoked"):
        responder.statuses[ec_files.leaf(status).serial] = status
    return ec_files, relay, responder, of_root


@pytest.fixture
def aia_chained(files, make_responder, make_relay):
    """(files with good, revoked and unknown, relay, responder of the CA, responder of the root),
    where all certificates below the root name the relay. The root signs its answers itself."""
    pki = copy.copy(files.pki)
    responder = make_responder(pki)
    of_root = make_responder(types.SimpleNamespace(signer=pki.root))
    relay = make_relay(of_root, ca=pki.root)
    pki.ca = pki_module.new_ca(pki.root, kind=pki.kind, key=pki.ca.key, aia=relay.url)
    relay.add_issuer("intermediate", pki.ca, [responder.url])
    relay.reload()
    files = clients.Files(files.directory, pki)
    for status in ("good", "revoked", "unknown"):
        responder.statuses[files.leaf(status, aia=relay.url).serial] = status
    return files, relay, responder, of_root
