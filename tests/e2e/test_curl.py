# SPDX-License-Identifier: ISC
"""curl as a client of the relay."""

import rawhttp
from clients import call
from pki import parse_response, request


def test_curl(relayed, program, tmp_path):
    """HTTP/1.1 with keep-alive, --data-binary with the form type, conditional GET."""
    files, relay, _ = relayed
    curl = program("curl")
    data = request(files.pki.ca.certid(files.certs["good"].serial))
    body = files.write("request.der", data)
    answers = [str(tmp_path / name) for name in ("1.der", "2.der")]
    result = call(curl, "-sS", "-f", "--data-binary", "@" + body, relay.url, "-o", answers[0],
                  "--next", "-sS", "-f", relay.url.rstrip("/") + rawhttp.get_target(data), "-o",
                  answers[1], "-w", "%{num_connects}")
    assert result.returncode == 0, result.stderr
    assert result.stdout == "0"  # the second went over the connection of the first
    first, second = (open(path, "rb").read() for path in answers)
    assert first == second and parse_response(first).serial_number == files.certs["good"].serial
    result = call(curl, "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-z", "1 Jan 2035",
                  relay.url.rstrip("/") + rawhttp.get_target(data))
    assert result.stdout == "304"
