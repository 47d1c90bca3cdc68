# SPDX-License-Identifier: ISC
"""responder.py as a program."""

import os
import subprocess
import sys

import pki as pki_module
from pki import parse_response, request
from relay import environment


def test_responder_as_a_program(tmp_path, make_relay):
    """As somebody would use it who tries the relay out."""
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "responder.py")
    with subprocess.Popen([sys.executable, script, "--pki", str(tmp_path), "--make-pki",
                           "--revoked", "2a"], stdout=subprocess.PIPE, text=True,
                          env=environment()) as process:
        try:
            url = process.stdout.readline().split()[-1]
            ca = pki_module.Pki.read(tmp_path).ca
            relay = make_relay(url, ca=ca)
            for serial, status in ((0x29, "GOOD"), (0x2A, "REVOKED")):
                parsed = parse_response(relay.get(request(ca.certid(serial))).body)
                assert parsed.certificate_status.name == status
                assert process.stdout.readline().endswith(f"GET serial {serial:x}\n")
        finally:
            process.terminate()
