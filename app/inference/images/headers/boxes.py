"""The boxes that AVIF and HEIC files are made of (ISO/IEC 14496-12), with every length checked."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from app.errors import InvalidImage
from app.inference.images.limits import ImageLimits, check_count


@dataclass(frozen=True, slots=True)
class Box:
    """One box: its four-letter kind, and where its content lies."""

    kind: bytes
    begin: int
    end: int

    @property
    def size(self) -> int:
        """Give the bytes of its content."""
        return self.end - self.begin


def boxes(data: bytes, begin: int, end: int, limits: ImageLimits) -> Iterator[Box]:
    """Give the boxes that lie side by side between two positions."""
    walked = 0
    while begin + 8 <= end:
        walked += 1
        check_count(walked, limits.parts, "boxes")
        size, kind = struct.unpack_from(">I4s", data, begin)
        content = begin + 8
        if size == 1:  # the size follows, in 64 bits
            (size,) = struct.unpack_from(">Q", data, content)
            content += 8
        stop = begin + size if size else end  # a size of 0 means: to the end
        if stop < content or stop > end:
            raise InvalidImage("This file ends too early, or is damaged.")
        yield Box(kind, content, stop)
        begin = stop


class Reader:
    """Reads whole numbers of any width one after the other."""

    def __init__(self, data: bytes, position: int) -> None:
        self._data, self._position = data, position

    def number(self, width: int) -> int:
        """Give the next number of so many bytes, 0 for none; past the end is an IndexError."""
        begin, self._position = self._position, self._position + width
        if self._position > len(self._data):
            raise IndexError
        return int.from_bytes(self._data[begin : self._position], "big")
