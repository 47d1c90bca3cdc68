# SPDX-License-Identifier: ISC
"""The commands that speak to a running relay: text, JSON, exit statuses."""

import json
import os
import re
import signal
import socket
import subprocess

import pytest

import pki as pki_module
import relay as relay_module
from pki import flip, request
from relay import run, until
from responder import http_status
from test_admin import bundle_of, entries, fill, records

OK, NO, NO_ANSWER, USAGE, CONFIG = 0, 1, 3, 64, 78
COMMANDS = {"status": [], "list": [], "purge": ["--all"], "refresh": ["--all"],
            "export": ["-"], "import": ["-"], "reload": []}


def ask(relay, command, *args, code=OK, **options):
    result = run(command, "-c", relay.config, *args, **options)
    assert result.returncode == code, result.stdout + result.stderr
    return result.stdout


# --- finding the relay --------------------------------------------------------------------------

@pytest.mark.parametrize("command", COMMANDS)
def test_help(command):
    result = run(command, "--help")
    assert result.returncode == OK
    for option in ("--config", "--admin", "--token-file", "--json"):
        assert option in result.stdout


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "import"])
def test_without_a_relay(command, tmp_path):
    (tmp_path / "x.conf").write_text(f'admin = "unix:{tmp_path}/none.sock"\n')
    args = COMMANDS[command]
    for where in (["-c", tmp_path / "x.conf"], ["--admin", f"unix:{tmp_path}/none.sock"]):
        result = run(command, *where, *args)
        assert result.returncode == NO_ANSWER
        assert "cannot be reached" in result.stderr and not result.stdout


@pytest.mark.parametrize("text, said", [("frob = 1", "frob"), ('admin = ""', "admin")])
def test_configuration_that_does_not_lead_there(tmp_path, text, said):
    (tmp_path / "x.conf").write_text(text + "\n")
    result = run("status", "-c", tmp_path / "x.conf")
    assert result.returncode == CONFIG and said in result.stderr


def test_help_of_a_command_by_either_way():
    assert run("help", "status").stdout == run("status", "--help").stdout
    assert run("help", "nothing").returncode == USAGE


@pytest.mark.parametrize("args", [
    ["status", "x"], ["status", "--admin", "nowhere"], ["purge"], ["refresh"],
    ["purge", "--all", "--issuer", "x"], ["refresh", "--all", "--serial", "1"], ["export"],
    ["export", "--tier", "attic", "x"], ["import"], ["list", "--limit", "x"]])
def test_usage(args):
    result = run(*args)
    assert result.returncode == USAGE and not result.stdout
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("args", [
    ["purge", "--issuer", "nobody"], ["purge", "--serial", "xyz"], ["refresh", "--issuer", "x"],
    ["list", "--issuer", "nobody"], ["list", "--expiring", "soon"]])
def test_what_the_relay_does_not_understand(relay, args):
    result = run(args[0], "-c", relay.config, *args[1:])
    assert result.returncode == USAGE and not result.stdout
    assert args[2] in result.stderr


@pytest.mark.parametrize("args", [
    ["list"], ["purge"], ["refresh"], ["rehearse", "--for", "1h"]], ids=lambda args: args[0])
def test_an_issuer_that_is_misspelt(relay, args):
    """The only issuer is "test"."""
    for name, hint in (("tset", ', did you mean "test"?'), ("somebody", "")):
        result = run(*args, "-c", relay.config, "--issuer", name)
        assert (result.returncode, result.stdout) == (USAGE, "")
        assert result.stderr == \
            f'ocsprelay {args[0]}: issuer: no issuer "{name}" is configured{hint}\n'


@pytest.mark.parametrize("word", ["soon", "6x", "99999999999d"])
def test_a_time_that_is_none(relay, word):
    assert run("list", "-c", relay.config, "--expiring", word).stderr == \
        f'ocsprelay list: expiring: "{word}" is no time, such as 90s, 30m, 6h or 2d\n'


def test_over_tcp_with_the_token(make_relay, responder, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        address = "127.0.0.1:%d" % probe.getsockname()[1]
    relay = make_relay(responder, admin=address, start=False)
    relay.options["admin_token_file"] = relay.write("token", "secret\n")
    os.chmod(relay.path("token"), 0o640)
    relay.start()
    ask(relay, "purge", "--all")
    wrong = tmp_path / "wrong"
    wrong.write_text("other\n")
    for args, why in (
            (["--admin", address], "--token-file FILE, or -c with its configuration"),
            (["-c", relay.config, "--token-file", wrong], f"the one in {wrong} is refused"),
            (["--admin", address, "--token-file", "/nowhere"],
             "/nowhere: No such file or directory")):
        result = run("purge", "--all", *args)
        assert result.returncode == NO_ANSWER
        assert result.stderr == "ocsprelay purge: this needs the Unix socket, or the token of " \
            f"admin_token_file: {why}\n"
    assert run("purge", "--all", "--admin", address, "--token-file",
               relay.path("token")).returncode == OK
    assert run("status", "--admin", address).returncode == OK


def test_what_is_no_relay(relay, tmp_path):
    result = run("status", "--admin", relay.url.removeprefix("http://").rstrip("/"))
    assert result.returncode == NO_ANSWER and "is that its admin listener?" in result.stderr
    path = f"unix:{tmp_path}/nothing.sock"
    result = run("status", "--admin", path)
    assert result.returncode == NO_ANSWER
    assert result.stderr == \
        f"ocsprelay status: the relay cannot be reached at {path}: No such file or directory\n"
    result = run("import", "-c", relay.config, tmp_path)
    assert result.returncode == NO_ANSWER
    assert result.stderr == f"ocsprelay import: {tmp_path}: cannot be read: Is a directory\n"


# --- status, list -------------------------------------------------------------------------------

def test_status(relay, responder, pki):
    assert f"up   {responder.url}  not asked yet\n" in ask(relay, "status")
    data = fill(relay, pki, 2)[0][1]
    relay.get(data)
    text = ask(relay, "status")
    assert "requests   3, 1 hit, 2 miss (hit ratio 33.3 %)" in text
    assert "memory     2 answers" in text and "lmdb:" in text
    assert f"up   {responder.url}" in text and "issuer     test" in text
    told = json.loads(ask(relay, "status", "--json"))
    assert told["requests"]["hit"] == 1 and told["issuers"][0]["name"] == "test"


def test_list(relay, pki):
    assert ask(relay, "list") == ""
    serials = [one[0] for one in fill(relay, pki, 3)]
    head, *rows = ask(relay, "list").splitlines()
    assert re.split(" {2,}", head) == \
        ["SERIAL", "HASH", "STATUS", "AGE", "EXPIRES IN", "REFRESH IN", "ISSUER"]
    assert re.search(r"( +[1-9]\d*[smhd]( \d+[smhd])?){3}  test$", rows[0]), rows[0]
    assert sorted(int(row.split()[0], 16) for row in rows) == serials
    assert all(row.split()[1:3] == ["sha1", "good"] and row.split()[-1] == "test" for row in rows)
    assert head.index("HASH") == rows[0].index("sha1")
    assert ask(relay, "list", "--limit", "2").splitlines()[-1] == "2 of 3, see --limit"
    assert len(ask(relay, "list", "--serial", f"{serials[0]:X}").splitlines()) == 2
    assert ask(relay, "list", "--expiring", "1h") == ""
    told = json.loads(ask(relay, "list", "--json", "--issuer", "test"))
    assert told["matching"] == 3


def test_export_of_a_tier_that_there_is_not(relay, tmp_path):
    result = run("export", "-c", relay.config, "--tier", "redis", tmp_path / "x")
    assert result.returncode == USAGE and not os.listdir(tmp_path)
    assert result.stderr == "ocsprelay export: tier: no redis is configured as a store\n"


def test_list_of_an_issuer_with_an_awkward_name(make_relay, responder, pki):
    relay = make_relay(responder, start=False)
    relay.options["issuer"] = {"A & B + 100 % ü": relay.options["issuer"]["test"]}
    relay.start()
    fill(relay, pki, 1)
    assert "A & B + 100 % ü" in ask(relay, "list", "--issuer", "A & B + 100 % ü")
    assert "memory: 1 removed" in ask(relay, "purge", "--issuer", "A & B + 100 % ü")


# --- purge, refresh, reload ---------------------------------------------------------------------

def test_purge(relay, responder, pki):
    (serial, data, _), _ = fill(relay, pki, 2)
    relay.wait_for_stored(2)
    first, second = ask(relay, "purge", "--serial", f"{serial:X}").splitlines()
    assert first == "memory: 1 removed, and 0 remembered failures"
    assert second.startswith("lmdb:") and second.endswith(": removed")
    assert relay.get(data).cache_status["fwd"] == "miss"
    relay.wait_for_stored(3)
    assert ask(relay, "purge", "--all").splitlines()[1].endswith(": 2 removed")
    assert json.loads(ask(relay, "purge", "--all", "--json"))["entries"] == 0
    assert responder.count(serial) == 2


def test_purge_with_a_store_that_failed(make_relay, responder, tmp_path):
    (tmp_path / "file").write_text("in the way")
    relay = make_relay(responder, store=[f"lmdb:{tmp_path}/file"])
    relay.log.wait_for("store-failed")
    assert "failed" in ask(relay, "purge", "--all", code=NO)
    assert json.loads(ask(relay, "purge", "--all", "--json", code=NO))["stores"][0]["ok"] is False


def test_refresh(relay, responder, pki):
    stored = fill(relay, pki, 3)
    assert ask(relay, "refresh", "--all") == "3 of 3 fetched, 0 failed\n"
    assert responder.count() == 6
    assert ask(relay, "refresh", "--serial", "7f7f") == "0 of 0 fetched, 0 failed\n"
    responder.behave(http_status(503))
    text = ask(relay, "refresh", "--serial", f"{stored[0][0]:x}", code=NO)
    assert f"{stored[0][0]:x}" in text and "0 of 1 fetched, 1 failed" in text
    last = ask(relay, "refresh", "--issuer", "test", "--json", code=NO).splitlines()[-1]
    assert json.loads(last) == {"all": 3, "fetched": 0, "failed": 3, "done": True}


def test_reload(relay, pki, request_der):
    assert ask(relay, "reload") == "reloaded, 1 issuers\n"
    relay.add_issuer("root", pki.root, ["http://127.0.0.1:9/"])
    relay.options["limits"] = {"max_waiters": 7}
    relay.options["threads"] = 1
    relay.write_config()
    text = ask(relay, "reload")
    for line in ("option changed: limits.max_waiters", "issuer added: root",
                 "reloaded, 2 issuers"):
        assert line in text.splitlines()
    assert "takes a restart" in text
    relay.options["frob"] = 1
    relay.write_config()
    for args in ([], ["--json"]):
        result = run("reload", "--admin", "unix:" + relay.admin_socket, *args)
        assert result.returncode == CONFIG and "frob" in result.stderr
    assert json.loads(result.stdout)["result"] == "error"
    assert relay.get(request_der).status == 200


# --- export, import -----------------------------------------------------------------------------

def test_export_and_import(relay, make_relay, pki, tmp_path):
    stored = fill(relay, pki, 4)
    path = tmp_path / "bundle"
    assert ask(relay, "export", path).startswith(f"{path}: 4 answers, ")
    assert os.listdir(tmp_path) == ["bundle"]
    out = subprocess.run([relay_module.BINARY, "export", "-c", relay.config, "-"], check=True,
                         stdout=subprocess.PIPE).stdout
    assert len(records(out)) == 4
    other = make_relay("http://127.0.0.1:9/")
    assert ask(other, "import", path) == "4 imported, 0 older than what is there, 0 refused\n"
    for _, data, first in stored:
        assert other.get(data).body == first.body
    told = json.loads(ask(other, "import", "--json", path))
    assert told == {"kept": 4, "older": 0, "refused": 0, "reasons": []}
    assert json.loads(ask(relay, "export", "--json", path))["exported"] == 4


def test_VS_24_import_names_the_bad(relay, make_relay, pki, tmp_path):
    stored = fill(relay, pki, 3)
    path = tmp_path / "bundle"
    ask(relay, "export", path)
    items = records(path.read_bytes())
    items[0] = (items[0][0], flip(items[0][1]))
    items[1] = (items[1][0], items[2][1])
    path.write_bytes(bundle_of(items).replace(b"\nrecord", b"\nrubbish\nrecord", 1))
    other = make_relay("http://127.0.0.1:9/")
    text = ask(other, "import", path, code=NO)
    assert text.splitlines()[-1] == "1 imported, 0 older than what is there, 3 refused"
    assert text.count("refused: ") == 3 and "damaged" in text
    for key, _ in items[:2]:
        assert key.rsplit(":", 1)[1].lstrip("0") in text
    told = json.loads(ask(other, "import", "--json", path, code=NO))
    assert (told["kept"], told["refused"], len(told["reasons"])) == (1, 3, 3)
    assert len(stored) == 3


def test_CL_13_import_tells_what_was_kept_long_enough(make_relay, responder, pki, tmp_path):
    """It is not nextUpdate that has passed; and memory, which still has it, counts it apart."""
    relay = make_relay(responder)
    other = make_relay(responder, issuer={"unknown_max_ttl": "1s"})
    serial = pki_module.new_serial()
    responder.statuses[serial] = "unknown"
    for one in (relay, other):
        one.get(request(pki.ca.certid(serial)))
    path = tmp_path / "bundle"
    assert ask(relay, "export", path).startswith(f"{path}: 1 answer")
    until(lambda: ask(other, "list") == "")
    assert "memory     1 answer (1 expired), " in ask(other, "status")
    text = ask(other, "import", path, code=NO)
    assert "refused: kept for as long as" in text and "nextUpdate" not in text


@pytest.mark.parametrize("content", [b"", b"x\n", b"ocsprelay-bundle 2\nend 0\n"])
def test_import_of_no_bundle(relay, tmp_path, content):
    (tmp_path / "x").write_bytes(content)
    result = run("import", "-c", relay.config, tmp_path / "x")
    assert result.returncode == NO_ANSWER and "bundle" in result.stderr


def test_import_of_a_bundle_that_was_cut_short(relay, make_relay, pki, tmp_path):
    fill(relay, pki, 3)
    path = tmp_path / "bundle"
    ask(relay, "export", path)
    path.write_bytes(path.read_bytes()[:-300])
    text = ask(make_relay("http://127.0.0.1:9/"), "import", path, code=NO)
    assert text.splitlines()[-1] == "2 imported, 0 older than what is there, 1 refused"


def test_export_that_cannot_be_written(relay, tmp_path):
    result = run("export", "-c", relay.config, tmp_path / "none" / "x")
    assert result.returncode == NO_ANSWER and "cannot be written" in result.stderr
    result = run("import", "-c", relay.config, tmp_path / "none")
    assert result.returncode == NO_ANSWER and "cannot be read" in result.stderr


@pytest.mark.threads
def test_thousands_and_a_slow_reader(make_relay, responder, pki, tmp_path):
    """The reader takes some octets now and then; meanwhile the relay serves, and holds no more
    than a part of the bundle."""
    relay = make_relay(responder, limits={"max_requests_per_connection": 100000})
    count = 3000
    with relay.connect() as connection:
        for _ in range(count):
            data = request(pki.ca.certid(pki_module.new_serial()))
            connection.ask(relay_module.rawhttp.get(data))
    relay.wait_for_stored(count)
    before = memory_of(relay)
    with socket.socket(socket.AF_UNIX) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(relay.admin_socket)
        client.sendall(b"GET /api/v1/export?tier=disk HTTP/1.0\r\n\r\n")
        got = client.recv(4096)
        assert relay.get(data).cache_status["hit"]
        assert relay.admin("/healthz")[0] == 200
        assert memory_of(relay) - before < 2000
        while more := client.recv(65536):
            got += more
    assert len(records(got.split(b"\r\n\r\n", 1)[1])) == count
    with socket.socket(socket.AF_UNIX) as client:  # one that leaves in the middle
        client.connect(relay.admin_socket)
        client.sendall(b"GET /api/v1/export HTTP/1.1\r\nHost: x\r\n\r\n")
        client.recv(4096)
    path = tmp_path / "bundle"
    ask(relay, "export", path)
    other = make_relay("http://127.0.0.1:9/")
    assert ask(other, "import", path).startswith(f"{count} imported")
    assert entries(other, "?limit=1")["matching"] == count


def memory_of(relay):
    """Of the relay, in KiB."""
    with open(f"/proc/{relay.process.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def test_import_that_is_interrupted(relay, make_relay, pki, tmp_path):
    fill(relay, pki, 2)
    path = tmp_path / "bundle"
    ask(relay, "export", path)
    other = make_relay("http://127.0.0.1:9/")
    with subprocess.Popen([relay_module.BINARY, "import", "-c", other.config, "-"],
                          stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        process.stdin.write(path.read_bytes()[:-20])
        process.stdin.flush()
        process.send_signal(signal.SIGINT)
        process.wait(20)
    assert other.admin("/healthz")[0] == 200
    assert ask(other, "import", path).startswith("2 imported")
    until(lambda: entries(other)["matching"] == 2, what="both")
