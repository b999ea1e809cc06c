from __future__ import annotations

import pytest

from app.errors import ImageTooComplex, InvalidImage
from app.inference.images import ImageLimits, decode
from tests.bombs import webp, webp_canvas
from tests.pictures import drawn, drawn_in, exif, stored


@pytest.mark.parametrize("options", [{}, {"lossless": True}, {"exif": exif(1)}])
def test_the_size_of_every_kind_is_known_before_it_is_decoded(options: dict[str, object]) -> None:
    data = stored(drawn(), "WEBP", **options)

    with pytest.raises(ImageTooComplex, match="is 96 by 64 pixels"):
        decode(data, limits=ImageLimits(side=95))
    assert decode(data, limits=ImageLimits(side=96)).height == 64


def test_profiles_are_bounded() -> None:
    with pytest.raises(ImageTooComplex, match="colour profile"):
        decode(webp(webp_canvas(9, 9), (b"ICCP", bytes(4_000_001))))


@pytest.mark.parametrize("data", [webp(), webp(webp_canvas(9, 9)), webp((b"VP8 ", b"")), drawn_in("WEBP")[:-1]])
def test_broken_files_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidImage):
        decode(data)
