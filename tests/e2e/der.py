# SPDX-License-Identifier: ISC
"""DER by hand: what a library refuses to write (wrong on purpose), and a small reader."""

import time


def tlv(tag, *parts):
    body = b"".join(parts)
    if len(body) < 0x80:
        return bytes([tag, len(body)]) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + body


def seq(*parts):
    return tlv(0x30, *parts)


def explicit(number, *parts):
    return tlv(0xA0 | number, *parts)


def octets(body):
    return tlv(0x04, body)


def bits(body):
    return tlv(0x03, b"\0", body)


def enumerated(value):
    return tlv(0x0A, bytes([value]))


def integer(value):
    return tlv(0x02, integer_content(value))


def integer_content(value):
    """The content octets of an INTEGER, shortest form, negative ones too."""
    size = 1
    while not -(1 << (8 * size - 1)) <= value < 1 << (8 * size - 1):
        size += 1
    return value.to_bytes(size, "big", signed=True)


def oid(dotted):
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    body = b""
    for arc in [40 * first + second] + rest:
        group = bytes([arc & 0x7F])
        while arc > 0x7F:
            arc >>= 7
            group = bytes([0x80 | arc & 0x7F]) + group
        body += group
    return tlv(0x06, body)


def time_text(seconds):
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(seconds))


def generalized_time(when):
    """Seconds since 1970, or the text itself (to write wrong ones)."""
    return tlv(0x18, (when if isinstance(when, str) else time_text(when)).encode())


def extension(dotted, value, critical=False):
    """value: what stands inside the extnValue OCTET STRING."""
    return seq(oid(dotted), tlv(0x01, b"\xff") if critical else b"", octets(value))


NULL = tlv(0x05)


class Reader:
    """Elements one after the other: (tag, content, whole TLV)."""

    def __init__(self, data):
        self.data = data
        self.at = 0

    def peek(self):
        return self.data[self.at] if self.at < len(self.data) else None

    def read(self, tag=None):
        start = self.at
        found, length = self.data[start], self.data[start + 1]
        at = start + 2
        if length >= 0x80:
            size = length & 0x7F
            length = int.from_bytes(self.data[at:at + size], "big")
            at += size
        if at + length > len(self.data):
            raise ValueError("element is cut short")
        if tag is not None and found != tag:
            raise ValueError(f"tag {found:#x} where {tag:#x} belongs")
        self.at = at + length
        return found, self.data[at:self.at], self.data[start:self.at]

    def enter(self, tag=0x30):
        return Reader(self.read(tag)[1])

    def __iter__(self):
        while self.peek() is not None:
            yield self.read()
