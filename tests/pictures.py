"""Pictures made in memory: drawn, stored in every format and every way that cameras and programs do."""

from __future__ import annotations

import struct
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

RED, BLUE, GREEN, SKY = (220, 40, 40), (20, 40, 200), (30, 160, 60), (200, 220, 250)
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIC")

# What a camera stores for a picture that is upright when shown with each orientation: the opposite turn.
_STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def drawn(width: int = 96, height: int = 64) -> Image.Image:
    """A picture that looks different from every side: red upper left, blue upper right, green lower right."""
    picture = Image.new("RGB", (width, height), SKY)
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 0, width // 2 - 1, height // 2 - 1), fill=RED)
    pen.rectangle((width // 2, 0, width - 1, height // 4 - 1), fill=BLUE)
    pen.ellipse((width // 2, height // 2, width - 1, height - 1), fill=GREEN)
    return picture


def noise(width: int, height: int, seed: int = 0) -> Image.Image:
    """A picture of which no two pixels agree."""
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def stored(picture: Image.Image, format: str, **options: Any) -> bytes:
    """The bytes of a picture in a format."""
    buffer = BytesIO()
    picture.save(buffer, format, **options)
    return buffer.getvalue()


def heic() -> bytes:
    """The drawn picture as HEIC, turned by the container and, again, by its EXIF, as phones store it.

    Made of `drawn()` with Debian's heif-enc, turned by 90 degrees, and a turning property written into it by hand.
    """
    return (Path(__file__).parent / "data" / "drawn.heic").read_bytes()


def drawn_in(format: str) -> bytes:
    """The drawn picture in any accepted format."""
    return heic() if format == "HEIC" else stored(drawn(), format)


def exif(orientation: int) -> bytes:
    """An EXIF block that says how the camera was held."""
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags.tobytes()


def turned(picture: Image.Image, orientation: int, format: str = "PNG", **options: Any) -> bytes:
    """A picture stored as by a camera held so that its EXIF orientation is this."""
    method = _STORED.get(orientation)
    return stored(picture.transpose(method) if method is not None else picture, format, exif=exif(orientation), **options)


def animation(format: str, frames: int) -> bytes:
    """An animation whose first frame is the drawn picture and whose others are noise."""
    others = [noise(96, 64, seed) for seed in range(1, frames)]
    return stored(drawn(), format, save_all=True, append_images=others, duration=50)


def sixteen_bit_grey(values: list[int], format: str = "PNG") -> bytes:
    """One line of 16-bit grey pixels."""
    return stored(Image.fromarray(np.array([values], dtype=np.uint16)), format)


def palette_with_hole() -> bytes:
    """A palette PNG of two halves, black and clear."""
    picture = Image.new("P", (20, 10), 0)
    picture.putpalette([0, 0, 0, 90, 90, 90])
    picture.paste(1, (10, 0, 20, 10))
    return stored(picture, "PNG", transparency=1)


def many_scans(scans: int, width: int = 96, height: int = 64) -> bytes:
    """A progressive JPEG whose last scan is there again and again."""
    data = stored(drawn(width, height), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    already = data.count(b"\xff\xda")
    return data[:-2] + data[last:-2] * (scans - already) + data[-2:]


def swapping_profile() -> bytes:
    """An ICC profile under which red and green have changed places."""
    red, green, blue = (0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141)
    curve = b"curv" + struct.pack(">IIHxx", 0, 1, int(2.2 * 256))
    tags = {
        b"desc": b"desc" + struct.pack(">II5s", 0, 5, b"swap\0") + bytes(79),
        b"cprt": b"text\0\0\0\0none\0\0\0\0",
        b"wtpt": _xyz(0.9642, 1.0, 0.8249),
        b"rXYZ": _xyz(*green),
        b"gXYZ": _xyz(*red),
        b"bXYZ": _xyz(*blue),
        b"rTRC": curve,
        b"gTRC": curve,
        b"bTRC": curve,
    }
    table, contents = struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        table += struct.pack(">4sII", name, 132 + 12 * len(tags) + len(contents), len(content))
        contents += content
    size = 128 + len(table) + len(contents)
    head = struct.pack(">I4xI4s4s4s12x4s28x", size, 0x02100000, b"mntr", b"RGB ", b"XYZ ", b"acsp")
    return (head + struct.pack(">3I", 0xF6D6, 0x10000, 0xD32D)).ljust(128, b"\0") + table + contents


def _xyz(*values: float) -> bytes:
    return b"XYZ " + struct.pack(">I3i", 0, *(int(value * 65_536) for value in values))


def text_chunks(**texts: str) -> PngInfo:
    """Text for a PNG, compressed."""
    info = PngInfo()
    for name, text in texts.items():
        info.add_text(name, text, zip=True)
    return info
