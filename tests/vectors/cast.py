# SPDX-License-Identifier: ISC
"""The certificates of the vectors: CAs, their delegates, and all who only look like these.

Made when they are asked for. Keys live as long as the run, dates are those of the vectors.
"""

import datetime
import hashlib
from functools import cached_property

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID as Usage

import message
import pki
from message import DAY, NOW, SKEW, YEAR

SERIAL = 0x120D7A6CE943FCD4690C0DFBFFDDC5FC  # of the certificate that vectors are about
OTHER_SERIAL = 2

KEYS = {
    "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "p224": lambda: ec.generate_private_key(ec.SECP224R1()),
    "rsa": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "rsa1024": lambda: rsa.generate_private_key(public_exponent=65537, key_size=1024),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
}
BITS = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
        "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")


class Identity(pki.Identity):
    """A certificate and its key."""

    @property
    def key_hash(self):
        return hashlib.sha1(self.key_bits).digest()

    def altered(self, data):
        """The same with another certificate."""
        changed = Identity(self.cert, self.key)
        changed.der = data
        return changed


def _stamp(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).replace(tzinfo=None)


def issue(subject, issuer=None, kind="p256", *, key=None, signed_by=None, begin=NOW - YEAR,
          end=NOW + YEAR, ca=None, usage=(), eku=(), nocheck=False, authority=None, extra=()):
    """A certificate. issuer: None signs itself; ca: what basicConstraints say, if anything;
    authority: the Identity whose key the authorityKeyIdentifier names."""
    key = key or KEYS[kind]()
    subject = subject if isinstance(subject, x509.Name) else pki.name(subject)
    signing = signed_by or (issuer.key if issuer else key)
    builder = (x509.CertificateBuilder().subject_name(subject)
               .issuer_name(issuer.cert.subject if issuer else subject)
               .public_key(key.public_key()).serial_number(pki.new_serial())
               .not_valid_before(_stamp(begin)).not_valid_after(_stamp(end)))
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca, None), True)
    if usage:
        builder = builder.add_extension(x509.KeyUsage(**{bit: bit in usage for bit in BITS}), True)
    if ca is not None:
        builder = builder.add_extension(
            x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
    if eku:
        builder = builder.add_extension(x509.ExtendedKeyUsage(eku), False)
    if nocheck:
        builder = builder.add_extension(x509.OCSPNoCheck(), False)
    if authority:
        builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(
            authority.cert.public_key()), False)
    for oid, critical in extra:
        builder = builder.add_extension(
            x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), b"\x05\x00"), critical)
    is_ed25519 = isinstance(signing, ed25519.Ed25519PrivateKey)
    return Identity(builder.sign(signing, None if is_ed25519 else hashes.SHA256()), key)


def authority(subject, issuer=None, kind="p256", **options):
    """A CA."""
    options = {"ca": True, "usage": ("key_cert_sign", "crl_sign"), **options}
    return issue(subject, issuer, kind, **options)


def delegate(issuer, kind="p256", subject="Vector responder", **options):
    """A delegate as it should be, unless options say otherwise."""
    options = {"usage": ("digital_signature",), "eku": (Usage.OCSP_SIGNING,), "nocheck": True,
               **options}
    return issue(subject, issuer, kind, **options)


class Cast:
    """Everybody, by role."""

    # --- CAs ---

    @cached_property
    def ca(self):
        return authority("Vector CA")

    @cached_property
    def rsa_ca(self):
        return authority("Vector RSA CA", kind="rsa")

    @cached_property
    def p384_ca(self):
        return authority("Vector P-384 CA", kind="p384")

    @cached_property
    def ed25519_ca(self):
        return authority("Vector Ed25519 CA", kind="ed25519")

    @cached_property
    def sibling(self):
        return authority("Sibling CA")

    @cached_property
    def sub_ca(self):
        return authority("Sub CA", self.ca)

    @cached_property
    def previous(self):
        """The CA's name with the key that it had before."""
        return authority("Vector CA")

    @cached_property
    def short(self):
        """A CA that ends before its responses do."""
        return authority("Short CA", end=NOW + 3 * message.HOUR)

    def ca_again(self, **options):
        """The CA's name and key in another certificate."""
        return authority("Vector CA", key=self.ca.key, **options)

    # --- delegates ---

    @cached_property
    def signer(self):
        return delegate(self.ca)

    @cached_property
    def rsa_signer(self):
        return delegate(self.ca, "rsa")

    @cached_property
    def namesake(self):
        """The delegate's name with another key."""
        return delegate(self.ca)

    @cached_property
    def stranger(self):
        return issue("Stranger")

    def delegate(self, kind="p256", **options):
        return delegate(self.ca, kind, **options)

    # --- questions ---

    def certid(self, serial=SERIAL, alg="sha1", issuer=None):
        return (issuer or self.ca).certid(serial, alg)

    def request(self, *certids, **options):
        return pki.request(*(certids or [self.certid()]), **options)

    # --- answers ---

    def data(self, *singles, signer=None, named=None, how=message.BY_KEY, **options):
        """ResponseData: good about SERIAL by the delegate, unless told otherwise. named: an
        Identity, or the DER of a responderID."""
        named = named or signer or self.signer
        if not isinstance(named, bytes):
            named = message.responder_id(named, how)
        return message.tbs(list(singles) or [message.single(self.certid())], named, **options)

    def basic(self, *singles, signer=None, certs=None, key=None, tbs=None, digest="sha256",
              pss=False, algorithm=None, signature=None, **options):
        """A BasicOCSPResponse. certs: Identities or the DER of the field; None: the signer's unless
        it is a CA."""
        signer = signer or self.signer
        if certs is None:
            certs = [] if signer.is_ca else [signer]
        if not isinstance(certs, bytes):
            certs = [one.der for one in certs]
        return message.signed(tbs or self.data(*singles, signer=signer, **options),
                              key or signer.key, certs, digest, pss, algorithm, signature)

    def answer(self, *singles, **options):
        """The whole OCSPResponse."""
        return message.wrap(self.basic(*singles, **options))

    def about(self, **options):
        """The SingleResponse about SERIAL."""
        return message.single(self.certid(), **options)


EARLY, LATE = NOW + SKEW, NOW + SKEW + 1  # the last that the skew forgives, the first that not
ENDED = NOW - DAY
