"""What a file says about its picture, as a frozen value."""

from __future__ import annotations

from dataclasses import dataclass

BYTES_PER_PIXEL = 4  # what Pillow holds for a colour pixel, and more than for any other


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says about its picture; read, checked and bounded before a pixel is decoded."""

    format: str
    width: int  # as stored, before turning
    height: int
    body: bytes  # the file as its decoder may see it: without the metadata and frames that are not decoded
    held: int  # bytes that the decoder holds for its own, whatever size it decodes to
    orientation: int = 1
    frames: int = 1
    profile: bytes | None = None  # ICC, unpacked; empty when it is there but broken
    levels: tuple[int, int] = (0, 65_535)  # black and white of 16-bit grey
