# SPDX-License-Identifier: ISC
"""A vector: one response, what was asked, whom it is judged by, and what must come of it."""

from dataclasses import dataclass

from message import DAY, NOW

SAME = object()


@dataclass(frozen=True)
class Vector:
    """The functions get the Cast; nothing is made before they are called."""

    name: str            # the defect, or the virtue
    rules: str           # ids, separated by blanks
    make: object         # the response's octets
    result: str = "ok"   # or the label of a row of include/tbl/errors.h
    issuer: object = lambda c: [c.ca]  # certificates of one CA
    trusted: object = lambda c: []
    request: object = lambda c: c.request()
    now: int = NOW
    # of the verdict, when the result is "ok"
    status: str = "good"
    reason: int = -1     # CRLReason
    signer: str = "delegate"
    until: int = NOW + DAY  # hard expiry
    kept: object = SAME  # until when it may be stored; None: not at all
    flags: str = ""      # enum verdict_flags as words, separated by commas

    def facts(self):
        """The last columns of the manifest."""
        if self.result != "ok":
            return ["-"] * 6
        kept = self.until if self.kept is SAME else self.kept
        return [self.status, self.reason, self.signer, self.until,
                "-" if kept is None else kept, self.flags or "-"]
