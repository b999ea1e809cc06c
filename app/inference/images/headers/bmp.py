"""BMP: its one header."""

from __future__ import annotations

import struct

from app.inference.images.headers.header import Header
from app.inference.images.limits import ImageLimits, check_count, check_size

HEADER_SIZES = frozenset({12, 40, 52, 56, 64, 108, 124})
_OLDEST = 12
_RUN_LENGTHS = frozenset({1, 2})


def read(data: bytes, limits: ImageLimits) -> Header:
    """Read the header of a BMP file, checked against the limits."""
    start, header_size = struct.unpack_from("<II", data, 10)
    if header_size == _OLDEST:
        width, height = struct.unpack_from("<HH", data, 18)
        method = 0
    else:
        width, height, _, _, method = struct.unpack_from("<iiHHI", data, 18)
    check_size(width, abs(height), limits)  # a negative height means that rows go from top to bottom
    held = 0
    if method in _RUN_LENGTHS:
        check_count(max(0, len(data) - start) // 2, limits.runs, "runs")
        held = 2 * width * abs(height)
    return Header("BMP", width, abs(height), data, held)
