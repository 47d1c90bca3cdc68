# SPDX-License-Identifier: ISC
"""OCSPResponses written by hand, part by part, so that each part can be wrong.

Every part has a default that is right at NOW; a caller gives bytes (the DER of the part) or, for
times, seconds since 1970 or the text of a GeneralizedTime.
"""

import der
import pki

NOW = 1894708800  # 2030-01-15T12:00:00Z
HOUR, DAY, YEAR = 3600, 86400, 365 * 86400
SKEW = 300  # clock_skew's default

GOOD = b"\x80\x00"
UNKNOWN = b"\x82\x00"
BY_NAME, BY_KEY = "by name", "by key"


def moment(when):
    return when if isinstance(when, bytes) else der.generalized_time(when)


def revoked(when=NOW - DAY, reason=None):
    return der.tlv(0xA1, moment(when),
                   b"" if reason is None else der.explicit(0, der.enumerated(reason)))


def extensions(items):
    """[1] EXPLICIT Extensions; bytes are written as they are."""
    if isinstance(items, bytes):
        return items
    return der.explicit(1, der.seq(*items)) if items else b""


def single(certid, status=GOOD, this=NOW - HOUR, until=NOW + DAY, exts=()):
    """A SingleResponse. certid: a pki.CertId or bytes; until: None leaves nextUpdate out."""
    return der.seq(
        certid if isinstance(certid, bytes) else certid.encode(), status, moment(this),
        until if isinstance(until, bytes) else
        b"" if until is None else der.explicit(0, der.generalized_time(until)),
        extensions(exts))


def responder_id(identity, how=BY_KEY):
    if how == BY_KEY:
        return der.explicit(2, der.octets(identity.key_hash))
    return der.explicit(1, identity.subject_der)


def tbs(singles, named, produced=NOW - HOUR, version=b"", exts=()):
    """ResponseData. singles: a list, or the DER of the list."""
    return der.seq(version, named, moment(produced),
                   singles if isinstance(singles, bytes) else der.seq(*singles), extensions(exts))


def signed(data, key, certs=(), digest="sha256", pss=False, algorithm=None, signature=None):
    """A BasicOCSPResponse. certs: their DER, or the DER of the whole field; algorithm and
    signature (the BIT STRING): instead of the right ones."""
    right, octets = pki.sign(key, data, digest, pss)
    return der.seq(data, algorithm or right, signature or der.bits(octets),
                   certs if isinstance(certs, bytes) else
                   der.explicit(0, der.seq(*certs)) if certs else b"")


def wrap(basic, status=0, kind=pki.BASIC):
    """The OCSPResponse around it."""
    return pki.response(status, basic, kind)


def nonce(value):
    return pki.nonce_extension(value)


def unknown(critical=False):
    return der.extension(pki.UNKNOWN_EXTENSION, b"\x05\x00", critical)
