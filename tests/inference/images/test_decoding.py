from __future__ import annotations

import hashlib
from contextlib import suppress
from io import BytesIO

import numpy as np
import PIL.Image
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import ImageTooLarge, InvalidImage, UnsupportedImage
from app.inference.images import ACCEPTED, ACCEPTED_MEDIA_TYPES, Image, ImageLimits, decode, shrink
from tests.pictures import BLUE, FORMATS, GREEN, RED, SKY, animation, drawn, drawn_in, heic, noise, stored, turned

LOSSLESS = ("PNG", "BMP", "TIFF")


def assert_drawn(image: Image, tolerance: int = 12) -> None:
    height, width = image.pixels.shape[:2]
    for (x, y), colour in {(0.25, 0.25): RED, (0.75, 0.1): BLUE, (0.75, 0.75): GREEN, (0.25, 0.8): SKY}.items():
        seen = image.pixels[int(y * height), int(x * width)].astype(int)
        assert np.abs(seen - colour).max() <= tolerance


@pytest.mark.parametrize("format", FORMATS)
def test_every_accepted_format_is_read(format: str) -> None:
    data = drawn_in(format)

    image = decode(data)

    assert (image.format, image.width, image.height) == (format, 96, 64)
    assert image.pixels.shape == (64, 96, 3)
    assert image.pixels.dtype == np.uint8
    assert image.sha256 == hashlib.sha256(data).hexdigest()
    assert_drawn(image)


@pytest.mark.parametrize("format", LOSSLESS)
def test_lossless_pictures_are_read_exactly(format: str) -> None:
    picture = noise(33, 17)

    assert np.array_equal(decode(stored(picture, format)).pixels, np.asarray(picture))


def test_pixels_cannot_be_changed_by_those_who_share_them() -> None:
    with pytest.raises(ValueError, match="read-only"):
        decode(drawn_in("PNG")).pixels[0, 0] = 0


def test_an_empty_file_is_told_apart() -> None:
    with pytest.raises(InvalidImage, match=r"^This file is empty\.$"):
        decode(b"")


@pytest.mark.parametrize(
    "data", [b"Meow, said the cat.", b"BMW makes cars", b"%PDF-1.7", b"\0" * 99, b"<svg></svg>", b"RIFF    WAVE"]
)
def test_what_is_no_picture_is_refused_with_what_is_accepted(data: bytes) -> None:
    with pytest.raises(UnsupportedImage) as refused:
        decode(data)

    assert str(refused.value) == ("This file is not a picture we can read. Send JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF or HEIC.")
    assert len(ACCEPTED) == 8
    assert {"image/jpeg", "image/heic"} < set(ACCEPTED_MEDIA_TYPES)


def test_a_file_of_too_many_bytes_is_refused_before_it_is_read() -> None:
    with pytest.raises(ImageTooLarge, match=r"^This file has 2\.0 MB, and at most 1 MB are taken\.$"):
        decode(bytes(2_000_000), limits=ImageLimits(file_bytes=1_000_000))


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_truncated_files_are_refused(format: str, share: float) -> None:
    data = heic() if format == "HEIC" else stored(noise(96, 64), format)

    with pytest.raises(InvalidImage):
        decode(data[: int(len(data) * share)])


@pytest.mark.parametrize("format", FORMATS)
def test_fit_keeps_at_least_twice_what_is_asked_for(format: str) -> None:
    image = decode(heic() if format == "HEIC" else stored(drawn(400, 300), format), fit=(12, 16))

    height, width = image.pixels.shape[:2]
    assert width >= 24
    assert height >= 32
    assert (image.width, image.height) == ((96, 64) if format == "HEIC" else (400, 300))
    assert_drawn(image)


@pytest.mark.parametrize(
    ("fit", "shape"), [((200, 150), (300, 400)), ((100, 75), (150, 200)), ((20, 25), (75, 100)), ((1, 1), (38, 50))]
)
def test_fit_reads_the_smallest_of_half_quarter_and_eighth_that_will_do(fit: tuple[int, int], shape: tuple[int, int]) -> None:
    for format in ("JPEG", "PNG"):
        assert decode(stored(drawn(400, 300), format), fit=fit).pixels.shape[:2] == shape


def test_fit_is_meant_for_the_upright_picture() -> None:
    data = turned(drawn(300, 400), 6, "JPEG")

    image = decode(data, fit=(75, 20))

    assert (image.width, image.height) == (300, 400)
    assert image.pixels.shape[:2] == (200, 150)
    assert_drawn(image)


def test_fit_changes_colours_no_more_than_averaging_does() -> None:
    data = stored(noise(64, 64), "PNG")

    whole, half = decode(data).pixels.astype(float), decode(data, fit=(16, 16)).pixels

    assert np.abs(whole.reshape(32, 2, 32, 2, 3).mean(axis=(1, 3)) - half).max() <= 1


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "TIFF", "AVIF"])
def test_of_an_animation_the_first_frame_is_read(format: str) -> None:
    image = decode(animation(format, 3))

    assert image.steps[0] == "first of 3 frames"
    assert_drawn(image)


def test_steps_tell_a_person_what_was_done() -> None:
    assert decode(drawn_in("PNG")).steps == ()
    assert decode(heic()).steps == ("HEIC to RGB",)
    assert decode(turned(drawn(200, 200), 6, "JPEG"), fit=(50, 50)).steps == ("turned 90 degrees", "read at 1/2 of its size")


def test_what_is_shown_again_is_small_and_carries_nothing() -> None:
    image = decode(turned(drawn(300, 200), 6, "JPEG", comment=b"where I live"))

    shown = shrink(image, 90)

    with PIL.Image.open(BytesIO(shown)) as reopened:
        assert (reopened.format, reopened.size) == ("JPEG", (90, 60))
        assert not reopened.getexif()
        assert "comment" not in reopened.info
    assert_drawn(decode(shown))


def test_what_is_shown_is_never_larger_than_it_was() -> None:
    assert decode(shrink(decode(drawn_in("PNG")), 500)).width == 96


SEEDS = [*(drawn_in(format) for format in FORMATS), *(animation(format, 2) for format in ("GIF", "WEBP", "PNG", "AVIF"))]
SEEDS += [turned(drawn(40, 30), 6, "JPEG", progressive=True), stored(drawn(40, 30), "TIFF", compression="tiff_lzw")]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    data = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 8))):
        at = draw(st.integers(0, len(data) - 1))
        match draw(st.integers(0, 3)):
            case 0:
                data[at] = draw(st.integers(0, 255))
            case 1:
                data[at : at + 4] = draw(st.sampled_from([b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\1"]))
            case 2:
                data[at:at] = draw(st.binary(min_size=1, max_size=9))
            case 3:
                del data[at + 1 :]
    return bytes(data)


@settings(max_examples=300, derandomize=True, deadline=None, database=None)
@given(mutated(), st.sampled_from([None, (8, 8)]))
def test_broken_files_are_read_or_refused_and_nothing_else(data: bytes, fit: tuple[int, int] | None) -> None:
    with suppress(InvalidImage):
        assert decode(data, fit=fit, limits=ImageLimits(pixels=1_000_000)).pixels.shape[2] == 3
