# SPDX-License-Identifier: ISC
"""OCSP requests that are answered without asking anybody: EM-07 and EM-08 in all their forms."""

import base64

import pytest

import der
import pki as pki_module
from errors import ocsp_error, told
from pki import CertId, request, response

VECTORS = {  # Appendix A: requests about an issuer that no relay knows
    "TV1": "MFEwTzBNMEswSTAJBgUrDgMCGgUABBT8lMSNVOFxmtilwhnQQ6RTelDWTwQUUR8RvccO4QTYzK7MBAeBnN1R"
           "2fYCEBINemzpQ/zUaQwN+//dxfw=",
    "TV2": "ME8wTTBLMEkwRzAHBgUrDgMCGgQU/JTEjVThcZrYpcIZ0EOkU3pQ1k8EFFEfEb3HDuEE2MyuzAQHgZzdUdn2"
           "AhASDXps6UP81GkMDfv/3cX8",
    "TV3": "MG0wazBpMGcwZTANBglghkgBZQMEAgEFAAQgmEc1LWCzI+IWI4GngMjSlR1No/WVQjy1iUfj5QadUtsEIJDF"
           "KQ/Z8VQQKzhhGmvhSThYOHmtxhPyWQX1hRbZLGxLAhASDXps6UP81GkMDfv/3cX8",
    "TV6b": "MFYwVKADAgEBME0wSzBJMAkGBSsOAwIaBQAEFPyUxI1U4XGa2KXCGdBDpFN6UNZPBBRRHxG9xw7hBNjMrswE"
            "B4Gc3VHZ9gIQEg16bOlD/NRpDA37/93F/A==",
    "TV7a": "MIFRME8wTTBLMEkwCQYFKw4DAhoFAAQU/JTEjVThcZrYpcIZ0EOkU3pQ1k8EFFEfEb3HDuEE2MyuzAQHgZzd"
            "Udn2AhASDXps6UP81GkMDfv/3cX8",
    "TV7b": "MIAwTzBNMEswSTAJBgUrDgMCGgUABBT8lMSNVOFxmtilwhnQQ6RTelDWTwQUUR8RvccO4QTYzK7MBAeBnN1R"
            "2fYCEBINemzpQ/zUaQwN+//dxfwAAA==",
    "TV8neg": "MEMwQTA/MD0wOzAJBgUrDgMCGgUABBT8lMSNVOFxmtilwhnQQ6RTelDWTwQUUR8RvccO4QTYzK7MBAeBnN"
              "1R2fYCAv8B",
    "TV8nonmin": "MEQwQjBAMD4wPDAJBgUrDgMCGgUABBT8lMSNVOFxmtilwhnQQ6RTelDWTwQUUR8RvccO4QTYzK7MBAeB"
                 "nN1R2fYCAwASNA==",
    "TV9": "MFEwTzBNMEswSTAJBgUrDgMCGgUABBT8lMSNVOFxmtilwhnQQ6RTelDWTwQUUR8RvccO4QTYzK7MBAeBnN1R"
           "2fYCEBINemzpQ/zUaQwN+//dxfwNCg==",
    "TV12": "MFAwTjBMMEowSDAJBgUrDgMCGgUABBMAAAAAAAAAAAAAAAAAAAAAAAAABBRRHxG9xw7hBNjMrswEB4Gc3VHZ"
            "9gIQEg16bOlD/NRpDA37/93F/A==",
    "TV13": "MAQwAjAA",
    "TV4_0": "MGYwZDBNMEswSTAJBgUrDgMCGgUABBT8lMSNVOFxmtilwhnQQ6RTelDWTwQUUR8RvccO4QTYzK7MBAeBnN1R"
             "2fYCEBINemzpQ/zUaQwN+//dxfyiEzARMA8GCSsGAQUFBzABAgQCBAA=",
}
TV_RFC = bytes.fromhex(
    "304a3048304630443042300a06082a864886f70d02050410eeca7a1932a92f674075e19a5b6ebba30410a889c4"
    "496403d2619e040ad282ffc15902102c9c7f83dc45f28c92633a25f3431ba6")


# --- malformed requests: EM-07, nothing upstream ------------------------------------------------

MALFORMED = {
    "RP-25_trailing_octets": lambda c, r: r + b"\r\n",
    "RP-30_long_length": lambda c, r: b"\x30\x81" + r[1:],
    "RP-30_indefinite_length": lambda c, r: b"\x30\x80" + r[2:] + b"\0\0",
    "RP-31_version_2": lambda c, r: request(c, version=1),
    "RP-34_SL-04_nine_certificates": lambda c, r: request(*[c] * 9),
    "RP-35_empty_list": lambda c, r: base64.b64decode(VECTORS["TV13"]),
    "RP-36_digest_length": lambda c, r: request(CertId(c.alg, c.name_hash[:-1], c.key_hash,
                                                       c.serial)),
    "RP-38_serial_of_41_octets": lambda c, r: request(CertId(c.alg, c.name_hash, c.key_hash,
                                                             b"\x11" * 41)),
    "RP-39_serial_not_minimal": lambda c, r: request(CertId(c.alg, c.name_hash, c.key_hash,
                                                            b"\0\x12\x34")),
    "NK-04_parameters_are_an_integer": lambda c, r: request(c, parameters=der.integer(1)),
    "NO-01_nonce_of_0": lambda c, r: request(c, nonce=b""),
    "NO-01_nonce_of_129": lambda c, r: request(c, nonce=bytes(129)),
    "SL-04_too_many_extensions": lambda c, r: request(c, extensions=[
        der.extension("1.2.3", b"")] * 17),
    "cut": lambda c, r: r[:-1],
    "no_serial": lambda c, r: request(CertId(c.alg, c.name_hash, c.key_hash, b"")),
    "text": lambda c, r: b"hello",
    "a_response": lambda c, r: response(6),
    **{name: (lambda text: lambda c, r: base64.b64decode(text))(VECTORS[name])
       for name in ("TV6b", "TV7a", "TV7b", "TV8nonmin", "TV9", "TV12", "TV13", "TV4_0")},
}


@pytest.mark.parametrize("make", MALFORMED.values(), ids=MALFORMED.keys())
def test_EM_07_malformed(shared, certid, make):
    """HC-18: and nothing goes upstream."""
    relay, responder = shared
    before = responder.count()
    data = make(certid, request(certid))
    for got in (relay.post(data), relay.get(data)):
        assert told(got) == ocsp_error("400 Bad Request", 1)
    assert responder.count() == before


# --- what this relay is not asked about: EM-08 --------------------------------------------------

@pytest.mark.parametrize("name", ["TV1", "TV2", "TV3", "TV8neg", "RP-37_md5"])
def test_EM_08_NK_10_unknown_issuer(shared, name):
    relay, responder = shared
    before = responder.count()
    data = TV_RFC if name == "RP-37_md5" else base64.b64decode(VECTORS[name])
    for got in (relay.post(data), relay.get(data)):
        assert told(got) == ocsp_error("200 OK", 6)
    assert responder.count() == before


def test_EM_08_right_key_wrong_name_and_the_other_way_round(shared, certid, pki):
    relay, responder = shared
    before = responder.count()
    strange = pki.root.certid(1)
    for c in (CertId("sha1", strange.name_hash, certid.key_hash, certid.serial),
              CertId("sha1", certid.name_hash, strange.key_hash, certid.serial)):
        assert told(relay.post(request(c))) == ocsp_error("200 OK", 6)
    assert responder.count() == before
    assert relay.log.wait_for("issuer-name")  # NK-02: the first of them
