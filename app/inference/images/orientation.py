"""How a camera was held, and how a picture is turned upright."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from PIL.Image import Transpose

_TAG = 0x0112
_SHORT = 3
_MOST_TAGS = 1_000  # cameras write fewer than a hundred into the first directory


@dataclass(frozen=True, slots=True)
class Turn:
    """What makes a stored picture upright; `reversed_rows` says that its last row is the first upright line."""

    method: Transpose | None
    swaps_sides: bool
    reversed_rows: bool
    words: str


_TURNS = {
    1: Turn(None, False, False, ""),
    2: Turn(Transpose.FLIP_LEFT_RIGHT, False, False, "mirrored"),
    3: Turn(Transpose.ROTATE_180, False, True, "turned 180 degrees"),
    4: Turn(Transpose.FLIP_TOP_BOTTOM, False, True, "mirrored and turned 180 degrees"),
    5: Turn(Transpose.TRANSPOSE, True, False, "mirrored and turned 270 degrees"),
    6: Turn(Transpose.ROTATE_270, True, True, "turned 90 degrees"),
    7: Turn(Transpose.TRANSVERSE, True, True, "mirrored and turned 90 degrees"),
    8: Turn(Transpose.ROTATE_90, True, False, "turned 270 degrees"),
}


def turn_for(orientation: int) -> Turn:
    """Give the turn for a value of the EXIF orientation tag; what is not in 1..8 turns nothing."""
    return _TURNS.get(orientation, _TURNS[1])


def orientation_of(exif: bytes) -> int:
    """Read the orientation from an EXIF block, 1 where it has none or is broken.

    Read here and not by Pillow, which reads every tag and fails on a broken one: a photo is not refused for its metadata.
    """
    block = exif.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(block[:4])
    if order is None:
        return 1
    try:
        return _first_directory(block, order)
    except struct.error:
        return 1


def _first_directory(block: bytes, order: str) -> int:
    (start,) = struct.unpack_from(order + "I", block, 4)
    (count,) = struct.unpack_from(order + "H", block, start)
    for index in range(min(count, _MOST_TAGS)):
        tag, kind, _, value = struct.unpack_from(order + "HHIH", block, start + 2 + 12 * index)
        if tag == _TAG:
            return int(value) if kind == _SHORT and value in _TURNS else 1
    return 1
