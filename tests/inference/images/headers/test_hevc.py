from __future__ import annotations

import pytest

from app.errors import ImageTooComplex
from app.inference.images.headers.hevc import count_pictures
from app.inference.images.limits import DEFAULT_LIMITS, ImageLimits


def unit(kind: int, first_slice: bool) -> bytes:
    return b"\0\0\0\x04" + bytes([kind << 1, 1, first_slice << 7, 0])


def test_each_first_slice_is_a_picture_and_nothing_else_is() -> None:
    payload = unit(33, True) + unit(19, True) + unit(19, False) + unit(1, True)

    assert count_pictures(payload, DEFAULT_LIMITS) == 2
    assert count_pictures(payload[:-3], DEFAULT_LIMITS) == 1


def test_units_are_bounded() -> None:
    with pytest.raises(ImageTooComplex, match="11 or more units"):
        count_pictures(unit(1, True) * 20, ImageLimits(parts=10))
