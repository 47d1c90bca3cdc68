# SPDX-License-Identifier: ISC
"""A day in the life of a relay, made up, and a stub of the admin listener that tells it: what the
status page looks like with data that no test has the time to make. The page itself and its header
fields are those of a real relay.
"""

import contextlib
import http.server
import json
import math
import random
import threading
from datetime import datetime, timezone

NOW = 1_795_372_800 - 3 * 3600 - 17 * 60  # of the story; 2026-11-22, afternoon
DAY, HOUR, MINUTE = 86400, 3600, 60
COLUMNS = ["time", "seconds", "hits", "misses", "errors", "hit_p50", "hit_p99", "miss_p50",
           "miss_p99"]
RESULTS = ["hit", "miss", "collapsed", "refreshed", "bypass", "negative", "rejected", "error"]
STATUSES = ["good", "revoked", "unknown", "malformed_request", "internal_error", "try_later",
            "sig_required", "unauthorized"]


def iso(t):
    return datetime.fromtimestamp(t, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def responder(url, p50=None, p99=None, down_for=0, **more):
    return {"url": url, "asked": p50 is not None, "up": down_for == 0, "failures": down_for // 30, "down_for": down_for,
            "wants_post": False,
            "latency": p50 and {"requests": 400, "p50": p50 / 1e3, "p99": p99 / 1e3}, **more}


def issuer(name, runway, responses, responders, **more):
    """runway: answers, first, median, last; responses: good, revoked, unknown."""
    return {
        "name": name, "id": f"{random.Random(name).getrandbits(256):064x}",
        "not_after": iso(NOW + 1400 * DAY), "rehearsal": None, "runway_warning": HOUR,
        "down": bool(responders) and not any(one["up"] for one in responders),
        "runway": runway and dict(zip(("answers", "first", "median", "last"), runway)),
        "requests": dict.fromkeys(RESULTS, 0),
        "responses": {**dict.fromkeys(STATUSES, 0), **dict(zip(STATUSES, responses))},
        "responders": responders, **more}


def issuers():
    return [
        issuer("Nordhafen Issuing CA 4", (18214, 3 * HOUR + 760, 2 * DAY + 5 * HOUR, 6 * DAY + 22 * HOUR),
               (3_181_404, 912, 37),
               [responder("http://ocsp1.pki.nordhafen.example/", 11.2, 48),
                responder("http://ocsp2.pki.nordhafen.example/", 12.6, 61)]),
        issuer("Nordhafen Device CA 2", (9120, 41 * MINUTE, 5 * HOUR + 1200, 11 * HOUR + 900),
               (1_204_911, 3310, 0),
               [responder("http://ocsp.devices.nordhafen.example/ocsp", 38.5, 2400,
                          down_for=26 * MINUTE)]),
        issuer("Bay Trust TLS RSA G3", (2408, DAY + 2 * HOUR, 3 * DAY + 4 * HOUR, 6 * DAY + 23 * HOUR),
               (402_118, 61, 0),
               [responder("http://ocsp.baytrust.example/g3", 22.4, 119)]),
        issuer("Civic Sign Qualified 2025", (311, 9 * HOUR + 1700, 16 * HOUR, 23 * HOUR + 300),
               (58_022, 14, 5),
               [responder("http://qocsp.civic.example/", 84, 410, wants_post=True),
                responder("http://qocsp-dr.civic.example/", 91, 455, down_for=3 * HOUR)]),
        issuer("Lab Root X", None, (), [responder("http://127.0.0.1:2560/")]),
    ]


def status(**changes):
    requests = dict(zip(RESULTS, (4_796_233, 41_207, 8_402, 3_918, 261, 77, 512, 184)))
    return {
        "version": "0.1.0", "pid": 812, "uptime": 12 * DAY + 4 * HOUR + 610, "draining": False,
        "listeners": 2, "started_at": iso(NOW - 12 * DAY - 4 * HOUR - 610), "now": iso(NOW),
        "issuer_dir": "/etc/ocsprelay/issuers.d", "connections": 1382, "inflight": 2, "waiters": 3,
        "requests": requests,
        "cache": {"entries": 48_210, "bytes": 35_913_728, "max_bytes": 64 << 20, "evictions": 0,
                  "negative_entries": 12},
        "stores": [{"store": "lmdb:/var/lib/ocsprelay", "up": True},
                   {"store": "rediss://cache.nordhafen.example:6379/0", "up": True}],
        "watched": {"certificates": 38, "cold": [], "skipped": []},
        "issuers": issuers(), **changes}


def history(minutes=24 * 60, end=NOW):
    """Office hours, a burst of misses after a restart of many clients, an outage at the end."""
    dice = random.Random(6960)
    samples = []
    for minute in range(minutes, 0, -1):
        t = end - 20 - (minute - 1) * MINUTE
        hour = t % DAY / HOUR
        load = 900 + 2600 * math.exp(-((hour - 12.5) / 4.2) ** 2) + 500 * math.exp(
            -((hour - 3) / 1.1) ** 2)
        hits = int(load * 60 / 60 * dice.uniform(0.93, 1.07))
        burst = 30 * math.exp(-((minute - 190) / 14) ** 2)
        misses = int((0.008 * load + 28 * burst) * dice.uniform(0.7, 1.3))
        errors = dice.choice((0, 0, 0, 1, 2)) + (int(dice.uniform(4, 22)) if minute < 27 else 0)
        slow = 6 if minute < 27 else 1 + burst / 12
        samples.append([t, 60, hits, misses, errors, int(19 * dice.uniform(0.9, 1.1)),
                        int(88 * dice.uniform(0.85, 1.3)),
                        int(14_000 * slow ** 0.5 * dice.uniform(0.85, 1.2)),
                        int(95_000 * slow * dice.uniform(0.7, 1.5))])
    return {"columns": COLUMNS, "samples": samples,
            "current": [end, 20, 380, 4, 6, 19, 90, 34_000, 610_000]}


def expiring():
    names = ["Nordhafen Device CA 2"] * 7 + ["Nordhafen Issuing CA 4"] * 2 + ["Civic Sign Qualified 2025"]
    entries = []
    for i, name in enumerate(names):
        left = (41, 43, 44, 52, 61, 75, 88, 192, 230, 561)[i] * MINUTE + 11 * i
        entries.append({
            "issuer": name, "serial": f"{random.Random(i).getrandbits(120) | 1 << 118:030x}",
            "hash": "sha1", "status": "revoked" if i == 3 else "good",
            "expires_at": iso(NOW + left), "refresh_at": iso(NOW + (left // 2 if i > 6 else -600)),
            "this_update": iso(NOW - 12 * HOUR), "produced_at": iso(NOW - 12 * HOUR),
            "fetched_at": iso(NOW - 11 * HOUR), "bytes": 1512})
    return {"entries": entries}


def event(ago, level, name, fields, since=None, count=1):
    texts = {
        "runway-short": "none of the issuer's responders works, and answers in use run out soon",
        "responder-down": "responder stopped answering", "reload": "configuration reloaded",
        "status-changed": "certificate status changed", "store-back": "store works again",
        "response-refused": "response refused by verification"}
    return {"first": iso(NOW - (since or ago)), "last": iso(NOW - ago), "count": count,
            "level": level, "event": name, "text": texts[name], "fields": fields}


def events():
    device = {"issuer": "Nordhafen Device CA 2"}
    civic = {"issuer": "Civic Sign Qualified 2025", "responder": "http://qocsp-dr.civic.example/"}
    return {"events": [
        event(95, "warning", "runway-short", {
            **device, "answers": 9120, "first": 3598, "median": 20_300, "last": 41_480}),
        event(26 * MINUTE, "warning", "responder-down", {
            **device, "responder": "http://ocsp.devices.nordhafen.example/ocsp",
            "reason": "upstream-timeout"}),
        event(71 * MINUTE, "notice", "status-changed", {
            "issuer": "Nordhafen Issuing CA 4", "serial": "4a7b0c55d2e19f03a6", "from": "good",
            "to": "revoked"}),
        event(2 * HOUR, "warning", "response-refused", {**civic, "reason": "expired"},
              2 * HOUR + 420, 3),
        event(3 * HOUR, "warning", "responder-down", {**civic, "reason": "upstream-connect"}),
        event(9 * HOUR, "notice", "reload", {"issuers": 5}),
        event(2 * DAY, "notice", "store-back", {
            "store": "rediss://cache.nordhafen.example:6379/0"}),
    ]}


def story(**changes):
    return {"status": status(**changes), "history": history(), "expiring": expiring(),
            "events": events()}


@contextlib.contextmanager
def stub(page, fields, data):
    """Serves the page with these header fields, and data[NAME] as /api/v1/NAME; gives the URL. A
    value that is no dict is an HTTP status."""
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            told = data.get(self.path.rpartition("/")[2]) if self.path != "/" else None
            body = page if self.path == "/" else json.dumps(told).encode()
            self.send_response(told if isinstance(told, int) else 200)
            for name, value in fields.items() if self.path == "/" else [
                    ("Content-Type", "application/json")]:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()
