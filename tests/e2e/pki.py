# SPDX-License-Identifier: ISC
"""Throw-away CAs, and OCSP requests and responses of every right and wrong kind.

Keys live as long as the test run. Certificates come from python3-cryptography; OCSP messages are
written by hand (der.py), because the library's builders refuse most of what a relay must refuse
too, and set producedAt themselves. library_response() is the library's independent encoder.

All times are seconds since 1970.
"""

import base64
import datetime
import hashlib
import itertools
import os
import time
from dataclasses import dataclass, field, replace

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509 import ocsp
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import (
    AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID)

import der

HOUR, DAY = 3600, 86400

BASIC = "1.3.6.1.5.5.7.48.1.1"
NONCE = "1.3.6.1.5.5.7.48.1.2"
ACCEPTABLE_RESPONSES = "1.3.6.1.5.5.7.48.1.4"
SERVICE_LOCATOR = "1.3.6.1.5.5.7.48.1.7"
PREFERRED_ALGORITHMS = "1.3.6.1.5.5.7.48.1.8"
EXTENDED_REVOKE = "1.3.6.1.5.5.7.48.1.9"
UNKNOWN_EXTENSION = "1.2.3"

HASHES = {  # name: (OID, hashlib name)
    "sha1": "1.3.14.3.2.26",
    "sha224": "2.16.840.1.101.3.4.2.4",
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha384": "2.16.840.1.101.3.4.2.2",
    "sha512": "2.16.840.1.101.3.4.2.3",
    "md5": "1.2.840.113549.2.5",
}

_serials = itertools.count(int.from_bytes(os.urandom(14), "big") | 1 << 112)


def new_serial():
    """A serial that no other test of this run has."""
    return next(_serials)


# --- certificates -------------------------------------------------------------------------------


def _stamp(seconds):
    return datetime.datetime.utcfromtimestamp(int(seconds))


def new_key(kind="ec", bits=2048):
    if kind == "rsa":
        return rsa.generate_private_key(public_exponent=65537, key_size=bits)
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key(ec.SECP256R1())


def name(common_name, printable=False):
    kind = _ASN1Type.PrintableString if printable else _ASN1Type.UTF8String
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test", _type=kind),
                      x509.NameAttribute(NameOID.COMMON_NAME, common_name, _type=kind)])


def _is_ca(cert):
    try:
        return cert.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _key_bits(public_key):
    """The value of the subjectPublicKey BIT STRING: what key hashes are made of."""
    outer = der.Reader(public_key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)).enter()
    outer.read(0x30)
    return outer.read(0x03)[1][1:]


@dataclass
class Identity:
    """A certificate and its key. What responders need is worked out at once: the library's
    certificates do not like to be asked by several threads."""

    cert: x509.Certificate
    key: object

    def __post_init__(self):
        if self.cert is None:  # a root about to be made
            return
        self.serial = self.cert.serial_number
        self.der = self.cert.public_bytes(serialization.Encoding.DER)
        self.pem = self.cert.public_bytes(serialization.Encoding.PEM)
        self.subject_der = self.cert.subject.public_bytes()
        self.key_bits = _key_bits(self.cert.public_key())
        self.is_ca = _is_ca(self.cert)

    @property
    def key_pem(self):
        return self.key.private_bytes(serialization.Encoding.PEM,
                                      serialization.PrivateFormat.PKCS8,
                                      serialization.NoEncryption())

    def certid(self, serial, alg="sha1", issuer_name=None):
        """The CertID of a certificate of this CA. serial: a number, or content octets."""
        def digest(data):
            return hashlib.new(alg, data).digest()
        if not isinstance(serial, bytes):
            serial = der.integer_content(serial)
        return CertId(alg, digest(issuer_name or self.subject_der), digest(self.key_bits), serial)

    def issue(self, subject, key=None, *, kind="ec", serial=None, ca=None, path_len=None, eku=(),
              nocheck=False, aia=None, key_usage=None, not_before=-DAY, not_after=30 * DAY,
              issuer_name=None, dns=None):
        """Issues a certificate. Times are relative to now; ca: True, False, None = not said."""
        key = key or new_key(kind)
        subject = subject if isinstance(subject, x509.Name) else name(subject)
        now = time.time()
        builder = (x509.CertificateBuilder().subject_name(subject)
                   .issuer_name(issuer_name or (self.cert.subject if self.cert else subject))
                   .public_key(key.public_key()).serial_number(serial or new_serial())
                   .not_valid_before(_stamp(now + not_before))
                   .not_valid_after(_stamp(now + not_after)))
        if ca is not None:
            builder = builder.add_extension(x509.BasicConstraints(ca, path_len), True)
        if eku:
            builder = builder.add_extension(x509.ExtendedKeyUsage(eku), False)
        if nocheck:
            builder = builder.add_extension(x509.OCSPNoCheck(), False)
        if aia:
            builder = builder.add_extension(x509.AuthorityInformationAccess(
                [x509.AccessDescription(AuthorityInformationAccessOID.OCSP,
                                        x509.UniformResourceIdentifier(url))
                 for url in ([aia] if isinstance(aia, str) else aia)]), False)
        if dns:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([x509.DNSName(dns)]), False)
        if key_usage:
            bits = dict.fromkeys(("digital_signature", "content_commitment", "key_encipherment",
                                  "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign",
                                  "encipher_only", "decipher_only"), False)
            builder = builder.add_extension(
                x509.KeyUsage(**{**bits, **dict.fromkeys(key_usage, True)}), True)
        signing = self.key or key
        algorithm = None if isinstance(signing, ed25519.Ed25519PrivateKey) else hashes.SHA256()
        return Identity(builder.sign(signing, algorithm), key)

    def delegate(self, subject="OCSP signer", **options):
        """A delegated OCSP signer as it should be, unless options say otherwise."""
        options = {"eku": [ExtendedKeyUsageOID.OCSP_SIGNING], "nocheck": True,
                   "key_usage": ["digital_signature"], **options}
        return self.issue(subject, **options)


def new_root(common_name="Test Root", kind="ec", **options):
    return Identity(None, None).issue(name(common_name), kind=kind, ca=True,
                                      key_usage=["key_cert_sign", "crl_sign"],
                                      not_after=options.pop("not_after", 3650 * DAY), **options)


def new_ca(root, common_name="Test Issuing CA", kind="ec", **options):
    options = {"not_after": 1000 * DAY, **options}
    return root.issue(options.pop("subject", common_name), kind=kind, ca=True,
                      key_usage=["digital_signature", "key_cert_sign", "crl_sign"], **options)


class Pki:
    """A root, an issuing CA below it, and its delegated OCSP signer."""

    def __init__(self, kind="ec"):
        self.kind = kind
        self.root = new_root(kind=kind)
        self.ca = new_ca(self.root, kind=kind)
        self.signer = self.ca.delegate(kind=kind)

    def leaf(self, common_name="localhost", aia=None, **options):
        options = {"key_usage": ["digital_signature"], "dns": common_name, **options}
        return self.ca.issue(common_name, kind=self.kind, aia=aia, **options)

    def write(self, directory):
        """root.crt, ca.crt, signer.crt, signer.key, chain.pem for programs of others."""
        os.makedirs(directory, exist_ok=True)
        for file, content in {
                "root.crt": self.root.pem, "ca.crt": self.ca.pem, "signer.crt": self.signer.pem,
                "root.key": self.root.key_pem, "ca.key": self.ca.key_pem,
                "signer.key": self.signer.key_pem,
                "chain.pem": self.ca.pem + self.root.pem}.items():
            with open(os.path.join(directory, file), "wb") as out:
                out.write(content)

    @classmethod
    def read(cls, directory):
        pki = cls.__new__(cls)
        for part in ("root", "ca", "signer"):
            with open(os.path.join(directory, part + ".crt"), "rb") as cert, \
                 open(os.path.join(directory, part + ".key"), "rb") as key:
                setattr(pki, part, Identity(
                    x509.load_pem_x509_certificate(cert.read()),
                    serialization.load_pem_private_key(key.read(), None)))
        pki.kind = "rsa" if isinstance(pki.ca.key, rsa.RSAPrivateKey) else "ec"
        return pki


# --- requests -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class CertId:
    alg: str
    name_hash: bytes
    key_hash: bytes
    serial: bytes  # content octets

    @property
    def number(self):
        return int.from_bytes(self.serial, "big", signed=True)

    def encode(self, parameters=der.NULL):
        return der.seq(der.seq(der.oid(HASHES[self.alg]), parameters), der.octets(self.name_hash),
                       der.octets(self.key_hash), der.tlv(0x02, self.serial))


def nonce_extension(nonce, raw=False, critical=False):
    """raw: without the inner OCTET STRING, as old encoders write it (NO-03)."""
    return der.extension(NONCE, nonce if raw else der.octets(nonce), critical)


def request(*certids, nonce=None, extensions=(), single_extensions=(), requestor=None,
            version=None, parameters=der.NULL, signed_by=None, padding_certs=0):
    """An OCSPRequest; without options the minimal one that a relay sends upstream."""
    items = b""
    for certid in certids:
        extra = der.explicit(0, der.seq(*single_extensions)) if single_extensions else b""
        items += der.seq(certid.encode(parameters), extra)
    extensions = list(extensions) + ([nonce_extension(nonce)] if nonce is not None else [])
    tbs = der.seq(
        der.explicit(0, der.integer(version)) if version is not None else b"",
        der.explicit(1, der.tlv(0x82, requestor.encode())) if requestor else b"",
        der.seq(items),
        der.explicit(2, der.seq(*extensions)) if extensions else b"")
    if not signed_by:
        return der.seq(tbs)
    algorithm, signature = sign(signed_by.key, tbs)
    return der.seq(tbs, der.explicit(0, der.seq(
        algorithm, der.bits(signature),
        der.explicit(0, der.seq(signed_by.der * (1 + padding_certs))))))


def awkward_certid(ca):
    """A CertID whose request has "+", "/" and "//" in base64, and padding (RP-02 to RP-06)."""
    while True:
        certid = ca.certid(int.from_bytes(os.urandom(15), "big") | 1 << 118)
        text = base64.b64encode(request(certid)).decode()
        if "+" in text and "//" in text and text.endswith("="):
            return certid


@dataclass
class Asked:
    """What an OCSPRequest asks."""

    der: bytes
    certids: list
    nonce_extension: bytes = None
    extensions: list = field(default_factory=list)  # OID contents
    is_signed: bool = False


def parse_request(data):
    outer = der.Reader(data).enter()
    tbs = outer.enter()
    asked = Asked(data, [], is_signed=outer.peek() == 0xA0)
    names = {der.Reader(der.oid(dotted)).read()[1]: alg for alg, dotted in HASHES.items()}
    while tbs.peek() in (0xA0, 0xA1):
        tbs.read()
    for _, item, _ in tbs.enter():
        certid = der.Reader(item).enter()
        alg = names[certid.enter().read(0x06)[1]]
        asked.certids.append(CertId(alg, *(certid.read()[1] for _ in range(3))))
    if tbs.peek() == 0xA2:
        for _, content, whole in tbs.enter(0xA2).enter():
            name_of = der.Reader(content).read(0x06)
            asked.extensions.append(name_of[1])
            if name_of[2] == der.oid(NONCE):
                asked.nonce_extension = whole
    return asked


# --- responses ----------------------------------------------------------------------------------


def sign(key, data, digest="sha256", pss=False):
    """(AlgorithmIdentifier, signature octets)"""
    algorithm = {"sha1": hashes.SHA1, "sha256": hashes.SHA256, "sha384": hashes.SHA384,
                 "sha512": hashes.SHA512, "md5": hashes.MD5}[digest]()
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return der.seq(der.oid("1.3.101.112")), key.sign(data)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        arc = {"sha1": "1.2.840.10045.4.1", "sha256": "1.2.840.10045.4.3.2",
               "sha384": "1.2.840.10045.4.3.3", "sha512": "1.2.840.10045.4.3.4"}[digest]
        return der.seq(der.oid(arc)), key.sign(data, ec.ECDSA(algorithm))
    if pss:
        hash_of = der.seq(der.oid(HASHES[digest]), der.NULL)
        parameters = der.seq(
            der.explicit(0, hash_of),
            der.explicit(1, der.seq(der.oid("1.2.840.113549.1.1.8"), hash_of)),
            der.explicit(2, der.integer(algorithm.digest_size)))
        return (der.seq(der.oid("1.2.840.113549.1.1.10"), parameters),
                key.sign(data, padding.PSS(padding.MGF1(algorithm), algorithm.digest_size),
                         algorithm))
    arc = {"md5": 4, "sha1": 5, "sha256": 11, "sha384": 12, "sha512": 13}[digest]
    return (der.seq(der.oid(f"1.2.840.113549.1.1.{arc}"), der.NULL),
            key.sign(data, padding.PKCS1v15(), algorithm))


NEVER = object()  # as next_update: the field is left out


@dataclass
class Single:
    """A SingleResponse. Times: seconds since 1970, or text to write a wrong one."""

    certid: CertId
    status: str = "good"  # good, revoked, unknown
    this_update: object = None
    next_update: object = None
    revoked_at: object = None
    reason: int = None
    extensions: tuple = ()
    parameters: bytes = der.NULL

    def encode(self, now):
        this_update = now - HOUR if self.this_update is None else self.this_update
        next_update = now + DAY if self.next_update is None else self.next_update
        if self.status == "revoked":
            when = now - 2 * HOUR if self.revoked_at is None else self.revoked_at
            status = der.tlv(0xA1, der.generalized_time(when),
                             b"" if self.reason is None else
                             der.explicit(0, der.enumerated(self.reason)))
        else:
            status = {"good": b"\x80\x00", "unknown": b"\x82\x00"}[self.status]
        return der.seq(
            self.certid.encode(self.parameters), status, der.generalized_time(this_update),
            b"" if next_update is NEVER else der.explicit(0, der.generalized_time(next_update)),
            der.explicit(1, der.seq(*self.extensions)) if self.extensions else b"")


@dataclass
class Basic:
    """A BasicOCSPResponse, right unless told otherwise; encode() gives it as OCSPResponse."""

    singles: list
    signer: Identity
    certs: list = None           # embedded; None: the signer's, unless it is the CA
    by_key: bool = False
    responder: Identity = None   # whom responderID names; None: the signer
    produced_at: object = None
    extensions: tuple = ()
    version: int = None
    digest: str = "sha256"
    pss: bool = False
    basic_type: str = BASIC
    now: float = None

    def encode(self):
        now = time.time() if self.now is None else self.now
        named = self.responder or self.signer
        responder_id = (
            der.explicit(2, der.octets(hashlib.sha1(named.key_bits).digest())) if self.by_key
            else der.explicit(1, named.subject_der))
        tbs = der.seq(
            der.explicit(0, der.integer(self.version)) if self.version is not None else b"",
            responder_id,
            der.generalized_time(now - HOUR if self.produced_at is None else self.produced_at),
            der.seq(*(single.encode(now) for single in self.singles)),
            der.explicit(1, der.seq(*self.extensions)) if self.extensions else b"")
        algorithm, signature = sign(self.signer.key, tbs, self.digest, self.pss)
        certs = self.certs
        if certs is None:
            certs = [] if self.signer.is_ca else [self.signer]
        basic = der.seq(tbs, algorithm, der.bits(signature),
                        der.explicit(0, der.seq(*(c.der for c in certs))) if certs else b"")
        return response(0, basic, self.basic_type)

    def changed(self, **options):
        return replace(self, **options)


def response(status, basic=None, basic_type=BASIC):
    """An OCSPResponse; with basic its responseBytes. response(6) is ERR(6)."""
    if basic is None:
        return der.seq(der.enumerated(status))
    return der.seq(der.enumerated(status),
                   der.explicit(0, der.seq(der.oid(basic_type), der.octets(basic))))


def flip(data, at=-1, bit=1):
    """One bit turned over; at counts as an index does."""
    changed = bytearray(data)
    changed[at] ^= bit
    return bytes(changed)


def inside(data, part):
    """A place in the middle of part, which stands somewhere in data."""
    return data.index(part) + len(part) // 2


def library_response(cert, ca, signer, status="good", alg=hashes.SHA1()):
    """As Basic(...).encode(), but written by python3-cryptography. cert, ca: x509 certificates."""
    now = time.time()
    statuses = {"good": ocsp.OCSPCertStatus.GOOD, "revoked": ocsp.OCSPCertStatus.REVOKED,
                "unknown": ocsp.OCSPCertStatus.UNKNOWN}
    is_revoked = status == "revoked"
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert, ca, alg, statuses[status], _stamp(now - HOUR), _stamp(now + DAY),
        _stamp(now - 2 * HOUR) if is_revoked else None,
        x509.ReasonFlags.key_compromise if is_revoked else None)
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, signer.cert)
    return builder.certificates([signer.cert]).sign(signer.key, hashes.SHA256()).public_bytes(
        serialization.Encoding.DER)


def parse_response(data):
    """The library's view of a response, with the matching fields."""
    return ocsp.load_der_ocsp_response(data)
