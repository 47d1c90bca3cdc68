# SPDX-License-Identifier: ISC
"""What the relay's own words tell about its clients' questions: no serial number (SL-15)."""

import time

import pytest

import pki as pki_module
from pki import CertId, flip, request
from rawhttp import get, post
from relay import until
from responder import error, html, http_status, reset


def forms(serial):
    """As which a serial number may be written."""
    text = f"{serial:x}"
    pairs = [text[at:at + 2] for at in range(len(text) % 2, len(text), 2)]
    return text, str(serial), ":".join(pairs), " ".join(pairs)


def due(responder, **options):
    """A behaviour: the normal answer, which is to be fetched again after a second."""
    return responder.signed(http={"Cache-Control": "max-age=1"}, **options)


@pytest.fixture(params=["logfmt", "json"])
def talkative(request, make_relay, responder):
    return make_relay(responder, log={"access": True, "level": "info", "format": request.param},
                      issuer={"min_refresh_interval": "1s", "neg_ttl_error": 0},
                      limits={"max_waiters": 1})


def test_SL_15_no_serials_in_log_metrics_and_status(talkative, responder, pki):
    """But in the notice of a changed status, which names no client (CL-17)."""
    relay, serials = talkative, []

    def fresh():
        serials.append(pki_module.new_serial())
        return pki.ca.certid(serials[-1])

    def ask(behaviour, *certids, how=get, **options):
        responder.behave(behaviour)
        relay.ask(how(request(*(certids or [fresh()]), **options)))

    for status in ("good", "unknown"):
        ask(responder.signed(status=status))
    for behaviour in (reset, html, http_status(500), error(1), error(2), error(5), error(6),
                      responder.mangled(flip), responder.signed(signer=pki.root)):
        ask(behaviour)
        ask(behaviour, how=post)
    known, changed = fresh(), fresh()
    for certid in (known, changed):
        ask(due(responder, this_update=time.time() - 60), certid)
    until(lambda: ask(due(responder, this_update=time.time() - 7200), known)
          or relay.log.find("rollback-refused"))
    until(lambda: ask(due(responder, this_update=time.time(), status="revoked"), changed)
          or relay.log.find("status-changed"))
    ask(None, fresh(), fresh())
    ask(None, how=post, nonce=bytes(16), signed_by=pki.leaf())
    ask(None, CertId("sha1", pki.root.certid(1).name_hash, known.key_hash, known.serial))
    ask(None, pki.root.certid(serials[0]))
    with responder.held(), relay.connect() as waiting:
        crowded = fresh()
        waiting.send(get(request(crowded)))
        relay.wait_for_metric("waiters", 1)
        ask(None, crowded)
    relay.terminate()
    lines = relay.log.lines
    relay.start()
    ask(None, known)  # from the store
    relay.log.wait_for("access", result="hit")

    told = [relay.admin(path)[1] for path in ("/metrics", "/api/v1/status")]
    told += lines + relay.log.lines
    assert any("overload-waiters" in line for line in lines)
    for text in told:
        found = [serial for serial in serials
                 if any(form in text.lower() for form in forms(serial))]
        if "status-changed" in text:
            assert found == [changed.number] and "client" not in text
        else:
            assert not found, text
