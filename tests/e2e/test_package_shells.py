# SPDX-License-Identifier: ISC
"""Completions of bash, zsh and fish, in the shells themselves: every command, and every option that
a command's --help has."""

import os
import re
import subprocess

import pytest

from package_kit import needs_package, unpack
from relay import BINARY, environment
from relay import run as run_relay

pytestmark = needs_package

FILES = {
    "bash": "usr/share/bash-completion/completions/ocsprelay",
    "zsh": "usr/share/zsh/vendor-completions/_ocsprelay",
    "fish": "usr/share/fish/vendor_completions.d/ocsprelay.fish",
}
OPTION = re.compile(r"^ +(?:-\w, )?(--[a-z-]+)", re.M)


def _commands():
    return re.findall(r"^  ([a-z]+) ", run_relay("--help").stdout, re.M)


COMMANDS = _commands() if os.access(BINARY, os.X_OK) else []


def options_of(command):
    return set(OPTION.findall(run_relay(command, "--help").stdout))


def shell(*args, **options):
    result = subprocess.run(args, capture_output=True, text=True, timeout=60, check=False,
                            stdin=subprocess.DEVNULL, env=environment(), **options)
    assert result.returncode == 0 and not result.stderr, result.stderr
    return result.stdout


# Lets bash complete each line of standard input, whose words are separated by blanks, and prints
# what it came to, an empty line after each.
_BASH = """
. "$1"
shift
for line; do
    read -ra COMP_WORDS <<<"$line"
    [[ $line != *' ' ]] || COMP_WORDS+=('')
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    COMPREPLY=()
    _ocsprelay
    ((${#COMPREPLY[@]} == 0)) || printf '%s\\n' "${COMPREPLY[@]}"
    echo .
done
"""

_FISH = """
source $argv[1]
for line in $argv[2..]
    complete -C $line
    echo .
end
"""

# The specifications that zsh's own functions are called with. What they make of these is theirs.
_ZSH = """
_describe() { print -rl -- ${commands%%:*} }
_arguments() { [[ $1 == -C ]] && state=$STATE || print -rl -- "$@" }
compdef() { }
file=$1
shift
for line; do
    words=(${=line})
    shift words
    STATE=arguments
    (( $#words )) || STATE=command
    functions[_ocsprelay]=$(<$file)
    _ocsprelay >/dev/null
    _ocsprelay
    print .
done
"""


class Shells:
    def __init__(self, root, program):
        self.root = root
        self.program = program

    def file(self, name):
        return os.path.join(self.root, FILES[name])

    def complete(self, name, lines, cwd=None):
        """What each of the lines can go on with."""
        flags = {"bash": ["--norc"], "zsh": ["-f"], "fish": ["--no-config"]}[name]
        script = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}[name]
        end = [] if name == "fish" else [name]
        said = shell(self.program(name), *flags, "-c", script, *end, self.file(name), *lines,
                     cwd=cwd)
        found = [[]]
        for line in said.splitlines():
            if line == ".":
                found.append([])
            else:
                found[-1].append(line.split("\t")[0])
        assert len(found) == len(lines) + 1, said
        return found[:-1]


@pytest.fixture(scope="module")
def shells(tmp_path_factory, program):
    return Shells(unpack(tmp_path_factory.mktemp("package")), program)


@pytest.mark.parametrize("name", FILES)
def test_shell_reads_the_file(shells, program, name):
    assert shell(program(name), "-n", shells.file(name)) == ""


@pytest.mark.parametrize("name", FILES)
def test_commands_are_completed(shells, name):
    assert COMMANDS
    assert set(COMMANDS) <= set(shells.complete(name, ["ocsprelay "])[0])


@pytest.mark.parametrize("name", FILES)
def test_options_of_each_command_are_completed(shells, name):
    found = shells.complete(name, [f"ocsprelay {command} --" for command in COMMANDS])
    for command, words in zip(COMMANDS, found):
        if name == "zsh":  # specifications: (exclusions){-c,--config=}[text]:..., --json[text]
            words = re.findall(r"^(?:\([^)]*\)|\*)?(--[a-z-]+)", "\n".join(words), re.M)
        assert {word.rstrip("=") for word in words} == options_of(command), command


@pytest.mark.parametrize("name", ["bash", "fish"])
def test_only_what_can_follow_is_offered(shells, name, tmp_path):
    (tmp_path / "cert.pem").touch()
    (tmp_path / "some").mkdir()
    cases = [
        ("ocsprelay rel", ["reload"]),
        ("ocsprelay query --meth", ["--method"]),
        ("ocsprelay query --method ", ["auto", "get", "post"]),
        ("ocsprelay query --hash sha5", ["sha512"]),
        ("ocsprelay export --tier m", ["memory"]),
        ("ocsprelay query --issuer ce", ["cert.pem"]),
        ("ocsprelay query ce", ["cert.pem"]),
        ("ocsprelay serve -c ce", ["cert.pem"]),
        ("ocsprelay purge ce", []),
        ("ocsprelay query --url ce", []),
    ]
    found = shells.complete(name, [line for line, _ in cases], cwd=tmp_path)
    for (line, expected), words in zip(cases, found):
        assert words == expected, line
