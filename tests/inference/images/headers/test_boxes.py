from __future__ import annotations

import struct
from dataclasses import replace

import pytest

from app.errors import ImageTooComplex, InvalidImage
from app.inference.images.headers.boxes import boxes
from app.inference.images.limits import DEFAULT_LIMITS


def test_lengths_may_be_short_long_or_to_the_end() -> None:
    data = (
        struct.pack(">I4s2s", 10, b"abcd", b"xy")
        + struct.pack(">I4sQ1s", 1, b"long", 17, b"z")
        + struct.pack(">I4s3s", 0, b"rest", b"...")
    )

    found = [(box.kind, data[box.begin : box.end]) for box in boxes(data, 0, len(data), DEFAULT_LIMITS)]

    assert found == [(b"abcd", b"xy"), (b"long", b"z"), (b"rest", b"...")]


@pytest.mark.parametrize(
    "data", [struct.pack(">I4s", 7, b"tiny"), struct.pack(">I4s", 99, b"huge"), struct.pack(">I4sQ", 1, b"long", 8)]
)
def test_lengths_that_cannot_be_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidImage):
        list(boxes(data, 0, len(data), DEFAULT_LIMITS))


def test_boxes_are_bounded() -> None:
    with pytest.raises(ImageTooComplex, match="11 or more boxes"):
        list(boxes(struct.pack(">I4s", 8, b"free") * 20, 0, 160, replace(DEFAULT_LIMITS, parts=10)))
