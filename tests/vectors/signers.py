# SPDX-License-Identifier: ISC
"""Responses by those who may not sign, or who did not."""

from cryptography.x509.oid import ExtendedKeyUsageOID as Usage

import der
import message
import pki
from cast import ENDED, LATE, delegate
from good import with_certificate
from message import BY_NAME, NOW
from vector import Vector

ANY_USAGE = pki.x509.ObjectIdentifier("2.5.29.37.0")


def certificate(name, rules, result, **options):
    """The delegate's certificate differs in this."""
    return Vector(name, rules, with_certificate(**options), result)


def below(name, **options):
    """The delegate was issued by another CA, of this role."""
    return lambda c: c.answer(signer=delegate(getattr(c, name), **options))


def below_embedded_sub_ca(c):
    signer = delegate(c.sub_ca)
    return c.answer(signer=signer, certs=[signer, c.sub_ca])


def below_previous_key(c):
    return c.answer(signer=delegate(c.previous, authority=c.previous))


def self_signed_namesake(c):
    """It calls itself by the CA's name."""
    signer = delegate(None, subject="Vector CA")
    return c.answer(signer=signer)


def embedded(change):
    """The delegate's certificate, altered after it was signed."""
    return lambda c: c.answer(certs=[c.signer.altered(change(c.signer.der))])


def longer_length(data):
    """The certificate's last element, its signature, with a length in two octets: BER, and outside
    of what the CA has signed."""
    cert = der.Reader(data).enter()
    body, algorithm, (_, bits, _) = (cert.read()[2], cert.read()[2], cert.read())
    return der.seq(body, algorithm, b"\x03\x81" + bytes([len(bits)]) + bits)


def flipped(part):
    """One bit of the part of the BasicOCSPResponse that this function points out."""
    def make(c):
        basic = c.basic()
        return message.wrap(pki.flip(basic, part(c, basic)))
    return make


def in_produced_at(c, basic):
    return basic.index(der.generalized_time(NOW - message.HOUR)) + 15


def in_signature(c, basic):
    return basic.index(c.signer.der) - 20  # its end, before what begins the certificates


def unused_bits(c):
    data = c.data()
    return message.wrap(message.signed(data, c.signer.key, [c.signer.der],
                                       signature=der.tlv(0x03, b"\x01", b"\0\0")))


def other_parameters(c):
    """sha256WithRSAEncryption has NULL for parameters; they are not signed."""
    return c.answer(signer=c.rsa_signer, algorithm=der.seq(
        der.oid("1.2.840.113549.1.1.11"), der.octets(b"")))


def pss_hash_parameters(c):
    """Not NULL, but an empty OCTET STRING."""
    basic = c.basic(signer=c.rsa_signer, pss=True)
    right = der.seq(der.oid(pki.HASHES["sha256"]), der.NULL)
    at = basic.index(right) + len(right) - 2
    return message.wrap(basic[:at] + der.octets(b"") + basic[at + 2:])


PSS = "1.2.840.113549.1.1.10"
P256 = "1.2.840.10045.3.1.7"

ALL = [
    # --- who ---
    Vector("issued-by-sibling", "VS-12", below("sibling"), "signer-issuer"),
    Vector("issued-by-sub-ca", "VS-12", below("sub_ca"), "signer-issuer"),
    Vector("issued-by-embedded-sub-ca", "VS-12", below_embedded_sub_ca, "signer-issuer"),
    Vector("issued-by-previous-key", "VS-12", below_previous_key, "signer-issuer"),
    Vector("issued-by-previous-key-unsaid", "VS-12", below("previous"), "signer-chain"),
    Vector("issued-by-itself", "VS-12", lambda c: c.answer(signer=delegate(None)),
           "signer-issuer"),
    Vector("issued-by-itself-in-issuers-name", "VS-12", self_signed_namesake, "signer-issuer"),
    Vector("issued-by-trusted", "VS-12", below("sibling"), "signer-issuer",
           trusted=lambda c: [c.sibling]),
    Vector("stranger", "VS-12", lambda c: c.answer(signer=c.stranger), "signer-issuer"),
    Vector("sub-ca-signs", "VS-12 VS-13", lambda c: c.answer(signer=c.sub_ca, certs=[c.sub_ca]),
           "signer-eku"),
    Vector("sibling-ca-signs", "VS-12", lambda c: c.answer(signer=c.sibling, certs=[c.sibling]),
           "signer-issuer"),
    Vector("previous-key-signs", "VS-12",
           lambda c: c.answer(signer=c.previous, certs=[c.previous], how=BY_NAME), "signature"),
    # --- the certificate ---
    certificate("no-extended-key-usage", "VS-13", "signer-eku", eku=()),
    certificate("any-extended-key-usage", "VS-13", "signer-eku", eku=(ANY_USAGE,)),
    certificate("other-extended-key-usage", "VS-13", "signer-eku", eku=(Usage.SERVER_AUTH,)),
    certificate("key-encipherment", "VS-15", "signer-key-usage", usage=("key_encipherment",)),
    certificate("delegate-expired", "VS-14", "signer-expired", end=ENDED),
    certificate("delegate-expires-now", "VS-14", "signer-expired", end=NOW),
    certificate("delegate-not-yet-valid", "VS-14", "signer-expired", begin=LATE),
    certificate("delegate-unknown-critical-extension", "VS-12", "signer-chain",
                extra=[("1.2.3", True)]),
    Vector("delegate-signed-by-another-key", "VS-12",
           lambda c: c.answer(signer=c.delegate(signed_by=c.stranger.key)), "signer-chain"),
    Vector("delegate-signature-flipped", "VS-19", embedded(pki.flip), "signer-chain"),
    Vector("delegate-date-flipped", "VS-19",
           embedded(lambda d: pki.flip(d, d.index(b"\x17\x0d") + 3)), "signer-chain"),
    Vector("delegate-not-der", "VS-19", embedded(longer_length), "signer-cert"),
    Vector("delegate-unreadable", "VS-17", embedded(lambda d: der.seq()), "signer-cert"),
    # --- which certificate ---
    Vector("not-embedded", "VS-18", lambda c: c.answer(certs=[]), "responder-id"),
    Vector("wrong-key-named", "VS-17", lambda c: c.answer(named=message.responder_id(c.namesake)),
           "responder-id"),
    Vector("wrong-name-named", "VS-17",
           lambda c: c.answer(named=message.responder_id(c.sibling, BY_NAME)), "responder-id"),
    Vector("certificate-of-a-namesake", "VS-19",
           lambda c: c.answer(certs=[c.namesake], how=BY_NAME), "signature"),
    # --- the issuer ---
    Vector("issuer-expired", "VS-14", lambda c: c.answer(), "issuer-expired",
           issuer=lambda c: [c.ca_again(end=ENDED)]),
    Vector("issuer-expires-now", "VS-14", lambda c: c.answer(), "issuer-expired",
           issuer=lambda c: [c.ca_again(end=NOW)]),
    Vector("issuer-not-yet-valid", "VS-14", lambda c: c.answer(), "issuer-expired",
           issuer=lambda c: [c.ca_again(begin=LATE)]),
    Vector("issuer-is-no-ca", "VS-12", lambda c: c.answer(), "certificate",
           issuer=lambda c: [c.ca_again(ca=False)]),
    Vector("issuer-without-basic-constraints", "VS-12", lambda c: c.answer(), "certificate",
           issuer=lambda c: [c.ca_again(ca=None)]),
    Vector("issuer-may-not-sign-certificates", "VS-12", lambda c: c.answer(), "certificate",
           issuer=lambda c: [c.ca_again(usage=("digital_signature",))]),
    # --- the signature ---
    Vector("signed-by-another-key", "VS-19", lambda c: c.answer(key=c.namesake.key), "signature"),
    Vector("issuer-named-another-signs", "VS-19",
           lambda c: c.answer(signer=c.ca, key=c.signer.key), "signature"),
    Vector("signed-by-another-kind-of-key", "VS-19", lambda c: c.answer(key=c.rsa_signer.key),
           "signature"),
    Vector("flipped-in-tbs", "VS-19", flipped(in_produced_at), "signature"),
    Vector("flipped-in-signature", "VS-19", flipped(in_signature), "signature"),
    Vector("signature-empty", "VS-19", lambda c: c.answer(signature=der.bits(b"")), "signature"),
    Vector("signature-with-unused-bits", "VS-19", unused_bits, "der"),
    Vector("md5", "VS-20", lambda c: c.answer(signer=c.rsa_signer, digest="md5"), "algorithm"),
    Vector("unknown-algorithm", "VS-20",
           lambda c: c.answer(algorithm=der.seq(der.oid("1.2.840.10045.4.3.99"))), "algorithm"),
    Vector("pss-without-parameters", "VS-20",
           lambda c: c.answer(signer=c.rsa_signer, pss=True, algorithm=der.seq(der.oid(PSS))),
           "algorithm"),
    Vector("rsa-with-other-parameters", "VS-20", other_parameters, "algorithm"),
    Vector("ecdsa-with-parameters", "VS-20",
           lambda c: c.answer(algorithm=der.seq(der.oid("1.2.840.10045.4.3.2"), der.oid(P256))),
           "algorithm"),
    Vector("pss-with-parameters-of-its-hash", "VS-20", pss_hash_parameters, "algorithm"),
]
