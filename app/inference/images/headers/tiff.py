"""TIFF: the first directory, rewritten so that its decoder sees only the tags that make pixels."""

from __future__ import annotations

import struct

from app.errors import ImageTooComplex, InvalidImage
from app.inference.images.headers.header import BYTES_PER_PIXEL, Header
from app.inference.images.headers.jpeg import count_scans
from app.inference.images.headers.tiff_directory import Directory, Layout, count_directories, layout_of, read_directory
from app.inference.images.limits import ImageLimits, check_bytes, check_count, check_scans, check_size

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _ORIENTATION, _SAMPLES = 256, 257, 258, 259, 262, 274, 277
_STRIP_OFFSETS, _STRIP_ROWS, _STRIP_SIZES = 273, 278, 279
_TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_SIZES = 322, 323, 324, 325
_COLOUR_MAP, _JPEG_TABLES, _PROFILE = 320, 347, 34675
_PIECES = frozenset({_STRIP_OFFSETS, _STRIP_SIZES, _TILE_OFFSETS, _TILE_SIZES})
# Beside these: fill order, plane layout, predictor, extra samples, their format, the weights of YCbCr.
_KEPT = _PIECES | {_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _SAMPLES, _STRIP_ROWS, _TILE_WIDTH, _TILE_HEIGHT}
_KEPT |= {_COLOUR_MAP, _JPEG_TABLES, 266, 284, 317, 338, 339, 529, 530, 531, 532}
_LONGEST = {_COLOUR_MAP: 3 * 65_536, _JPEG_TABLES: 65_536}
_LONG = 64  # values that any other tag may have

_RAW, _JPEG = 1, 7
# Raw, LZW, JPEG, deflate under two numbers, PackBits. The others are rare; of them, faxes write a line to the standard
# error stream for every broken line of the picture.
_COMPRESSIONS = frozenset({_RAW, 5, _JPEG, 8, 32_946, 32_773})


def read(data: bytes, limits: ImageLimits) -> Header:
    """Read the header of a TIFF file, checked against the limits."""
    layout = layout_of(data)
    directory = read_directory(data, layout)
    _check_tags(directory, limits)
    width, height = directory.number(_WIDTH, 0), directory.number(_HEIGHT, 0)
    check_size(width, height, limits)
    if directory.number(_COMPRESSION, _RAW) not in _COMPRESSIONS:
        raise InvalidImage("This TIFF file is compressed in a way that is not read.")
    piece = _piece_pixels(directory, width, height, limits)
    _check_pieces(data, directory, piece, limits)
    profile = directory.content(_PROFILE) if _PROFILE in directory else None
    check_bytes(len(profile or b""), limits.profile_bytes, "colour profile")
    return Header(
        "TIFF",
        width,
        height,
        _rewritten(data, layout, directory),
        _held(directory, piece),
        directory.number(_ORIENTATION, 1),
        count_directories(data, layout, limits),
        profile,
        _levels(directory),
    )


def _check_tags(directory: Directory, limits: ImageLimits) -> None:
    for tag in (_KEPT | {_ORIENTATION}) & directory.keys():
        if tag in _PIECES:
            check_count(directory.length(tag), limits.strips, "strips or tiles")
        elif directory.length(tag) > _LONGEST.get(tag, _LONG):
            raise ImageTooComplex(f"This TIFF file has {directory.length(tag):,} values in tag {tag}, more than are taken.")


def _piece_pixels(directory: Directory, width: int, height: int, limits: ImageLimits) -> int:
    # A strip or tile is unpacked whole: a tile may be far larger than the picture.
    across, down = width, min(height, directory.number(_STRIP_ROWS, height))
    if _TILE_OFFSETS in directory:
        across, down = directory.number(_TILE_WIDTH, 0), directory.number(_TILE_HEIGHT, 0)
    check_size(across, down, limits)
    return across * down


def _check_pieces(data: bytes, directory: Directory, piece: int, limits: ImageLimits) -> None:
    tags = (_TILE_OFFSETS, _TILE_SIZES) if _TILE_OFFSETS in directory else (_STRIP_OFFSETS, _STRIP_SIZES)
    offsets, sizes = (directory.numbers(tag) for tag in tags)
    if not offsets or (sizes and len(sizes) != len(offsets)):
        raise InvalidImage("This TIFF file does not say where its pixels are.")
    if max(offsets) > len(data) or any(offset + size > len(data) for offset, size in zip(offsets, sizes, strict=False)):
        raise InvalidImage("This TIFF file ends too early.")
    if directory.number(_COMPRESSION, _RAW) == _JPEG:
        spans = zip(offsets, sizes or [len(data)] * len(offsets), strict=True)
        check_scans(piece, sum(count_scans(data, offset, offset + size, limits) for offset, size in spans), limits)


def _held(directory: Directory, piece: int) -> int:
    if directory.number(_COMPRESSION, _RAW) == _RAW:
        return 0
    bits = directory.numbers(_BITS) or (1,)
    samples = directory.number(_SAMPLES, len(bits))
    held = piece * max(BYTES_PER_PIXEL, samples * max(bits) // 8)
    # JPEG laid out in scans keeps the coefficients of a whole piece beside it.
    return 2 * held if directory.number(_COMPRESSION, _RAW) == _JPEG else held


def _levels(directory: Directory) -> tuple[int, int]:
    if directory.numbers(_BITS) == (12,):
        return (0, 4_095)
    white_is_zero = directory.number(_PHOTOMETRIC, 1) == 0
    return (65_535, 0) if white_is_zero else (0, 65_535)


def _rewritten(data: bytes, layout: Layout, directory: Directory) -> bytes:
    # One directory, at the end of the file, with the kept entries as they stand; what they point to does not move.
    entries = [directory.raw(tag) for tag in sorted(_KEPT & directory.keys())]
    start = len(data) + len(data) % 2
    count = struct.pack(layout.order + layout.count, len(entries))
    head = data[: layout.first] + struct.pack(layout.order + layout.offset, start)
    rest = memoryview(data)[len(head) :]
    return b"".join([head, rest, b"\0" * (start - len(data)), count, *entries, struct.pack(layout.order + layout.offset, 0)])
