# SPDX-License-Identifier: ISC
"""A responder whose answers python3-cryptography writes, from Rust, behind the relay."""

from cryptography.hazmat.primitives import hashes

from pki import library_response
from responder import Reply
from responders import STATUSES, bring_answers

HASHES = {"sha1": hashes.SHA1(), "sha256": hashes.SHA256()}


def test_python_cryptography(files, make_responder, make_relay, program):
    statuses = {files.leaf(name).serial: name for name in STATUSES}
    responder = make_responder(files.pki)

    def answer(request):
        certid = request.asked.certids[0]
        name = statuses[certid.number]
        return Reply(library_response(files.certs[name].cert, files.pki.ca.cert, files.pki.signer,
                                      name, HASHES[certid.alg]))
    responder.behave(answer)
    bring_answers(make_relay(responder, ca=files.pki.ca), files, responder, program("openssl"))
    assert responder.count() == 2 * len(STATUSES)
