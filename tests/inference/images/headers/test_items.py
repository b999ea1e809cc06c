from __future__ import annotations

import struct

import pytest

from app.errors import ImageTooComplex, InvalidImage
from app.inference.images.headers.boxes import Box
from app.inference.images.headers.items import read_items
from app.inference.images.limits import DEFAULT_LIMITS
from tests.bombs import box


def meta(*boxes: bytes) -> tuple[bytes, Box]:
    data = box(b"meta", bytes(4) + b"".join(boxes))
    return data, Box(b"meta", 8, len(data))


def places(*pieces: tuple[int, int], items: int = 1) -> bytes:
    listed = b"".join(struct.pack(">II", *piece) for piece in pieces)
    item = b"".join(struct.pack(">HHH", number, 0, len(pieces)) + listed for number in range(1, items + 1))
    return box(b"iloc", struct.pack(">IBBH", 0, 0x44, 0, items) + item)


def kinds(count: int) -> bytes:
    return box(b"iinf", struct.pack(">IH", 0, count) + box(b"infe", struct.pack(">IHH4s", 2 << 24, 1, 0, b"av01")) * count)


def test_the_pieces_of_an_item_are_joined() -> None:
    data, whole = meta(kinds(1), places((0, 4), (4, 4)))

    assert read_items(data, whole, DEFAULT_LIMITS).payloads(data, b"av01") == [data[:8]]


def test_pieces_inside_the_description_are_found() -> None:
    inline = box(b"iloc", struct.pack(">IBBH", 1 << 24, 0x44, 0, 1) + struct.pack(">HHHHII", 1, 1, 0, 1, 1, 2))
    data, whole = meta(kinds(1), inline, box(b"idat", b"abcd"))

    assert read_items(data, whole, DEFAULT_LIMITS).payloads(data, b"av01") == [b"bc"]


def test_pieces_outside_the_file_are_refused() -> None:
    with pytest.raises(InvalidImage, match="ends too early"):
        read_items(*meta(kinds(1), places((0, 4_000))), DEFAULT_LIMITS)


def test_pieces_that_make_a_small_file_large_are_refused() -> None:
    with pytest.raises(InvalidImage, match="over and over"):
        read_items(*meta(kinds(1), places(*[(0, 0)] * 3)), DEFAULT_LIMITS)


@pytest.mark.parametrize(
    ("boxes", "limit"),
    [
        ((kinds(2_001),), "2,001 or more items"),
        ((places(items=2_001),), "2,001 or more items"),
        ((box(b"iprp", bytes(300_000)),), "structure"),
        ((box(b"iprp", box(b"ipco", box(b"colr", bytes(4_000_001)))),), "colour profile"),
    ],
)
def test_descriptions_are_bounded(boxes: tuple[bytes, ...], limit: str) -> None:
    with pytest.raises(ImageTooComplex, match=limit):
        read_items(*meta(*boxes), DEFAULT_LIMITS)
