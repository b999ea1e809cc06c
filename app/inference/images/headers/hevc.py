"""HEVC, the code inside HEIC: how many pictures a piece of it codes (ITU-T H.265, 7.3)."""

from __future__ import annotations

from app.inference.images.limits import ImageLimits, check_count

_LAST_PICTURE_KIND = 31  # below are slices of pictures, above parameters and messages


def count_pictures(payload: bytes, limits: ImageLimits) -> int:
    """Count the pictures in a payload of units, each after its length in four bytes."""
    pictures = position = walked = 0
    while position + 7 <= len(payload):
        walked += 1
        check_count(walked, limits.parts, "units")
        length = int.from_bytes(payload[position : position + 4], "big")
        kind = payload[position + 4] >> 1 & 0x3F
        first_slice = payload[position + 6] >> 7  # after the two bytes of a unit's head
        pictures += kind <= _LAST_PICTURE_KIND and first_slice
        position += 4 + length
    return pictures
