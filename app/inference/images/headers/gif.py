"""GIF: the blocks up to the first frame, and how many frames follow."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from app.errors import InvalidImage
from app.inference.images.headers.header import Header
from app.inference.images.limits import ImageLimits, check_bytes, check_count, check_size

_EXTENSION, _FRAME, _END = 0x21, 0x2C, 0x3B
_CONTROL = 0xF9  # carries the transparent colour of the frame that follows


@dataclass(slots=True)
class _Blocks:
    walked: int = 0
    metadata: int = 0
    frames: int = 0
    control: tuple[int, int] | None = None
    first: tuple[int, int] | None = None


def read(data: bytes, limits: ImageLimits) -> Header:
    """Read the header of a GIF file, checked against the limits; the decoder sees its first frame alone."""
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    check_size(width, height, limits)
    start = 13 + _palette_bytes(flags)
    blocks = _walk(data, start, limits)
    if blocks.first is None:
        raise InvalidImage("This GIF file holds no picture.")
    begin, end = blocks.first
    left, top, across, down = struct.unpack_from("<4H", data, begin + 1)
    # A frame that sticks out of the canvas makes the canvas larger.
    width, height = max(width, left + across), max(height, top + down)
    check_size(width, height, limits)
    control = data[slice(*blocks.control)] if blocks.control else b""
    body = b"".join([data[:start], control, memoryview(data)[begin:end], bytes([_END])])
    return Header("GIF", width, height, body, 0, frames=blocks.frames)


def _palette_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _walk(data: bytes, position: int, limits: ImageLimits) -> _Blocks:
    blocks = _Blocks()
    while position < len(data):
        kind, begin = data[position], position
        if kind == _EXTENSION:
            position = _after(data, position + 2, blocks, limits)
            _note_extension(data, (begin, position), blocks)
            check_bytes(blocks.metadata, limits.metadata_bytes, "metadata")
        elif kind == _FRAME:
            position = _after(data, position + 11 + _palette_bytes(data[position + 9]), blocks, limits)
            blocks.first = blocks.first or (begin, position)
            blocks.frames += 1
            check_count(blocks.frames, limits.frames, "frames")
        else:
            break  # the end, or what is no block: nothing that follows it is shown
    return blocks


def _note_extension(data: bytes, span: tuple[int, int], blocks: _Blocks) -> None:
    begin, end = span
    if data[begin + 1] == _CONTROL:
        if blocks.first is None:
            blocks.control = span
    else:
        blocks.metadata += end - begin


def _after(data: bytes, position: int, blocks: _Blocks, limits: ImageLimits) -> int:
    # Content comes in blocks of up to 255 bytes, each after its length; an empty one ends it.
    walked, most = blocks.walked, limits.parts
    while length := data[position]:
        position += length + 1
        walked += 1
        if walked > most:
            check_count(walked, most, "blocks")
    blocks.walked = walked + 1
    check_count(blocks.walked, most, "blocks")
    return position + 1
