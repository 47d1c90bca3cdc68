# SPDX-License-Identifier: ISC
"""The recipes of doc/clients: what a client's test runs is what the document says."""

import os
import re

from relay import ROOT

RELAY = "http://relay.example:8080/"  # what the documents say
_MARK = re.compile(r"^<!-- recipe (\S+) -->\n```\w*\n(.*?)^```$", re.M | re.S)
_PLACE = re.compile(r"(/etc/ssl|/etc/haproxy|/run)/|relay\.example")


def names(client):
    with open(os.path.join(ROOT, "doc", "clients", client + ".md"), encoding="utf-8") as file:
        return dict(_MARK.findall(file.read()))


def recipe(client, name, places):
    """The recipe, with each place of the document (a path, a URL, a value) put where the test has
    it. All of them have to occur, and none may be left."""
    text = rest = names(client)[name]
    for place, here in places.items():
        assert place in text, f"{place!r} is not in recipe {name} of {client}.md"
        text = text.replace(place, str(here))
        rest = rest.replace(place, "")
    assert not _PLACE.search(rest), rest
    return text
