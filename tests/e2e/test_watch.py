# SPDX-License-Identifier: ISC
"""ocsprelay status for people, and status --watch: on a terminal of our own, and without one."""

import contextlib
import fcntl
import http.server
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import threading
import time

import pytest

import pki as pki_module
from pki import request
from relay import BINARY, TIMEOUT, environment, run, until
from responder import error

OK, NO_ANSWER, USAGE = 0, 3, 64
ESCAPE = re.compile(r"\x1b\[[?0-9;]*[A-Za-z]")
TAKEN, GIVEN_BACK = "\x1b[?1049h", "\x1b[?1049l"
RED, GREEN = "\x1b[1;31mdown", "\x1b[32mup"


class Terminal:
    """ocsprelay on a pseudo terminal of so many rows and columns."""

    def __init__(self, *args, rows=40, columns=100, **env):
        self.text = ""
        self.ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.before = termios.tcgetattr(theirs)
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen([BINARY, *map(str, args)], stdin=theirs, stdout=theirs,
                                        stderr=theirs, env=environment(TERM="xterm", **env),
                                        start_new_session=True, preexec_fn=lambda: fcntl.ioctl(
                                            0, termios.TIOCSCTTY, 0))
        self.theirs = theirs

    def _more(self):
        if select.select([self.ours], [], [], 0.05)[0]:
            self.text += os.read(self.ours, 65536).decode()

    def until(self, condition, what):
        end = time.monotonic() + TIMEOUT
        while not condition():
            assert time.monotonic() < end, f"{what} did not come in\n{self.text}"
            self._more()

    def wait_for(self, text):
        self.until(lambda: text in self.text, repr(text))

    def frames(self):
        """What was shown, each time, without escapes."""
        return [ESCAPE.sub("", frame).replace("\r", "")
                for frame in self.text.split("\x1b[H")[1:] if "\x1b[J" in frame]

    def wait_for_frame(self, pattern):
        """The first frame that has it."""
        self.until(lambda: any(re.search(pattern, frame) for frame in self.frames()), pattern)
        return next(frame for frame in self.frames() if re.search(pattern, frame))

    def type(self, text):
        os.write(self.ours, text.encode())

    def end(self):
        """Its exit status, once everything has been read."""
        self.until(lambda: self.process.poll() is not None, "the end")
        while select.select([self.ours], [], [], 0)[0]:
            self._more()
        return self.process.returncode

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.ours)
        os.close(self.theirs)


@pytest.fixture
def terminal():
    with contextlib.ExitStack() as stack:
        def make(*args, **options):
            one = Terminal(*args, **options)
            stack.callback(one.close)
            return one
        yield make


def ask_about_new(relay, pki, n=1):
    for _ in range(n):
        relay.get(request(pki.ca.certid(pki_module.new_serial())))


# --- once ---------------------------------------------------------------------------------------

def test_text_without_a_terminal_has_no_colours(relay, responder, pki):
    ask_about_new(relay, pki, 2)
    text = run("status", "-c", relay.config).stdout
    assert "\x1b" not in text
    assert all(line[10] == " " and line[11] != " " for line in text.splitlines())
    line = next(line for line in text.splitlines() if responder.url in line)
    assert re.fullmatch(rf" {{11}}up   {responder.url}  [0-9.]+ m?s median, [0-9.]+ m?s 99 %", line)


def test_responders_that_are_down_are_told_with_since_when(make_relay, responder, pki):
    nobody = "http://127.0.0.1:1/"
    relay = make_relay(nobody, responder)
    ask_about_new(relay, pki)
    lines = run("status", "-c", relay.config).stdout.splitlines()
    down = next(line for line in lines if nobody in line)
    up = next(line for line in lines if responder.url in line)
    assert re.search(r"^ {11}down http\S+ +down for \ds, \d+ failures? in a row\b", down), down
    assert up.index("up   http") == down.index("down http")
    assert up.index(" median") > 0 and down.index(" median") > 0


@pytest.mark.parametrize("env, is_coloured", [({}, True), ({"NO_COLOR": ""}, True),
                                              ({"NO_COLOR": "1"}, False)])
def test_colours_on_a_terminal_unless_NO_COLOR(terminal, make_relay, responder, pki, env,
                                               is_coloured):
    relay = make_relay("http://127.0.0.1:1/", responder)
    ask_about_new(relay, pki)
    one = terminal("status", "-c", relay.config, **env)
    assert one.end() == OK
    assert (RED in one.text, GREEN in one.text) == (is_coloured, is_coloured)
    assert TAKEN not in one.text and "issuer     test" in one.text


def test_names_of_files_give_no_escapes(terminal, make_relay, responder, tmp_path):
    (tmp_path / "bad\x1b[31m.pem").write_text("nothing")
    relay = make_relay(responder, watch_dir=str(tmp_path))
    one = terminal("status", "-c", relay.config, NO_COLOR="1")
    assert one.end() == OK
    assert "skipped" in one.text and "[31m.pem" in one.text and "\x1b" not in one.text


# --- --watch on a terminal ----------------------------------------------------------------------

@pytest.mark.parametrize("key", ["q", "\x03"], ids=["q", "Ctrl-C"])
def test_watch_takes_the_terminal_and_gives_it_back(terminal, relay, key):
    one = terminal("status", "-c", relay.config, "--watch", "1")
    one.wait_for_frame("issuer +test")
    assert one.text.startswith(TAKEN)
    during = termios.tcgetattr(one.theirs)
    assert not during[3] & (termios.ECHO | termios.ICANON)
    one.type("x" + key)  # the first is none
    assert one.end() == OK
    assert one.text.endswith(GIVEN_BACK)
    assert one.text.count(TAKEN) == one.text.count(GIVEN_BACK) == 1
    assert termios.tcgetattr(one.theirs) == one.before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signal_gives_the_terminal_back(terminal, relay, number):
    one = terminal("status", "-c", relay.config, "--watch")
    one.wait_for_frame("issuer +test")
    one.process.send_signal(number)
    assert one.end() == -number
    assert one.text.endswith(GIVEN_BACK)
    assert termios.tcgetattr(one.theirs) == one.before


def test_watch_shows_rates(terminal, relay, responder, pki):
    one = terminal("status", "-c", relay.config, "--watch", "1")
    frame = one.wait_for_frame("issuer +test")
    assert "requests/s" not in frame  # there is nothing to compare with
    ask_about_new(relay, pki)
    one.wait_for_frame(r"now +[0-9.]*[1-9][0-9.]* requests/s, hit ratio 0\.0 %\n")
    assert one.wait_for_frame(r"issuer +test.*\n +[0-9.]*[1-9][0-9.]* requests/s, hit ratio 0\.0 %\n")
    responder.behave(error(6))
    ask_about_new(relay, pki)
    one.wait_for_frame(r"now +[0-9.]*[1-9][0-9.]* requests/s, [0-9.]*[1-9][0-9.]* errors/s\n")


def test_watch_fits_what_there_is_room_for(terminal, relay):
    one = terminal("status", "-c", relay.config, "--watch", "1", rows=5, columns=20)
    frame = one.wait_for_frame("requests")
    assert len(frame.split("\n")) == 5
    assert all(len(line) <= 20 for line in frame.split("\n"))
    assert not re.search(r"\n\x1b\[J|\n$", one.text)  # no line too many, or else it would scroll


def test_watch_goes_on_trying(terminal, relay, pki):
    ask_about_new(relay, pki)
    one = terminal("status", "-c", relay.config, "--watch", "1")
    one.wait_for_frame("requests +1,")
    relay.terminate()
    frame = one.wait_for_frame("cannot be reached")
    assert "trying again every 1 s" in frame and re.search("requests +1,", frame)  # what was last
    relay.start()
    # numbers that begin anew are no negative rates
    frame = one.wait_for_frame("requests +0")
    assert "requests/s" not in frame and "cannot be reached" not in frame
    one.type("q")
    assert one.end() == OK


# --- --watch without one ------------------------------------------------------------------------

def watch(*args):
    # pylint: disable=consider-using-with
    return subprocess.Popen([BINARY, "status", *map(str, args)], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env=environment())


def test_watch_without_a_terminal_prints_blocks(relay):
    process = watch("-c", relay.config, "--watch", "1")
    blocks = []
    for _ in range(2):
        lines = []
        while (line := process.stdout.readline()) != "\n":
            lines.append(line)
        blocks.append("".join(lines))
    process.terminate()
    process.communicate(timeout=TIMEOUT)
    for block in blocks:
        assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\nrelay  ", block) and "\x1b" not in block
    assert "requests/s" not in blocks[0] and "now        0.0 requests/s\n" in blocks[1]


def test_watch_json_prints_objects(relay):
    process = watch("-c", relay.config, "--watch", "1", "--json")
    text, told = "", []
    while len(told) < 2:
        text += process.stdout.readline()
        with contextlib.suppress(ValueError):
            one, end = json.JSONDecoder().raw_decode(text)
            told.append(one["pid"])
            text = text[end:].lstrip()
    process.terminate()
    process.communicate(timeout=TIMEOUT)
    assert told == 2 * [relay.process.pid]


def test_watch_ends_with_its_reader(relay):
    process = watch("-c", relay.config, "--watch", "1")
    process.stdout.readline()
    process.stdout.close()
    until(lambda: process.poll() is not None, what="the end")
    process.stderr.close()


def test_watch_of_a_relay_that_is_down(tmp_path):
    process = watch("--admin", f"unix:{tmp_path}/none.sock", "--watch", "1")
    lines = [process.stderr.readline() for _ in range(2)]
    process.terminate()
    out, _ = process.communicate(timeout=TIMEOUT)
    assert not out and all("cannot be reached" in line for line in lines)


class Refusal(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(403)
        self.end_headers()
        self.wfile.write(b'{"error":"this needs the \\u001b[31mtoken"}')

    def log_message(self, *_):
        pass


def test_relay_that_refuses_the_token(terminal):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusal) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"127.0.0.1:{server.server_port}"
        result = run("status", "--admin", address)
        assert result.returncode == NO_ANSWER and not result.stdout
        assert len(result.stderr.splitlines()) == 1 and "token" in result.stderr
        one = terminal("status", "--admin", address, "--watch", "1")
        frame = one.wait_for_frame("token")
        assert "trying again every 1 s" in frame and "needs the ?[31mtoken" in frame
        one.type("q")
        assert one.end() == OK
        server.shutdown()


@pytest.mark.parametrize("args, said", [
    (["5"], '"5" is too much'), (["--watch", "0"], "from 1 to 86400"),
    (["--watch", "x"], '"x" is no number'), (["--watch", "86401"], "from 1 to 86400"),
    (["--watch", "1", "2"], '"2" is too much')])
def test_seconds_that_are_none(args, said):
    result = run("status", *args)
    assert result.returncode == USAGE and not result.stdout
    assert said in result.stderr and len(result.stderr.splitlines()) == 1
