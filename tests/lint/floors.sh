#!/bin/sh
# SPDX-License-Identifier: ISC
# The floors of ARCHITECTURE.md, as the #include lines show them:
#  - a file includes only from its own floor or lower ones, and inside a floor there is no circle;
#  - libraries and sockets stay on the floors that may use them;
#  - every source file starts with its licence and ends within 500 lines.
set -eu
cd "$(dirname "$0")/../.."
exec /usr/bin/env python3 - <<'PYTHON'
import pathlib, re, sys

floors = {"base": 0, "core": 1, "state": 2, "io": 3, "relay": 4, "ctl": 5, "cmd": 6}
# library header -> floors that may include it
allowed = [
    (r"openssl/ssl", {"io"}),
    (r"openssl/x509v3", {"core", "io", "ctl", "cmd"}),
    (r"openssl/", {"core", "ctl", "cmd"}),
    (r"event2/(http|buffer|keyvalq)", {"ctl"}),
    (r"event2/", {"io", "ctl"}),
    (r"curl/", {"io"}),
    (r"lmdb\.h", {"io"}),
    (r"hiredis", {"io"}),
    (r"confuse\.h", {"ctl"}),
    (r"jansson\.h", {"ctl", "cmd"}),
    (r"systemd/", {"io"}),
    (r"(sys/socket|sys/un|netinet/|arpa/|netdb|sys/epoll|sys/eventfd)", {"io"}),
    (r"(syslog|glob)\.h", {"ctl"}),
    (r"(getopt|termios)\.h", {"cmd"}),
    (r"pthread\.h", {"base", "state", "io", "relay", "ctl"}),
    (r"(stdio)\.h", {"base", "io", "relay", "ctl", "cmd"}),
]
clocks = re.compile(r"\b(time|clock|clock_gettime|gettimeofday|localtime|localtime_r|mktime)\(")
errors = []
for path in sorted(pathlib.Path("src").rglob("*.[ch]")):
    floor = path.parts[1] if len(path.parts) > 2 else "main"
    text = path.read_text()
    if not text.startswith("/* SPDX-License-Identifier: ISC */\n/*"):
        errors.append(f"{path}:1: licence line and file comment are missing")
    if text.count("\n") > 500:
        errors.append(f"{path}: {text.count(chr(10))} lines: more than one noun?")
    for number, line in enumerate(text.split("\n"), 1):
        if floor in ("base", "core", "state", "relay") and clocks.search(line):
            errors.append(f"{path}:{number}: the clock is read on floor io; now is a parameter")
        match = re.match(r'\s*#\s*include\s+([<"])([^>"]+)[>"]', line)
        if not match:
            continue
        quote, name = match.groups()
        first = name.split("/")[0]
        if quote == '"' and first in floors and "/" in name:
            if floor != "main" and floors[first] > floors[floor]:
                errors.append(f"{path}:{number}: floor {floor} includes {name} of a higher floor")
        elif quote == "<" and floor != "main":
            for pattern, where in allowed:
                if re.match(pattern, name):
                    if floor not in where:
                        errors.append(f"{path}:{number}: <{name}> is not for floor {floor}")
                    break

# circles between the headers of a floor: a .c may include both of two nouns, a header may not
headers = {}
for path in sorted(pathlib.Path("src").rglob("*.h")):
    noun = f"{path.parts[1]}/{path.stem}"
    headers[noun] = set(re.findall(r'#include "((?:%s)/[^".]+)\.h"' % path.parts[1], path.read_text()))
def visit(noun, trail):
    if noun in trail:
        errors.append("circle of headers: " + " -> ".join(trail[trail.index(noun):] + [noun]))
        return
    for other in headers.get(noun, ()):
        visit(other, trail + [noun])
for noun in headers:
    visit(noun, [])

for error in sorted(set(errors)):
    print(error)
sys.exit(1 if errors else 0)
PYTHON
