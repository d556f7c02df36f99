"""Walking through a protobuf message without a schema: numbered fields, nothing allocated, nothing built.

Source: protobuf.dev, "Encoding". Groups, long out of use, are refused.
"""

from __future__ import annotations

from collections.abc import Iterator

FIELDS_AT_MOST = 2_000_000  # of one file; a graph of a thousand nodes has some 20,000
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
SIZES = {FIXED64: 8, FIXED32: 4}


class Walk:
    """Reads the fields of messages and counts them, so that a small file cannot keep one busy. Raises ValueError."""

    def __init__(self) -> None:
        self._left = FIELDS_AT_MOST

    def fields(self, message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
        """(number, value) of each field: an int of a varint, else the bytes themselves."""
        place, end = 0, len(message)
        while place < end:
            self._left -= 1
            if self._left < 0:
                raise ValueError(f"it has more than {FIELDS_AT_MOST:,} fields")
            key, place = varint(message, place)
            number, wire = key >> 3, key & 7
            if wire == VARINT:
                value, place = varint(message, place)
                yield number, value
                continue
            if wire == BYTES:
                size, place = varint(message, place)
            elif wire in SIZES:
                size = SIZES[wire]
            else:
                raise ValueError(f"a field of the unknown kind {wire}")
            if number == 0 or size > end - place:
                raise ValueError("a field claims more than the message holds")
            yield number, message[place : place + size]
            place += size


def varint(message: memoryview, place: int) -> tuple[int, int]:
    """The number at a place, and the place after it. Raises ValueError."""
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(message):
            raise ValueError("a message is cut off")
        byte = message[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
    raise ValueError("a number of more than ten bytes")


def varints(value: int | memoryview) -> list[int]:
    """A repeated number, packed or a single one. Raises ValueError."""
    if isinstance(value, int):
        return [value]
    found, place = [], 0
    while place < len(value):
        number, place = varint(value, place)
        found.append(number)
    return found


def text(value: int | memoryview) -> str:
    """Raises ValueError for what is no text."""
    if isinstance(value, int):
        raise ValueError("a number where a name belongs")
    return bytes(value).decode("utf-8")
