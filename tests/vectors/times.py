# SPDX-License-Identifier: ISC
"""Responses with times that are over, not yet, or no times at all."""

import der
from cast import LATE
from message import DAY, HOUR, NOW, revoked
from vector import Vector

# content of a GeneralizedTime that is none (RFC 5280 4.1.2.5.2)
MALFORMED = {
    "fraction": "20300115110000.5Z",
    "empty-fraction": "20300115110000.Z",
    "offset": "20300115110000+0000",
    "local": "20300115110000",
    "lower-case-z": "20300115110000z",
    "no-seconds": "203001151100Z",
    "two-digit-year": "300115110000Z",
    "five-digit-year": "120300115110000Z",
    "february-30": "20280230110000Z",
    "february-29-of-2029": "20290229110000Z",
    "month-13": "20291315110000Z",
    "day-0": "20300100110000Z",
    "hour-24": "20300114240000Z",
    "second-60": "20300115115960Z",
    "letters": "2030011511000OZ",
    "nul-behind": "20300115110000Z\0",
    "empty": "",
}


def this(name, rules, result, when, **options):
    return Vector("this-update-" + name, rules, lambda c: c.answer(c.about(this=when)), result,
                  **options)


def until(name, rules, result, when, **options):
    return Vector("next-update-" + name, rules, lambda c: c.answer(c.about(until=when)), result,
                  **options)


def produced(name, rules, result, when):
    return Vector("produced-" + name, rules, lambda c: c.answer(produced=when), result)


def explicit(when):
    return der.explicit(0, when)


UTC_TIME = der.tlv(0x17, b"300115110000Z")

ALL = [
    this("beyond-skew", "VS-07", "future", LATE),
    this("tomorrow", "VS-07", "future", NOW + DAY - 1),
    produced("beyond-skew", "VS-08", "produced-future", LATE),
    until("now", "VS-09", "expired", NOW),
    until("yesterday", "VS-09", "expired", NOW - HOUR + 1),
    Vector("a-day-later", "VS-09 CL-02", lambda c: c.answer(), "expired", now=NOW + DAY),
    Vector("second-asked-expired", "VS-09 RP-34",
           lambda c: c.answer(c.about(), c.about(until=NOW - 1)), "expired"),
    until("before-this-update", "VS-10", "order", NOW - HOUR - 1),
    *[this(name, "VS-06", "time", text) for name, text in MALFORMED.items()],
    *[until(name, "VS-06", "time", MALFORMED[name])
      for name in ("fraction", "offset", "february-30", "empty")],
    *[produced(name, "VS-06", "time", MALFORMED[name])
      for name in ("fraction", "offset", "february-30", "empty")],
    Vector("revoked-at-fraction", "VS-06",
           lambda c: c.answer(c.about(status=revoked("20300114110000.5Z"))), "time"),
    this("utc-time", "VS-06", "der", UTC_TIME),
    this("missing", "VS-06", "der", b""),
    this("constructed", "VS-06", "der", der.tlv(0x38, der.generalized_time(NOW - HOUR))),
    until("utc-time", "VS-06", "der", explicit(UTC_TIME)),
    until("not-tagged", "VS-06", "der", der.generalized_time(NOW + DAY)),
    until("implicit", "VS-06", "der", der.tlv(0x80, b"20300116120000Z")),
    until("twice", "VS-06", "der", 2 * explicit(der.generalized_time(NOW + DAY))),
    until("of-two-times", "VS-06", "der", explicit(2 * der.generalized_time(NOW + DAY))),
    produced("utc-time", "VS-06", "der", UTC_TIME),
    produced("missing", "VS-06", "der", b""),
    produced("twice", "VS-06", "der", 2 * der.generalized_time(NOW - HOUR)),
]
