#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The fields of every log event: what the code logs is what its row of include/tbl/events.h says,
and every field has its row in include/tbl/fields.h.

A field with "?" in the row is not in every line of the event. Each call names its event and fields
in one place, LOG(EVENT, LOG_TEXT("field", ...), ...); only the sink writes one by itself."""

import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
ROW = re.compile(r'^EVENT\((\w+), "([a-z-]+)", LEVEL_\w+, "([a-z_ ?]*)",', re.MULTILINE)
FIELD = re.compile(r'^FIELD\(([a-z_]+),', re.MULTILINE)
USE = re.compile(r'LOG_(?:TEXT|SLICE|NUMBER|HEX)\(\s*"(\w+)"|LOG_(REASON)\(')
CALL = re.compile(r"\bLOG\(")


def table(name):
    return (TOP / "include" / "tbl" / name).read_text(encoding="utf-8")


def arguments(text, start):
    """What stands between the parentheses, the first of which is before start."""
    depth, at, in_string = 1, start, False
    while depth:
        char = text[at]
        if in_string and char == "\\":
            at += 1
        elif char == '"':
            in_string = not in_string
        elif not in_string:
            depth += (char == "(") - (char == ")")
        at += 1
    return text[start:at - 1]


def calls():
    """(place, event, [fields]) of each."""
    for path in sorted((TOP / "src").rglob("*.c")):
        text = path.read_text(encoding="utf-8")
        for match in CALL.finditer(text):
            inside = arguments(text, match.end())
            place = f"{path.relative_to(TOP)}:{text.count(chr(10), 0, match.start()) + 1}"
            fields = ["reason" if reason else name for name, reason in USE.findall(inside)]
            yield place, inside.split(",")[0].strip(), fields


def folded():
    """The fields of the event that the sink writes."""
    sink = (TOP / "src/ctl/log_sink.c").read_text(encoding="utf-8")
    body = sink[sink.index("static void write_fold("):]
    fold = (TOP / "src/ctl/log_fold.c").read_text(encoding="utf-8")
    names = re.search(r"log_fold_fields\[FOLD_FIELDS\] = \{(.*?)\}", fold, re.DOTALL)[1]
    return [name for name, _ in USE.findall(body[:body.index("\n}")])], \
        re.findall(r'"(\w+)"', names)


def check():
    rows = {event: fields.split() for event, _, fields in ROW.findall(table("events.h"))}
    known = set(FIELD.findall(table("fields.h")))
    needed = {event: {field for field in fields if not field.endswith("?")}
              for event, fields in rows.items()}
    allowed = {event: {field.rstrip("?") for field in fields} for event, fields in rows.items()}
    always, ever = {}, {}
    if len(rows) != table("events.h").count("\nEVENT("):
        yield "include/tbl/events.h: a row cannot be read"
    told = list(calls())
    needs, may = folded()
    told += [("src/ctl/log_sink.c", "FOLDED", needs), ("src/ctl/log_fold.c", "FOLDED", needs + may)]
    for place, event, fields in told:
        if event not in rows:
            yield f"{place}: {event} is no row of include/tbl/events.h"
            continue
        if len(fields) != len(set(fields)):
            yield f"{place}: {event} has a field twice"
        for field in sorted(needed[event] - set(fields)):
            yield f"{place}: {event} lacks {field}, which its row has without ?"
        for field in sorted(set(fields) - allowed[event]):
            yield f"{place}: {event} has {field}, which its row has not"
        always[event] = always.get(event, set(fields)) & set(fields)
        ever[event] = ever.get(event, set()) | set(fields)
    for event in rows:
        if event not in ever:
            yield f"include/tbl/events.h: {event} is logged nowhere"
            continue
        for field in sorted(allowed[event] - ever[event]):
            yield f"include/tbl/events.h: {event} never has {field}"
        for field in sorted((allowed[event] - needed[event]) & always[event]):
            yield f"include/tbl/events.h: {event} has {field} in every line, and needs no ?"
    used = set().union(*allowed.values())
    for field in sorted(used - known):
        yield f"include/tbl/fields.h: {field} is missing"
    for field in sorted(known - used):
        yield f"include/tbl/fields.h: no event has {field}"


FAULTS = list(check())
print("\n".join(FAULTS), end="\n" if FAULTS else "")
sys.exit(bool(FAULTS))
