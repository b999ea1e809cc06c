"""Opened pictures: one shape for what Pillow and the HEIC reader give."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from io import BytesIO

import PIL.AvifImagePlugin
import PIL.TiffImagePlugin
import PIL.WebPImagePlugin
from pi_heif.heif import _pi_heif as heif_reader
from PIL import Image, ImageFile

from app.errors import InvalidImage
from app.inference.images.headers import Header
from app.inference.images.limits import ImageLimits, check_size
from app.inference.images.orientation import orientation_of

# These plug-ins register themselves when they are imported, those of BMP, GIF, JPEG and PNG here; to find one that is
# missing, Pillow would import all of its forty during the first request.
_PLUGINS = (PIL.AvifImagePlugin, PIL.TiffImagePlugin, PIL.WebPImagePlugin)
Image.preinit()

# Whatever Pillow only warns of ends the decoding. Set once for the process: to catch warnings around a call is not
# safe between threads.
warnings.filterwarnings("error", module=r"PIL\.")
# Of what is none of Pillow's: whatever is swept away while it is at work.
warnings.filterwarnings("ignore", category=ResourceWarning, module=r"PIL\.")


_HEIC_THREADS = 4  # at most, for the tiles of one picture


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
    image.decodermaxblock = len(header.body)  # it is in memory already: pieces of 64 kB would be copied once more
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
    # Read by the package's extension, not by its classes or through Pillow. The classes fetch metadata too, and in 1.4.0
    # end the process over an item whose kind is not UTF-8 (https://github.com/bigcat88/pillow_heif/pull/478); Pillow
    # would copy 48 megapixels once more. It turns the picture itself, and gives 8 bits of what has 10.
    pictures = heif_reader.load_file(header.body, _HEIC_THREADS, True, False, False, True, "", False)
    picture = next((each for each in pictures if each is not None and each.primary), None)
    if picture is None:
        raise InvalidImage("This HEIC file holds no picture.")
    (width, height), _ = picture.size_mode
    check_size(width, height, limits)
    memoryview(picture.data)  # decodes, after which the size is certain
    (width, height), mode = picture.size_mode
    check_size(width, height, limits)

    def rows(begin: int, end: int) -> Image.Image:
        # Looked up each time: the bytes belong to `picture`, and reading them after it is gone ends the process.
        stride = picture.stride
        lines = memoryview(picture.data)[begin * stride : end * stride]
        return Image.frombytes(mode, (width, end - begin), lines, "raw", mode, stride)

    profile = picture.color_profile
    icc = profile["data"] if profile.get("type") in ("rICC", "prof") else None
    return Raster(width, height, mode, rows, icc, 1, len(pictures))
