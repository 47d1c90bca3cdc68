# SPDX-License-Identifier: ISC
"""FreeRADIUS as a client: it asks about the certificates that people log in to networks with."""

import pytest

from clients import call, free_port, through_an_outage
from recipes import RELAY, recipe

CONF = """
raddbdir = {where}
logdir = {where}
run_dir = {where}
proxy_requests = no
security {{
  reject_delay = 0
}}
client localhost {{
  ipaddr = 127.0.0.1
  secret = testing123
}}
modules {{
  eap {{
    default_eap_type = tls
    tls-config common {{
      certificate_file = {where}/good-chain.pem
      private_key_file = {where}/good.key
      ca_file = {where}/chain.pem
{ocsp}
    }}
    tls {{
      tls = common
    }}
  }}
}}
server default {{
  listen {{
    type = auth
    ipaddr = 127.0.0.1
    port = {port}
  }}
  authorize {{
    eap
  }}
  authenticate {{
    eap
  }}
}}
"""

SUPPLICANT = """
network={{
  key_mgmt=WPA-EAP
  eap=TLS
  identity="somebody"
  ca_cert="{where}/chain.pem"
  client_cert="{where}/{name}.crt"
  private_key="{where}/{name}.key"
}}
"""


@pytest.fixture
def radius(program, start):
    """radius(files, url): a server that does nothing but EAP-TLS, and its port."""
    freeradius = program("freeradius")

    def run(files, url, use_nonce="no"):
        port = free_port()
        files.write("radiusd.conf", CONF.format(
            where=files.directory, port=port, ocsp=recipe("freeradius", "ocsp", {
                RELAY: url, "use_nonce = no": "use_nonce = " + use_nonce})).encode())
        server = start(freeradius, "-fxx", "-l", "stdout", "-d", files.directory)
        server.wait_for("Ready to process requests")
        return server, port
    return run


@pytest.fixture
def is_let_in(program):
    """is_let_in(files, port, name): whether who has this certificate may log in."""
    eapol_test = program("eapol_test")

    def log_in(files, port, name):
        conf = files.write(name + ".conf",
                           SUPPLICANT.format(where=files.directory, name=name).encode())
        result = call(eapol_test, "-c", conf, "-a", "127.0.0.1", "-p", port, "-s", "testing123",
                      "-t", 10)
        assert result.stdout.endswith(("SUCCESS\n", "FAILURE\n")), result.stdout
        return result.stdout.endswith("SUCCESS\n")
    return log_in


def test_freeradius(relayed, radius, is_let_in):
    """POST over HTTP/1.0."""
    files, relay, responder = relayed
    server, port = radius(files, relay.url)
    for turn in through_an_outage(relay, responder):
        for name in ("good", "revoked", "unknown"):
            assert is_let_in(files, port, name) == (name == "good"), server.text
            server.wait_for(f"ocsp: Cert status: {name}", 1 if turn == "running" else 2)
    assert responder.count() == 3
    assert relay.metric("requests_total", method="post") == 6


def test_freeradius_wants_its_nonce(ec_relayed, radius, is_let_in):
    """With use_nonce = yes it takes only what has just been signed: it works where the CA's
    responder does nonces, and as long as it is there."""
    files, relay, responder = ec_relayed
    server, port = radius(files, relay.url, use_nonce="yes")
    responder.behave(responder.echoing())
    assert is_let_in(files, port, "good"), server.text
    assert not is_let_in(files, port, "revoked")
    server.wait_for("ocsp: Cert status: revoked")
    assert responder.count() == 2
    responder.behave(None)
    assert not is_let_in(files, port, "good")
    server.wait_for("wrong nonce value")
