"""The picture files: three sizes to measure with, and small ones of several kinds to check labels with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from PIL import Image, ImageOps

from benchmarks.assets.photos import Photo, grained
from benchmarks.load.wires import HOLE

_ORIENTATION = 0x0112  # the EXIF tag
_GRAIN = {"1": 0.0, "2": 4.0, "3": 5.0}


@dataclass(frozen=True, slots=True)
class Size:
    """What a measured picture should be like."""

    width: int
    height: int
    file_bytes: int


SIZES = {"1": Size(64, 64, 2_000), "2": Size(1024, 768, 150_000), "3": Size(4000, 3000, 3_500_000)}


def jpeg(image: Image.Image, quality: int = 90, **options: Any) -> bytes:
    """Give a JPEG whose comment holds the hole for a request's token."""
    file = BytesIO()
    image.save(file, "JPEG", quality=quality, comment=HOLE, **options)
    return file.getvalue()


def measured_picture(name: str, image: Image.Image) -> bytes:
    """Give a photo cropped, enlarged and grained to the picture of that name, at the quality that brings it to its weight."""
    size = SIZES[name]
    fitted = ImageOps.fit(image, (size.width, size.height), Image.Resampling.LANCZOS)
    picture = grained(fitted, _GRAIN[name])
    low, high = 10, 97
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if len(jpeg(picture, middle)) < size.file_bytes else (low, middle)
    return min(jpeg(picture, low), jpeg(picture, high), key=lambda file: abs(len(file) - size.file_bytes))


def check_pictures(photos: list[Photo]) -> Iterator[tuple[str, bytes]]:
    """Give a name and a file for each photo; of every four, one is turned by EXIF, one grey, one a PNG."""
    for number, photo in enumerate(photos):
        image = photo.upright()
        match number % 4:
            case 0:
                exif = Image.Exif()
                exif[_ORIENTATION] = 6
                yield f"{number}-turned.jpg", jpeg(image.transpose(Image.Transpose.ROTATE_90), exif=exif)
            case 1:
                yield f"{number}-grey.jpg", jpeg(image.convert("L"))
            case 2:
                file = BytesIO()
                image.save(file, "PNG")
                yield f"{number}.png", file.getvalue()
            case _:
                yield f"{number}.jpg", jpeg(image)
