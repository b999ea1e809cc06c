"""Opened pictures: one shape for what Pillow and the HEIC reader give."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from io import BytesIO

import pi_heif
import PIL.AvifImagePlugin
import PIL.TiffImagePlugin
import PIL.WebPImagePlugin
from PIL import Image, ImageFile

from app.errors import InvalidImage
from app.inference.headers import Header
from app.inference.limits import ImageLimits, check_size
from app.inference.orientation import orientation_of

# These plug-ins register themselves on import, the others with `PIL.Image`; Pillow would import all of its forty.
_PLUGINS = (PIL.AvifImagePlugin, PIL.TiffImagePlugin, PIL.WebPImagePlugin)

# Whatever Pillow only warns of ends the decoding. Set once for the process: to catch warnings around a call is not
# safe between threads.
warnings.filterwarnings("error", module=r"PIL\.")


@dataclass(frozen=True, slots=True)
class Raster:
    """A decoded picture as it is stored: not turned, in its own colours."""

    width: int
    height: int
    mode: str  # Pillow's
    rows: Callable[[int, int], Image.Image]  # those from the first number up to the second
    profile: bytes | None
    orientation: int
    pictures: int = 1


def open_raster(header: Header, factor: int, limits: ImageLimits) -> Raster:
    """Decode the first picture, a JPEG already at one `factor`-th (1, 2, 4 or 8) of its size."""
    if header.format == "HEIC":
        return _open_heic(header, limits)
    image = Image.open(BytesIO(header.body), formats=(header.format,))
    check_size(image.width, image.height, limits)
    orientation, profile = header.orientation, header.profile
    if header.format == "JPEG" and factor > 1:
        image.draft(None, (max(1, image.width // factor), max(1, image.height // factor)))
    elif header.format == "AVIF":
        # Its turn is a property of the container, which Pillow tells in the words of EXIF.
        orientation, profile = orientation_of(image.info.get("exif", b"")), image.info.get("icc_profile")
    image.load()
    return Raster(image.width, image.height, image.mode, partial(_pillow_rows, image), profile, orientation)


def _pillow_rows(image: ImageFile.ImageFile, begin: int, end: int) -> Image.Image:
    if begin == 0 and end == image.height:
        return image
    return image.crop((0, begin, image.width, end))


def _open_heic(header: Header, limits: ImageLimits) -> Raster:
    # Read directly, not through Pillow: that would copy 48 megapixels once more. The reader turns the picture itself.
    pictures = pi_heif.HeifFile(header.body, convert_hdr_to_8bit=True)
    if not len(pictures):
        raise InvalidImage("This HEIC file holds no picture.")
    picture = pictures[pictures.primary_index]
    check_size(picture.size[0], picture.size[1], limits)
    picture.load()
    width, height = picture.size  # known for certain only now
    check_size(width, height, limits)

    def rows(begin: int, end: int) -> Image.Image:
        # Looked up each time: the bytes belong to `picture`, and reading them after it is gone ends the process.
        part, stride = memoryview(picture.data), picture.stride
        lines = part[begin * stride : end * stride]
        return Image.frombytes(picture.mode, (width, end - begin), lines, "raw", picture.mode, stride)

    return Raster(width, height, picture.mode, rows, picture.info.get("icc_profile"), 1, len(pictures))
