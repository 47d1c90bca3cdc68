# SPDX-License-Identifier: ISC
"""What all measurements begin with: options, material to serve, and what is installed."""

import argparse
import pathlib
import shutil
import subprocess
import time

import servers
from load import CORE
from process import free_port, running

ROUNDS = 3
MISSES_PER_SECOND = 2000
MATERIAL_AGE = 86400  # seconds that it is used again for; it is valid for 30 days


def parse(description, **defaults):
    """The options; defaults: further numbers, with _ for -."""
    parser = argparse.ArgumentParser(description=description.split("\n", maxsplit=1)[0])
    parser.add_argument("--relay", required=True, type=lambda path: pathlib.Path(path).resolve())
    parser.add_argument("--programs", required=True, help="directory of those of the benchmark",
                        type=lambda path: pathlib.Path(path).resolve())
    parser.add_argument("--seconds", type=float, default=5, help="for each figure")
    parser.add_argument("--signer", choices=("rsa", "ec"), help="key of who signs the responses")
    for name, value in defaults.items():
        parser.add_argument("--" + name.replace("_", "-"), type=type(value), default=value)
    return parser.parse_args()


def installed(*names):
    """Those that are; says which are not."""
    missing = [name for name in names if not shutil.which(name)]
    if missing:
        print(f"not installed, left out: {', '.join(missing)}\n", flush=True)
    return set(names) - set(missing)


def rounds(args):
    """Turns in which figures are taken, for the median."""
    return ROUNDS if args.seconds >= ROUNDS else 1


def misses(args):
    """How many certificates are asked about where each may be only once."""
    return int(min(max(args.seconds * MISSES_PER_SECOND, 1500), 20000))


def material(args, count, signer):
    """A directory with so many responses, in the build tree; made when there is none
    of today."""
    directory = args.programs.parent / "bench-material" / f"{signer}-{count}"
    request = directory / "request"  # what is written first is complete with the last
    done = directory / "done"
    if not done.exists() or time.time() - request.stat().st_mtime > MATERIAL_AGE:
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        subprocess.run([args.programs / "material", directory, str(count), signer], check=True)
        done.touch()
    return directory


def start(stack, server, cores="0", **options):
    """A server of servers.py, until the stack ends: (process id, port)."""
    argv, port = server
    return stack.enter_context(running(argv, port, cores, **options)), port


def start_responder(stack, args, directory, delay_ms=0, first_delayed=0):
    """Its port."""
    return start(stack, servers.program(args, "responder", free_port(), directory, delay_ms,
                                        first_delayed), CORE)[1]
