from __future__ import annotations

import struct

import pytest

from app.errors import ImageTooComplex, InvalidImage
from app.inference.images import ImageLimits, decode
from tests.pictures import animation

FILM = animation("AVIF", 3)


def changed(kind: bytes, at: int, value: int) -> bytes:
    begin = FILM.index(kind) + 4 + at
    return FILM[:begin] + struct.pack(">I", value) + FILM[begin + 4 :]


def test_frames_are_counted() -> None:
    assert decode(FILM, limits=ImageLimits(frames=3)).steps == ("first of 3 frames",)
    with pytest.raises(ImageTooComplex, match="3 or more frames, and at most 2"):
        decode(FILM, limits=ImageLimits(frames=2))


@pytest.mark.parametrize(("kind", "at"), [(b"stsz", 8), (b"stsc", 4), (b"stsc", 12), (b"stco", 4)])
def test_absurd_counts_are_refused(kind: bytes, at: int) -> None:
    with pytest.raises(ImageTooComplex):
        decode(changed(kind, at, 1_000_000_000))


@pytest.mark.parametrize(("kind", "at"), [(b"stco", 8), (b"stsz", 12)])
def test_frames_outside_the_file_are_refused(kind: bytes, at: int) -> None:
    with pytest.raises(InvalidImage):
        decode(changed(kind, at, 1_000_000_000))


def test_a_track_without_its_tables_is_refused() -> None:
    with pytest.raises(InvalidImage):
        decode(FILM.replace(b"stsz", b"free"))


def test_nested_tracks_end_the_reading() -> None:
    begin = FILM.index(b"moov") - 4
    nested = b"".join(struct.pack(">I4s", 8 * (9_000 - depth), b"mdia") for depth in range(8_999))
    holder = struct.pack(">I4sI4s", 8 * 9_001, b"moov", 8 * 9_000, b"trak")

    with pytest.raises(InvalidImage):
        decode(FILM[:begin] + holder + nested)
