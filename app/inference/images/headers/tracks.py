"""The tracks of an animated AVIF: how many frames, and the bytes of the first."""

from __future__ import annotations

import struct

from app.errors import InvalidImage
from app.inference.images.headers.boxes import Box, boxes
from app.inference.images.limits import ImageLimits, check_bytes, check_count

_TRACKS_BYTES = 1_048_576  # a thousand frames need 40 kB


def read_tracks(data: bytes, movie: Box, limits: ImageLimits) -> tuple[int, list[bytes]]:
    """Give the number of frames of the longest track, and the first frame's bytes of every track."""
    check_bytes(movie.size, _TRACKS_BYTES, "tracks")
    frames, firsts = 0, []
    for track in boxes(data, movie.begin, movie.end, limits):
        if track.kind == b"trak":
            tables = _tables(data, track, limits)
            frames = max(frames, _count_frames(data, tables, limits))
            firsts.append(_first_frame(data, tables))
    return frames, firsts


def _tables(data: bytes, track: Box, limits: ImageLimits) -> dict[bytes, Box]:
    holder = track
    for kind in (b"mdia", b"minf", b"stbl"):
        holder = _children(data, holder, limits)[kind]
    return _children(data, holder, limits)


def _children(data: bytes, holder: Box, limits: ImageLimits) -> dict[bytes, Box]:
    found: dict[bytes, Box] = {}
    for box in boxes(data, holder.begin, holder.end, limits):
        if found.setdefault(box.kind, box) is not box:
            raise InvalidImage("This animation describes itself twice.")
    return found


def _count_frames(data: bytes, tables: dict[bytes, Box], limits: ImageLimits) -> int:
    (count,) = struct.unpack_from(">I", data, tables[b"stsz"].begin + 8)
    check_count(count, limits.frames, "frames")
    # Frames lie in chunks. A reader lists as many frames as chunks promise, whatever the count above says.
    (runs,) = struct.unpack_from(">I", data, tables[b"stsc"].begin + 4)
    check_count(runs, limits.frames, "chunks")
    promised = [struct.unpack_from(">I", data, tables[b"stsc"].begin + 12 + 12 * run)[0] for run in range(runs)]
    if b"stco" in tables and b"co64" in tables:
        raise InvalidImage("This animation describes itself twice.")
    (chunks,) = struct.unpack_from(">I", data, (tables.get(b"stco") or tables[b"co64"]).begin + 4)
    check_count(chunks * max(promised, default=0), 10 * limits.frames, "frames")
    return int(count)


def _first_frame(data: bytes, tables: dict[bytes, Box]) -> bytes:
    at = tables[b"stsz"].begin
    (size,) = struct.unpack_from(">I", data, at + 4)  # of every frame; 0 where a table gives each its own
    if not size:
        (size,) = struct.unpack_from(">I", data, at + 12)
    if b"stco" in tables:
        (offset,) = struct.unpack_from(">I", data, tables[b"stco"].begin + 8)
    else:
        (offset,) = struct.unpack_from(">Q", data, tables[b"co64"].begin + 8)
    if offset + size > len(data):
        raise InvalidImage("This animation ends too early.")
    return data[offset : offset + size]
