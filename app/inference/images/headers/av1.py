"""AV1, the code inside AVIF: the size of a picture as its decoder will see it (AV1 specification, 5.3 to 5.5)."""

from __future__ import annotations

from app.errors import InvalidImage
from app.inference.images.limits import ImageLimits, check_count

_SEQUENCE, _FRAME_HEADER, _FRAME = 1, 3, 6


class _Bits:
    def __init__(self, data: bytes) -> None:
        self._value, self._left = int.from_bytes(data, "big"), 8 * len(data)

    def take(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise InvalidImage("This AVIF file is damaged or ends too early.")
        return self._value >> self._left & ((1 << count) - 1)

    def take_unary_prefixed(self) -> int:
        zeros = 0
        while zeros < 32 and not self.take(1):
            zeros += 1
        return self.take(zeros) if zeros < 32 else 0


def coded_pictures(payload: bytes, limits: ImageLimits) -> tuple[tuple[int, int], int]:
    """Give the largest (width, height) that a piece of AV1 announces, and how many pictures it codes."""
    size, pictures, position, walked = (0, 0), 0, 0, 0
    while position < len(payload):
        walked += 1
        check_count(walked, limits.parts, "units")
        head = payload[position]
        kind, extended, sized = head >> 3 & 15, head >> 2 & 1, head >> 1 & 1
        position += 1 + extended
        length = len(payload) - position
        if sized:
            length, position = _variable_length(payload, position)
        if kind == _SEQUENCE:
            width, height = _sequence_size(payload[position : position + min(length, 256)])
            size = max(size[0], width), max(size[1], height)
        pictures += kind in (_FRAME_HEADER, _FRAME)
        position += length
    return size, pictures


def _variable_length(payload: bytes, position: int) -> tuple[int, int]:
    value = 0
    for index in range(8):
        byte = payload[position]
        position += 1
        value |= (byte & 0x7F) << 7 * index
        if not byte & 0x80:
            break
    return value, position


def _sequence_size(unit: bytes) -> tuple[int, int]:
    bits = _Bits(unit)
    bits.take(4)  # profile, still picture
    if bits.take(1):  # reduced header of a still picture
        bits.take(5)
    else:
        _skip_timing(bits)
    across, down = bits.take(4) + 1, bits.take(4) + 1
    return bits.take(across) + 1, bits.take(down) + 1


def _skip_timing(bits: _Bits) -> None:
    delay = 0
    if bits.take(1):  # timing
        bits.take(64)
        if bits.take(1):
            bits.take_unary_prefixed()
        if bits.take(1):  # model of the decoder
            delay = bits.take(5) + 1
            bits.take(42)
    displayed = bits.take(1)
    for _ in range(bits.take(5) + 1):
        bits.take(12)
        if bits.take(5) > 7:
            bits.take(1)
        if delay and bits.take(1):
            bits.take(2 * delay + 1)
        if displayed and bits.take(1):
            bits.take(4)
