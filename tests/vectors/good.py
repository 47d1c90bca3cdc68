# SPDX-License-Identifier: ISC
"""Responses that are in order: who may sign, what may be in them, how long they may be kept."""

from cryptography.x509.oid import ExtendedKeyUsageOID as Usage

import der
import message
import pki
from cast import EARLY, OTHER_SERIAL, SERIAL, authority, delegate, issue
from message import BY_NAME, DAY, HOUR, NOW, UNKNOWN, YEAR, nonce, revoked, single, unknown
from vector import Vector

NONCE = bytes(range(32))
CRITICAL_BUT_KNOWN = [
    der.extension("1.3.6.1.5.5.7.48.1.6", der.generalized_time(NOW - YEAR), True),  # ArchiveCutoff
    der.extension("1.3.6.1.4.1.11129.2.4.5", der.octets(b"\0\0"), True),            # SCT list
    der.extension("2.5.29.21", der.enumerated(1), True)]                            # reasonCode
CRL_ID = der.extension("1.3.6.1.5.5.7.48.1.3", der.seq(), True)
EXTENDED_REVOKE = der.extension(pki.EXTENDED_REVOKE, der.NULL)


def asked(*serials, alg="sha1", **options):
    return lambda c: c.request(*[c.certid(serial, alg) for serial in serials], **options)


def by(kind, **options):
    """A delegate with this kind of key signs."""
    return lambda c: c.answer(signer=c.delegate(kind), **options)


def with_certificate(**options):
    """The delegate's certificate differs in this."""
    return lambda c: c.answer(signer=c.delegate(**options))


def direct(name, **options):
    """The CA with this role signs about its own certificate."""
    def make(c):
        ca = getattr(c, name)
        return c.answer(single(c.certid(issuer=ca)), signer=ca, **options)
    return {"make": make, "issuer": lambda c: [getattr(c, name)], "signer": "issuer",
            "request": lambda c: c.request(c.certid(issuer=getattr(c, name)))}


def by_hash(alg, parameters=der.NULL):
    """The CertID has this algorithm on both sides."""
    return {"make": lambda c: c.answer(single(c.certid(alg=alg).encode(parameters))),
            "request": asked(SERIAL, alg=alg)}


def numbered(content):
    """A serial of these content octets."""
    return {"make": lambda c: c.answer(single(c.certid(content))), "request": asked(content)}


def batch(n, **options):
    """n SingleResponses, SERIAL's the last but one."""
    return lambda c: c.answer(*[single(c.certid(SERIAL if i == n - 2 else 1000 + i),
                                       **({} if i == n - 2 else options)) for i in range(n)])


def mixed_issuers(c):
    other = single(c.certid(SERIAL, issuer=c.sibling), revoked())
    return c.answer(other, c.about())


def signer_last(c):
    return c.answer(how=BY_NAME, certs=[c.namesake, c.ca, c.signer])


def in_other_words(c):
    """byName in another string type and case (RFC 5280 7.1)."""
    named = issue(pki.name("VECTOR  responder", printable=True))
    return c.answer(named=message.responder_id(named, BY_NAME))


def short_issuer(c):
    return c.answer(single(c.certid(issuer=c.short)), signer=delegate(c.short))


SIGNERS = [
    Vector("issuer-by-key", "VS-12", **direct("ca")),
    Vector("issuer-by-name", "VS-12", **direct("ca", how=BY_NAME)),
    Vector("issuer-embedded", "VS-12", lambda c: c.answer(signer=c.ca, certs=[c.ca]),
           signer="issuer"),
    Vector("delegate-by-key", "VS-12 VS-17", lambda c: c.answer()),
    Vector("delegate-by-name", "VS-12 VS-17", lambda c: c.answer(how=BY_NAME)),
    Vector("delegate-named-in-other-words", "VS-17", in_other_words),
    Vector("issuer-renewed", "VS-14", lambda c: c.answer(),
           issuer=lambda c: [c.ca_again(end=NOW - DAY), c.ca]),
    Vector("issuer-cross-certified", "VS-12", lambda c: c.answer(),
           issuer=lambda c: [authority("Vector CA", c.sibling, key=c.ca.key)]),
    Vector("issuer-begins-at-skew", "VS-14", lambda c: c.answer(),
           issuer=lambda c: [c.ca_again(begin=EARLY)]),
    Vector("trusted-not-embedded", "VS-12 VS-18",
           lambda c: c.answer(signer=c.stranger, certs=[]),
           trusted=lambda c: [c.stranger], signer="trusted"),
    Vector("trusted-beside-delegate", "VS-12", lambda c: c.answer(),
           trusted=lambda c: [c.stranger]),
    Vector("signer-last-of-three", "VS-17", signer_last),
    Vector("signer-last-of-ten", "VS-17 SL-05",
           lambda c: c.answer(certs=[c.ca] * 9 + [c.signer])),
    Vector("unreadable-certificate-beside", "VS-17",
           lambda c: c.answer(certs=[c.signer.altered(der.seq()), c.signer]),
           flags="unreadable", kept=None),
    Vector("expired-certificate-beside", "VS-17",
           lambda c: c.answer(certs=[delegate(c.ca, key=c.signer.key, end=NOW - DAY), c.signer])),
    Vector("usage-several", "VS-13",
           with_certificate(eku=(Usage.SERVER_AUTH, Usage.OCSP_SIGNING))),
    Vector("key-usage-absent", "VS-15", with_certificate(usage=())),
    Vector("key-usage-non-repudiation", "VS-15", with_certificate(usage=("content_commitment",))),
    Vector("no-nocheck", "VS-16", with_certificate(nocheck=False), flags="no-nocheck"),
    Vector("delegate-names-issuer-key", "VS-12",
           lambda c: c.answer(signer=c.delegate(authority=c.ca))),
    Vector("delegate-begins-at-skew", "VS-14", with_certificate(begin=EARLY)),
]

ALGORITHMS = [
    Vector("rsa-sha256", "VS-20", by("rsa")),
    Vector("rsa-sha512", "VS-20", by("rsa", digest="sha512")),
    Vector("rsa-pss-sha256", "VS-20", by("rsa", pss=True)),
    Vector("rsa-issuer", "VS-20", **direct("rsa_ca")),
    Vector("rsa-without-parameters", "VS-20",
           by("rsa", algorithm=der.seq(der.oid("1.2.840.113549.1.1.11")))),
    Vector("ecdsa-p256-sha384", "VS-20", by("p256", digest="sha384")),
    Vector("ecdsa-p384-sha384", "VS-20", by("p384", digest="sha384")),
    Vector("ecdsa-p384-issuer", "VS-20", **direct("p384_ca", digest="sha512")),
    Vector("ecdsa-with-null-parameters", "VS-20",
           by("p256", algorithm=der.seq(der.oid("1.2.840.10045.4.3.2"), der.NULL))),
    Vector("ed25519", "VS-20", by("ed25519")),
    Vector("ed25519-issuer", "VS-20", **direct("ed25519_ca")),
    Vector("weak-rsa-sha1", "VS-20", by("rsa", digest="sha1"), kept=None, flags="weak"),
    Vector("weak-pss-sha1", "VS-20", by("rsa", digest="sha1", pss=True), kept=None, flags="weak"),
    Vector("weak-ecdsa-sha1", "VS-20", by("p256", digest="sha1"), kept=None, flags="weak"),
    Vector("weak-rsa-1024", "VS-20", by("rsa1024"), kept=None, flags="weak"),
    Vector("weak-ecdsa-p224", "VS-20", by("p224"), kept=None, flags="weak"),
]

QUESTIONS = [
    Vector("certid-sha1-without-parameters", "NK-04", **by_hash("sha1", b"")),
    Vector("certid-sha224", "RP-37", **by_hash("sha224")),
    Vector("certid-sha256", "RP-37", **by_hash("sha256")),
    Vector("certid-sha256-without-parameters", "NK-04", **by_hash("sha256", b"")),
    Vector("certid-sha384", "RP-37", **by_hash("sha384")),
    Vector("certid-sha512", "RP-37", **by_hash("sha512")),
    Vector("certid-other-hash", "NK-08", lambda c: c.answer(), request=asked(SERIAL, alg="sha256"),
           flags="other-hash"),
    Vector("certid-both-hashes", "NK-07",
           lambda c: c.answer(c.about(), single(c.certid(alg="sha256")))),
    Vector("serial-zero", "RP-38", **numbered(b"\0")),
    Vector("serial-negative", "RP-38", **numbered(b"\xff\x01")),
    Vector("serial-of-40-octets", "RP-38", **numbered(b"\x7f" * 40)),
    Vector("batch-of-50", "VS-05", batch(50, status=revoked())),
    Vector("batch-of-1024", "SL-05", batch(1024)),
    Vector("batch-others-expired", "VS-05 VS-09", batch(3, until=NOW - DAY)),
    Vector("batch-of-mixed-issuers", "VS-05", mixed_issuers, flags="mixed-issuers"),
    Vector("two-asked", "RP-34",
           lambda c: c.answer(c.about(), single(c.certid(OTHER_SERIAL), revoked(),
                                                until=NOW + HOUR)),
           request=asked(SERIAL, OTHER_SERIAL), until=NOW + HOUR),
    Vector("nonce-echoed", "NO-04", lambda c: c.answer(exts=[nonce(NONCE)]),
           request=asked(SERIAL, nonce=NONCE), kept=None, flags="nonce"),
    Vector("nonce-not-echoed", "NO-04", lambda c: c.answer(), request=asked(SERIAL, nonce=NONCE)),
    Vector("nonce-unsolicited", "VS-23", lambda c: c.answer(exts=[nonce(NONCE)]), kept=None,
           flags="nonce"),
    Vector("nonce-raw", "NO-03", lambda c: c.answer(exts=[pki.nonce_extension(NONCE, raw=True)]),
           request=asked(SERIAL, extensions=[pki.nonce_extension(NONCE, raw=True)]), kept=None,
           flags="nonce"),
]


def status(name, rules, one, response_extensions=(), **facts):
    return Vector(name, rules, lambda c: c.answer(c.about(status=one), exts=response_extensions),
                  **facts)


STATUSES = [
    status("revoked", "CL-15", revoked(), status="revoked"),
    *[status(f"revoked-reason-{reason}", "CL-15", revoked(reason=reason), status="revoked",
             reason=reason) for reason in (0, 1, 6, 8, 10)],
    status("revoked-in-the-future", "CL-15", revoked(NOW + DAY), status="revoked"),
    status("unknown", "CL-13", UNKNOWN, status="unknown", kept=NOW + 300),
    status("never-issued", "CL-14", revoked(0, 6), [EXTENDED_REVOKE], status="revoked", reason=6,
           kept=NOW + 300, flags="never-issued"),
    status("hold-of-1970-alone", "CL-14", revoked(0, 6), status="revoked", reason=6),
    status("extended-revoke-and-real-hold", "CL-14", revoked(NOW - DAY, 6), [EXTENDED_REVOKE],
           status="revoked", reason=6),
    status("extended-revoke-and-good", "CL-14", message.GOOD, [EXTENDED_REVOKE]),
    Vector("strictest-of-two", "VS-04",
           lambda c: c.answer(c.about(until=NOW + HOUR), c.about(status=revoked(reason=1))),
           status="revoked", reason=1, until=NOW + HOUR),
    Vector("unknown-beats-good", "VS-04", lambda c: c.answer(c.about(status=UNKNOWN), c.about()),
           status="unknown", kept=NOW + 300),
]

TIMES = [
    Vector("this-update-now", "VS-07", lambda c: c.answer(c.about(this=NOW), produced=NOW)),
    Vector("this-update-at-skew", "VS-07", lambda c: c.answer(c.about(this=EARLY), produced=EARLY)),
    Vector("this-update-years-ago", "VS-11", lambda c: c.answer(c.about(this="20240229235959Z"))),
    Vector("produced-at-skew", "VS-08", lambda c: c.answer(produced=EARLY)),
    Vector("produced-before-this-update", "VS-08", lambda c: c.answer(produced=NOW - DAY),
           flags="early-produced"),
    Vector("next-update-missing", "CL-04", lambda c: c.answer(c.about(until=None)),
           until=NOW + YEAR, kept=None, flags="no-next-update"),
    Vector("next-update-missing-in-one-of-two", "CL-04",
           lambda c: c.answer(c.about(until=None), c.about()), kept=None, flags="no-next-update"),
    Vector("next-update-equals-this-update", "VS-10",
           lambda c: c.answer(c.about(this=NOW + 60, until=NOW + 60), produced=NOW),
           until=NOW + 60),
    Vector("next-update-in-30-days", "VS-11", lambda c: c.answer(c.about(until=NOW + 30 * DAY)),
           until=NOW + 30 * DAY),
    Vector("next-update-of-the-year-9999", "VS-11",
           lambda c: c.answer(c.about(until="99991231235959Z")), until=NOW + YEAR),
    Vector("last-second", "CL-02 VS-09", lambda c: c.answer(), now=NOW + DAY - 1),
    Vector("delegate-ends-first", "CL-03", with_certificate(end=NOW + HOUR), until=NOW + HOUR),
    Vector("delegate-ends-in-a-second", "CL-03", with_certificate(end=NOW + 1), until=NOW + 1),
    Vector("issuer-ends-first", "CL-03", short_issuer, issuer=lambda c: [c.short],
           request=lambda c: c.request(c.certid(issuer=c.short)), until=NOW + 3 * HOUR),
]

ENCODINGS = [
    Vector("version-1-spelt-out", "VS-02",
           lambda c: c.answer(version=der.explicit(0, der.integer(0)))),
    Vector("extensions-known", "VS-22",
           lambda c: c.answer(c.about(exts=CRITICAL_BUT_KNOWN), exts=[CRL_ID])),
    Vector("extensions-unknown", "VS-22",
           lambda c: c.answer(c.about(exts=[unknown()]), exts=[unknown()])),
    Vector("critical-for-others", "VS-21",
           lambda c: c.answer(single(c.certid(OTHER_SERIAL), exts=[unknown(True)]), c.about())),
    Vector("certificates-empty-list", "VS-12",
           lambda c: c.answer(signer=c.ca, certs=der.explicit(0, der.seq())), signer="issuer"),
]

ALL = SIGNERS + ALGORITHMS + QUESTIONS + STATUSES + TIMES + ENCODINGS
