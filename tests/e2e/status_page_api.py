# SPDX-License-Identifier: ISC
"""A relay whose admin listener a browser can reach, and what it says."""

import json
import urllib.error
import urllib.request

import relay as relay_module

TIMEOUT = 20
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def open_relay(**options):
    """One without an issuer."""
    return relay_module.Relay(admin="127.0.0.1:0", **options)


def admin_url(relay):
    address = relay.log.find("listen", **{"for": "admin"})[-1]["address"]
    return f"http://{address}/"


def fetch(url, method="GET", **fields):
    """(status, fields, octets)"""
    asked = urllib.request.Request(url, method=method, headers=fields)
    try:
        with _opener.open(asked, timeout=TIMEOUT) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code, answer.headers, answer.read()


def told(relay, what):
    status, _, body = fetch(f"{admin_url(relay)}api/v1/{what}")
    assert status == 200, body
    return json.loads(body)
