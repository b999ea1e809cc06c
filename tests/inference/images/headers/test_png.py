from __future__ import annotations

import struct
import zlib

import pytest

from app.errors import InvalidImage
from app.inference.images import ImageLimits, decode
from tests.bombs import chunk, png, png_with
from tests.pictures import drawn, drawn_in, exif, stored, text_chunks


def test_packed_text_is_read_over_and_not_unpacked() -> None:
    data = stored(drawn(), "PNG", pnginfo=text_chunks(story="x" * 60_000_000))

    assert decode(data).width == 96


def test_an_orientation_may_follow_the_pixels() -> None:
    data = drawn_in("PNG")
    turned = data[:-12] + chunk(b"eXIf", exif(3).removeprefix(b"Exif\0\0")) + data[-12:]

    assert decode(turned).steps == ("turned 180 degrees",)


def test_a_profile_that_cannot_be_unpacked_is_ignored() -> None:
    image = decode(png_with(chunk(b"iCCP", b"name\0\0not packed")))

    assert image.steps == ("colour profile ignored: it cannot be read",)


def test_a_profile_may_be_as_large_as_its_limit() -> None:
    data = png_with(chunk(b"iCCP", b"name\0\0" + zlib.compress(bytes(1_000))))

    assert decode(data, limits=ImageLimits(profile_bytes=1_000)).width == 96


@pytest.mark.parametrize(
    "data",
    [
        png(4, 4),
        png(4, 4, chunk(b"IDAT", zlib.compress(bytes(10)))),
        drawn_in("PNG")[:-12],
        drawn_in("PNG")[:8] + drawn_in("PNG")[33:],
        png_with(chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0))),
    ],
)
def test_broken_files_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidImage):
        decode(data)
