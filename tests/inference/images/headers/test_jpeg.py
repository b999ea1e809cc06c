from __future__ import annotations

import pytest

from app.errors import ImageTooComplex, InvalidImage
from app.inference.images import ImageLimits, decode
from tests.bombs import hidden_scans, jpeg_with, segment
from tests.pictures import drawn, drawn_in, many_scans, stored


def test_scans_are_counted_behind_bytes_that_look_like_the_end() -> None:
    with pytest.raises(ImageTooComplex, match=r"drawn in 500 or more scans"):
        decode(hidden_scans(500), limits=ImageLimits(pixel_scans=96 * 64 * 400))


def test_what_follows_the_end_is_not_counted() -> None:
    trailing = many_scans(11) + many_scans(500)  # as the film of a moving photo

    assert decode(trailing, limits=ImageLimits(pixel_scans=96 * 64 * 11)).width == 96


def test_a_picture_in_one_scan_costs_no_count() -> None:
    assert decode(drawn_in("JPEG"), limits=ImageLimits(pixel_scans=0)).width == 96


def test_fill_bytes_and_restarts_are_read_over() -> None:
    data = stored(drawn(), "JPEG", progressive=True, restart_marker_blocks=2)
    first = data.index(b"\xff\xc2")

    assert decode(data[:first] + b"\xff\xff\xff" + data[first:]).width == 96


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xd8\xff",
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8\xff\xda\0\x08\x01\x01\0\0\x3f\0\xff\xd9",
        b"\xff\xd8\xff\xe1\0\0",
        b"\xff\xd8\xff\xe1\xff\xff",
        jpeg_with(segment(0xC0, b"\x08\0\x08\0\x08\x01\x01\x11\0")),
        jpeg_with(segment(0xC0, b"\x08")),
    ],
)
def test_broken_headers_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidImage):
        decode(data)


def test_the_first_of_two_orientations_counts() -> None:
    def held(orientation: int) -> bytes:
        tags = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01" + bytes([0, orientation, 0, 0, 0, 0, 0, 0])
        return segment(0xE1, b"Exif\0\0" + tags)

    image = decode(jpeg_with(held(3), held(6)))

    assert image.steps == ("turned 180 degrees",)
