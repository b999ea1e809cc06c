from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from app.errors import InvalidImage
from app.inference.images import decode
from tests.bombs import tiff, tiff_tags
from tests.pictures import drawn, palette_with_hole, sixteen_bit_grey, stored


def one_pixel(picture: Image.Image, format: str, **options: Any) -> list[int]:
    return decode(stored(picture, format, **options)).pixels[0, 0].tolist()  # type: ignore[no-any-return]


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_sixteen_bit_grey_is_scaled_and_not_clipped(format: str) -> None:
    image = decode(sixteen_bit_grey([0, 255, 257, 32_768, 65_535], format))

    assert image.pixels[0, :, 0].tolist() == [0, 1, 1, 128, 255]
    assert "16-bit grey to RGB" in image.steps


def test_sixteen_bit_grey_with_a_clear_value_is_put_on_white() -> None:
    picture = Image.fromarray(np.array([[0, 1_000, 30_000]], dtype=np.uint16))

    image = decode(stored(picture, "PNG", transparency=1_000))

    assert image.pixels[0, :, 0].tolist() == [0, 255, 117]


@pytest.mark.parametrize("mode", ["F", "I"])
def test_numbers_without_a_white_are_refused(mode: str) -> None:
    with pytest.raises(InvalidImage, match="save it with 8 or 16"):
        decode(stored(Image.new(mode, (4, 4), 1), "TIFF"))


def test_black_and_white_becomes_black_and_white() -> None:
    picture = Image.new("1", (2, 1))
    picture.putpixel((1, 0), 255)

    image = decode(stored(picture, "PNG"))

    assert image.pixels[0].tolist() == [[0, 0, 0], [255, 255, 255]]
    assert image.steps == ("black and white to RGB",)


@pytest.mark.parametrize(("format", "colour"), [("PNG", (255, 0, 0, 0)), ("WEBP", (9, 9, 9, 0)), ("TIFF", (0, 0, 0, 0))])
def test_what_is_clear_is_white(format: str, colour: tuple[int, int, int, int]) -> None:
    options = {"lossless": True} if format == "WEBP" else {}
    image = decode(stored(Image.new("RGBA", (4, 4), colour), format, **options))

    assert image.pixels.min() == 255
    assert "transparency on white" in image.steps


def test_what_is_half_clear_is_half_white() -> None:
    assert one_pixel(Image.new("RGBA", (1, 1), (0, 0, 0, 128)), "PNG") == [127, 127, 127]
    assert one_pixel(Image.new("LA", (1, 1), (0, 128)), "PNG") == [127, 127, 127]


def test_an_opaque_picture_with_an_alpha_channel_is_left_as_it_is() -> None:
    picture = drawn()
    picture.putalpha(255)

    image = decode(stored(picture, "PNG"))

    assert np.array_equal(image.pixels, np.asarray(drawn()))
    assert image.steps == ()


def test_a_palette_with_a_clear_colour_is_put_on_white() -> None:
    image = decode(palette_with_hole())

    assert image.pixels[0, [0, 19]].tolist() == [[0, 0, 0], [255, 255, 255]]
    assert image.steps == ("palette to RGB", "transparency on white")


def test_a_clear_colour_of_true_colours_is_put_on_white() -> None:
    assert one_pixel(Image.new("RGB", (1, 1), (1, 2, 3)), "PNG", transparency=(1, 2, 3)) == [255, 255, 255]


@pytest.mark.parametrize("format", ["JPEG", "TIFF"])
def test_inks_become_colours(format: str) -> None:
    image = decode(stored(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), format))

    red, green, blue = image.pixels[8, 8].tolist()
    assert red > 240
    assert max(green, blue) < 15
    assert "CMYK to RGB" in image.steps


def test_lab_becomes_colours() -> None:
    grey = Image.merge("LAB", [Image.new("L", (4, 4), value) for value in (137, 128, 128)])
    image = decode(stored(grey, "TIFF"))

    assert np.abs(image.pixels.astype(int) - 128).max() <= 2
    assert image.steps == ("LAB to RGB",)


def test_twelve_bits_of_grey_reach_white() -> None:
    data = tiff(tiff_tags(2, 1, t258=(3, 1, 12), t279=(4, 1, 3)), b"\xff\xf0\x00")

    assert decode(data).pixels[0, :, 0].tolist() == [255, 0]


def test_sixteen_bits_of_grey_may_have_white_as_zero() -> None:
    data = tiff(tiff_tags(2, 1, t258=(3, 1, 16), t262=(3, 1, 0), t279=(4, 1, 4)), b"\0\0\xff\xff")

    assert decode(data).pixels[0, :, 0].tolist() == [255, 0]
