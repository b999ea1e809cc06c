"""WebP: the chunks of its container."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from app.errors import InvalidImage
from app.inference.images.headers.header import BYTES_PER_PIXEL, Header
from app.inference.images.limits import ImageLimits, check_bytes, check_count, check_size
from app.inference.images.orientation import orientation_of

# The reader holds two canvases and hands out a third.
_CANVASES = 3


@dataclass(slots=True)
class _Chunks:
    width: int = 0
    height: int = 0
    frames: int = 0
    metadata: int = 0
    orientation: int = 0  # 0 until one is read; only the first counts
    profile: bytes | None = None


def read(data: bytes, limits: ImageLimits) -> Header:
    """Read the header of a WebP file, checked against the limits."""
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        raise InvalidImage("This WebP file ends too early.")
    chunks = _walk(data, end, limits)
    check_size(chunks.width, chunks.height, limits)
    held = _CANVASES * BYTES_PER_PIXEL * chunks.width * chunks.height
    return Header("WEBP", chunks.width, chunks.height, data, held, chunks.orientation or 1, chunks.frames or 1, chunks.profile)


def _walk(data: bytes, end: int, limits: ImageLimits) -> _Chunks:
    chunks = _Chunks()
    position = 12
    walked = 0
    while position + 8 <= end:
        kind, length = struct.unpack_from("<4sI", data, position)
        if position + 8 + length > end:
            raise InvalidImage("This WebP file ends too early.")
        walked += 1
        check_count(walked, limits.parts, "chunks")
        _note(data, (position + 8, position + 8 + length), kind, chunks)
        check_count(chunks.frames, limits.frames, "frames")
        check_bytes(chunks.metadata, limits.metadata_bytes, "metadata")
        check_bytes(len(chunks.profile or b""), limits.profile_bytes, "colour profile")
        position += 8 + length + (length & 1)
    return chunks


def _note(data: bytes, span: tuple[int, int], kind: bytes, chunks: _Chunks) -> None:
    begin, end = span
    if kind in (b"VP8X", b"VP8 ", b"VP8L"):
        width, height = _size(data, begin, kind)
        chunks.width, chunks.height = max(width, chunks.width), max(height, chunks.height)
        return
    if kind == b"ANMF":
        chunks.frames += 1
        return
    chunks.metadata += 0 if kind == b"ALPH" else end - begin
    if kind == b"EXIF" and not chunks.orientation:
        chunks.orientation = orientation_of(data[begin:end])
    elif kind == b"ICCP" and chunks.profile is None:
        chunks.profile = data[begin:end]


def _size(data: bytes, at: int, kind: bytes) -> tuple[int, int]:
    if kind == b"VP8X":
        return 1 + int.from_bytes(data[at + 4 : at + 7], "little"), 1 + int.from_bytes(data[at + 7 : at + 10], "little")
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, at + 1)
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = struct.unpack_from("<HH", data, at + 6)
    return width & 0x3FFF, height & 0x3FFF
