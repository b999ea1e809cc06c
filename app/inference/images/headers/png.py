"""PNG: the chunks, of which the decoder sees only those that make pixels."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field

from app.errors import InvalidImage
from app.inference.images.headers.header import Header
from app.inference.images.limits import ImageLimits, check_bytes, check_count, check_size
from app.inference.images.orientation import orientation_of

# Text, profiles and frames of an animation stay out: unpacked, a few kilobytes of them are megabytes.
_KEPT = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})


@dataclass(slots=True)
class _Chunks:
    kept: list[tuple[int, int]] = field(default_factory=list)
    dropped: int = 0  # bytes
    orientation: int = 0  # 0 until one is read; only the first counts
    frames: int = 1
    profile: bytes | None = None


def read(data: bytes, limits: ImageLimits) -> Header:
    """Read the header of a PNG file, checked against the limits."""
    length, kind, width, height = struct.unpack_from(">I4sII", data, 8)
    if kind != b"IHDR" or length != 13:
        raise InvalidImage("This PNG file does not begin with its size.")
    check_size(width, height, limits)
    chunks = _walk(data, limits)
    view = memoryview(data)
    body = b"".join([data[:8], *(view[begin:end] for begin, end in chunks.kept)]) if chunks.dropped else data
    return Header("PNG", width, height, body, 0, chunks.orientation or 1, chunks.frames, chunks.profile)


def _walk(data: bytes, limits: ImageLimits) -> _Chunks:
    chunks = _Chunks()
    position = 8
    metadata = 0
    for walked in range(1, limits.parts + 2):
        check_count(walked, limits.parts, "chunks")
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        if end > len(data):
            raise InvalidImage("This PNG file ends too early.")
        if kind in _KEPT:
            chunks.kept.append((position, end))
        else:
            chunks.dropped += end - position
            _note(data[position + 8 : end - 4], kind, chunks, limits)
        if kind not in (b"IDAT", b"fdAT"):
            metadata += length
            check_bytes(metadata, limits.metadata_bytes, "metadata")
        if kind == b"IEND":
            break
        position = end
    return chunks


def _note(content: bytes, kind: bytes, chunks: _Chunks, limits: ImageLimits) -> None:
    if kind == b"eXIf" and not chunks.orientation:
        chunks.orientation = orientation_of(content)
    elif kind == b"iCCP" and chunks.profile is None:
        chunks.profile = _unpacked(content, limits)
    elif kind == b"acTL":
        chunks.frames = max(1, int.from_bytes(content[:4], "big"))
        check_count(chunks.frames, limits.frames, "frames")


def _unpacked(content: bytes, limits: ImageLimits) -> bytes:
    # A name, a zero byte, the method (0, deflate), the profile.
    _, _, packed = content.partition(b"\0")
    try:
        profile = zlib.decompressobj().decompress(packed[1:], limits.profile_bytes + 1)
    except zlib.error:
        return b""
    check_bytes(len(profile), limits.profile_bytes, "colour profile")
    return profile
