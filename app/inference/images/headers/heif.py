"""AVIF and HEIC: the sizes of the container and of the code inside it, which need not agree."""

from __future__ import annotations

import struct

from app.errors import InvalidImage
from app.inference.images.headers.av1 import coded_pictures
from app.inference.images.headers.boxes import Box, boxes
from app.inference.images.headers.header import Header
from app.inference.images.headers.hevc import count_pictures
from app.inference.images.headers.items import Items, read_items
from app.inference.images.headers.tracks import read_tracks
from app.inference.images.limits import ImageLimits, check_scans, check_size

# What the readers hold a pixel beside Pillow's copy, measured: planes of the code with a reference, then RGB, for AVIF
# another copy of it. HEIC is read without Pillow's copy.
_HELD = {"AVIF": 8, "HEIC": 3}


def read_avif(data: bytes, limits: ImageLimits) -> Header:
    """Read the header of an AVIF file, checked against the limits; the decoder does not see its metadata."""
    items, movies = _read(data, limits)
    frames = 1
    payloads = items.payloads(data, b"av01")
    for movie in movies:
        counted, firsts = read_tracks(data, movie, limits)
        frames, payloads = max(frames, counted), payloads + firsts
    coded = [coded_pictures(payload, limits) for payload in payloads]
    # The decoder believes the code, not the container: one that says 64 by 64 outside may be 16,384 wide inside.
    for (width, height), pictures in coded:
        check_size(width, height, limits)
        check_scans(width * height, pictures, limits)
    area = sum(width * height for (width, height), _ in coded)
    return _header("AVIF", _without_exif(data, items), _largest(data, items, area, limits), area, frames)


def read_heic(data: bytes, limits: ImageLimits) -> Header:
    """Read the header of a HEIC file, checked against the limits.

    Its decoder refuses code that is larger than the container says.
    """
    items, movies = _read(data, limits)
    for movie in movies:
        read_tracks(data, movie, limits)
    width, height = _largest(data, items, 0, limits)
    pictures = [count_pictures(code, limits) for code in items.payloads(data, b"hvc1")]
    check_scans(width * height, max(pictures, default=0), limits)
    return _header("HEIC", data, (width, height), width * height, 1)


def _read(data: bytes, limits: ImageLimits) -> tuple[Items, list[Box]]:
    top = list(boxes(data, 0, len(data), limits))
    metas = [box for box in top if box.kind == b"meta"]
    if len(metas) > 1:
        raise InvalidImage("This file describes its picture twice.")
    items = read_items(data, metas[0], limits) if metas else Items()
    return items, [box for box in top if box.kind == b"moov"]


def _largest(data: bytes, items: Items, area: int, limits: ImageLimits) -> tuple[int, int]:
    sizes = [struct.unpack_from(">II", data, box.begin + 4) for box in items.properties if box.kind == b"ispe"]
    # A picture joined from tiles has its own size; the last two numbers of a grid, after four bytes, say it again.
    for kind, skipped in ((b"grid", 4), (b"iovl", 10)):
        for payload in items.payloads(data, kind):
            sizes.append(struct.unpack_from(">II" if payload[1] & 1 else ">HH", payload, skipped))
    for width, height in sizes:
        check_size(width, height, limits)
    if not sizes and not area:
        raise InvalidImage("This file holds no picture.")
    return max(sizes, key=lambda size: size[0] * size[1], default=(1, 1))


def _header(name: str, body: bytes, size: tuple[int, int], area: int, frames: int) -> Header:
    return Header(name, *size, body, _HELD[name] * max(area, size[0] * size[1]), frames=frames)


def _without_exif(data: bytes, items: Items) -> bytes:
    places = [at for _, kind, at in items.kinds if kind == b"Exif"]
    if not places:
        return data
    # The item stays where it is under a kind that nobody reads: Pillow would rewrite all its tags, at any length.
    body = bytearray(data)
    for at in places:
        body[at : at + 4] = b"skip"
    return bytes(body)
