"""The directories of a TIFF file: tags, where their values are, and how many directories there are."""

from __future__ import annotations

import struct
from collections.abc import KeysView
from dataclasses import dataclass

from app.errors import InvalidImage
from app.inference.images.limits import ImageLimits, check_count

# type -> (bytes of a value, letter of struct for those that are whole numbers)
_TYPES = {1: (1, "B"), 2: (1, ""), 3: (2, "H"), 4: (4, "I"), 5: (8, ""), 6: (1, ""), 7: (1, "B"), 8: (2, ""), 9: (4, "")}
_TYPES |= {10: (8, ""), 11: (4, ""), 12: (8, ""), 13: (4, "I"), 16: (8, "Q"), 17: (8, ""), 18: (8, "Q")}
_MOST_TAGS = 4_096


@dataclass(frozen=True, slots=True)
class Layout:
    """How numbers are written in one file: byte order, and the widths that differ between TIFF and BigTIFF."""

    order: str
    first: int  # where the offset of the first directory stands
    count: str  # letters of struct: entries of a directory, offsets
    offset: str
    entry: int  # bytes

    @property
    def inline(self) -> int:
        """Give how many bytes of values fit into an entry, which end it."""
        return struct.calcsize(self.offset)


@dataclass(frozen=True, slots=True)
class _Entry:
    kind: int
    length: int  # in values
    begin: int  # of the values
    at: int  # of the entry


class Directory:
    """The entries of one directory by tag, each with its values inside the file."""

    def __init__(self, data: bytes, layout: Layout, entries: dict[int, _Entry]) -> None:
        self._data, self._layout, self._entries = data, layout, entries

    def __contains__(self, tag: int) -> bool:
        """Say whether the tag is there."""
        return tag in self._entries

    def keys(self) -> KeysView[int]:
        """Give the tags."""
        return self._entries.keys()

    def length(self, tag: int) -> int:
        """Give how many values a tag has."""
        return self._entries[tag].length

    def raw(self, tag: int) -> bytes:
        """Give the entry as it stands in the file."""
        at = self._entries[tag].at
        return self._data[at : at + self._layout.entry]

    def content(self, tag: int) -> bytes:
        """Give the values as bytes."""
        entry = self._entries[tag]
        return self._data[entry.begin : entry.begin + entry.length * _TYPES[entry.kind][0]]

    def numbers(self, tag: int) -> tuple[int, ...]:
        """Give the values as whole numbers, none where the tag is missing."""
        if tag not in self._entries:
            return ()
        entry = self._entries[tag]
        letter = _TYPES[entry.kind][1]
        if not letter:
            raise InvalidImage("This TIFF file has a size that is no whole number.")
        return struct.unpack_from(f"{self._layout.order}{entry.length}{letter}", self._data, entry.begin)

    def number(self, tag: int, default: int) -> int:
        """Give the first value of a tag as a whole number."""
        values = self.numbers(tag)
        return values[0] if values else default


def layout_of(data: bytes) -> Layout:
    """Tell byte order and widths from the first bytes."""
    order = "<" if data.startswith(b"II") else ">"
    if struct.unpack_from(order + "H", data, 2) == (43,):
        return Layout(order, 8, "Q", "Q", 20)
    return Layout(order, 4, "H", "I", 12)


def read_directory(data: bytes, layout: Layout) -> Directory:
    """Read the first directory; every value it points to lies inside the file."""
    (start,) = struct.unpack_from(layout.order + layout.offset, data, layout.first)
    (count,) = struct.unpack_from(layout.order + layout.count, data, start)
    check_count(count, _MOST_TAGS, "tags")
    entries: dict[int, _Entry] = {}
    for index in range(count):
        at = start + struct.calcsize(layout.count) + index * layout.entry
        tag, kind, length = struct.unpack_from(f"{layout.order}HH{layout.offset}", data, at)
        size = length * _TYPES[kind][0] if kind in _TYPES else 0
        begin = at + layout.entry - layout.inline
        if size > layout.inline:
            (begin,) = struct.unpack_from(layout.order + layout.offset, data, begin)
        if kind in _TYPES and begin + size <= len(data):
            entries.setdefault(tag, _Entry(kind, length, begin, at))
    return Directory(data, layout, entries)


def count_directories(data: bytes, layout: Layout, limits: ImageLimits) -> int:
    """Count the pages, which are a chain of directories; one that closes a circle ends it."""
    position = layout.first
    seen: set[int] = set()
    while True:
        (start,) = struct.unpack_from(layout.order + layout.offset, data, position)
        if start == 0 or start in seen:
            return len(seen)
        seen.add(start)
        check_count(len(seen), limits.frames, "pages")
        (count,) = struct.unpack_from(layout.order + layout.count, data, start)
        position = start + struct.calcsize(layout.count) + count * layout.entry
