# SPDX-License-Identifier: ISC
"""A relay under test: its configuration, its process, its log, its metrics.

Nothing here sleeps: readiness is the log event "ready", and whoever waits for something waits for
a log event, a metric or an answer, with a limit.
"""

import contextlib
import http.client
import json
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from datetime import timezone

import rawhttp

TIMEOUT = 20
UTC = timezone.utc
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BINARY = os.path.abspath(os.environ.get("OCSPRELAY") or os.path.join(ROOT, "ocsprelay"))

SANITIZER = re.compile(r"(Address|Leak|Thread|UndefinedBehavior)Sanitizer|runtime error:")


def environment(**extra):
    """The machine's environment without what would steer the relay."""
    kept = {name: value for name, value in os.environ.items()
            if not name.lower().endswith("_proxy")}
    return {**kept, "LC_ALL": "C.UTF-8", "TZ": "UTC", **extra}


def run(*args, timeout=TIMEOUT, **options):
    """ocsprelay ARGS to its end; the sanitizers must have had nothing to say."""
    result = subprocess.run([BINARY, *map(str, args)], env=environment(**options.pop("env", {})),
                            capture_output=True, text=True, timeout=timeout, check=False,
                            **options)
    assert not SANITIZER.search(result.stderr), result.stderr
    assert result.returncode >= 0, f"died of signal {-result.returncode}\n{result.stderr}"
    return result


def run_on_terminal(*args):
    """(exit status, what it printed there): ocsprelay ARGS with a terminal as standard error."""
    ours, theirs = pty.openpty()
    text = b""
    with open(ours, "rb", buffering=0) as terminal, subprocess.Popen(
            [BINARY, *map(str, args)], env=environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=theirs) as process:
        os.close(theirs)
        with contextlib.suppress(OSError):  # EIO: nobody has it open any more
            while piece := terminal.read(4096):
                text += piece
        return process.wait(TIMEOUT), text.decode()


def fits(text, columns=80):
    """No line for people is longer, but for one that is a single word."""
    for line in text.splitlines():
        assert len(line) <= columns or " " not in line.strip(), line


def until(condition, timeout=TIMEOUT, what="condition"):
    """Polls until condition() is true, and returns what it returned."""
    end = time.monotonic() + timeout
    while not (value := condition()):
        assert time.monotonic() < end, f"{what} did not come within {timeout} s"
        pause(0.02)
    return value


def pause(seconds):
    """Between two polls; nothing may depend on its length."""
    threading.Event().wait(seconds)


# --- configuration ------------------------------------------------------------------------------


def _value(value):
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, (list, tuple)):
        return "{" + ", ".join(f'"{item}"' for item in value) + "}"
    if re.fullmatch(r"-?[0-9A-Za-z.]+", str(value)):
        return str(value)
    return f'"{value}"'


def render(options, indent=""):
    """A configuration file. A dict is a section; the key issuer holds {name: options}."""
    lines = []
    for key, value in options.items():
        if key == "issuer":
            for name, section in value.items():
                lines += [f'{indent}issuer "{name}" {{', render(section, indent + "  "),
                          indent + "}"]
        elif isinstance(value, dict):
            lines += [f"{indent}{key} {{", render(value, indent + "  "), indent + "}"]
        else:
            lines.append(f"{indent}{key} = {_value(value)}")
    return "\n".join(lines)


# --- log ----------------------------------------------------------------------------------------

# what the configuration's reader says before there is a log
_CONFIG_WARNING = re.compile(r"[^ ]+:\d+: warning: ")
_FIELD = re.compile(r'([A-Za-z0-9_.-]+)=("(?:[^"\\]|\\.)*"|[^ ]*)(?: |$)')


def parse_line(line):
    """A log line of either format as a dict, or None."""
    if line.startswith("{"):
        with contextlib.suppress(ValueError):
            return {key: str(value) for key, value in json.loads(line).items()}
        return None
    fields, at = {}, 0
    while at < len(line):
        match = _FIELD.match(line, at)
        if not match:
            return None
        value = match[2]
        fields[match[1]] = json.loads(value) if value.startswith('"') else value
        at = match.end()
    return fields if "event" in fields else None


class Log:
    """Lines of a stream, as they come."""

    def __init__(self, stream):
        self.lines = []
        self.events = []
        self.strange = []  # lines that are no log lines
        self.ended = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def _read(self, stream):
        with stream:
            for raw in stream:
                line = raw.decode("utf-8", "replace").rstrip("\n")
                event = parse_line(line)
                with self._changed:
                    self.lines.append(line)
                    (self.strange if event is None else self.events).append(event or line)
                    self._changed.notify_all()
        with self._changed:
            self.ended = True
            self._changed.notify_all()

    def find(self, event, **fields):
        with self._changed:
            return [one for one in self.events if one.get("event") == event and
                    all(one.get(key) == str(value) for key, value in fields.items())]

    def wait_for(self, event, count=1, timeout=TIMEOUT, **fields):
        """Until the event has come count times; gives the last of these."""
        with self._changed:
            self._changed.wait_for(
                lambda: len(self.find(event, **fields)) >= count or self.ended, timeout)
            found = self.find(event, **fields)
        assert len(found) >= count, f"no event {event} {fields} in\n{self.text}"
        return found[count - 1]

    def join(self):
        self._thread.join(TIMEOUT)

    @property
    def text(self):
        with self._changed:
            return "\n".join(self.lines)


# --- metrics ------------------------------------------------------------------------------------

_SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$')
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"(?:,|$)')


def parse_metrics(text):
    """[(name, labels, value)] of a page in the Prometheus text format; strict."""
    samples = []
    for line in text.splitlines():
        if line.startswith("# "):
            assert re.match(r"# (HELP|TYPE) (ocsprelay|process)_\w+ .+$", line), line
            continue
        match = _SAMPLE.match(line)
        assert match, line
        labels = dict(_LABEL.findall(match[2] or ""))
        samples.append((match[1], labels, float(match[3])))
    return samples


# --- the process --------------------------------------------------------------------------------


class _AdminConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=TIMEOUT)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(TIMEOUT)
        self.sock.connect(self._path)


class Relay:
    """
    Writes a configuration (defaults below, overridden by options) and runs "ocsprelay serve".

    responders: URLs for the issuer "test", whose certificate is that of ca; issuer: its further
    options. Everything lives in a directory of its own that stop() removes.
    """

    def __init__(self, ca=None, responders=(), issuer=None, *, start=True, env=None, launcher=(),
                 pass_fds=(), **options):
        self.directory = tempfile.mkdtemp(prefix="ocsprelay-e2e-")
        self.config = self.path("ocsprelay.conf")
        self.admin_socket = self.path("admin.sock")
        self.options = {
            "listen": ["127.0.0.1:0"], "admin": "unix:" + self.admin_socket, "threads": 2,
            "user": "", "issuer_dir": self.path("issuers.d"),
            "store": ["lmdb:" + self.path("store")], "log": {"level": "info"},
        }
        os.mkdir(self.path("issuers.d"))
        if ca:
            self.add_issuer("test", ca, responders, **(issuer or {}))
        for key, value in options.items():
            if isinstance(value, dict):
                value = {**self.options.get(key, {}), **value}
            self.options[key] = value
        self.env = environment(**(env or {}))
        self.launcher = list(launcher)  # stands before the command line
        self.pass_fds = pass_fds
        self.process = None
        self.log = None
        if start:
            self.start()

    def path(self, *parts):
        return os.path.join(self.directory, *parts)

    def write(self, name, content):
        """A file in the relay's directory; gives its path."""
        path = self.path(name)
        with open(path, "wb") as out:
            out.write(content if isinstance(content, bytes) else content.encode())
        return path

    def add_issuer(self, name, ca, responders=(), **options):
        """A section; its certificate file is named after it."""
        certificate = self.write(name + ".pem", ca.pem)
        section = {"certificate": [certificate], **options}
        if responders:
            section["responders"] = list(responders)
        self.options.setdefault("issuer", {})[name] = section

    def write_config(self):
        self.write("ocsprelay.conf", render(self.options) + "\n")

    def start(self, ready=True):
        self.write_config()
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen(
            [*self.launcher, BINARY, "serve", "-c", self.config], env=self.env,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            pass_fds=self.pass_fds)
        self.log = Log(self.process.stderr)
        if ready:
            self.log.wait_for("ready")
        return self

    # where it listens

    def addresses(self):
        """What the log says was bound for clients, in order."""
        return [event["address"] for event in self.log.find("listen") if "for" not in event]

    @property
    def address(self):
        return socket_address(self.addresses()[0])

    @property
    def url(self):
        host, port = self.address
        return f"http://{'[' + host + ']' if ':' in host else host}:{port}/"

    # asking it

    def connect(self):
        return rawhttp.Connection(self.address)

    def ask(self, data, head_only=False):
        return rawhttp.ask(self.address, data, head_only)

    def get(self, der, *fields, **options):
        return self.ask(rawhttp.get(der, *fields, **options),
                        head_only=options.get("method") == "HEAD")

    def post(self, der, *fields, **options):
        return self.ask(rawhttp.post(der, *fields, **options))

    def admin(self, path, method="GET", **fields):
        """(status, body, content type)"""
        with contextlib.closing(_AdminConnection(self.admin_socket)) as connection:
            connection.request(method, path, headers=fields)
            response = connection.getresponse()
            return response.status, response.read().decode(), response.getheader("Content-Type")

    def get_admin(self, path):
        """(status, octets)"""
        with contextlib.closing(_AdminConnection(self.admin_socket)) as connection:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read()

    def post_admin(self, path, body="{}", **fields):
        """(status, body) of a change; fields with _ for -."""
        fields = {"Content-Type": "application/json",
                  **{name.replace("_", "-"): value for name, value in fields.items()}}
        with contextlib.closing(_AdminConnection(self.admin_socket)) as connection:
            if not isinstance(body, (str, bytes)):
                body = json.dumps(body)
            connection.request("POST", path, body, fields)
            response = connection.getresponse()
            return response.status, response.read().decode()

    def metrics(self):
        status, text, _ = self.admin("/metrics")
        assert status == 200
        return parse_metrics(text)

    def metric(self, name, **labels):
        """Sum of all samples of ocsprelay_<name> that have these labels."""
        return sum(value for sample, of, value in self.metrics()
                   if sample == "ocsprelay_" + name and
                   all(of.get(key) == text for key, text in labels.items()))

    def wait_for_metric(self, name, value, **labels):
        until(lambda: self.metric(name, **labels) >= value, what=f"{name} {labels} >= {value}")

    def wait_for_stored(self, count=1):
        """Until so many records are in the store."""
        self.wait_for_metric("store_operations_total", count, op="put", result="ok")

    # its end

    def signal(self, number):
        self.process.send_signal(number)

    def reload(self):
        """SIGHUP with the options as they are now, until it has been taken up."""
        self.write_config()
        before = len(self.log.find("reload"))
        self.signal(signal.SIGHUP)
        return self.log.wait_for("reload", before + 1)

    def check(self):
        """Alive, and nothing in its log that does not belong there."""
        assert self.process.poll() is None, \
            f"the relay ended with {self.process.returncode}\n{self.log.text}"
        self.check_log()

    def check_log(self):
        found = [line for line in self.log.lines if SANITIZER.search(line)]
        assert not found, "\n".join(self.log.lines)
        strange = [line for line in self.log.strange if not _CONFIG_WARNING.match(line)]
        assert not strange, f"no log lines: {strange}"

    def terminate(self):
        """SIGTERM must end it with 0, and the sanitizers must have had nothing to say."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        return self.wait()

    def wait(self):
        try:
            status = self.process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"SIGTERM did not end the relay\n{self.log.text}") from None
        self.log.join()
        self.check_log()
        assert status == 0, f"exit status {status}\n{self.log.text}"
        return status

    def kill(self):
        """kill -9"""
        self.process.kill()
        self.process.wait()
        self.log.join()

    def restart(self):
        self.terminate()
        return self.start()

    def stop(self):
        """The end of a test: everything in order, everything removed."""
        try:
            if self.process is not None and self.process.returncode is None:
                self.check()
                self.terminate()
        finally:
            if self.process is not None and self.process.poll() is None:
                self.kill()
            shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def socket_address(text):
    """"127.0.0.1:80", "[::1]:80" or "unix:/path" as rawhttp wants it."""
    if text.startswith("unix:"):
        return text[5:]
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)
