# SPDX-License-Identifier: ISC
"""The HTTP that clients speak: targets, bodies, framing, limits, and every octet of the answers."""

import base64
import contextlib
import hashlib
import re
import time

import pytest

import der
import pki as pki_module
import rawhttp
import relay as relay_module
from pki import request
from rawhttp import get, get_target, message, post
from responder import Reply

HTTP_DATE = (r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct"
             r"|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT")


def b64(data):
    return base64.b64encode(data).decode()


def escaped(text):
    return rawhttp.urllib.parse.quote(text, safe="")


# --- GET targets (section 1.1) ------------------------------------------------------------------

TARGETS = {
    "RP-01_all_escaped": lambda t: "/" + escaped(t),
    "RP-02_lower_case_hex": lambda t: "/" + re.sub("%..", lambda m: m[0].lower(), escaped(t)),
    "RP-02_nothing_escaped": lambda t: "/" + t,
    "RP-02_only_slash_escaped": lambda t: "/" + t.replace("/", "%2F"),
    "RP-03_plus_raw": lambda t: "/" + t.replace("/", "%2F").replace("=", "%3D"),
    "RP-03_plus_as_space": lambda t: "/" + escaped(t).replace("%2B", "%20"),
    "RP-04_two_slashes": lambda t: "//" + escaped(t),
    "RP-04_three_slashes": lambda t: "///" + escaped(t),
    "RP-05_slashes_inside_and_before": lambda t: "//" + t,
    "RP-07_no_padding": lambda t: "/" + escaped(t.rstrip("=")),
    "RP-07_base64url": lambda t: "/" + t.replace("+", "-").replace("/", "_"),
    "RP-07_base64url_no_padding": lambda t: "/" + t.replace("+", "-").replace("/", "_").rstrip("="),
    "RP-07_mixed_alphabets": lambda t: "/" + t.replace("+", "-").replace("/", "%2F"),
    "RP-08_escaped_twice": lambda t: "/" + escaped(escaped(t)),
    "RP-09_line_break": lambda t: "/" + escaped(t[:64]) + "%0A" + escaped(t[64:]),
    "RP-09_crlf_and_tab": lambda t: "/" + escaped(t[:60]) + "%0D%0A%09" + escaped(t[60:]),
    "RP-10_trailing_slash": lambda t: "/" + escaped(t) + "/",
    "RP-10_query": lambda t: "/" + escaped(t) + "?x=1",
    "RP-11_prefix": lambda t: "/ocsp/ca1/" + escaped(t),
    "RP-11_prefix_like_a_request": lambda t: "/MAIN/ocsp/" + escaped(t),
    "RP-11_prefix_unescaped": lambda t: "/ocsp/" + t,
    "HS-15_absolute_form": lambda t: "http://ocsp.ca.example/" + escaped(t),
    "HS-15_absolute_form_of_another_host": lambda t: "http://10.0.0.1:22/x/" + escaped(t),
}


@pytest.fixture(scope="module")
def awkward(pki, _shared_pair):
    """A request with "+", "/", "//" and "=" in base64, and the answer to its POST."""
    certid = pki_module.awkward_certid(pki.ca)
    data = request(certid)
    _, relay = _shared_pair
    return certid, data, relay.post(data).body


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS.keys())
def test_get_target(shared, awkward, target):
    relay, responder = shared
    certid, data, answer = awkward
    got = relay.get(None, target=target(b64(data)))
    assert got.status == 200
    assert got.body == answer
    assert got.cache_status["hit"]
    assert responder.count(certid.number) == 1


@pytest.mark.parametrize("target", [
    pytest.param(lambda t: "/" + t.replace("//", "/"), id="RP-06_merged_slashes"),
    pytest.param(lambda t: "/" + escaped(escaped(escaped(t))), id="RP-08_escaped_three_times"),
    pytest.param(lambda t: "/" + t[:-8], id="cut"),
    pytest.param(lambda t: "/" + t.replace("=", "") + "%zz", id="bad_escape"),
])
def test_get_target_refused(shared, awkward, target):
    relay, responder = shared
    certid, data, _ = awkward
    before = responder.count()
    got = relay.get(None, target=target(b64(data)))
    assert (got.status, got.body) == (400, pki_module.response(1))
    assert responder.count() == before


@pytest.mark.parametrize("target", ["/", "/favicon.ico", "/metrics", "/healthz", "/index.html?a=b",
                                    "/MFEw", "/////////////////////", "/%", "*x", "/%00%00"])
def test_RP_14_HS_33_no_base64_is_answered_here(shared, target):
    relay, responder = shared
    before = responder.count()
    got = relay.get(None, target=target)
    if target == "*x":
        assert got.status == 400
    else:
        assert (got.status, got.body) == (400, pki_module.response(1))
    assert responder.count() == before


def test_RP_10_base64_that_ends_in_a_slash(shared, pki):
    relay, _ = shared
    data = request(pki.ca.certid(pki_module.new_serial() << 16 | 0xFFFF))
    assert b64(data).endswith("/")  # 84 octets, the last six bits set
    answer = relay.post(data).body
    assert relay.get(None, target="/" + b64(data)).body == answer
    assert relay.get(None, target="/" + b64(data) + "/").body == answer


def test_RP_13_long_get(shared, pki, certid):
    relay, _ = shared
    data = request(certid, signed_by=pki.leaf(), padding_certs=7)
    assert 2800 < len(data) < 5500
    got = relay.get(data)
    assert got.status == 200
    assert pki_module.parse_response(got.body).serial_number == certid.number


# --- POST ---------------------------------------------------------------------------------------

def test_RP_20_post_on_any_path(shared, request_der, responder):
    relay, _ = shared
    for target in ("/", "/ocsp", "/a/b/c?d", "http://ca.example/x"):
        assert relay.post(request_der, target=target).status == 200


@pytest.mark.parametrize("content_type", [
    None, "application/ocsp-request", "application/ocsp-request; charset=binary",
    "APPLICATION/OCSP-REQUEST", "application/x-www-form-urlencoded", "text/html"])
def test_RP_21_content_type_does_not_matter(shared, request_der, content_type):
    relay, _ = shared
    got = relay.post(request_der, content_type=content_type)
    assert got.status == 200
    assert got.field("Content-Type") == "application/ocsp-response"


@pytest.mark.parametrize("size", [1, 7, 64, 10000])
def test_RP_22_chunked(shared, certid, size):
    relay, responder = shared
    data = request(certid)
    chunks = [min(size, len(data))] * -(-len(data) // min(size, len(data)))
    got = relay.post(data, chunks=chunks)
    assert got.status == 200
    assert responder.count(certid.number) == 1
    assert responder.of(certid.number)[0].der == data


def chunked(body, *fields):
    return message("POST / HTTP/1.1", [("Host", "x"), ("Transfer-Encoding", "chunked"), *fields],
                   body)


def test_RP_23_chunk_extensions_and_trailers(shared, request_der):
    relay, _ = shared
    half = len(request_der) // 2
    body = (b"%X;x=y\r\n%s\r\n" % (half, request_der[:half]) +
            b'%X ; a="b;c"\r\n%s\r\n' % (len(request_der) - half, request_der[half:]) +
            b"0;end\r\nTrailer: ignored\r\n\r\n")
    with relay.connect() as connection:
        assert connection.ask(chunked(body)).status == 200
        assert connection.ask(get(request_der)).status == 200


@pytest.mark.parametrize("body", [
    b"FFFFFFFF\r\nx", b"FFFFFFFFFFFFFFFFFFFF\r\nx", b"4001\r\nx", b"-1\r\nx", b"0x5\r\nabcde\r\n",
    b"5\nabcde\n0\n\n", b" 5\r\nabcde\r\n", b"\r\n", b"5\r\nabcdefgh\r\n", b"g\r\n"])
def test_RP_22_bad_chunks(shared, body):
    relay, responder = shared
    before = responder.count()
    with relay.connect() as connection:
        got = connection.ask(chunked(body))
        assert got.status in (400, 413)
        assert got.field("Connection") == "close"
        assert connection.is_closed()
    assert responder.count() == before


@pytest.mark.parametrize("data", [
    pytest.param(message("POST / HTTP/1.1", [("Host", "x"), ("Content-Length", "0")]), id="zero"),
    pytest.param(message("POST / HTTP/1.1", [("Host", "x")]), id="none"),
    pytest.param(message("POST / HTTP/1.0", []), id="none_1.0"),
    pytest.param(chunked(b"0\r\n\r\n"), id="chunked"),
])
def test_RP_24_empty_body(shared, data):
    relay, responder = shared
    before = responder.count()
    got = relay.ask(data)
    assert (got.status, got.body) == (400, pki_module.response(1))
    assert responder.count() == before


def test_RP_26_empty_lines_before_a_request(shared, request_der):
    relay, _ = shared
    with relay.connect() as connection:
        connection.send(post(request_der) + b"\r\n" + get(request_der) + b"\r\n\r\n" +
                        get(request_der))
        assert [connection.read().status for _ in range(3)] == [200, 200, 200]


# --- other methods ------------------------------------------------------------------------------

def test_HS_06_head(shared, request_der):
    relay, responder = shared
    first = relay.get(request_der, method="HEAD")  # may fetch
    assert first.status == 200
    with relay.connect() as connection:
        head = connection.ask(get(request_der, method="HEAD"), head_only=True)
        full = connection.ask(get(request_der))  # HEAD left nothing in the stream
    assert full.body and not head.body

    def unmoving(response):
        return [re.sub(r"ttl=\d+|max-age=\d+", "", line) for line in response.lines
                if not line.startswith("Date:")]
    assert unmoving(head) == unmoving(full)
    assert relay.get(None, target="/x", method="HEAD").status == 400


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "DELETE", "TRACE", "CONNECT", "PATCH"])
def test_HS_07_EM_04_known_methods(shared, method):
    relay, responder = shared
    before = responder.count()
    target = "example.com:443" if method == "CONNECT" else "/"
    got = relay.ask(message(f"{method} {target} HTTP/1.1", [("Host", "example.com:443")]))
    assert got.status == 405
    assert got.field("Allow") == "GET, HEAD, POST"
    assert got.field("Content-Type") == "text/plain"
    assert responder.count() == before


@pytest.mark.parametrize("method", ["FOO", "get", "GETT", "PROPFINDX"])
def test_HS_07_EM_04_unknown_methods(shared, method):
    relay, _ = shared
    with relay.connect() as connection:
        got = connection.ask(message(f"{method} / HTTP/1.1", [("Host", "x")]))
        assert got.status == 501
        assert got.field("Connection") == "close"
        assert connection.is_closed()


def test_HS_07_a_refused_method_with_a_body_does_not_derail(shared, request_der):
    relay, _ = shared
    with relay.connect() as connection:
        connection.send(message("PUT / HTTP/1.1", [("Host", "x"), ("Content-Length", "9")],
                                b"GET / HTT"))
        assert connection.read().status == 405
        connection.send(get(request_der))
        if not connection.is_closed():  # either way is right, but never a third answer
            assert connection.read().status == 200


# --- smuggling and syntax -----------------------------------------------------------------------

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
HOST = ("Host", "x")

REFUSED = {
    "RP-12_get_with_body": (message("GET /x HTTP/1.1", [HOST, ("Content-Length", "36")]), 400),
    "RP-12_get_chunked": (message("GET /x HTTP/1.1", [HOST, ("Transfer-Encoding", "chunked")]),
                          400),
    "RP-12_head_with_body": (message("HEAD /x HTTP/1.1", [HOST, ("Content-Length", "5")]), 400),
    "HS-08_length_and_coding": (message("POST / HTTP/1.1", [
        HOST, ("Content-Length", "5"), ("Transfer-Encoding", "chunked")], b"0\r\n\r\n"), 400),
    "HS-08_coding_and_length": (message("POST / HTTP/1.1", [
        HOST, ("Transfer-Encoding", "chunked"), ("Content-Length", "5")], b"0\r\n\r\n"), 400),
    **{f"HS-09_coding_{coding}": (message("POST / HTTP/1.1", [
        HOST, ("Transfer-Encoding", coding)], b"0\r\n\r\n"), (400, 501))
       for coding in ("gzip, chunked", "chunked, chunked", "xchunked", "chunked, gzip", "identity",
                      "chunked;q=1", "\x0bchunked", "")},
    "HS-09_coding_twice": (message("POST / HTTP/1.1", [
        HOST, ("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "identity")],
        b"0\r\n\r\n"), (400, 501)),
    "HS-09_coding_on_1.0": (message("POST / HTTP/1.0", [("Transfer-Encoding", "chunked")],
                                    b"0\r\n\r\n"), (400, 501)),
    **{f"HS-10_length_{length}": (message("POST / HTTP/1.1", [
        HOST, ("Content-Length", length)], b"abcde"), 400)
       for length in ("+5", "-5", "5, 5", "5,6", "0x5", "", "5 5", "5a", "1e1", "5;",
                      "18446744073709551617")},
    "HS-10_two_lengths": (message("POST / HTTP/1.1", [
        HOST, ("Content-Length", "5"), ("Content-Length", "6")], b"abcdef"), 400),
    "HS-10_same_length_twice": (message("POST / HTTP/1.1", [
        HOST, ("Content-Length", "5"), ("Content-Length", "5")], b"abcde"), 400),
    "HS-11_space_before_colon": (
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length : 5\r\n\r\nabcde", 400),
    "HS-11_space_before_name": (b"GET /x HTTP/1.1\r\n Host: x\r\n\r\n", 400),
    "HS-11_no_colon": (b"GET /x HTTP/1.1\r\nHost: x\r\nfoo\r\n\r\n", 400),
    "HS-11_empty_name": (b"GET /x HTTP/1.1\r\nHost: x\r\n: foo\r\n\r\n", 400),
    "HS-11_name_is_no_token": (b"GET /x HTTP/1.1\r\nHost: x\r\nfo(o: x\r\n\r\n", 400),
    "HS-12_folded": (b"GET /x HTTP/1.1\r\nHost: x\r\nX-Foo: a\r\n b\r\n\r\n", 400),
    "HS-13_nul": (b"GET /x HTTP/1.1\r\nHost: a\0b\r\n\r\n", 400),
    "HS-13_nul_elsewhere": (b"GET /x HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n", 400),
    "HS-13_bare_cr": (b"GET /x HTTP/1.1\r\nHost: x\r\nX: a\rb\r\n\r\n", 400),
    "HS-13_bare_lf": (b"GET /x HTTP/1.1\nHost: x\n\n", 400),
    "HS-14_no_host": (b"GET /x HTTP/1.1\r\n\r\n", 400),
    "HS-14_two_hosts": (message("GET /x HTTP/1.1", [HOST, ("Host", "y")]), 400),
    "HS-14_same_host_twice": (message("GET /x HTTP/1.1", [HOST, HOST]), 400),
    "HS-14_bad_host": (message("GET /x HTTP/1.1", [("Host", "a b")]), 400),
    "HS-14_bad_host_chars": (message("GET /x HTTP/1.1", [("Host", "x/y@z")]), 400),
    "HS-16_space_in_target": (message("GET /MF Ew HTTP/1.1", [HOST]), 400),
    "HS-16_two_spaces": (message("GET  /x HTTP/1.1", [HOST]), 400),
    "HS-16_tab": (message("GET\t/x HTTP/1.1", [HOST]), 400),
    "HS-16_control": (b"GET /x\x01 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "HS-31_version_2": (message("GET /x HTTP/2.0", [HOST]), (400, 505)),
    "HS-31_preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (400, 501, 505)),
    "HS-31_version_1.2": (message("GET /x HTTP/1.2", [HOST]), (400, 505)),
    "HS-31_no_version": (b"GET /x\r\n\r\n", 400),
    "HS-31_tls": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(32) + b"\r\n\r\n",
                  (400, 501)),
}


@pytest.mark.parametrize("data, status", REFUSED.values(), ids=REFUSED.keys())
def test_EM_01_refused_and_closed(shared, data, status):
    """One answer, then the end of the connection: what follows is never taken for a request."""
    relay, responder = shared
    before = responder.count()
    with relay.connect() as connection:
        got = connection.ask(data + SMUGGLED)
        assert got.status in (status if isinstance(status, tuple) else (status,))
        assert got.field("Connection") == "close"
        assert got.field("Content-Type") == "text/plain"
        assert got.field("Cache-Control") == "no-store"
        assert connection.is_closed()
    assert responder.count() == before


def test_HS_14_host_of_any_kind(shared, request_der):
    relay, _ = shared
    for host in ("relay", "relay:8080", "[::1]:80", "10.0.0.1"):
        assert relay.get(request_der, host=host).status == 200
    assert relay.ask(get(request_der, version="1.0", host=None)).status == 200
    assert relay.ask(get(request_der, version="1.0", host="ca.example")).status == 200


def test_heads_split_at_every_octet(shared, request_der):
    """relayd's fault of 2021: what was read so far must survive any number of reads."""
    relay, _ = shared
    relay.get(request_der)
    data = post(request_der, ("X-Long", "y" * 100))
    with relay.connect() as connection:
        connection.socket.setsockopt(6, 1, 1)  # TCP_NODELAY
        for at in range(len(data)):
            connection.send(data[at:at + 1])
        assert connection.read().status == 200
        for cut in range(1, len(data), 7):
            connection.send(data[:cut])
            connection.send(data[cut:])
            assert connection.read().status == 200


# --- the success header set (Appendix B) --------------------------------------------------------

def okh(minor_line, *, hit, keep=""):
    verdict = r"hit; ttl=(?P<ttl>\d+); detail=l1" if hit else "fwd=miss; fwd-status=200; stored"
    return re.compile(
        minor_line +
        rf"Date: (?P<date>{HTTP_DATE})\r\n"
        r"Content-Type: application/ocsp-response\r\n"
        r"Content-Length: (?P<length>\d+)\r\n"
        rf"Last-Modified: (?P<modified>{HTTP_DATE})\r\n"
        r'ETag: "(?P<etag>[0-9a-f]{64})"\r\n'
        rf"Expires: (?P<expires>{HTTP_DATE})\r\n"
        r"Cache-Control: max-age=(?P<age>\d+), public, no-transform, must-revalidate\r\n"
        rf"Cache-Status: ocsprelay; {verdict}\r\n"
        rf"{keep}\r\n")


@pytest.mark.parametrize("make", [
    pytest.param(get, id="GET"), pytest.param(post, id="POST")])
@pytest.mark.parametrize("version, fields, keep", [
    ("1.1", [], ""),
    ("1.1", [("Connection", "close")], r"Connection: close\r\n"),
    ("1.1", [("Connection", "foo, Close")], r"Connection: close\r\n"),
    ("1.0", [], r"Connection: close\r\n"),
    ("1.0", [("Connection", "keep-alive")], r"Connection: keep-alive\r\n"),
])
def test_HS_01_header_set(shared, certid, make, version, fields, keep):
    """HS-18, HS-20, HS-21, HS-22, HS-24, HS-29, HS-34, NK-12, CL-05, CL-12 too: nothing else is
    ever in it."""
    relay, responder = shared
    data = request(certid)
    for hit in (False, True):
        with relay.connect() as connection:
            got = connection.ask(make(data, *fields, version=version))
            head = got.head.decode()
            match = okh(r"HTTP/1\.1 200 OK\r\n", hit=hit, keep=keep).fullmatch(head)
            assert match, head
            if "close" in keep:
                assert connection.is_closed()
            else:
                assert connection.ask(make(data, *fields, version=version)).status == 200
        parsed = pki_module.parse_response(got.body)
        now = got.date("Date")
        assert abs(now - time.time()) <= 2
        assert int(match["length"]) == len(got.body)
        assert match["etag"] == hashlib.sha256(got.body).hexdigest()  # HS-03
        assert got.date("Expires") == epoch(parsed.next_update)
        assert got.date("Last-Modified") == epoch(parsed.produced_at)  # HS-02
        if hit:
            assert int(match["ttl"]) == epoch(parsed.next_update) - now


def epoch(naive):
    return naive.replace(tzinfo=relay_module.UTC).timestamp()


def test_HS_02_last_modified_is_never_later_than_date(shared, pki):
    relay, responder = shared
    data = request(pki.ca.certid(pki_module.new_serial()))
    responder.then(responder.signed(produced_at=time.time() + 200))
    relay.get(data)
    got = relay.get(data)
    assert got.field("Last-Modified") == got.field("Date")


def test_CL_03_expires_with_the_delegate(shared, pki, certid):
    relay, responder = shared
    short = pki.ca.delegate(not_after=pki_module.HOUR)
    responder.then(responder.signed(signer=short, next_update=time.time() + 7 * pki_module.DAY))
    got = relay.get(request(certid))
    assert got.status == 200
    assert got.date("Expires") == epoch(short.cert.not_valid_after)
    assert got.max_age <= 3600


def test_HS_21_max_age_falls_and_date_moves(shared, request_der):
    relay, responder = shared
    relay.get(request_der)
    with relay.connect() as connection:
        first = connection.ask(get(request_der))
        later = relay_module.until(
            lambda: (lambda r: r if r.field("Date") != first.field("Date") else None)(
                connection.ask(get(request_der))), what="the next second")
    passed = later.date("Date") - first.date("Date")
    assert passed > 0
    assert first.max_age - later.max_age == passed
    assert int(first.cache_status["ttl"]) - int(later.cache_status["ttl"]) == passed
    assert first.field("Expires") == later.field("Expires")
    assert first.field("Age") is None


@pytest.mark.parametrize("version, keep", [("1.1", ""), ("1.0", r"Connection: close\r\n")])
def test_HS_04_not_modified_header_set(shared, request_der, version, keep):
    relay, responder = shared
    etag = relay.get(request_der).field("ETag")
    got = relay.ask(get(request_der, ("If-None-Match", etag), version=version), head_only=True)
    head = got.head.decode()
    assert re.fullmatch(
        rf"HTTP/1\.1 304 Not Modified\r\nDate: {HTTP_DATE}\r\nLast-Modified: {HTTP_DATE}\r\n"
        rf"ETag: {etag}\r\nExpires: {HTTP_DATE}\r\n"
        r"Cache-Control: max-age=\d+, public, no-transform, must-revalidate\r\n"
        r"Cache-Status: ocsprelay; hit; ttl=\d+; detail=l1\r\n" + keep + r"\r\n", head), head


@pytest.mark.parametrize("condition, status", [
    (lambda e, m: [("If-None-Match", e)], 304),
    (lambda e, m: [("If-None-Match", "W/" + e)], 304),
    (lambda e, m: [("If-None-Match", f'"x", {e}')], 304),
    (lambda e, m: [("If-None-Match", "*")], 304),
    (lambda e, m: [("If-None-Match", '"x"')], 200),
    (lambda e, m: [("If-None-Match", '"x"'), ("If-Modified-Since", m)], 200),
    (lambda e, m: [("If-Modified-Since", m)], 304),
    (lambda e, m: [("If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT")], 200),
    (lambda e, m: [("If-Modified-Since", "yesterday")], 200),
    (lambda e, m: [("If-Modified-Since", m[:-3] + "CET")], 200),
])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_HS_04_conditions(shared, request_der, method, condition, status):
    relay, _ = shared
    first = relay.get(request_der)
    fields = condition(first.field("ETag"), first.field("Last-Modified"))
    with relay.connect() as connection:
        got = connection.ask(get(request_der, *fields, method=method), head_only=method == "HEAD")
        assert got.status == status
        assert connection.ask(get(request_der)).status == 200  # nothing is left in the stream


def test_HS_05_conditions_of_a_post_are_ignored(shared, request_der):
    relay, _ = shared
    etag = relay.get(request_der).field("ETag")
    got = relay.post(request_der, ("If-None-Match", etag), ("If-Match", '"x"'))
    assert got.status == 200 and got.body


@pytest.mark.parametrize("fields", [
    pytest.param([("Range", "bytes=0-1")], id="HS-28"),
    pytest.param([("Accept-Encoding", "gzip, br")], id="HS-29"),
    pytest.param([("Accept", "text/html"), ("Cookie", "a=b"), ("Authorization", "Basic eDp5"),
                  ("User-Agent", "x")], id="NK-12"),
    pytest.param([("Cache-Control", "no-cache")], id="HS-25_young_copy"),
    pytest.param([("Cache-Control", "no-store, max-stale=99999, min-fresh=99999")], id="HS-27"),
])
def test_fields_that_change_nothing(shared, certid, fields):
    relay, responder = shared
    data = request(certid)
    first = relay.get(data)
    got = relay.get(data, *fields)
    assert got.status == 200 and got.body == first.body
    assert got.cache_status["hit"]
    for name in ("Vary", "Content-Encoding", "Accept-Ranges", "Content-Range", "Server", "Via"):
        assert got.field(name) is None
    assert responder.count(certid.number) == 1


# --- connections --------------------------------------------------------------------------------

def test_HS_18_keep_alive(shared, request_der):
    relay, _ = shared
    with relay.connect() as connection:
        for make in (get, post, get, post):
            got = connection.ask(make(request_der))
            assert got.status == 200 and got.field("Connection") is None
        got = connection.ask(get(None, target="/favicon.ico"))  # an OCSP error does not close
        assert got.status == 400
        assert connection.ask(get(request_der, ("Connection", "close"))).status == 200
        assert connection.is_closed()


@pytest.mark.threads
def test_HS_19_pipelining_behind_a_slow_miss(make_relay, responder, pki):
    relay = make_relay(responder)
    slow, *quick = (request(pki.ca.certid(pki_module.new_serial())) for _ in range(8))
    bodies = {data: relay.get(data).body for data in quick}
    order = [quick[i % len(quick)] for i in range(49)]
    with responder.held(), relay.connect() as connection:
        connection.send(get(slow) + b"".join(
            (post if i % 3 else get)(data) for i, data in enumerate(order)))
        responder.wait_for(len(quick) + 1)
        assert connection.is_silent()
        responder.release()
        first = connection.read()
        assert pki_module.parse_response(first.body).serial_number == \
            pki_module.parse_request(slow).certids[0].number
        for data in order:
            assert connection.read().body == bodies[data]


def test_HS_17_expect_continue(shared, request_der):
    relay, _ = shared
    with relay.connect() as connection:
        head, body = post(request_der, ("Expect", "100-continue")).split(b"\r\n\r\n", 1)
        connection.send(head + b"\r\n\r\n")
        assert connection.read().head == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.send(body)
        assert connection.read().status == 200
        got = connection.ask(post(request_der, ("Expect", "100-continue")))  # body at once
        if got.status == 100:
            got = connection.read()
        assert got.status == 200
    old = relay.ask(post(request_der, ("Expect", "100-continue"), version="1.0"))
    assert old.status == 200


def test_HS_17_EM_05_unknown_expectation(shared, request_der):
    relay, _ = shared
    got = relay.post(request_der, ("Expect", "202-whatever"))
    assert got.status == 417
    assert got.field("Content-Type") == "text/plain"


def test_HS_17_SL_03_too_large_is_said_before_the_body(shared):
    relay, _ = shared
    with relay.connect() as connection:
        got = connection.ask(message("POST / HTTP/1.1", [
            HOST, ("Content-Length", "16385"), ("Expect", "100-continue")]))
        assert got.status == 413
        assert got.field("Connection") == "close"
        assert connection.is_closed()


# --- limits -------------------------------------------------------------------------------------

@pytest.mark.parametrize("length, status", [(8192, 400), (8193, 414), (60000, 414)])
def test_SL_01_EM_02_request_line(shared, length, status):
    relay, _ = shared
    line = b"GET /" + b"x" * (length - 14) + b" HTTP/1.1"
    assert len(line) == length
    with relay.connect() as connection:
        got = connection.ask(line + b"\r\nHost: x\r\n\r\n")
        assert got.status == status
        if status == 414:
            assert got.field("Connection") == "close"
            assert connection.is_closed()


@pytest.mark.parametrize("count, status", [(63, 200), (64, 431)])
def test_SL_02_EM_02_number_of_fields(shared, request_der, count, status):
    relay, _ = shared
    got = relay.get(request_der, *[(f"X-{i}", "y") for i in range(count)])  # and Host
    assert got.status == status


@pytest.mark.parametrize("size, status", [(16000, 200), (16384, 431), (100000, 431)])
def test_SL_02_EM_02_header_section(shared, request_der, size, status):
    relay, _ = shared
    with relay.connect() as connection:
        got = connection.ask(get(request_der, ("X-Big", "y" * size)))
        assert got.status == status
        if status == 431:
            assert got.field("Connection") == "close"
            assert connection.is_closed()


@pytest.mark.parametrize("size, status", [(16384, 400), (16385, 413)])
def test_SL_03_EM_03_body(shared, size, status):
    relay, _ = shared
    with relay.connect() as connection:
        got = connection.ask(post(bytes(size)))
        assert got.status == status
        if status == 413:
            assert got.field("Connection") == "close"
            assert got.field("Content-Type") == "text/plain"
            assert connection.is_closed()


def test_SL_03_chunked_body_counts_decoded(shared):
    relay, _ = shared
    assert relay.post(bytes(16384), chunks=[16384]).status == 400
    assert relay.post(bytes(16400), chunks=[100] * 164).status == 413


@pytest.fixture(scope="module")
def hurried(pki, _shared_pair):
    """A relay with short timeouts."""
    with relay_module.Relay(pki.ca, [_shared_pair[0].url], limits={
            "header_timeout": "200ms", "body_timeout": "200ms", "idle_timeout": "200ms",
            "max_requests_per_connection": 5}) as relay:
        yield relay
        relay.check()


def test_HS_32_SL_07_slow_head(hurried):
    with hurried.connect() as connection:
        got = connection.ask(b"GET / HTTP/1.1\r\nHost")
        assert got.status == 408
        assert got.field("Connection") == "close"
        assert connection.is_closed()


def test_HS_32_SL_07_slow_body(hurried, request_der):
    with hurried.connect() as connection:
        got = connection.ask(post(request_der)[:-1])
        assert got.status == 408
        assert connection.is_closed()


def test_HS_32_SL_07_a_trickle_does_not_help(hurried):
    start = time.monotonic()
    with hurried.connect() as connection:
        connection.send(b"GET / HTTP/1.1\r\nX: ")
        while connection.is_silent() and time.monotonic() - start < 5:
            connection.send(b"y")
            relay_module.pause(0.02)
        assert connection.read().status == 408


def test_HS_32_idle_is_closed_without_a_word(hurried, request_der):
    with hurried.connect() as connection:
        assert connection.is_closed()
    with hurried.connect() as connection:
        assert connection.ask(get(request_der)).status == 200
        assert connection.is_closed()


def test_SL_07_requests_per_connection(hurried, request_der):
    with hurried.connect() as connection:
        answers = [connection.ask(get(request_der)) for _ in range(5)]
        assert [a.field("Connection") for a in answers] == [None] * 4 + ["close"]
        assert connection.is_closed()


@pytest.mark.threads
def test_SL_06_connections_per_address(make_relay, responder, request_der):
    relay = make_relay(responder, limits={"max_connections_per_address": 3})
    kept = [relay.connect() for _ in range(3)]
    assert all(one.ask(get(request_der)).status == 200 for one in kept)
    with relay.connect() as refused:
        assert refused.is_closed()
    assert all(one.ask(get(request_der)).status == 200 for one in kept)
    assert relay.metric("connections_refused_total") == 1
    kept.pop().close()
    relay_module.until(lambda: relay.metric("connections") == 2)
    assert relay.get(request_der).status == 200
    for one in kept:
        one.close()


@pytest.mark.parametrize("soft, hard, n", [(256, 256, 300), (100, 2000, 200)])
def test_SL_06_idle_clients_leave_descriptors(make_relay, responder, request_der, program, soft,
                                              hard, n):
    relay = make_relay(responder, launcher=[program("prlimit"), f"--nofile={soft}:{hard}"],
                       limits={"max_connections_per_address": 1000})
    with contextlib.ExitStack() as clients:
        for _ in range(n):
            clients.enter_context(relay.connect())
        assert relay.get(request_der).cache_status["stored"]
    assert not relay.log.find("system")


@pytest.mark.threads
def test_SL_06_the_one_idle_for_longest_makes_room(make_relay, responder, request_der):
    relay = make_relay(responder, threads=1, limits={"max_connections": 3})
    kept = [relay.connect() for _ in range(3)]
    for one in kept:
        assert one.ask(get(request_der)).status == 200
    with relay.connect() as fresh:
        assert fresh.ask(get(request_der)).status == 200
        assert kept[0].is_closed()
        assert kept[2].ask(get(request_der)).status == 200
    for one in kept:
        one.close()


def test_allow_refuses_other_networks(make_relay, responder, request_der):
    relay = make_relay(responder, allow=["10.0.0.0/8", "::/0"])
    with relay.connect() as connection:
        connection.send(get(request_der))
        assert connection.is_closed()
    assert responder.count() == 0


# --- Cache-Status (HS-24) -----------------------------------------------------------------------

def test_HS_24_cache_status(shared, certid):
    relay, responder = shared
    data = request(certid)
    assert relay.get(data).field("Cache-Status") == "ocsprelay; fwd=miss; fwd-status=200; stored"
    assert re.fullmatch(r"ocsprelay; hit; ttl=\d+; detail=l1",
                        relay.get(data).field("Cache-Status"))


def test_CL_04_EM_26_header_set_of_what_is_not_reusable(shared, certid):
    relay, responder = shared
    responder.behave(responder.signed(next_update=pki_module.NEVER))
    for _ in range(2):
        got = relay.get(request(certid))
        assert re.fullmatch(
            rf"HTTP/1\.1 200 OK\r\nDate: {HTTP_DATE}\r\n"
            r"Content-Type: application/ocsp-response\r\nContent-Length: \d+\r\n"
            rf'Last-Modified: {HTTP_DATE}\r\nETag: "[0-9a-f]{{64}}"\r\n'
            r"Cache-Control: max-age=0, no-transform, must-revalidate\r\n"
            r"Cache-Status: ocsprelay; fwd=miss; fwd-status=200\r\n\r\n", got.head.decode()), \
            got.head
    assert responder.count(certid.number) == 2


def test_F2_octets_are_those_of_the_responder(shared, certid):
    """Whatever the responder's encoder did, the client gets exactly that."""
    relay, responder = shared
    sent = []

    def remember(asked):
        sent.append(responder.basic(asked, extensions=(
            der.extension("1.3.6.1.5.5.7.48.1.3", der.seq()),)).encode())
        return Reply(sent[-1])
    responder.then(remember)
    data = request(certid)
    assert relay.get(data).body == relay.post(data).body == sent[0]
    assert get_target(data).startswith("/M")
