"""What a file says about its picture, read from its bytes alone, with every limit checked before a pixel is decoded."""

from __future__ import annotations

from collections.abc import Callable

from app.errors import UnsupportedImage
from app.inference.images.headers import bmp, gif, heif, jpeg, png, tiff, webp
from app.inference.images.headers.header import BYTES_PER_PIXEL, Header
from app.inference.images.limits import ImageLimits

__all__ = ["ACCEPTED", "ACCEPTED_MEDIA_TYPES", "BYTES_PER_PIXEL", "Header", "read_header"]

ACCEPTED = ("JPEG", "PNG", "WebP", "GIF", "BMP", "TIFF", "AVIF", "HEIC")
ACCEPTED_MEDIA_TYPES = (
    *("image/jpeg", "image/png", "image/webp", "image/gif", "image/bmp"),
    *("image/tiff", "image/avif", "image/heic", "image/heif"),
)

_BEGINNINGS: tuple[tuple[bytes, Callable[[bytes, ImageLimits], Header]], ...] = (
    (b"\xff\xd8\xff", jpeg.read),
    (b"\x89PNG\r\n\x1a\n", png.read),
    (b"GIF87a", gif.read),
    (b"GIF89a", gif.read),
    (b"II*\0", tiff.read),
    (b"MM\0*", tiff.read),
    (b"II+\0", tiff.read),
    (b"MM\0+", tiff.read),
)
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"})


def read_header(data: bytes, limits: ImageLimits) -> Header:
    """Tell the format by the bytes and read its header.

    Raises UnsupportedImage for what is not accepted, InvalidImage or ImageTooComplex for what is seen to be broken or
    over a limit, and IndexError, ValueError, struct.error and their like where a broken file ends the reading.
    """
    read = _reader(data)
    if read is None:
        names = f"{', '.join(ACCEPTED[:-1])} or {ACCEPTED[-1]}"
        raise UnsupportedImage(f"This file is not a picture we can read. Send {names}.")
    return read(data, limits)


def _reader(data: bytes) -> Callable[[bytes, ImageLimits], Header] | None:
    for beginning, read in _BEGINNINGS:
        if data.startswith(beginning):
            return read
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return webp.read
    # Two letters may begin any text, so the size of the header must be one of a BMP too.
    if data[:2] == b"BM" and int.from_bytes(data[14:18], "little") in bmp.HEADER_SIZES:
        return bmp.read
    if data[4:8] == b"ftyp":
        return _reader_of_brands(data)
    return None


def _reader_of_brands(data: bytes) -> Callable[[bytes, ImageLimits], Header] | None:
    listed = data[8 : min(int.from_bytes(data[:4], "big"), 256)]
    brands = {listed[at : at + 4] for at in range(0, len(listed), 4) if at != 4}  # the second is a version
    if brands & _AVIF_BRANDS:
        return heif.read_avif
    return heif.read_heic if brands & _HEIC_BRANDS else None
