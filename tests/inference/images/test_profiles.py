from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image, ImageCms

from app.inference.images import decode
from tests.pictures import RED, drawn, noise, stored, swapping_profile

SWAPPED = swapping_profile()


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_colours_are_converted_by_the_embedded_profile(format: str) -> None:
    image = decode(stored(drawn(), format, icc_profile=SWAPPED))

    red, green, blue = image.pixels[10, 10].tolist()
    assert green > 180
    assert max(red, blue) < 100
    assert "colours to sRGB" in image.steps


def test_a_profile_longer_than_a_segment_is_put_together() -> None:
    assert "colours to sRGB" in decode(stored(drawn(), "JPEG", icc_profile=SWAPPED + bytes(150_000))).steps


def test_srgb_by_any_name_changes_nothing() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

    image = decode(stored(drawn(), "PNG", icc_profile=srgb))

    assert np.array_equal(image.pixels, np.asarray(drawn()))
    assert image.steps == ()


@pytest.mark.parametrize(
    "profile", [b"broken", SWAPPED[:200], SWAPPED[:16] + b"????" + SWAPPED[20:], SWAPPED + b"mpet", bytes(3_000)]
)
def test_a_profile_that_cannot_be_read_is_ignored_and_said_so(profile: bytes) -> None:
    image = decode(stored(drawn(), "PNG", icc_profile=profile))

    assert image.pixels[10, 10].tolist() == list(RED)
    assert image.steps == ("colour profile ignored: it cannot be read",)


def test_a_profile_for_other_colours_is_ignored_and_said_so() -> None:
    image = decode(stored(Image.new("CMYK", (8, 8)), "JPEG", icc_profile=SWAPPED))

    assert "colour profile ignored: it is for other colours" in image.steps


def test_grey_may_carry_a_profile_of_colours() -> None:
    image = decode(stored(drawn().convert("L"), "PNG", icc_profile=SWAPPED))

    assert image.steps[0] == "grey to RGB"
    assert np.ptp(image.pixels.astype(int), axis=2).max() <= 3


def test_a_conversion_is_shared_between_threads_without_mixing_pictures() -> None:
    files = [stored(noise(200, 200, seed), "PNG", icc_profile=SWAPPED) for seed in range(4)]
    alone = [decode(data).pixels for data in files]

    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(decode, files * 8))

    assert all(np.array_equal(image.pixels, alone[index % 4]) for index, image in enumerate(together))
