"""Pictures that were damaged at random, each the same every time: what disks, networks and attackers make of a file."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from functools import cache

from tests.pictures import FORMATS, animation, drawn, drawn_in, exif, many_scans, palette_with_hole, sixteen_bit_grey, stored

_TELLING = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_MOST_CHANGES = 8


@cache
def whole() -> tuple[bytes, ...]:
    """Whole pictures of every format, and of the ways in which formats store them."""
    photo = drawn(160, 120)
    odd = [
        stored(photo, "JPEG", progressive=True, exif=exif(6)),
        stored(photo.convert("CMYK"), "JPEG"),
        stored(photo.convert("L"), "JPEG"),
        many_scans(12),
        stored(photo, "PNG", exif=exif(3)),
        stored(photo.convert("RGBA"), "PNG"),
        palette_with_hole(),
        sixteen_bit_grey(list(range(0, 65_536, 1_024))),
        animation("GIF", 3),
        animation("PNG", 3),
        animation("WEBP", 3),
        stored(photo, "WEBP", lossless=True),
        *(stored(photo, "TIFF", compression=method) for method in ("tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits")),
        stored(photo.convert("P"), "BMP"),
    ]
    return (*map(drawn_in, FORMATS), *odd)


def mutated(seed: int) -> bytes:
    """A picture with one to eight damages; a seed gives the same one every time."""
    chance = random.Random(seed)
    data = bytearray(chance.choice(whole()))
    for _ in range(chance.randint(1, _MOST_CHANGES)):
        # Most of what a decoder believes stands at the beginning.
        at = chance.randrange(min(len(data), chance.choice((64, 512, len(data))))) if data else 0
        chance.choice(_DAMAGES)(data, at, chance)
    return bytes(data)


def _flip(data: bytearray, at: int, chance: random.Random) -> None:
    data[at : at + 1] = bytes(byte ^ 1 << chance.randrange(8) for byte in data[at : at + 1])


def _overwrite(data: bytearray, at: int, chance: random.Random) -> None:
    run = chance.randint(1, 16)
    data[at : at + run] = chance.choice((bytes(run), b"\xff" * run, chance.randbytes(run)))


def _number(data: bytearray, at: int, chance: random.Random) -> None:
    size, code = chance.choice(((1, "B"), (2, "H"), (4, "I")))
    number = chance.choice(_TELLING) & (1 << 8 * size) - 1
    data[at : at + size] = struct.pack(chance.choice("<>") + code, number)


def _cut(data: bytearray, at: int, chance: random.Random) -> None:
    del data[at : at + chance.choice((1, 4, 64, len(data)))]


def _repeat(data: bytearray, at: int, chance: random.Random) -> None:
    data[at:at] = data[at : at + chance.randint(1, 256)] * chance.randint(1, 20)


def _insert(data: bytearray, at: int, chance: random.Random) -> None:
    data[at:at] = chance.randbytes(chance.randint(1, 64))


def _join(data: bytearray, at: int, chance: random.Random) -> None:
    other = chance.choice(whole())
    data[at:] = other[chance.randrange(len(other)) :]


_Damage = Callable[[bytearray, int, random.Random], None]
_DAMAGES: tuple[_Damage, ...] = (_flip, _flip, _overwrite, _number, _number, _cut, _repeat, _insert, _join)
