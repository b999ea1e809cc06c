from __future__ import annotations

import struct

import pytest
from PIL import Image

from app.errors import InvalidImage
from app.inference.images import decode
from tests.bombs import bmp
from tests.pictures import stored


def test_rows_may_go_from_top_to_bottom() -> None:
    data = stored(Image.linear_gradient("L"), "BMP")
    flipped = data[:22] + struct.pack("<i", -256) + data[26:]

    assert (decode(flipped).pixels == decode(data).pixels[::-1]).all()


def test_runs_are_unpacked() -> None:
    image = decode(bmp(4, 2, 1, b"\x04\x07\0\0\x02\x01\x02\x09\0\x01"))

    assert image.pixels[:, :, 0].tolist() == [[1, 1, 9, 9], [7, 7, 7, 7]]


def test_the_oldest_header_is_read() -> None:
    data = b"BM" + struct.pack("<IHHI", 34, 0, 0, 26) + struct.pack("<IHHHH", 12, 1, 1, 1, 24) + b"\1\2\3\0"

    assert decode(data).pixels.tolist() == [[[3, 2, 1]]]


@pytest.mark.parametrize("data", [bmp(9, 9), bmp(-9, 9), bmp(9, 9, 5), bmp(9, 9, 1, b"\1"), bmp(9, 9)[:20]])
def test_broken_files_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidImage):
        decode(data)
