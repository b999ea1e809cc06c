"""The tracks of an animated AVIF: how many frames, and the bytes of the first."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from app.errors import InvalidImage
from app.inference.headers.boxes import Box, boxes
from app.inference.limits import ImageLimits, check_bytes, check_count

_HOLDERS = frozenset({b"mdia", b"minf", b"stbl"})
_TRACKS_BYTES = 1_048_576  # a thousand frames need 40 kB


def read_tracks(data: bytes, movie: Box, limits: ImageLimits) -> tuple[int, list[bytes]]:
    """Give the number of frames of the longest track, and the first frame's bytes of every track."""
    check_bytes(movie.size, _TRACKS_BYTES, "tracks")
    frames, firsts = 0, []
    for track in boxes(data, movie.begin, movie.end, limits):
        if track.kind == b"trak":
            leaves = {box.kind: box for box in _leaves(data, track, limits)}
            frames = max(frames, _count_frames(data, leaves, limits))
            firsts.append(_first_frame(data, leaves))
    return frames, firsts


def _leaves(data: bytes, holder: Box, limits: ImageLimits) -> Iterator[Box]:
    seen: set[bytes] = set()
    for box in boxes(data, holder.begin, holder.end, limits):
        if box.kind in seen:
            raise InvalidImage("This animation describes itself twice.")
        seen.add(box.kind)
        if box.kind in _HOLDERS:
            yield from _leaves(data, box, limits)
        else:
            yield box


def _count_frames(data: bytes, leaves: dict[bytes, Box], limits: ImageLimits) -> int:
    if b"stsz" not in leaves or b"stsc" not in leaves:
        raise InvalidImage("This animation does not say where its frames are.")
    (count,) = struct.unpack_from(">I", data, leaves[b"stsz"].begin + 8)
    check_count(count, limits.frames, "frames")
    # Frames lie in chunks. A reader lists as many frames as chunks promise, whatever the count above says.
    (runs,) = struct.unpack_from(">I", data, leaves[b"stsc"].begin + 4)
    check_count(runs, limits.frames, "chunks")
    promised = [struct.unpack_from(">I", data, leaves[b"stsc"].begin + 12 + 12 * run)[0] for run in range(runs)]
    offsets = leaves.get(b"stco") or leaves[b"co64"]
    (chunks,) = struct.unpack_from(">I", data, offsets.begin + 4)
    check_count(chunks * max(promised, default=0), 10 * limits.frames, "frames")
    return int(count)


def _first_frame(data: bytes, leaves: dict[bytes, Box]) -> bytes:
    at = leaves[b"stsz"].begin
    (size,) = struct.unpack_from(">I", data, at + 4)  # of every frame; 0 where a table gives each its own
    if not size:
        (size,) = struct.unpack_from(">I", data, at + 12)
    if b"stco" in leaves:
        (offset,) = struct.unpack_from(">I", data, leaves[b"stco"].begin + 8)
    else:
        (offset,) = struct.unpack_from(">Q", data, leaves[b"co64"].begin + 8)
    if offset + size > len(data):
        raise InvalidImage("This animation ends too early.")
    return data[offset : offset + size]
