"""JPEG: the segments before the first scan, and how many scans there are."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field

from app.errors import InvalidImage
from app.inference.images.headers.header import Header
from app.inference.images.limits import ImageLimits, check_bytes, check_count, check_scans, check_size
from app.inference.images.orientation import orientation_of

_SOI, _EOI, _SOS, _COM = 0xD8, 0xD9, 0xDA, 0xFE
_APP0, _APP1, _APP2, _APP14, _APP15 = 0xE0, 0xE1, 0xE2, 0xEE, 0xEF
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_ALONE = frozenset({0x00, 0x01, _SOI, *range(0xD0, 0xD8)})  # markers without a length
_COLOUR_HINTS = frozenset({_APP0, _APP14})  # JFIF and Adobe decide how the decoder reads three or four components
_SEGMENT = re.compile(rb"\xff[^\xff]")
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # a marker among coded data: not a stuffed byte, not a restart

# Before the picture: the richest metadata comes in a few hundred of them, and each costs a step to walk.
_MOST_SEGMENTS = 20_000


@dataclass(slots=True)
class _Segments:
    kept: list[tuple[int, int]] = field(default_factory=list)
    dropped: int = 0  # bytes of metadata
    frame: tuple[int, int] | None = None  # marker, position of its content
    orientation: int = 0  # 0 until one is read; only the first counts
    profile: list[bytes] = field(default_factory=list)
    scan: int = 0  # where the first scan's marker begins


def read(data: bytes, limits: ImageLimits) -> Header:
    """Read the header of a JPEG file, checked against the limits."""
    segments = _walk(data, limits)
    if segments.frame is None:
        raise InvalidImage("This JPEG file has no picture before its first scan.")
    marker, at = segments.frame
    height, width, components = struct.unpack_from(">HHB", data, at + 1)
    check_size(width, height, limits)
    held = 0
    if marker in _PROGRESSIVE or data[segments.scan + 4] < components:
        check_scans(width * height, count_scans(data, segments.scan, len(data), limits), limits)
        # Where scans are laid over each other the decoder keeps the coefficients of the whole picture, 16 bits each.
        held = int(2 * width * height * _samples_per_pixel(data, at, components))
    profile = _joined(segments.profile)
    check_bytes(len(profile or b""), limits.profile_bytes, "colour profile")
    body = _without_metadata(data, segments)
    return Header("JPEG", width, height, body, held, segments.orientation or 1, profile=profile)


def count_scans(data: bytes, start: int, end: int, limits: ImageLimits) -> int:
    """Count the scans between two positions, to the end of the picture and no further than `limits.parts` markers.

    Walked and not just searched for: the bytes of a scan's marker also occur inside other segments.
    """
    scans = walked = 0
    position = start
    while found := _MARKER.search(data, position, end):
        position = found.end()
        marker = data[position - 1]
        if marker == _EOI:
            break
        walked += 1
        check_count(walked, limits.parts, "segments")
        scans += marker == _SOS
        if marker not in _ALONE and position + 2 <= end:
            position += int.from_bytes(data[position : position + 2], "big")
    return scans


def _walk(data: bytes, limits: ImageLimits) -> _Segments:
    segments = _Segments()
    position = end = 2
    most = min(limits.parts, _MOST_SEGMENTS)
    for walked in range(1, most + 2):
        check_count(walked, most, "segments")
        found = _SEGMENT.search(data, position)
        if found is None:
            raise InvalidImage("This JPEG file ends before its picture begins.")
        # Fill bytes and junk may stand before a marker. They go too: Pillow would read them one by one.
        begin, position = found.end() - 2, found.end()
        segments.dropped += begin - end
        marker = data[position - 1]
        if marker == _SOS:
            segments.scan = begin
            break
        if marker == _EOI:
            raise InvalidImage("This JPEG file ends before its picture begins.")
        if marker in _ALONE:
            end = position
            continue
        end = position + int.from_bytes(data[position : position + 2], "big")
        if end < position + 2 or end > len(data):
            raise InvalidImage("This JPEG file is damaged or ends too early.")
        _take(data, segments, marker, (begin, position + 2, end))
        check_bytes(segments.dropped, limits.metadata_bytes, "metadata")
        position = end
    return segments


def _take(data: bytes, segments: _Segments, marker: int, span: tuple[int, int, int]) -> None:
    begin, content, end = span
    if (_APP0 <= marker <= _APP15 and marker not in _COLOUR_HINTS) or marker == _COM:
        segments.dropped += end - begin
        if marker == _APP1 and not segments.orientation and data.startswith(b"Exif\0\0", content):
            segments.orientation = orientation_of(data[content:end])
        elif marker == _APP2 and data.startswith(b"ICC_PROFILE\0", content):
            segments.profile.append(data[content + 12 : end])
        return
    if marker in _FRAMES:
        if segments.frame is not None:
            raise InvalidImage("This JPEG file describes its picture twice.")
        segments.frame = (marker, content)
    segments.kept.append((begin, end))


def _samples_per_pixel(data: bytes, at: int, components: int) -> float:
    factors = [divmod(data[at + 7 + 3 * index], 16) for index in range(components)]
    widest = max(across for across, _ in factors) * max(down for _, down in factors)
    return sum(across * down for across, down in factors) / max(1, widest)


def _without_metadata(data: bytes, segments: _Segments) -> bytes:
    if not segments.dropped:
        return data
    view = memoryview(data)
    return b"".join([data[:2], *(view[begin:end] for begin, end in segments.kept), view[segments.scan :]])


def _joined(pieces: list[bytes]) -> bytes | None:
    # Each piece begins with its number, from 1, and the number of all: a profile may be longer than a segment.
    if not pieces:
        return None
    pieces = sorted(pieces)
    whole = [piece[:2] for piece in pieces] == [bytes((index, len(pieces))) for index in range(1, len(pieces) + 1)]
    return b"".join(piece[2:] for piece in pieces) if whole else b""
