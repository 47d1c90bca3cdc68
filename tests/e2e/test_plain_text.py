# SPDX-License-Identifier: ISC
"""What others choose never steers the terminal on which it is read."""

import http.server
import json
import re
import threading

import pytest

from relay import run

EVIL = "x\x1b[2J\x9b31m\x85\u202ey"
STRANGE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
STATUS = {"version": EVIL, "requests": {EVIL[:-2]: 1}, "stores": [{"store": EVIL, "up": True}],
          "watched": {"certificates": 1, "cold": [EVIL], "skipped": [EVIL]},
          "issuers": [{"name": EVIL, "not_after": EVIL, "responders": [{"url": EVIL}]}]}


class Page(http.server.BaseHTTPRequestHandler):
    """A status that is meant to do harm, or a refusal, by server.code."""

    def do_GET(self):
        code = self.server.code
        body = json.dumps(STATUS if code == 200 else {"error": EVIL, "messages": [EVIL]}).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_):
        pass


@pytest.mark.parametrize("command,code", [("status", 200), ("status", 422), ("runway", 200),
                                          ("reload", 403)])
def test_of_whoever_answers_at_the_admin_address(command, code):
    with http.server.HTTPServer(("127.0.0.1", 0), Page) as server:
        server.code = code
        threading.Thread(target=server.serve_forever, daemon=True).start()
        result = run(command, "--admin", f"127.0.0.1:{server.server_port}")
        server.shutdown()
    text = result.stdout + result.stderr
    assert "x?" in text and not STRANGE.search(text), ascii(text)
