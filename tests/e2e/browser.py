# SPDX-License-Identifier: ISC
"""A headless Chromium, driven by its DevTools protocol over a pair of pipes.

    with Browser() as browser, browser.page() as page:
        page.open("http://127.0.0.1:8081/")
        page.evaluate("document.title")
        page.complaints      # errors on the console, exceptions, violations of the policy
"""

import base64
import contextlib
import fcntl
import itertools
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time

TIMEOUT = 60
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")

_EXEC = """import os, sys
os.dup2(int(sys.argv[1]), 3)
os.dup2(int(sys.argv[2]), 4)
os.execv(sys.argv[3], sys.argv[3:])"""


def program():
    """Its path, or None."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


class Browser:
    """The process. Chromium reads the protocol from descriptor 3 and writes it to 4."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="ocsprelay-browser-")
        to_it, self._out = os.pipe()
        self._in, from_it = os.pipe()
        high = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10) for fd in (to_it, from_it)]
        self._numbers = itertools.count(1)
        self._rest = b""
        self._heard = {}  # session: function of each event
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen(
            [sys.executable, "-S", "-c", _EXEC, *map(str, high), program(),
             "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--no-first-run", "--disable-extensions", "--disable-background-networking",
             "--disable-component-update", "--disable-sync", "--hide-scrollbars",
             "--force-color-profile=srgb", "--font-render-hinting=none", "--no-proxy-server",
             "--remote-debugging-pipe", "--user-data-dir=" + self.directory, "about:blank"],
            env={**os.environ, "HOME": self.directory}, pass_fds=high,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for fd in (to_it, from_it, *high):
            os.close(fd)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError, AssertionError):
            self.call("Browser.close")
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self._in)
        os.close(self._out)
        shutil.rmtree(self.directory, ignore_errors=True)

    def _message(self, end):
        """The next one, or None when time is up."""
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._in], [], [], max(0, end - time.monotonic()))
            if not ready:
                return None
            data = os.read(self._in, 1 << 20)
            assert data, "the browser has ended"
            self._rest += data
        text, self._rest = self._rest.split(b"\0", 1)
        message = json.loads(text)
        if "method" in message:
            self._heard.get(message.get("sessionId"), lambda _: None)(message)
        return message

    def call(self, method, session=None, **params):
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + TIMEOUT
        while (answer := self._message(end)) is not None:
            if answer.get("id") == number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]
        raise AssertionError(f"{method}: no answer within {TIMEOUT} s")

    def listen(self, until):
        """Takes in what comes until until() is true."""
        end = time.monotonic() + TIMEOUT
        while not until():
            assert self._message(end) is not None, f"nothing within {TIMEOUT} s"

    @contextlib.contextmanager
    def page(self, **view):
        page = Page(self, **view)
        try:
            yield page
        finally:
            page.close()

    def hear(self, session, function):
        self._heard[session] = function


class Page:
    """A tab; width, height, dark: how it is looked at."""

    def __init__(self, browser, **view):
        self.browser = browser
        self.complaints = []
        self.requests = []  # URLs
        self.is_loaded = False
        self.target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=self.target,
                                    flatten=True)["sessionId"]
        browser.hear(self.session, self._on_event)
        for domain in ("Page", "Runtime", "Log", "Network", "Audits"):
            self.call(domain + ".enable")
        self.look(**view)

    def call(self, method, **params):
        return self.browser.call(method, self.session, **params)

    def close(self):
        self.browser.call("Target.closeTarget", targetId=self.target)

    def _on_event(self, message):
        method, params = message["method"], message["params"]
        if method == "Page.loadEventFired":
            self.is_loaded = True
        elif method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.complaints.append(params["entry"]["text"])
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning"):
            self.complaints.append(params["args"])
        elif method in ("Runtime.exceptionThrown", "Audits.issueAdded"):
            self.complaints.append(params)

    def look(self, width=1440, height=900, dark=False, motion=True):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=width < 700)
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "no-preference" if motion else "reduce"}])

    def open(self, url):
        self.is_loaded = False
        self.complaints.clear()
        self.call("Page.navigate", url=url)
        self.browser.listen(lambda: self.is_loaded)

    def evaluate(self, expression):
        """The value of an expression of JavaScript, which may be a promise."""
        told = self.call("Runtime.evaluate", expression=expression, returnByValue=True,
                         awaitPromise=True)
        assert "exceptionDetails" not in told, told["exceptionDetails"]
        return told["result"].get("value")

    def wait_for(self, condition):
        """Until an expression is true, looked at whenever the page changes."""
        return self.evaluate(f"""new Promise((done, fail) => {{
            const look = () => {{ const value = {condition};
                if (value) {{ observer.disconnect(); clearTimeout(timer); done(value); }} }};
            const observer = new MutationObserver(look);
            const timer = setTimeout(() => fail(new Error("never: " + {json.dumps(condition)})),
                                     {(TIMEOUT - 10) * 1000});
            observer.observe(document, {{subtree: true, childList: true, attributes: true,
                                         characterData: true}});
            look();
        }})""")

    def key(self, key):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key)

    def screenshot(self, path):
        """Of the whole page."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        data = self.call("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)["data"]
        with open(path, "wb") as out:
            out.write(base64.b64decode(data))
