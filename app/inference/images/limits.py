"""What a picture may cost, and the sentences that say which limit it is over."""

from __future__ import annotations

from dataclasses import dataclass

from app.errors import ImageTooComplex, ImageTooLarge, InvalidImage

_MEGA = 1_000_000


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """What one picture may cost; each is checked on the header, before a pixel is allocated.

    Pillow's own fence of 89 megapixels stays above `pixels`.
    """

    file_bytes: int = 20_000_000
    pixels: int = 50_000_000
    side: int = 16_384
    pixel_scans: int = 500_000_000  # pixels times the scans (JPEG) or coded pictures (AVIF, HEIC) laid over each other
    memory_bytes: int = 350_000_000  # what decoding holds beside its result: a WebP pixel costs four times a PNG's
    frames: int = 1_000  # of an animation or pages of a TIFF; only the first is decoded, the others are walked over
    strips: int = 65_536  # of a TIFF, or its tiles: 50 megapixels in tiles of 64 by 64 have 12,000; a million take 6 s
    parts: int = 100_000  # segments, chunks, blocks: a 20 MB GIF has 80,000 of 255 bytes; walking this many takes 70 ms
    items: int = 2_000  # of an AVIF or HEIC: a 48-megapixel phone photo has 200; their readers search them in a line
    runs: int = 1_000_000  # of a run-length-encoded BMP, which is unpacked in Python
    metadata_bytes: int = 8_000_000  # all of it is skipped; depth maps of phones take 5 MB
    profile_bytes: int = 4_000_000  # an ICC profile, unpacked: the largest for printing have 3 MB


DEFAULT_LIMITS = ImageLimits()


def check_file(data: bytes, limits: ImageLimits) -> None:
    """Refuse an upload without bytes, or with too many."""
    if not data:
        raise InvalidImage("This file is empty.")
    if len(data) > limits.file_bytes:
        most = limits.file_bytes / _MEGA
        raise ImageTooLarge(f"This file has {len(data) / _MEGA:.1f} MB, and at most {most:g} MB are taken.")


def check_size(width: int, height: int, limits: ImageLimits) -> None:
    """Refuse a picture without pixels, with too long a side or with too many pixels."""
    if width <= 0 or height <= 0:
        raise InvalidImage("This picture has no pixels.")
    if max(width, height) > limits.side:
        raise ImageTooComplex(f"This picture is {width:,} by {height:,} pixels, and a side may have at most {limits.side:,}.")
    if width * height > limits.pixels:
        most = limits.pixels / _MEGA
        raise ImageTooComplex(f"This picture has {width * height / _MEGA:.1f} megapixels, and at most {most:g} are taken.")


def check_scans(pixels: int, scans: int, limits: ImageLimits) -> None:
    """Refuse a picture whose pixels are coded too many times over."""
    if pixels * scans > limits.pixel_scans:
        most = max(1, limits.pixel_scans // pixels)
        raise ImageTooComplex(f"This picture is drawn in {scans:,} or more scans, and at its size at most {most:,} are taken.")


def check_count(count: int, most: int, what: str) -> None:
    """Refuse more of something countable than is taken."""
    if count > most:
        raise ImageTooComplex(f"This picture has {count:,} or more {what}, and at most {most:,} are taken.")


def check_bytes(size: int, most: int, what: str) -> None:
    """Refuse more bytes beside the pixels than are taken."""
    if size > most:
        found = f"{size / _MEGA:.1f} MB or more of {what}"
        raise ImageTooComplex(f"This picture carries {found}, and at most {most / _MEGA:g} MB are taken.")


def check_memory(held: int, limits: ImageLimits) -> None:
    """Refuse a picture whose decoding would hold too much memory at once."""
    if held > limits.memory_bytes:
        needed, most = f"{held / _MEGA:,.0f} MB", f"{limits.memory_bytes / _MEGA:,.0f} MB"
        raise ImageTooComplex(f"Reading this picture would take {needed} of memory, and at most {most} are given.")
