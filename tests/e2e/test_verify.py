# SPDX-License-Identifier: ISC
"""What is not proven is neither served nor stored (section 4)."""

import time
from collections import Counter
from dataclasses import dataclass, replace

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID

import der
import pki as pki_module
from pki import DAY, HOUR, Identity, Single, flip, parse_response, request, response
from rawhttp import get
from relay import Relay, until
from responder import Reply, Responder


class Cast(pki_module.Pki):
    """The CA with everybody who might want to sign for it."""

    def __init__(self):
        super().__init__()
        ca = self.ca
        self.stranger = pki_module.Pki()
        sibling = pki_module.new_ca(self.root, "Sibling CA")
        sub_ca = pki_module.new_ca(ca, "Sub CA")
        older = pki_module.new_ca(self.root)  # same name, another key
        self.rsa_signer = ca.delegate(kind="rsa")
        self.weak_signer = ca.delegate(key=pki_module.new_key("rsa", 1024))
        self.ed25519_signer = ca.delegate(kind="ed25519")
        self.no_eku = ca.delegate(eku=())
        self.any_eku = ca.delegate(eku=[ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE])
        self.wrong_usage = ca.delegate(key_usage=["key_encipherment"])
        self.no_usage = ca.delegate(key_usage=None)
        self.no_nocheck = ca.delegate(nocheck=False)
        self.with_aia = ca.delegate(aia="http://127.0.0.1:1/")
        self.past = ca.delegate(not_before=-2 * DAY, not_after=-HOUR)
        self.to_come = ca.delegate(not_before=HOUR)
        self.of_sibling = sibling.delegate()
        self.of_sub_ca = sub_ca.delegate()
        self.of_older_key = older.delegate()
        self.of_stranger = self.stranger.signer
        self.sub_ca = sub_ca
        self.leaf_signer = self.leaf()


@pytest.fixture(scope="module")
def cast():
    return Cast()


@dataclass
class Lie:
    """Options of Responder.basic (or a function that gives them), a change of the octets, and the
    reason that the log must name."""

    reasons: tuple
    options: object = None
    change: object = None
    status: int = 2

    def behaviour(self, responder, cast):
        options = self.options(cast) if callable(self.options) else self.options or {}

        def answer(asked):
            singles = options.get("singles")
            extra = {**options, "singles": singles(asked)} if singles else options
            data = responder.basic(asked, **extra).encode()
            return Reply(self.change(data, cast) if self.change else data)
        return answer


def lie(*reasons, change=None, status=2, **options):
    return Lie(reasons, options, change, status)


def signed_by(who, *reasons, **options):
    """who: a member of Cast."""
    return Lie(reasons, lambda cast: {"signer": getattr(cast, who), **options})


def now_options(*reasons, status=2, **offsets):
    """Options of Single or Basic that are times relative to now."""
    return Lie(reasons, lambda cast: {key: time.time() + value for key, value in offsets.items()},
               status=status)


LIES = {
    # the signature
    "VS-19_signature_flipped": Lie(("signature",), lambda c: {"signer": c.ca},
                                   lambda d, c: flip(d)),
    "VS-19_signature_of_delegate_flipped": Lie(
        ("signature", "der"), None, lambda d, c: flip(d, d.index(c.signer.der) - 12)),
    "VS-19_data_flipped": Lie(("signature",), {"produced_at": "20260101000000Z"},
                              lambda d, c: d.replace(b"20260101000000Z", b"20260101000001Z")),
    "VS-19_certificate_flipped": Lie(
        ("signer-chain", "signer-cert", "signer-issuer", "signature", "responder-id"), None,
        lambda d, c: flip(d)),
    "VS-19_signed_by_another_key": Lie(
        ("signature",), lambda c: {"signer": c.stranger.ca, "responder": c.ca, "certs": []}),
    "VS-20_md5": Lie(("algorithm",), lambda c: {"signer": c.rsa_signer, "digest": "md5"}),

    # who signs
    "VS-12_stranger": signed_by("of_stranger", "signer-issuer", "signer-chain", "responder-id"),
    "VS-12_sibling": signed_by("of_sibling", "signer-issuer", "signer-chain"),
    "VS-12_delegate_of_a_sub_ca": signed_by("of_sub_ca", "signer-issuer", "signer-chain"),
    "VS-12_delegate_of_a_sub_ca_with_chain": Lie(
        ("signer-issuer", "signer-chain"),
        lambda c: {"signer": c.of_sub_ca, "certs": [c.of_sub_ca, c.sub_ca]}),
    "VS-12_delegate_of_an_older_key": signed_by("of_older_key", "signer-issuer", "signer-chain"),
    "VS-12_sub_ca_itself": Lie(("signer-eku", "signer-issuer"),
                               lambda c: {"signer": c.sub_ca, "certs": [c.sub_ca]}),
    "VS-13_no_eku": signed_by("no_eku", "signer-eku"),
    "VS-13_any_eku": signed_by("any_eku", "signer-eku"),
    "VS-13_a_leaf": signed_by("leaf_signer", "signer-eku"),
    "VS-14_expired": signed_by("past", "signer-expired"),
    "VS-14_not_yet_valid": signed_by("to_come", "signer-expired"),
    "VS-15_key_usage": signed_by("wrong_usage", "signer-key-usage"),
    "VS-17_wrong_key_hash": Lie(("responder-id", "signature"), lambda c: {
        "signer": c.signer, "by_key": True, "responder": c.of_stranger}),
    "VS-17_wrong_name": Lie(("responder-id", "signature"), lambda c: {
        "signer": c.signer, "responder": c.ca.delegate("Somebody else")}),
    "VS-18_delegate_not_embedded": Lie(("responder-id",), lambda c: {
        "signer": c.ca.delegate("never seen"), "certs": []}),

    # about what
    "VS-03_another_serial": lie("certid", singles=lambda a: [
        Single(replace(a.asked.certids[0], serial=b"\x77"))]),
    "VS-03_another_issuer": Lie(("certid",), lambda c: {"singles": lambda a: [
        Single(c.stranger.ca.certid(a.serial))]}),

    # when
    "VS-06_fraction_of_a_second": lie("time", this_update="20260101000000.5Z"),
    "VS-06_offset": lie("time", this_update="20260101000000+0100"),
    "VS-06_no_seconds": lie("time", next_update="209901010000Z"),
    "VS-06_impossible_date": lie("time", this_update="20260230000000Z"),
    "VS-06_no_digits": lie("time", this_update="2026010100000xZ"),
    "VS-06_produced_at": lie("time", produced_at="now"),
    "VS-07_from_the_future": now_options("future", this_update=400, next_update=DAY),
    "VS-08_produced_in_the_future": now_options("produced-future", produced_at=400),
    "VS-09_EM-13_expired": now_options("expired", status=3, this_update=-DAY, next_update=-10),
    "VS-10_next_update_before_this_update": now_options("order", "expired", this_update=-HOUR,
                                                        next_update=-2 * HOUR),

    # shape
    "VS-01_trailing_octet": Lie(("trailing", "der"), None, lambda d, c: d + b"\0"),
    "VS-01_successful_without_bytes": Lie(("status", "der"), None, lambda d, c: response(0)),
    "VS-01_status_7": Lie(("status",), None, lambda d, c: response(7)),
    "VS-01_cut": Lie(("der",), None, lambda d, c: d[:-1]),
    "VS-02_another_type": lie("type", basic_type="1.2.3"),
    "VS-02_version_2": lie("version", version=1),
    "SL-05_eleven_certificates": Lie(("certs",), lambda c: {"certs": [c.signer] * 11}),
    "no_single_response": lie("singles", "certid", singles=lambda a: []),
    "VS-21_critical_response_extension": lie("critical", extensions=(
        der.extension("1.2.3", b"x", critical=True),)),
    "VS-21_critical_single_extension": lie("critical", singles=lambda a: [Single(
        a.asked.certids[0], extensions=(der.extension("1.2.3", b"x", critical=True),))]),
}


@pytest.fixture(scope="module")
def pair(cast):
    with Responder(cast) as responder, Relay(
            cast.ca, [responder.url], {"neg_ttl_error": 0, "min_refresh_interval": "1s"}) as relay:
        yield relay, responder


@pytest.fixture
def tried(pair):
    relay, responder = pair
    responder.behave(None)
    yield relay, responder
    responder.behave(None)
    relay.check()


def refusals(relay):
    """How often for which reason: the metric, because the log folds repetitions."""
    return Counter({labels["reason"]: value for name, labels, value in relay.metrics()
                    if name == "ocsprelay_verify_failures_total" and labels["issuer"] == "test"})


@pytest.mark.parametrize("this", LIES.values(), ids=LIES.keys())
def test_EM_12_neither_served_nor_stored(tried, cast, this):
    relay, responder = tried
    certid = cast.ca.certid(pki_module.new_serial())
    responder.behave(this.behaviour(responder, cast))
    refused, kept = refusals(relay), relay.metric("cache_entries")
    for _ in range(2):
        before = responder.count(certid.number)
        got = relay.get(request(certid))
        assert (got.status, got.body) == (200, response(this.status))
        assert responder.count(certid.number) > before, "it was stored"
    reasons = refusals(relay) - refused
    assert len(reasons) == 1 and set(reasons) <= set(this.reasons)
    assert relay.metric("cache_entries") == kept
    responder.behave(None)
    assert parse_response(relay.get(request(certid)).body).serial_number == certid.number


def test_nothing_bad_is_in_the_store(cast):
    """After a restart every one of them is asked about again."""
    with Responder(cast) as responder, Relay(cast.ca, [responder.url],
                                             {"neg_ttl_error": 0}) as relay:
        good = cast.ca.certid(pki_module.new_serial())
        relay.get(request(good))
        certids = {}
        for name, this in LIES.items():
            certids[name] = cast.ca.certid(pki_module.new_serial())
            responder.behave(this.behaviour(responder, cast))
            relay.get(request(certids[name]))
        relay.wait_for_stored()
        relay.restart()
        responder.behave(None)
        before = responder.count()
        assert relay.get(request(good)).cache_status["hit"]
        assert responder.count() == before
        for name, certid in certids.items():
            assert relay.get(request(certid)).cache_status["fwd"] == "miss", name
        assert responder.count() == before + len(certids)


def test_F4_a_good_answer_survives_every_bad_one(tried, cast):
    relay, responder = tried
    stored = {}
    for name in LIES:
        certid = cast.ca.certid(pki_module.new_serial())
        responder.then(responder.signed(next_update=time.time() + 250))
        stored[name] = certid, relay.get(request(certid)).body
    for name, (certid, body) in stored.items():
        responder.behave(LIES[name].behaviour(responder, cast))

        def asked_again(certid=certid, body=body, name=name):
            assert relay.get(request(certid)).body == body, name
            return responder.count(certid.number) > 1
        until(asked_again)
        assert relay.get(request(certid)).body == body, name


# --- what must not be refused -------------------------------------------------------------------

def single_of(asked, **options):
    return [Single(asked.asked.certids[0], **options)]


TRUTHS = {
    "VS-12_ca_itself": lambda c: {"signer": c.ca},
    "VS-12_ca_itself_embedded": lambda c: {"signer": c.ca, "certs": [c.ca]},
    "VS-12_delegate": lambda c: {},
    "VS-15_no_key_usage": lambda c: {"signer": c.no_usage},
    "VS-16_no_nocheck": lambda c: {"signer": c.no_nocheck},
    "VS-17_by_key": lambda c: {"by_key": True},
    "VS-17_ca_by_key": lambda c: {"signer": c.ca, "by_key": True},
    "VS-17_signer_is_the_last_of_three": lambda c: {"certs": [c.root, c.no_eku, c.signer]},
    "VS-17_two_delegates_of_one_name": lambda c: {
        "certs": [c.no_nocheck, c.no_usage, c.signer]},
    "VS-20_rsa": lambda c: {"signer": c.rsa_signer},
    "VS-20_rsa_sha512": lambda c: {"signer": c.rsa_signer, "digest": "sha512"},
    "VS-20_rsa_pss": lambda c: {"signer": c.rsa_signer, "pss": True},
    "VS-20_rsa_pss_sha512": lambda c: {"signer": c.rsa_signer, "pss": True, "digest": "sha512"},
    "VS-20_ecdsa_sha384": lambda c: {"digest": "sha384"},
    "VS-20_ed25519": lambda c: {"signer": c.ed25519_signer},
    "VS-07_within_the_skew": lambda c: {"this_update": time.time() + 280,
                                        "produced_at": time.time() + 280},
    "VS-08_produced_before_this_update": lambda c: {"produced_at": time.time() - DAY},
    "VS-11_thirty_days": lambda c: {"next_update": time.time() + 30 * DAY},
    "next_update_in_9999": lambda c: {"next_update": "99991231235959Z"},
    "VS-22_known_extensions": lambda c: {"extensions": (
        der.extension("1.3.6.1.5.5.7.48.1.6", der.generalized_time(0)),
        der.extension("1.3.6.1.5.5.7.48.1.3", der.seq()))},
    "VS-21_unknown_extension": lambda c: {"extensions": (der.extension("1.2.3", b"x"),)},
    "explicit_version_1": lambda c: {"version": 0},
    "VS-05_batch_of_fifty": lambda c: {"singles": lambda a: [
        Single(c.ca.certid(number + 1)) for number in range(49)] + single_of(a)},
    "VS-05_other_issuers_in_it": lambda c: {"singles": lambda a: [
        Single(c.stranger.ca.certid(1), "revoked")] + single_of(a)},
    "certid_without_parameters": lambda c: {"singles": lambda a: single_of(a, parameters=b"")},
}


@pytest.mark.parametrize("options", TRUTHS.values(), ids=TRUTHS.keys())
def test_served_and_stored(tried, cast, options):
    relay, responder = tried
    certid = cast.ca.certid(pki_module.new_serial())
    responder.behave(Lie((), options).behaviour(responder, cast))
    first, second = relay.get(request(certid)), relay.get(request(certid))
    assert first.status == 200 and first.cache_status.get("stored"), relay.log.lines[-1]
    assert second.cache_status["hit"] and second.body == first.body
    assert responder.count(certid.number) == 1


def test_answers_of_another_encoder(shared, pki):
    """python3-cryptography's own builder (rust)."""
    relay, responder = shared
    for status in ("good", "revoked", "unknown"):
        leaf = pki.leaf()
        responder.then(lambda asked, leaf=leaf, status=status: Reply(
            pki_module.library_response(leaf.cert, pki.ca.cert, pki.signer, status)))
        got = relay.get(request(pki.ca.certid(leaf.serial)))
        assert parse_response(got.body).certificate_status.name.lower() == status
        assert relay.get(request(pki.ca.certid(leaf.serial))).cache_status["hit"]


def test_rsa_ca(make_responder, make_relay, rsa_pki):
    responder = make_responder(rsa_pki)
    relay = make_relay(responder, ca=rsa_pki.ca)
    certid = rsa_pki.ca.certid(7)
    assert relay.get(request(certid)).cache_status["stored"]
    responder.behave(responder.mangled(flip, signer=rsa_pki.ca))
    assert relay.get(request(rsa_pki.ca.certid(8))).body == response(2)


def test_VS_04_contradiction_revoked_counts(tried, cast):
    relay, responder = tried
    certid = cast.ca.certid(pki_module.new_serial())
    end = int(time.time()) + 2 * HOUR
    before = relay.metric("responses_total", issuer="test", status="revoked")
    responder.behave(lambda asked: Reply(responder.basic(asked, singles=[
        Single(certid), Single(certid, "revoked", next_update=end)]).encode()))
    got = relay.get(request(certid))
    assert got.status == 200
    assert got.date("Expires") == end
    assert relay.metric("responses_total", issuer="test", status="revoked") == before + 1


def test_VS_09_expired_is_asked_again_past_the_caches(tried, cast):
    """GET gives the old answer of some cache, POST with no-cache the new one."""
    relay, responder = tried
    certid = cast.ca.certid(pki_module.new_serial())
    now = time.time()
    old = responder.signed(this_update=now - DAY, next_update=now - 10)
    responder.behave(lambda asked: old(asked) if asked.method == "GET" else None)
    got = relay.get(request(certid))
    assert got.date("Expires") > now
    asked = responder.of(certid.number)
    assert [one.method for one in asked] == ["GET", "POST"]
    assert asked[1].field("Cache-Control") == "no-cache"


@pytest.mark.parametrize("who", ["rsa_signer", "weak_signer"])
def test_VS_20_EM_26_weak_signatures(make_responder, make_relay, cast, who):
    responder = make_responder(cast)
    responder.behave(responder.signed(
        signer=getattr(cast, who), digest="sha1" if who == "rsa_signer" else "sha256"))
    data = request(cast.ca.certid(5))
    for policy, counts in (("pass-uncached", (1, 2)), ("accept", (3, 3)), ("reject", (4, 4))):
        relay = make_relay(responder, ca=cast.ca, issuer={"weak_signature": policy})
        for count in counts:
            got = relay.get(data)
            assert responder.count() == count
            if policy == "reject":
                assert got.body == response(2)
            else:
                assert parse_response(got.body).serial_number == 5
                assert (got.field("Expires") is None) == (policy == "pass-uncached")


def test_VS_12_trusted_responder(make_responder, make_relay, cast):
    responder = make_responder(cast)
    responder.behave(responder.signed(signer=cast.of_stranger))
    relay = make_relay(responder, ca=cast.ca, start=False)
    section = relay.options["issuer"]["test"]
    section["trusted_responders"] = [relay.write("trusted.pem", cast.of_stranger.pem)]
    relay.start()
    assert relay.get(request(cast.ca.certid(9))).cache_status["stored"]
    responder.behave(responder.signed(signer=cast.of_sibling))
    assert relay.get(request(cast.ca.certid(10))).body == response(2)


def test_VS_12_trusted_responder_need_not_be_embedded(make_responder, make_relay, cast):
    responder = make_responder(cast)
    responder.behave(responder.signed(signer=cast.signer, certs=[]))
    relay = make_relay(responder, ca=cast.ca, start=False)
    section = relay.options["issuer"]["test"]
    section["trusted_responders"] = [relay.write("trusted.pem", cast.signer.pem)]
    relay.start()
    assert relay.get(request(cast.ca.certid(9))).cache_status["stored"]


def test_VS_12_trust_that_a_reload_withdraws(make_responder, make_relay, cast):
    responder = make_responder(cast)
    relay = make_relay(responder, ca=cast.ca, start=False)
    section = relay.options["issuer"]["test"]
    section["trusted_responders"] = [relay.write("trusted.pem", cast.of_stranger.pem)]
    relay.start()
    asked = request(cast.ca.certid(11))
    responder.then(responder.signed(signer=cast.of_stranger))
    assert relay.get(asked).cache_status["stored"]
    relay.wait_for_stored()
    relay.reload()
    assert relay.get(asked).cache_status["hit"], "nothing has changed"
    del section["trusted_responders"]
    relay.reload()
    assert relay.get(asked).cache_status["fwd"] == "miss"
    assert responder.count() == 2
    assert relay.get(asked).cache_status["hit"]


def test_VS_12_trust_withdrawn_while_the_answer_is_on_its_way(make_responder, make_relay, cast):
    responder = make_responder(cast)
    responder.behave(responder.signed(signer=cast.of_stranger))
    relay = make_relay(responder, ca=cast.ca, start=False)
    section = relay.options["issuer"]["test"]
    section["trusted_responders"] = [relay.write("trusted.pem", cast.of_stranger.pem)]
    relay.start()
    with relay.connect() as client, responder.held():
        client.send(get(request(cast.ca.certid(12))))
        responder.wait_for(1)
        del section["trusted_responders"]
        relay.reload()
        responder.release()
        assert client.read().body == response(2)


def test_VS_18_a_delegate_seen_once_need_not_be_embedded(make_responder, make_relay, cast):
    """Delivered, and not kept: clients that do not know the delegate could do nothing with it."""
    signer = cast.ca.delegate("seen once")
    responder = make_responder(cast)
    responder.behave(responder.signed(signer=signer, certs=[]))
    relay = make_relay(responder, ca=cast.ca, issuer={"neg_ttl_error": 0})
    first, second = (request(cast.ca.certid(number)) for number in (21, 22))
    assert relay.get(first).body == response(2)
    responder.then(responder.signed(signer=signer))
    assert relay.get(first).cache_status["stored"]
    for count in (3, 4):
        bare = relay.get(second)
        assert "stored" not in bare.cache_status and signer.der not in bare.body
        assert responder.count() == count
    # what a store gives teaches the same
    relay.wait_for_stored(1)
    relay.restart()
    assert relay.get(first).cache_status["hit"]
    assert relay.get(second).status == 200
    assert responder.count() == 5


def test_VS_14_issuer_expired(make_responder, make_relay, cast):
    old = pki_module.new_ca(cast.root, "Old CA", not_before=-10 * DAY, not_after=-DAY)
    responder = make_responder(cast)
    responder.behave(responder.signed(signer=old))
    relay = make_relay(responder, ca=old)
    assert relay.get(request(old.certid(1))).body == response(2)
    relay.log.wait_for("response-refused", reason="issuer-expired")


def test_two_certificates_of_one_ca(make_responder, make_relay, cast):
    """Renewed with the same key and name: one issuer, and both certificates count."""
    renewed = Identity(
        cast.root.issue(cast.ca.cert.subject, cast.ca.key, ca=True, not_after=2000 * DAY).cert,
        cast.ca.key)
    responder = make_responder(cast)
    relay = make_relay(responder, ca=cast.ca, start=False)
    both = cast.ca.cert.public_bytes(serialization.Encoding.PEM) + renewed.pem
    relay.write("test.pem", both)
    relay.start()
    assert relay.get(request(cast.ca.certid(1))).status == 200
    assert relay.log.wait_for("ready")["issuers"] == "1"


def test_SL_13_no_traffic_during_verification(make_responder, make_relay, cast):
    trap = make_responder(cast)
    signer = cast.ca.delegate(aia=trap.url)
    responder = make_responder(cast)
    responder.behave(responder.signed(signer=signer))
    relay = make_relay(responder, ca=cast.ca)
    with relay.connect() as connection:
        assert connection.ask(get(request(cast.ca.certid(1)))).cache_status["stored"]
    assert trap.connections == 0
