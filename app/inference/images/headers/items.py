"""The items of an AVIF or HEIC file: pictures, tiles, metadata, each with its kind and its bytes."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from app.errors import InvalidImage
from app.inference.images.headers.boxes import Box, Reader, boxes
from app.inference.images.limits import ImageLimits, check_bytes, check_count

# Everything but profiles and inline data: 48 megapixels in tiles need 10 kB. The readers copy a property for each
# item that points to it, so that a few megabytes here become gigabytes there.
_STRUCTURE_BYTES = 262_144


@dataclass(slots=True)
class Items:
    """What the `meta` box of a file declares."""

    kinds: list[tuple[int, bytes, int]] = field(default_factory=list)  # item, kind, where the kind stands
    places: list[tuple[int, list[tuple[int, int]]]] = field(default_factory=list)  # item, pieces of the file
    properties: list[Box] = field(default_factory=list)
    data: Box = field(default_factory=lambda: Box(b"idat", 0, 0))

    def payloads(self, data: bytes, kind: bytes) -> list[bytes]:
        """Give the bytes of every item of a kind; one that is declared twice comes twice."""
        wanted = {item for item, declared, _ in self.kinds if declared == kind}
        return [b"".join(data[begin:end] for begin, end in pieces) for item, pieces in self.places if item in wanted]


def read_items(data: bytes, meta: Box, limits: ImageLimits) -> Items:
    """Read the items of a `meta` box; every piece they point to lies inside the file."""
    items = Items()
    children = list(boxes(data, meta.begin + 4, meta.end, limits))
    for box in children:
        if box.kind == b"iinf":
            _read_kinds(data, box, items, limits)
        elif box.kind == b"iprp":
            for inner in boxes(data, box.begin, box.end, limits):
                if inner.kind == b"ipco":
                    items.properties += boxes(data, inner.begin, inner.end, limits)
        elif box.kind == b"idat":
            items.data = box
    profiles = sum(box.size for box in items.properties if box.kind == b"colr")
    check_bytes(profiles, limits.profile_bytes, "colour profile")
    check_bytes(meta.size - profiles - items.data.size, _STRUCTURE_BYTES, "structure")
    for box in children:
        if box.kind == b"iloc":
            _read_places(data, box, items, limits)
    _check_total(data, items)
    return items


def _read_kinds(data: bytes, box: Box, items: Items, limits: ImageLimits) -> None:
    counted = 2 if data[box.begin] == 0 else 4
    for entry in boxes(data, box.begin + 4 + counted, box.end, limits):
        wide = 4 if data[entry.begin] >= 3 else 2  # version 3 has longer numbers for items
        at = entry.begin + 4 + wide + 2
        item = int.from_bytes(data[entry.begin + 4 : entry.begin + 4 + wide], "big")
        items.kinds.append((item, data[at : at + 4], at))
        check_count(len(items.kinds), limits.items, "items")


def _read_places(data: bytes, box: Box, items: Items, limits: ImageLimits) -> None:
    version, sizes, bases = struct.unpack_from(">B3xBB", data, box.begin)
    reader = Reader(data[: box.end], box.begin + 6)
    wide = 4 if version == 2 else 2
    count = reader.number(wide)
    check_count(count, limits.items, "items")
    for _ in range(count):
        item = reader.number(wide)
        inline = reader.number(2) & 0xF == 1 if version else False
        reader.number(2)  # an index of files, of which there is one
        base = reader.number(bases >> 4)
        pieces = []
        for _ in range(reader.number(2)):
            reader.number(bases & 0xF if version else 0)
            offset, length = base + reader.number(sizes >> 4), reader.number(sizes & 0xF)
            pieces.append(_piece(items.data if inline else Box(b"", 0, len(data)), offset, length))
        items.places.append((item, pieces))


def _piece(inside: Box, offset: int, length: int) -> tuple[int, int]:
    begin = inside.begin + offset
    end = begin + length if length else inside.end  # no length means: all of it
    if end > inside.end:
        raise InvalidImage("This file ends too early, or is damaged.")
    return begin, end


def _check_total(data: bytes, items: Items) -> None:
    # Pieces may overlap, and a reader joins them: many large ones would make a small file large.
    if sum(end - begin for _, pieces in items.places for begin, end in pieces) > 2 * len(data):
        raise InvalidImage("This file uses its own bytes over and over.")
