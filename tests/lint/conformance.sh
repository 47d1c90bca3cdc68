#!/bin/sh
# SPDX-License-Identifier: ISC
# doc/conformance.md against the tests:
#  - each rule has one row, and each row names tests that exist and carry its id, or says why not;
#  - "see" names rules that have tests;
#  - each id that a test carries has its row.
set -eu
cd "$(dirname "$0")/../.."
exec /usr/bin/env python3 - <<'PYTHON'
import pathlib, re, sys

document = "doc/conformance.md"
rule = re.compile(r"(?<![A-Za-z0-9])(?:(RP|NK|CL|VS|HS|HC|NO|EM|SL)[-_](\d\d)|(F[1-5]))(?![A-Za-z0-9])")
test = re.compile(r"\btest_\w+\.(?:c|py)\b")
without = ("not yet: ", "no test: ", "dropped: ")
errors = []

def ids(text):
    return {short or f"{area}-{number}" for area, number, short in rule.findall(text)}

carried = {path.name: ids(path.read_text())
           for folder, ending in (("unit", "c"), ("e2e", "py"))
           for path in pathlib.Path("tests", folder).glob("test_*." + ending)}
rows = {}
for number, line in enumerate(pathlib.Path(document).read_text().split("\n"), 1):
    if not line.startswith("| ") or line.startswith("| id |"):
        continue
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    where = f"{document}:{number}"
    if len(cells) != 3 or not rule.fullmatch(cells[0]):
        errors.append(f"{where}: a row is | id | decision | proven by |")
    elif cells[0] in rows:
        errors.append(f"{where}: {cells[0]} has a row already")
    else:
        rows[cells[0]] = (where, cells[2])

for name, (where, proof) in rows.items():
    for file in test.findall(proof):
        if file not in carried:
            errors.append(f"{where}: {file} does not exist")
        elif name not in carried[file]:
            errors.append(f"{where}: {file} does not contain {name}")
    if proof.startswith(without):
        continue
    proven = proof.split("in part: ")[0]
    seen = ids(proven)
    for other in seen:
        if other not in rows or rows[other][1].startswith(without):
            errors.append(f"{where}: {name} refers to {other}, which is not proven")
    if not test.search(proven) and not any(
            test.search(rows[other][1].split("in part: ")[0]) for other in seen if other in rows):
        errors.append(f"{where}: {name} has no test")
for file, names in carried.items():
    for name in names - rows.keys():
        errors.append(f"tests: {file} carries {name}, which has no row in {document}")

for error in sorted(errors):
    print(error)
sys.exit(1 if errors else 0)
PYTHON
