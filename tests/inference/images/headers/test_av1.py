from __future__ import annotations

import pytest

from app.errors import ImageTooComplex, InvalidImage
from app.inference.images.headers.av1 import coded_pictures
from app.inference.images.limits import DEFAULT_LIMITS, ImageLimits


def unit(kind: int, content: bytes) -> bytes:
    return bytes([kind << 3 | 2, len(content)]) + content


def sequence(bits: str) -> bytes:
    return unit(1, int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big"))


STILL = "000" + "1" + "1" + "00000"
SIZE = f"{15:04b}{15:04b}{299:016b}{199:016b}"
MODEL = f"{7:05b}{0:032b}{3:05b}{3:05b}"  # eight bits of delay
TIMED = "000" + "0" + "0" + "1" + "0" * 64 + "1" + "1" + "1" + MODEL + "1" + f"{0:05b}" + "0" * 12 + f"{9:05b}" + "1"
TIMED += "1" + "0" * 17 + "1" + "0000"


@pytest.mark.parametrize("head", [STILL, "000" + "0" + "0" + "0" + "0" + f"{0:05b}" + "0" * 12 + f"{4:05b}", TIMED])
def test_the_size_is_read_from_every_form_of_the_head(head: str) -> None:
    assert coded_pictures(sequence(head + SIZE), DEFAULT_LIMITS) == ((300, 200), 0)


def test_the_largest_of_several_sizes_counts() -> None:
    small = sequence(STILL + f"{7:04b}{7:04b}{9:08b}{250:08b}")

    assert coded_pictures(small + sequence(STILL + SIZE) + small, DEFAULT_LIMITS)[0] == (300, 251)


def test_pictures_are_counted() -> None:
    assert coded_pictures(unit(2, b"") + unit(6, b"xy") * 3 + unit(3, b"x") + unit(4, b"x"), DEFAULT_LIMITS)[1] == 4


def test_a_last_unit_may_leave_out_its_length() -> None:
    assert coded_pictures(unit(6, b"x") + b"\x30xyz", DEFAULT_LIMITS)[1] == 2


def test_a_cut_head_is_refused() -> None:
    with pytest.raises(InvalidImage):
        coded_pictures(sequence(STILL), DEFAULT_LIMITS)


def test_units_are_bounded() -> None:
    with pytest.raises(ImageTooComplex, match="11 or more units"):
        coded_pictures(unit(2, b"") * 20, ImageLimits(parts=10))
