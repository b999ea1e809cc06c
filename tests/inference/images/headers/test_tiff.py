from __future__ import annotations

import numpy as np
import pytest

from app.errors import ImageTooComplex, InvalidImage
from app.inference.images import ImageLimits, decode
from tests.bombs import tiff, tiff_strips, tiff_tags
from tests.pictures import drawn, many_scans, noise, stored


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_deflate", "tiff_adobe_deflate", "packbits"])
def test_common_compressions_are_read(compression: str) -> None:
    picture = noise(60, 50)

    assert np.array_equal(decode(stored(picture, "TIFF", compression=compression)).pixels, np.asarray(picture))


def test_photos_inside_are_read() -> None:
    assert decode(stored(drawn(), "TIFF", compression="jpeg")).width == 96


@pytest.mark.parametrize("compression", ["zstd", "lzma", "group4"])
def test_rare_compressions_are_refused(compression: str) -> None:
    picture = drawn().convert("1") if compression == "group4" else drawn()

    with pytest.raises(InvalidImage, match="compressed in a way that is not read"):
        decode(stored(picture, "TIFF", compression=compression))


def test_many_strips_are_read() -> None:
    assert decode(tiff(tiff_tags(2, 2), b"\x01\x02\x03\x04")).pixels[:, :, 0].tolist() == [[1, 2], [3, 4]]
    with pytest.raises(InvalidImage):
        decode(tiff_strips(65_000))  # within the limit, and broken


def test_scans_are_counted_in_photos_inside() -> None:
    photo = many_scans(200)
    tags = tiff_tags(96, 64, t258=(3, 1, 8), t259=(3, 1, 7), t262=(3, 1, 6), t277=(3, 1, 3), t279=(4, 1, len(photo)))

    with pytest.raises(ImageTooComplex, match="drawn in 200 or more scans"):
        decode(tiff(tags, photo), limits=ImageLimits(pixel_scans=96 * 64 * 100))


def test_the_memory_of_a_packed_strip_is_counted() -> None:
    with pytest.raises(ImageTooComplex, match="MB of memory"):
        decode(tiff(tiff_tags(7_000, 7_000, t259=(3, 1, 8), t279=(4, 1, 9)), bytes(9)))


@pytest.mark.parametrize(
    "data",
    [
        b"II*\0",
        tiff({}),
        tiff(tiff_tags(9, 9)),
        tiff(tiff_tags(9, 9, t273=(4, 1, 4_000_000)), bytes(81)),
        tiff(tiff_tags(9, 9, t273=(4, 2, 4_096)), bytes(81)),
        tiff(tiff_tags(9, 9, t256=(11, 1, 9)), bytes(81)),
        tiff(tiff_tags(9, 9, t322=(4, 1, 0), t324=(4, 1, 4_096)), bytes(81)),
        tiff(tiff_tags(9, 9, t277=(4, 1, 2**31)), bytes(81)),
    ],
)
def test_broken_files_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidImage):
        decode(data)
