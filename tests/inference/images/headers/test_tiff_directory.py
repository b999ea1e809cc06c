from __future__ import annotations

import numpy as np
import pytest

from app.errors import ImageTooComplex
from app.inference.images import ImageLimits, decode
from tests.bombs import tiff, tiff_tags
from tests.pictures import drawn, noise, stored


def test_wide_files_are_read() -> None:
    picture = noise(30, 20)

    assert np.array_equal(decode(stored(picture, "TIFF", big_tiff=True)).pixels, np.asarray(picture))


def test_either_order_of_bytes_is_read() -> None:
    little = tiff(tiff_tags(2, 1), b"\x05\x06")
    big = b"MM\0*\0\0\0\x08\0\x08"
    for tag, value in {256: 2, 257: 1, 258: 8, 259: 1, 262: 1, 273: 200, 277: 1, 279: 2}.items():
        big += tag.to_bytes(2, "big") + b"\0\x03\0\0\0\x01" + value.to_bytes(2, "big") + b"\0\0"
    big = big.ljust(200, b"\0") + b"\x05\x06"

    assert decode(little).pixels.tolist() == decode(big).pixels.tolist() == [[[5] * 3, [6] * 3]]


def test_pages_are_counted_and_bounded() -> None:
    data = stored(drawn(), "TIFF", save_all=True, append_images=[noise(9, 9)] * 4)

    assert decode(data).steps == ("first of 5 frames",)
    with pytest.raises(ImageTooComplex, match=r"4 or more pages, and at most 3"):
        decode(data, limits=ImageLimits(frames=3))


def test_pages_in_a_circle_are_counted_once() -> None:
    assert decode(tiff(tiff_tags(1, 1), b"\x07", following=8)).steps == ("grey to RGB",)


def test_other_tags_are_neither_read_nor_believed() -> None:
    absurd = {34_665: (4, 1, 8), 33_432: (2, 4_000_000_000, 5), 60_000: (5, 900_000, 8), 282: (5, 1, 4_000_000_000)}

    assert decode(tiff(tiff_tags(1, 1) | absurd, b"\x07")).pixels.tolist() == [[[7] * 3]]
