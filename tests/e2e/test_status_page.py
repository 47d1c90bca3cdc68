# SPDX-License-Identifier: ISC
"""The status page as Chromium shows it: the numbers of the API and nothing of anybody else's."""

import json
import os
import struct

import pytest

import browser as browser_kit
import pki as pki_module
import status_page_kit as kit
from pki import request
from status_page_api import admin_url, fetch, open_relay, told

READY = "document.querySelector('#event-list li')"
POLL = "document.dispatchEvent(new Event('visibilitychange'))"
HOSTILE = "</script><img src=x onerror=\"document.title='owned'\">\"'&<svg onload=alert(1)>" + "W" * 90


@pytest.fixture(scope="module")
def browser():
    if browser_kit.program() is None:
        pytest.skip("chromium is not installed (Debian package chromium)")
    with browser_kit.Browser() as one:
        yield one


@pytest.fixture
def tab(browser):
    with browser.page() as page:
        yield page


@pytest.fixture(scope="module")
def _page():
    """(octets, header fields) of a relay without anything."""
    with open_relay() as relay:
        _, fields, body = fetch(admin_url(relay))
    return body, {name: fields[name] for name in ("Content-Type", "Content-Security-Policy")}


@pytest.fixture
def stub(_page):
    """(URL, data) of a stub that serves the page, and the story as its data, which may be changed."""
    data = kit.story()
    with kit.stub(*_page, data) as url:
        yield url, data


def text(tab, selector):
    return tab.evaluate(f"document.querySelector({json.dumps(selector)}).innerText")


def numbers(tab, selector, name):
    """{name: number} of what the page shows with this data attribute."""
    shown = tab.evaluate(f"[...document.querySelectorAll({json.dumps(selector)})]"
                         f".map(one => [one.dataset.{name}, one.textContent])")
    return {key: int(value.replace(",", "")) for key, value in shown}


def hurry(tab):
    """The page's own timers run fifty times as fast."""
    tab.call("Page.addScriptToEvaluateOnNewDocument", source="""{
        const real = window.setTimeout;
        window.setTimeout = (fn, ms, ...rest) => real(fn, ms / 50, ...rest); }""")


# --- with a relay -------------------------------------------------------------------------------

def test_shows_the_numbers_of_the_status(tab, make_relay, responder, pki):
    relay = make_relay(responder, admin="127.0.0.1:0")
    revoked, *others = [pki.ca.certid(pki_module.new_serial()) for _ in range(4)]
    responder.statuses[revoked.number] = "revoked"
    for certid in (revoked, *others):
        for _ in range(3):
            relay.get(request(certid))
    assert relay.post(b"junk").status == 400
    url = admin_url(relay)
    tab.open(url)
    tab.wait_for(READY)
    status = told(relay, "status")
    assert numbers(tab, "[data-result]", "result") == status["requests"]
    assert (status["requests"]["hit"], status["requests"]["miss"]) == (8, 4)
    issuer, = status["issuers"]
    assert numbers(tab, "[data-status]", "status") == {"good": 9, "revoked": 3} == {
        name: n for name, n in issuer["responses"].items() if n}
    assert status["version"] in text(tab, "#about") and "up " in text(tab, "#about")
    assert text(tab, "#health-text").startswith("Serving")
    assert "test" in text(tab, "article h3") and responder.url in text(tab, "article")
    assert tab.evaluate("document.querySelector('article svg.runway').ariaLabel").startswith("Runway")
    assert text(tab, "#expiring-list").count(f"{others[0].number:x}"[:8]) >= 1
    assert len(tab.evaluate("[...document.querySelectorAll('#expiring-list tbody tr')]"
                            ".map(row => row.innerText)")) == 4
    assert "relay started" in text(tab, "#events") and "lmdb:" in text(tab, "#tiers")
    assert tab.complaints == []
    assert all(one.startswith((url, "data:")) for one in tab.requests), tab.requests


def test_keeps_itself_up_to_date_while_somebody_looks(tab, make_relay, responder, request_der):
    relay = make_relay(responder, admin="127.0.0.1:0")
    relay.get(request_der)
    hurry(tab)
    tab.open(admin_url(relay))
    for hits in (1, 2):
        relay.get(request_der)
        tab.wait_for(f"document.querySelector('[data-result=hit]')?.textContent === '{hits}'")
    # nobody looks: what is under way ends, and for six times as long as usual nothing is asked
    tab.evaluate("Object.defineProperty(document, 'hidden', {configurable: true, value: true})")
    tab.evaluate(f"{POLL}, new Promise(done => setTimeout(done, 5000))")
    asked = len(tab.requests)
    tab.evaluate("new Promise(done => setTimeout(done, 30000))")
    assert len(tab.requests) == asked
    relay.get(request_der)
    tab.evaluate("Object.defineProperty(document, 'hidden', {value: false})")
    tab.evaluate(POLL)
    tab.wait_for("document.querySelector('[data-result=hit]').textContent === '3'")
    assert tab.complaints == []
    # its end
    relay.terminate()
    tab.wait_for("document.querySelector('#live.bad')")
    assert text(tab, "#live").startswith("The relay does not answer")
    assert "This is how it was at" in text(tab, "#live")


def test_tells_who_has_no_issuer_what_to_do_first(tab):
    with open_relay() as relay:
        tab.open(admin_url(relay))
        tab.wait_for(READY)
        assert text(tab, "#health-text").startswith("No issuer yet")
        assert relay.path("issuers.d") in text(tab, "#first") and "reload" in text(tab, "#first")
        assert tab.complaints == []


def test_markup_in_an_issuers_name_is_text(tab):
    name = "<img src=x onerror=\"document.title='owned'\">\"'&"
    ca = pki_module.new_ca(pki_module.new_root(), name)
    with open_relay(start=False) as relay:
        relay.write("issuers.d/ca.pem", ca.pem)
        relay.write("issuers.d/leaf.pem", ca.issue("leaf", aia="http://127.0.0.1:9/a&lt;b'").pem)
        relay.start()
        tab.open(admin_url(relay))
        tab.wait_for(READY)
        assert name in text(tab, "article h3") and "/a&lt;b'" in text(tab, "article")
        assert tab.evaluate("document.images.length + document.querySelectorAll('article i, .url b')"
                            ".length") == 0
        assert tab.evaluate("document.title").endswith("ocsprelay")
        assert tab.complaints == []


def test_without_scripts_it_names_the_command(tab, stub):
    url, _ = stub
    tab.call("Emulation.setScriptExecutionDisabled", value=True)
    tab.open(url)
    root = tab.call("DOM.getDocument")["root"]["nodeId"]
    node = tab.call("DOM.querySelector", nodeId=root, selector="noscript p")["nodeId"]
    assert "ocsprelay status" in tab.call("DOM.getOuterHTML", nodeId=node)["outerHTML"]
    tab.call("Emulation.setScriptExecutionDisabled", value=False)


# --- with a story -------------------------------------------------------------------------------

def poison(value, path=()):
    """Every text of the data made hostile, but for times and words that the relay chooses."""
    if isinstance(value, dict):
        return {HOSTILE + name if path[-1:] == ("fields",) else name: poison(one, (*path, name))
                for name, one in value.items()}
    if isinstance(value, list):
        return [poison(one, path) for one in value]
    chosen = {"now", "started_at", "not_after", "expires_at", "refresh_at", "first", "last",
              "columns", "level"}
    return HOSTILE + value if isinstance(value, str) and path[-1] not in chosen else value


@pytest.mark.parametrize("width", [360, 1440])
def test_whatever_the_api_says_is_text(tab, stub, width):
    url, data = stub
    data.update({name: poison(one, (name,)) for name, one in data.items()})
    data["status"]["watched"]["cold"] = [HOSTILE]
    for one in data["expiring"]["entries"]:
        one["status"] = "good"
    tab.look(width=width)
    tab.open(url)
    tab.wait_for(READY)
    assert text(tab, "main").count(HOSTILE) > 40
    assert tab.evaluate("document.images.length + document.scripts.length") == 1
    assert tab.evaluate("document.title").endswith("ocsprelay")
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert tab.complaints == []


HEALTH = [
    ("good", "Serving 1 issuer", {}),
    ("trouble", "Trouble Nordhafen Issuing CA 4: http://ocsp1", {"first_down": True}),
    ("trouble", "Trouble an outage of Nordhafen Issuing CA 4 is rehearsed for 20 min more",
     {"issuer": {"rehearsal": {"seconds_left": 1200, "saved": 1, "failed": 0}}}),
    ("trouble", "Trouble Nordhafen Issuing CA 4: its certificate expires in 9 d",
     {"issuer": {"not_after": kit.iso(kit.NOW + 9 * kit.DAY)}}),
    ("trouble", "Trouble Nordhafen Issuing CA 4: its certificate has expired",
     {"issuer": {"not_after": kit.iso(kit.NOW - 9)}}),
    ("trouble", "Trouble lmdb:/x does not work", {"stores": [{"store": "lmdb:/x", "up": False}]}),
    ("trouble", "Trouble lmdb:/x does not work",  # what is wrong comes before what will be
     {"stores": [{"store": "lmdb:/x", "up": False}],
      "issuer": {"not_after": kit.iso(kit.NOW + 9 * kit.DAY)}}),
    ("good", "Serving 1 issuer", {"issuer": {"not_after": kit.iso(kit.NOW + 15 * kit.DAY)}}),
    ("trouble", "Trouble 2 watched certificates have no answer: a.pem, b.pem",
     {"watched": {"certificates": 9, "cold": ["a.pem", "b.pem"], "skipped": []}}),
    ("draining", "Draining no new connections; 3 requests wait", {"draining": True}),
    ("setup", "No issuer yet every request is answered unauthorized", {"issuers": []}),
]


def test_health_in_one_line(tab, stub):
    url, data = stub
    tab.open(url)
    tab.wait_for(READY)
    assert text(tab, "#health .line").endswith(
        "Nordhafen Device CA 2: no responder works; the first answer runs out in 41 min")
    for state, line, changes in HEALTH:
        issuer = kit.issuers()[0]
        issuer.update(changes.get("issuer", {}))
        if "first_down" in changes:
            issuer["responders"][0].update(up=False, down_for=61)
        data["status"] = kit.status(**{"issuers": [issuer], **{
            name: value for name, value in changes.items() if name not in ("issuer", "first_down")}})
        tab.evaluate(POLL)
        tab.wait_for(f"document.querySelector('#health.{state} .line')?.innerText"
                     f".replace(/\\s+/g, ' ').includes({json.dumps(line)})")
        assert (state == "good") == (tab.evaluate("document.title") == "ocsprelay")
    # the relay that does not answer, and answers again
    data["status"] = 503
    tab.evaluate(POLL)
    tab.wait_for("document.querySelector('#live.bad')")
    data["status"] = kit.status()
    tab.evaluate(POLL)
    tab.wait_for("document.querySelector('#live.good')")
    assert tab.evaluate("document.body.classList.contains('stale')") is False


CONTRASTS = """(() => {
    const channel = c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    const luminance = ([r, g, b]) =>
        0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
    const colour = text => text.match(/[0-9.]+/g).map(Number);
    const backOf = node => {
        for (; node; node = node.parentElement) {
            const back = colour(getComputedStyle(node).backgroundColor);
            if (back.length < 4 || back[3] > 0) return back;
        }
        return [255, 255, 255];
    };
    const low = [];
    for (const node of document.querySelectorAll("body *")) {
        const has = [...node.childNodes].some(one => one.nodeType === 3 && one.data.trim());
        if (!has || node.closest("noscript, script") || !node.getClientRects().length) continue;
        const style = getComputedStyle(node);
        const fore = luminance(colour(node.closest("svg") ? style.fill : style.color));
        const back = luminance(backOf(node));
        const ratio = (Math.max(fore, back) + 0.05) / (Math.min(fore, back) + 0.05);
        if (ratio < 4.5) low.push([node.outerHTML.slice(0, 80), ratio]);
    }
    return low;
})()"""


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_readable(tab, stub, tmp_path, width, dark):
    url, _ = stub
    tab.look(width=width, height=740 if width == 360 else 900, dark=dark)
    tab.open(url)
    tab.wait_for(READY + " && document.querySelectorAll('.plot svg').length === 2")
    # what the observer of the width asks for is drawn
    tab.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert tab.evaluate("[...document.querySelectorAll('svg')].filter(one =>"
                        "one.getBoundingClientRect().right > innerWidth).length") == 0
    assert tab.evaluate(CONTRASTS) == []
    back = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, back[4:-1].split(","))) < 150) == dark
    assert tab.complaints == []
    folder = os.environ.get("OCSPRELAY_SCREENSHOTS") or tmp_path
    path = os.path.join(folder, f"status-page-{width}-{'dark' if dark else 'light'}.png")
    tab.screenshot(path)
    with open(path, "rb") as picture:
        head = picture.read(24)
    assert head[:4] == b"\x89PNG" and struct.unpack(">I", head[16:20])[0] == width


def test_for_those_who_do_not_see_it_or_have_no_mouse(tab, stub):
    url, data = stub
    tab.look(motion=False)
    tab.open(url)
    tab.wait_for(READY + " && document.querySelectorAll('.plot svg').length === 2")
    levels = tab.evaluate("[...document.querySelectorAll('h1, h2, h3')]"
                          ".filter(one => one.offsetParent).map(one => Number(one.tagName[1]))")
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:]))
    assert tab.evaluate("[...document.querySelectorAll('table')].every(one => one.caption?.textContent"
                        " && one.querySelector('th[scope=col]'))")
    assert tab.evaluate("[...document.querySelectorAll('svg')].every(one =>"
                        "one.ariaHidden === 'true' || one.ariaLabel?.length > 8)")
    assert tab.evaluate("getComputedStyle(document.querySelector('main')).transitionDuration") == "0s"
    order = []
    for _ in range(5):
        tab.key("Tab")
        order.append(tab.evaluate("document.activeElement.id || document.activeElement.innerText"))
    assert order == ["1 h", "6 h", "24 h", "plot-requests", "plot-latency"]
    # the values under the cursor, which arrows move
    tab.key("ArrowLeft")
    last = text(tab, "#plot-latency .at")
    tab.key("ArrowLeft")
    assert text(tab, "#plot-latency .at") != last
    tab.key("Home")
    assert text(tab, "#plot-latency .at") == "at 09:23"
    tab.key("Escape")
    assert tab.evaluate("document.querySelector('#plot-latency .at')") is None
    # a reader's focus and selection outlive what comes new
    tab.evaluate("getSelection().selectAllChildren(document.querySelector('#expiring-list code'))")
    data["status"]["requests"]["hit"] += 1
    tab.evaluate(POLL)
    tab.wait_for("document.querySelector('[data-result=hit]').textContent === '4,796,234'")
    assert tab.evaluate("getSelection().toString()") == data["expiring"]["entries"][0]["serial"]
    assert tab.evaluate("document.activeElement.id") == "plot-latency"


def test_thousands_of_issuers(tab, stub):
    url, data = stub
    data["status"]["issuers"] += [kit.issuer(f"Bundle CA {i}", None, (), []) for i in range(3000)]
    tab.open(url)
    tab.wait_for(READY)
    assert tab.evaluate("document.querySelectorAll('article').length") == 100
    assert "and 2,905 issuers more" in text(tab, "#issuer-list")
    assert "Nordhafen Device CA 2" in text(tab, "article h3")
