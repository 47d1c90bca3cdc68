# SPDX-License-Identifier: ISC
"""How real clients are pointed at the relay. Whom it asks is up to its configuration alone: where a
request names another responder, that one waits in vain."""

import pytest

from clients import call, openssl_ocsp, through_an_outage
from pki import parse_response, request
from rawhttp import get_target

WAYS = {
    # name: (relay, another responder) -> (URL, options of curl, options of openssl ocsp)
    "plain_url": lambda relay, other: (relay.url, [], []),
    "path_prefix": lambda relay, other: (relay.url + "ocsp/ca1/", [], []),
    "proxy": lambda relay, other: (other.url, ["-x", relay.url], ["-proxy", relay.url]),
    "proxy_path_prefix": lambda relay, other: (other.url + "ca1/", ["-x", relay.url],
                                               ["-proxy", relay.url]),
    # as if the other's name led to the relay; openssl cannot be told
    "dns": lambda relay, other: (other.url, ["--connect-to", "::{}:{}".format(*relay.address)],
                                 None),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_HS_15_F5_SL_12_ways_to_the_relay(ec_relayed, make_responder, program, way):
    files, relay, responder = ec_relayed
    other = make_responder()
    url, of_curl, of_openssl = way(relay, other)

    def fetch(*args):
        out = files.path("out.der")
        result = call(program("curl"), "-q", "-sS", "-f", *of_curl, "-o", out, *args)
        assert result.returncode == 0, result.stderr
        with open(out, "rb") as file:
            return parse_response(file.read()).certificate_status.name.lower()
    for turn in through_an_outage(relay, responder):
        for status in ("good", "revoked"):
            data = request(files.pki.ca.certid(files.certs[status].serial))
            assert fetch(url.rstrip("/") + get_target(data)) == status, turn
            body = "@" + files.write("request.der", data)
            assert fetch("--data-binary", body, url) == status, turn
            if of_openssl is not None:
                result = openssl_ocsp(program("openssl"), files, url, status,
                                      options=["-no_nonce", *of_openssl])
                assert "Response verify OK" in result.stderr, (turn, result.stderr)
                assert f"{status}.crt: {status}" in result.stdout
    assert responder.count() == 2
    assert other.connections == 0
