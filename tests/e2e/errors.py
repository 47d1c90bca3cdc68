# SPDX-License-Identifier: ISC
"""Every octet of the answers that are errors, as the tests of section 8 expect them."""

import os
import re

from pki import response
from relay import ROOT
from test_http import HTTP_DATE

TRY_LATER = response(3)


def _texts():
    """Of the rows of the table of errors, by label."""
    with open(os.path.join(ROOT, "include/tbl/errors.h"), encoding="utf-8") as table:
        return dict(re.findall(r'^ERROR\(\w+, *"([^"]+)".*"([^"]+)"\)$', table.read(), re.M))


TEXTS = _texts()


def told(got):
    """A response as its head line by line, with a star for the Date, and its body."""
    lines = [re.sub(f"^Date: {HTTP_DATE}$", "Date: *", line) for line in got.lines]
    return [*lines, got.body]


def _error(status, content_type, body, fields):
    return [f"HTTP/1.1 {status}", "Date: *", f"Content-Type: {content_type}",
            f"Content-Length: {len(body)}", "Cache-Control: no-store", *fields, body]


def ocsp_error(status, ocsp, *fields):
    """Of an OCSP error of this number."""
    return _error(status, "application/ocsp-response", response(ocsp), fields)


def http_error(status, label, *fields):
    """Of a failure below OCSP."""
    return _error(status, "text/plain", TEXTS[label].encode() + b"\n", fields)


def miss(verdict):
    """The field that tells how a fetch failed."""
    return "Cache-Status: ocsprelay; fwd=miss" + (f"; {verdict}" if verdict else "")
