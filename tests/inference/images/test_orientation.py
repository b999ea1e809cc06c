from __future__ import annotations

import struct

import numpy as np
import pytest

from app.inference.images import decode
from app.inference.images.orientation import orientation_of
from tests.pictures import drawn, exif, noise, stored, turned

WORDS = {2: "mirrored", 3: "turned 180 degrees", 6: "turned 90 degrees", 8: "turned 270 degrees"}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("fit", [None, (12, 8)])
def test_a_picture_gives_the_same_pixels_however_the_camera_was_held(
    orientation: int, format: str, fit: tuple[int, int] | None
) -> None:
    picture = noise(101, 67)  # sides that no factor divides
    options = {"lossless": True} if format == "WEBP" else {}

    image = decode(turned(picture, orientation, format, **options), fit=fit)

    assert np.array_equal(image.pixels, decode(stored(picture, format, **options), fit=fit).pixels)
    assert (image.width, image.height) == (101, 67)
    if orientation in WORDS:
        assert WORDS[orientation] in image.steps


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "AVIF"])
def test_photos_are_turned_upright(orientation: int, format: str) -> None:
    image = decode(turned(drawn(160, 120), orientation, format), fit=(40, 30))

    assert (image.width, image.height) == (160, 120)
    upright = np.asarray(drawn(160, 120).reduce(2), dtype=int)
    assert image.pixels.shape == upright.shape
    assert np.abs(upright - image.pixels).mean() < 4


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"Exif\0\0",
        b"II*\0\xff\xff\xff\xff",
        b"II*\0" + struct.pack("<IH", 8, 9),
        exif(0),
        exif(9),
        exif(6)[:-8],
        b"MM\0*" + struct.pack(">IHHHII", 8, 1, 0x0112, 2, 1, 6),
    ],
)
def test_a_broken_or_absurd_orientation_turns_nothing(block: bytes) -> None:
    assert orientation_of(block) == 1


def test_a_photo_is_not_refused_for_its_broken_metadata() -> None:
    broken = exif(6)[:14] + b"\xff" * 40

    assert decode(stored(drawn(), "JPEG", exif=broken)).width == 96
