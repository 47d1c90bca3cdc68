# SPDX-License-Identifier: ISC
"""Redis as a store: shared by relays, trusted by none, and nobody's worry when it is ill."""

import socket
import threading

import pytest

import pki as pki_module
import redis_kit
from pki import request
from relay import run, until

pytestmark = pytest.mark.skipif(redis_kit.SERVER is None, reason="redis-server is not installed")


def new_request(pki):
    return request(pki.ca.certid(pki_module.new_serial()))


def wait_for_store(relay, is_up=True):
    until(lambda: relay.metric("store_up", tier="redis") == int(is_up), what=f"store up: {is_up}")


@pytest.fixture
def make_node(make_relay, responder):
    """make_node(redis or URL, **options): a relay with that store alone, once it is up."""

    def make(server, wait=True, **options):
        store = server if isinstance(server, list) else [getattr(server, "url", server)]
        relay = make_relay(responder, store=store, **options)
        if wait:
            wait_for_store(relay)
        return relay

    return make


def ask_and_store(relay, pki, count=1):
    """[(request, answer)] that are in Redis."""
    asked = []
    before = relay.metric("store_operations_total", tier="redis", op="put", result="ok")
    for _ in range(count):
        data = new_request(pki)
        asked.append((data, relay.get(data)))
        assert asked[-1][1].cache_status["stored"]
    relay.wait_for_metric("store_operations_total", before + count, tier="redis", op="put",
                          result="ok")
    return asked


@pytest.mark.threads
def test_what_one_relay_fetched_is_a_hit_of_the_other(make_node, redis, responder, pki):
    first, second = make_node(redis), make_node(redis)
    for data, answer in ask_and_store(first, pki, 5):
        got = second.get(data)
        assert got.body == answer.body
        assert got.cache_status["hit"] and got.cache_status["detail"] == "redis"
        assert second.get(data).cache_status["detail"] == "l1"
    assert responder.count() == 5
    assert len(second.log.find("store-open", store="redis", server=redis.address)) == 1


def test_NK_11_CL_22_key_and_expiry(make_node, redis, pki):
    serial = pki_module.new_serial()
    certid = pki.ca.certid(serial)
    relay = make_node(redis, redis={"prefix": "fleet-7"})
    answer = relay.get(request(certid))
    relay.wait_for_stored()
    (key,) = redis.keys()
    prefix, version, issuer, algorithm, hexadecimal = key.split(":")
    assert (prefix, version, algorithm) == ("fleet-7", "1", "s1")
    assert len(issuer) == 64 and int(hexadecimal, 16) == serial
    value = redis.call("GET", key)
    assert value[0] == 1 and value[24:] == answer.body
    ends = int(pki_module.parse_response(answer.body).next_update.timestamp() * 1000)
    now = int(float(redis.call("TIME")[0]) * 1000)
    assert abs(now + redis.call("PTTL", key) - ends) < 3000


# --- faults -------------------------------------------------------------------------------------


def assert_unharmed(relay, pki, count=3):
    """Clients are served, from the CA if need be."""
    for _ in range(count):
        data = new_request(pki)
        got = relay.get(data)
        assert got.status == 200 and got.cache_status["fwd"] == "miss"
        assert relay.get(data).cache_status["hit"]


def wait_for_down(relay, reason, count=1):
    relay.log.wait_for("store-failed", count, store="redis")
    wait_for_store(relay, is_up=False)
    failed = relay.log.find("store-failed", store="redis")
    assert len(failed) == count, "one event when it goes down"
    assert reason in failed[-1]["reason"]


def wait_for_back(relay, count=1):
    relay.log.wait_for("store-back", count, store="redis")
    wait_for_store(relay)
    assert len(relay.log.find("store-back", store="redis")) == count


@pytest.mark.threads
def test_EM_24_killed_and_restarted_empty(make_node, redis, pki):
    relay = make_node(redis, back_threads=2)
    ask_and_store(relay, pki)
    redis.kill()
    wait_for_down(relay, "closed")
    assert_unharmed(relay, pki)
    redis.start()
    wait_for_back(relay)
    ask_and_store(relay, pki, 2)
    assert len(redis.keys()) == 2


def test_EM_24_hung(make_node, redis, pki):
    """It costs a few misses 50 ms each, and then nothing."""
    relay = make_node(redis)
    redis.freeze()
    wait_for_down(relay, "in time")
    assert_unharmed(relay, pki)
    dropped = relay.metric("store_operations_total", tier="redis", op="get", result="dropped")
    # each connection finds out for itself: the one for news may have been first
    assert dropped >= 1, "not even asked while it hangs"
    redis.thaw()
    wait_for_back(relay)
    ask_and_store(relay, pki)


def test_EM_24_away_at_the_start(make_node, make_redis, pki):
    redis = make_redis(start=False)
    relay = make_node(redis, wait=False)
    wait_for_down(relay, "refused")
    assert_unharmed(relay, pki)
    redis.start()
    wait_for_back(relay)
    ask_and_store(relay, pki)


def test_EM_24_full(make_node, make_redis, pki):
    """What it has is still read."""
    redis = make_redis("maxmemory-policy noeviction")
    relay, other = make_node(redis), make_node(redis)
    (data, answer), = ask_and_store(other, pki)
    redis.call("CONFIG", "SET", "maxmemory", "1")
    assert_unharmed(relay, pki)
    wait_for_down(relay, "OOM")
    got = relay.get(data)
    assert got.body == answer.body and got.cache_status["detail"] == "redis"
    redis.call("CONFIG", "SET", "maxmemory", "0")
    ask_and_store(relay, pki)
    wait_for_back(relay)


def test_EM_24_read_only(make_node, make_redis, pki):
    master = make_redis("repl-diskless-sync-delay 0")
    replica = make_redis(f"replicaof 127.0.0.1 {master.port}")
    (data, answer), = ask_and_store(make_node(master), pki)
    until(lambda: replica.info("master_link_status") == "up" and replica.keys())
    relay = make_node(replica)
    assert_unharmed(relay, pki)
    wait_for_down(relay, "READONLY")
    got = relay.get(data)
    assert got.body == answer.body and got.cache_status["detail"] == "redis"
    replica.call("REPLICAOF", "NO", "ONE")
    ask_and_store(relay, pki)
    wait_for_back(relay)


@pytest.mark.parametrize("password, reason", [(None, "NOAUTH"), ("wrong", "WRONGPASS")])
def test_EM_24_wrong_password(make_node, make_redis, pki, password, reason):
    """The right one is taken up by a reload."""
    redis = make_redis("requirepass right", password="right")
    relay = make_node(redis, wait=False, start=False)
    if password:
        relay.options["redis"] = {"password_file": relay.write("password", password + "\n")}
    relay.start()
    wait_for_down(relay, reason)
    assert_unharmed(relay, pki)
    relay.options["redis"] = {"password_file": relay.write("password", "right\n")}
    relay.reload()
    wait_for_back(relay)
    ask_and_store(relay, pki)
    assert "right" not in relay.log.text.replace("restart", "")


@pytest.mark.parametrize("damage", [
    b"", b"\x01", b"\x02" + 60 * b"\0", 70000 * b"x", 2000000 * b"x"],
    ids=["empty", "cut", "other-version", "long", "SL-14-oversized"])
def test_VS_24_damaged_records(make_node, redis, responder, pki, damage):
    """Not believed, and replaced; the rest goes on as before."""
    first, second = make_node(redis), make_node(redis)
    (data, _), (other, answer) = ask_and_store(first, pki, 2)
    before = responder.count()
    (key,) = [key for key in redis.keys()
              if redis.call("GET", key)[24:] != answer.body]
    redis.call("SET", key, damage)
    got = second.get(data)
    assert (got.status, got.cache_status["fwd"]) == (200, "miss")
    assert responder.count() == before + 1
    second.wait_for_stored()
    assert redis.call("GET", key)[24:] == got.body
    assert second.get(other).cache_status["detail"] == "redis"
    assert not second.log.find("store-failed")


def test_VS_24_something_else_under_the_key(make_node, redis, responder, pki):
    first, second = make_node(redis), make_node(redis)
    (data, _), = ask_and_store(first, pki)
    (key,) = redis.keys()
    redis.call("DEL", key)
    redis.call("LPUSH", key, "x")
    assert second.get(data).cache_status["fwd"] == "miss"
    second.wait_for_stored()
    assert not second.log.find("store-failed") and redis.call("TYPE", key) == "string"


@pytest.mark.parametrize("garbage", [
    b"HTTP/1.1 400 Bad Request\r\n\r\n", b"*2000000000\r\n", b"$500000000\r\n" + bytes(1 << 20),
    b"+OK\r\n" * 1000, bytes(1000), b"+PONG\r\n+PONG\r\n"],
    ids=["http", "array", "string", "replies", "zeros", "one-too-many"])
def test_EM_24_garbage(make_node, make_redis, pki, garbage):
    redis = make_redis(start=False)
    with socket.create_server(("127.0.0.1", redis.port)) as server:
        end = threading.Event()

        def answer():
            while not end.is_set():
                try:
                    peer, _ = server.accept()
                    with peer:
                        peer.recv(1000)
                        peer.sendall(garbage)
                        peer.recv(1000)
                except OSError:
                    pass

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            relay = make_node(redis, wait=False)
            relay.log.wait_for("store-failed", store="redis")
            assert_unharmed(relay, pki)
        finally:
            end.set()
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
    redis.start()
    wait_for_store(relay)
    ask_and_store(relay, pki)


def test_unix_socket_and_user(make_node, make_redis, pki):
    redis = make_redis("user default off", "user relay on >secret ~ocspr:* &ocspr:news -@all +ping "
                       "+select +getrange +set +del +publish +subscribe +scan", "unixsocket redis.sock",
                       start=False)
    redis.conf[-1] = f"unixsocket {redis.path('redis.sock')}"
    redis.answers = lambda: redis_kit.os.path.exists(redis.path("redis.sock"))
    redis.start()
    relays = []
    for _ in range(2):
        relay = make_node(f"redis+unix:{redis.path('redis.sock')}?user=relay", wait=False,
                          start=False)
        relay.options["redis"] = {"password_file": relay.write("password", "secret\n")}
        relays.append(relay.start() or relay)
        wait_for_store(relays[-1])
    (data, answer), = ask_and_store(relays[0], pki)
    got = relays[1].get(data)
    assert got.body == answer.body and got.cache_status["detail"] == "redis"


# --- TLS ----------------------------------------------------------------------------------------


@pytest.fixture
def make_tls_redis(make_redis, pki, tmp_path):
    """make_tls_redis(name): its certificate is for that name."""

    def make(name):
        server = pki.root.issue("redis", dns=name)
        for file, content in {"root.pem": pki.root.pem, "cert.pem": server.pem,
                              "key.pem": server.key_pem}.items():
            (tmp_path / file).write_bytes(content)
        redis = make_redis(start=False)
        redis.tls_port = redis_kit.free_port()
        redis.conf += [f"tls-port {redis.tls_port}", f"tls-cert-file {tmp_path}/cert.pem",
                       f"tls-key-file {tmp_path}/key.pem", f"tls-ca-cert-file {tmp_path}/root.pem",
                       "tls-auth-clients no"]
        redis.start()
        return redis

    return make


def skip_without_tls(make_relay):
    relay = make_relay(start=False, store=["rediss://localhost"])
    relay.write_config()
    result = run("check", "-c", relay.config)
    if result.returncode:
        assert "hiredis_ssl" in result.stderr + result.stdout
        pytest.skip("built without hiredis_ssl: rediss:// is a configuration error, which it is")


def test_tls(make_node, make_relay, make_tls_redis, pki, tmp_path):
    skip_without_tls(make_relay)
    redis = make_tls_redis("localhost")
    url = f"rediss://localhost:{redis.tls_port}"
    relay, other = (make_node(url, env={"SSL_CERT_FILE": str(tmp_path / "root.pem")})
                    for _ in range(2))
    for data, answer in ask_and_store(relay, pki, 20):
        got = other.get(data)
        assert got.body == answer.body and got.cache_status["detail"] == "redis"


@pytest.mark.parametrize("name, trusted, reason", [
    ("other.example", True, "ostname mismatch"), ("localhost", False, "certificate")],
    ids=["another-name", "not-trusted"])
def test_tls_to_somebody_else(make_node, make_relay, make_tls_redis, pki, tmp_path, name, trusted,
                              reason):
    skip_without_tls(make_relay)
    redis = make_tls_redis(name)
    relay = make_node(f"rediss://localhost:{redis.tls_port}", wait=False, env={
        "SSL_CERT_FILE": str(tmp_path / "root.pem") if trusted else "/dev/null"})
    assert reason in relay.log.wait_for("store-failed", store="redis")["reason"]
    assert_unharmed(relay, pki)
    assert not redis.keys()
