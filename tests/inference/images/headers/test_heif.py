from __future__ import annotations

import struct

import pytest

from app.errors import ImageTooComplex, InvalidImage, UnsupportedImage
from app.inference.images import ImageLimits, decode
from tests.bombs import lying
from tests.pictures import animation, drawn, drawn_in, exif, heic, stored


@pytest.mark.parametrize("data", [drawn_in("AVIF"), animation("AVIF", 2)])
def test_code_larger_than_its_container_says_is_refused(data: bytes) -> None:
    with pytest.raises(ImageTooComplex, match="is 96 by 64 pixels"):
        decode(lying(data, 8, 8), limits=ImageLimits(side=90))


def test_heic_code_larger_than_its_container_says_is_refused_by_its_reader() -> None:
    with pytest.raises(InvalidImage):
        decode(lying(heic(), 8, 8))


def test_the_turn_of_the_container_counts_and_not_that_of_the_metadata() -> None:
    image = decode(stored(drawn(), "AVIF", exif=exif(6)))

    assert image.steps == ("turned 90 degrees",)
    assert (image.width, image.height) == (64, 96)


@pytest.mark.parametrize("data", [drawn_in("AVIF"), heic()])
def test_pictures_coded_over_each_other_are_counted(data: bytes) -> None:
    with pytest.raises(ImageTooComplex, match="drawn in 1 or more scans"):
        decode(data, limits=ImageLimits(pixel_scans=96 * 64 - 1))


def test_a_brand_that_is_not_accepted_is_no_picture() -> None:
    with pytest.raises(UnsupportedImage):
        decode(struct.pack(">I8s", 16, b"ftypisom") + b"\0\0\0\0")


def test_two_descriptions_are_refused() -> None:
    data = drawn_in("AVIF")
    at = data.index(b"meta") - 4
    size = int.from_bytes(data[at : at + 4], "big")

    with pytest.raises(InvalidImage, match="twice"):
        decode(data + data[at : at + size])
