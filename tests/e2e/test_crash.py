# SPDX-License-Identifier: ISC
"""kill -9 at any moment: the store opens again, what was acknowledged as stored is there, and nothing
that is not whole is served."""

import concurrent.futures

import pki as pki_module
from pki import request
from rawhttp import post
from relay import until

N_KILLS = 100
N_PARALLEL = 4
N_KEPT = 3     # acknowledged before each kill
N_WRITTEN = 8  # asked for while it is killed


def new_requests(pki, count):
    return [request(pki.ca.certid(pki_module.new_serial())) for _ in range(count)]


def is_right(body, data):
    single = pki_module.parse_response(body)
    return single.serial_number == pki_module.parse_request(data).certids[0].number


def acknowledged(relay):
    return relay.metric("store_operations_total", tier="lmdb", op="put", result="ok")


def die(relay, pki, n_answers):
    """Stores, and is killed when it has given so many of the answers that it is about to store. Gives
    {request: answer} that were acknowledged, what else was asked, and how much of both together was
    acknowledged a moment before the end."""
    kept = {}
    with relay.connect() as connection:
        for data in new_requests(pki, N_KEPT):
            kept[data] = connection.ask(post(data)).body
        until(lambda: acknowledged(relay) == N_KEPT)
        written = new_requests(pki, N_WRITTEN)
        connection.send(b"".join(post(data) for data in written))
        for _ in range(n_answers):
            connection.read()
        count = acknowledged(relay)
        relay.kill()
    return kept, written, count


def live_again(relay, kept, written, count):
    relay.start()
    assert relay.metric("store_up", tier="lmdb") == 1
    n_there = 0
    with relay.connect() as connection:
        for data in [*kept, *written]:
            got = connection.ask(post(data))
            assert is_right(got.body, data)
            n_there += got.cache_status.get("detail") == "disk"
            if data in kept:
                assert got.body == kept[data] and got.cache_status["detail"] == "disk"
    assert n_there >= count, "all that was acknowledged"
    for event in ("store-failed", "record-refused"):
        assert not relay.log.find(event)
    assert relay.metric("store_operations_total", op="get", result="refused") == 0


def test_killed_a_hundred_times_while_it_stores(make_relay, responder, pki):
    relays = [make_relay(responder, threads=1) for _ in range(N_PARALLEL)]

    def one(relay):
        for i in range(N_KILLS // N_PARALLEL):
            live_again(relay, *die(relay, pki, i % (N_WRITTEN + 1)))
            relay.restart()  # the counters are those of one life
        return True

    with concurrent.futures.ThreadPoolExecutor(N_PARALLEL) as pool:
        assert all(pool.map(one, relays))
