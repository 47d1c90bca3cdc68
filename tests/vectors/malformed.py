# SPDX-License-Identifier: ISC
"""Responses that are no OCSPResponse, no answer to the question, or refused by their extensions."""

import der
import message
import pki
from cast import OTHER_SERIAL, SERIAL
from good import NONCE, asked, batch
from message import UNKNOWN, extensions, nonce, revoked, single, unknown
from vector import Vector


def changed(name, rules, result, change):
    """The finished response, altered."""
    return Vector(name, rules, lambda c: change(c.answer()), result)


def literal(name, rules, result, data):
    return Vector(name, rules, lambda c: data, result)


def about(name, rules, result, certid, **options):
    """The SingleResponse is about this."""
    return Vector(name, rules, lambda c: c.answer(single(certid(c))), result, **options)


def status(name, data):
    """The CertStatus is this."""
    return Vector(name, "VS-01", lambda c: c.answer(c.about(status=data)), "der")


def extended(name, rules, result, of_response=(), of_single=()):
    return Vector(name, rules, lambda c: c.answer(c.about(exts=of_single), exts=of_response),
                  result)


def long_form(data, at=0):
    """The length of the element at this place in one octet more than it needs."""
    size = data[at + 1]
    if size < 0x80:
        return data[:at + 1] + b"\x81" + data[at + 1:]
    return data[:at + 1] + bytes([size + 1, 0]) + data[at + 2:]


def indefinite(data):
    body = der.Reader(data).read(0x30)[1]
    return b"\x30\x80" + body + b"\0\0"


def long_form_inside(c):
    """Properly signed: only what is signed is not DER."""
    data = c.data()
    at = data.index(b"\x80\x00")
    inner = data[:at] + b"\x80\x81\x00" + data[at + 2:]
    # the lengths around it, SingleResponse, list and ResponseData, grow by one
    one = c.about(status=b"\x80\x81\x00")
    assert one in c.data(one) and len(inner) == len(c.data(one))
    return c.answer(one)


def negative_zero(c):
    return c.certid(b"\0\x12\x34")


def with_hashes(alg, name_hash, key_hash, parameters=der.NULL):
    return der.seq(der.seq(der.oid(pki.HASHES[alg]), parameters), der.octets(name_hash),
                   der.octets(key_hash), der.integer(SERIAL))


def right_key_other_name(c):
    right, other = c.certid(), c.certid(issuer=c.sibling)
    return with_hashes("sha1", other.name_hash, right.key_hash)


def right_name_other_key(c):
    right, other = c.certid(), c.certid(issuer=c.sibling)
    return with_hashes("sha1", right.name_hash, other.key_hash)


def parts(**options):
    """The ResponseData with a part replaced."""
    return lambda c: c.answer(**options)


def singles(data):
    """The list of SingleResponses is this."""
    def make(c):
        named = message.responder_id(c.signer)
        return c.answer(tbs=message.tbs(data(c), named))
    return make


HTML = b"<!DOCTYPE html><html><head><title>Please log in</title></head></html>"
VERSION_2 = der.explicit(0, der.integer(1))
CRITICAL_01 = der.seq(der.oid("1.2.3"), der.tlv(0x01, b"\x01"), der.octets(b""))

WHOLE = [
    literal("empty", "VS-01", "der", b""),
    literal("one-octet", "VS-01", "der", b"\x30"),
    literal("html", "HC-07", "der", HTML),
    changed("cut-after-two", "VS-01", "der", lambda d: d[:2]),
    changed("cut-after-ten", "VS-01", "der", lambda d: d[:10]),
    changed("cut-in-the-middle", "VS-01", "der", lambda d: d[:len(d) // 2]),
    changed("cut-by-one", "VS-01", "der", lambda d: d[:-1]),
    changed("octet-behind", "VS-01", "trailing", lambda d: d + b"\0"),
    changed("line-end-behind", "VS-01", "trailing", lambda d: d + b"\r\n"),
    changed("twice", "VS-01", "trailing", lambda d: d + d),
    changed("length-in-long-form", "VS-01", "der", long_form),
    changed("length-indefinite", "VS-01", "der", indefinite),
    Vector("length-in-long-form-signed", "VS-01 VS-19", long_form_inside, "der"),
    changed("set-for-sequence", "VS-01", "der", lambda d: b"\x31" + d[1:]),
    literal("status-4", "VS-01", "status", pki.response(4)),
    literal("status-7", "VS-01", "status", pki.response(7)),
    literal("status-255", "VS-01", "status", der.seq(der.tlv(0x0A, b"\0\xff"))),
    literal("status-negative", "VS-01", "der", der.seq(der.tlv(0x0A, b"\xff"))),
    literal("status-not-minimal", "VS-01", "der", der.seq(der.tlv(0x0A, b"\0\x06"))),
    literal("status-an-integer", "VS-01", "der", der.seq(der.integer(6))),
    literal("status-missing", "VS-01", "der", der.seq()),
    literal("successful-without-bytes", "VS-01", "status", pki.response(0)),
    literal("error-1", "EM-14", "upstream-malformed", pki.response(1)),
    literal("error-2", "EM-15", "upstream-internal-error", pki.response(2)),
    literal("error-3", "EM-15", "upstream-try-later", pki.response(3)),
    literal("error-5", "EM-16", "upstream-sig-required", pki.response(5)),
    literal("error-6", "EM-17", "upstream-unauthorized", pki.response(6)),
    Vector("error-with-bytes", "VS-01", lambda c: message.wrap(c.basic(), status=3),
           "upstream-try-later"),
    Vector("other-response-type", "VS-02", lambda c: message.wrap(c.basic(), kind=pki.NONCE),
           "type"),
    Vector("response-type-empty", "VS-02",
           lambda c: der.seq(der.enumerated(0), der.explicit(0, der.seq(
               der.tlv(0x06), der.octets(c.basic())))), "der"),
    Vector("basic-octet-behind", "VS-01", lambda c: message.wrap(c.basic() + b"\0"), "der"),
]

DATA = [
    Vector("version-2", "VS-02", parts(version=VERSION_2), "version"),
    Vector("version-twice", "VS-02", parts(version=2 * der.explicit(0, der.integer(0))), "der"),
    Vector("responder-missing", "VS-17", lambda c: c.answer(tbs=message.tbs([c.about()], b"")),
           "der"),
    Vector("responder-of-tag-3", "VS-17",
           lambda c: c.answer(named=der.explicit(3, der.octets(c.signer.key_hash))), "der"),
    Vector("responder-key-of-19-octets", "VS-17",
           lambda c: c.answer(named=der.explicit(2, der.octets(c.signer.key_hash[1:]))), "der"),
    Vector("responder-name-no-name", "VS-17",
           lambda c: c.answer(named=der.explicit(1, der.seq(der.NULL))), "der"),
    Vector("singles-empty", "VS-03", singles(lambda c: der.seq()), "singles"),
    Vector("singles-missing", "VS-03", singles(lambda c: b""), "der"),
    Vector("singles-1025", "SL-05", batch(1025), "singles"),
    Vector("certificates-11", "SL-05", lambda c: c.answer(certs=[c.signer] * 11), "certs"),
    Vector("certificates-twice", "VS-01",
           lambda c: c.answer(certs=2 * der.explicit(0, der.seq(c.signer.der))), "der"),
    Vector("certificates-not-sequences", "VS-01",
           lambda c: c.answer(certs=der.explicit(0, der.seq(der.NULL))), "der"),
    Vector("algorithm-twice", "VS-01",
           lambda c: c.answer(algorithm=2 * der.seq(der.oid("1.2.840.10045.4.3.2"))), "der"),
    status("status-of-tag-3", b"\x83\x00"),
    status("status-good-constructed", b"\xa0\x00"),
    status("status-good-with-content", b"\x80\x01\x00"),
    status("status-unknown-with-content", b"\x82\x02\x05\x00"),
    status("status-twice", message.GOOD + UNKNOWN),
    status("status-revoked-without-time", der.tlv(0xA1)),
    status("status-revoked-reason-7", revoked(reason=7)),
    status("status-revoked-reason-11", revoked(reason=11)),
    status("status-revoked-reason-an-integer",
           der.tlv(0xA1, der.generalized_time(message.NOW), der.explicit(0, der.integer(1)))),
]

QUESTIONS = [
    about("other-serial", "VS-03", "certid", lambda c: c.certid(OTHER_SERIAL)),
    about("other-issuer", "VS-03", "certid", lambda c: c.certid(issuer=c.sibling)),
    about("right-serial-by-md5", "VS-03", "certid", lambda c: c.certid(alg="md5")),
    about("right-key-other-name", "VS-03", "certid", right_key_other_name),
    about("right-name-other-key", "VS-03", "certid", right_name_other_key),
    about("previous-key", "VS-03", "certid", lambda c: c.certid(issuer=c.previous)),
    about("serial-longer-by-a-zero", "VS-03", "der", negative_zero),
    about("serial-of-another-sign", "VS-03", "certid", lambda c: c.certid(-SERIAL)),
    about("hash-too-short", "VS-03", "der",
          lambda c: with_hashes("sha1", c.certid().name_hash[1:], c.certid().key_hash)),
    about("hash-parameters", "NK-04", "der",
          lambda c: with_hashes("sha1", c.certid().name_hash, c.certid().key_hash,
                                der.integer(1))),
    about("one-of-two-missing", "RP-34", "certid", lambda c: c.certid(),
          request=asked(SERIAL, OTHER_SERIAL)),
    about("asked-of-another-issuer", "VS-03", "certid", lambda c: c.certid(issuer=c.sibling),
          request=lambda c: c.request(c.certid(issuer=c.sibling))),
    Vector("nonce-mismatch", "NO-05", lambda c: c.answer(exts=[nonce(NONCE[::-1])]), "nonce",
           request=asked(SERIAL, nonce=NONCE)),
    Vector("nonce-cut", "NO-05", lambda c: c.answer(exts=[nonce(NONCE[:-1])]), "nonce",
           request=asked(SERIAL, nonce=NONCE)),
]

EXTENSIONS = [
    extended("critical-in-response", "VS-21", "critical", [unknown(True)]),
    extended("critical-in-single", "VS-21", "critical", (), [unknown(True)]),
    extended("critical-as-01", "VS-21", "der", [CRITICAL_01]),
    extended("nonce-twice", "VS-01", "der", [nonce(NONCE), nonce(NONCE)]),
    extended("extensions-empty", "VS-01", "der", der.explicit(1, der.seq())),
    extended("extensions-twice", "VS-01", "der", 2 * extensions([unknown()])),
    extended("extensions-of-single-twice", "VS-01", "der", (), 2 * extensions([unknown()])),
    extended("extensions-of-tag-2", "VS-01", "der", der.explicit(2, der.seq(unknown()))),
    extended("extension-without-value", "VS-01", "der", [der.seq(der.oid("1.2.3"))]),
]

ALL = WHOLE + DATA + QUESTIONS + EXTENSIONS
