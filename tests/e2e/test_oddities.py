# SPDX-License-Identifier: ISC
"""What is odd about responders and no reason to refuse them: counted, and told once."""

import time
from email.utils import formatdate

import pytest

import der
import pki as pki_module
from pki import DAY, HOUR, Single, request, response
from relay import Relay
from responder import Reply, Responder


@pytest.fixture(scope="module")
def cast(pki):
    pki.no_nocheck = pki.ca.delegate(nocheck=False)
    pki.stranger = pki_module.new_ca(pki.root, "Another CA")
    return pki


@pytest.fixture(scope="module")
def pair(cast):
    with Responder(cast) as responder, Relay(cast.ca, [responder.url],
                                             log={"level": "debug"}) as relay:
        yield relay, responder


def single(asked, **options):
    return Single(asked.asked.certids[0], **options)


def by_sha256(cast, asked):
    return Single(cast.ca.certid(asked.serial, "sha256"))


# what is odd, and a function of cast and Request that gives the options of Responder.basic
ODD = {
    "VS-05": ("mixed_issuers", lambda c, a: {
        "singles": [Single(c.stranger.certid(1), "revoked"), single(a)]}),
    "NK-08": ("other_hash", lambda c, a: {"singles": [by_sha256(c, a)]}),
    "VS-08": ("early_produced_at", lambda c, a: {"produced_at": time.time() - DAY}),
    "VS-11_long": ("validity_interval", lambda c, a: {"next_update": time.time() + 30 * DAY}),
    "VS-11_short": ("validity_interval", lambda c, a: {"next_update": time.time() + 2 * HOUR}),
    "VS-16": ("no_nocheck", lambda c, a: {"signer": c.no_nocheck}),
    "HC-15": ("size", lambda c, a: {"extensions": (der.extension("1.2.3", bytes(17000)),)}),
    "SL-18_ahead": ("clock", lambda c, a: {"http": {"Date": formatdate(time.time() + HOUR,
                                                                       usegmt=True)}}),
    "SL-18_behind": ("clock", lambda c, a: {"http": {"Date": formatdate(time.time() - HOUR,
                                                                        usegmt=True)}}),
}


@pytest.mark.parametrize("what, options", ODD.values(), ids=ODD.keys())
def test_served_stored_counted_and_told_once(pair, cast, what, options):
    relay, responder = pair
    before = relay.metric("response_oddities_total", issuer="test")
    counted = relay.metric("response_oddities_total", issuer="test", oddity=what)
    responder.behave(lambda asked: responder.signed(**options(cast, asked))(asked))
    for _ in range(3):
        certid = cast.ca.certid(pki_module.new_serial())
        got = relay.get(request(certid))
        assert got.status == 200 and got.cache_status["stored"]
        assert relay.get(request(certid)).body == got.body
    assert relay.metric("response_oddities_total", issuer="test", oddity=what) == counted + 3
    assert relay.metric("response_oddities_total", issuer="test") == before + 3
    told = relay.log.wait_for("response-odd", what=what)
    assert relay.log.find("response-odd", what=what) == [told]
    assert (told["level"], told["issuer"], told["responder"]) == ("warning", "test", responder.url)
    assert told["why"]


def test_nothing_is_odd_about_an_answer_in_order(make_relay, responder, certid):
    responder.behave(responder.signed(http={"Date": formatdate(usegmt=True)}))
    relay = make_relay(responder)
    assert relay.get(request(certid)).cache_status["stored"]
    assert relay.metric("response_oddities_total") == 0
    assert not relay.log.find("response-odd")


def test_HC_07_a_strange_body_is_shown_in_the_debug_log(pair, cast):
    relay, responder = pair
    page = b"<html>\r\n\x1b[2J\x00\xff\" " + b"x" * 300
    responder.behave(Reply(page, content_type="text/html; charset=utf-8"))
    assert relay.get(request(cast.ca.certid(pki_module.new_serial()))).body == response(2)
    told = relay.log.wait_for("body-strange")
    assert told["body"] == '<html>\r\n\x1b[2J\x00?" ' + "x" * (200 - 16)
    assert (told["level"], told["type"]) == ("debug", "text/html; charset=utf-8")
    assert told["octets"] == str(len(page))
    line = next(line for line in relay.log.lines if "event=body-strange" in line)
    assert line.isprintable() and "\\u001b[2J\\u0000?\\\"" in line


def test_HC_07_a_strange_body_is_not_shown_above_debug(make_relay, responder, certid):
    responder.behave(Reply(b"<html>", content_type="text/html"))
    relay = make_relay(responder)
    assert relay.get(request(certid)).body == response(2)
    relay.log.wait_for("response-refused")
    assert not relay.log.find("body-strange")
