"""From a file's bytes to upright pixels, and from those to the small copies that pages show."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from io import BytesIO

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from app.errors import InvalidImage
from app.inference.images.bands import upright_picture
from app.inference.images.colour import Colours
from app.inference.images.headers import BYTES_PER_PIXEL, Header, read_header
from app.inference.images.limits import DEFAULT_LIMITS, ImageLimits, check_file, check_memory
from app.inference.images.orientation import turn_for
from app.inference.images.rasters import Raster, open_raster

_FACTORS = (8, 4, 2)  # by which a JPEG can be decoded smaller, at an eighth of the cost and less
_SPARE = 2  # pixels decoded for each that is wanted, in each direction: enough for an antialiased resize
_QUALITY = 85


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """A picture as a person sees it, and how it came to be."""

    content: PIL.Image.Image | NDArray[np.uint8]  # whichever the decoder made: turning one into the other takes a copy
    format: str  # "JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIC"
    width: int  # of the upload, upright; the content may have fewer pixels
    height: int
    sha256: str  # hexadecimal, of the uploaded bytes
    steps: tuple[str, ...]  # what was done to it, in words

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """The pixels, (height, width, 3), RGB, 0..255, sRGB, upright; read-only."""
        pixels = np.asarray(self.content)
        pixels.flags.writeable = False
        return pixels

    @property
    def picture(self) -> PIL.Image.Image:
        """The same as Pillow has it, in mode RGB; not to be written to."""
        return self.content if isinstance(self.content, PIL.Image.Image) else PIL.Image.fromarray(self.content)


def decode(data: bytes, *, fit: tuple[int, int] | None = None, limits: ImageLimits = DEFAULT_LIMITS) -> Image:
    """Decode an upload, checked against the limits before a pixel is allocated.

    With `fit`, (width, height) in pixels, the picture may come out at a half, a quarter or an eighth of its size, but
    never less than twice `fit` in either direction. Raises InvalidImage or a child of it, and nothing else.
    """
    check_file(data, limits)
    try:
        return _decoded(data, read_header(data, limits), fit, limits)
    except InvalidImage:
        raise
    except Exception as error:  # whatever a broken file does to a decoder, the upload is at fault
        raise InvalidImage("This picture is damaged or ends too early.") from error


def shrink(image: Image, longest_side: int) -> bytes:
    """Give the picture as a JPEG of at most so many pixels a side, antialiased and without metadata, to be shown."""
    small = image.picture.copy()
    small.thumbnail((longest_side, longest_side), PIL.Image.Resampling.LANCZOS, reducing_gap=3.0)
    buffer = BytesIO()
    small.save(buffer, "JPEG", quality=_QUALITY, optimize=True)
    return buffer.getvalue()


def _decoded(data: bytes, header: Header, fit: tuple[int, int] | None, limits: ImageLimits) -> Image:
    drafted = _factor(header.width, header.height, header.orientation, fit) if header.format == "JPEG" else 1
    check_memory(header.held + BYTES_PER_PIXEL * header.width * header.height // drafted**2, limits)
    raster = open_raster(header, drafted, limits)
    reduced = 1 if header.format == "JPEG" else _factor(raster.width, raster.height, raster.orientation, fit)
    colours = Colours(raster.mode, raster.profile, header.levels)
    content = upright_picture(raster, colours, reduced)
    width, height = (header.width, header.height) if header.format == "JPEG" else (raster.width, raster.height)
    if turn_for(raster.orientation).swaps_sides:
        width, height = height, width
    steps = _steps(header, raster, colours, drafted * reduced)
    return Image(content, header.format, width, height, hashlib.sha256(data).hexdigest(), steps)


def _factor(width: int, height: int, orientation: int, fit: tuple[int, int] | None) -> int:
    if fit is None:
        return 1
    across, down = reversed(fit) if turn_for(orientation).swaps_sides else fit
    most = min(width // (_SPARE * across), height // (_SPARE * down))
    return next((factor for factor in _FACTORS if factor <= most), 1)


def _steps(header: Header, raster: Raster, colours: Colours, factor: int) -> tuple[str, ...]:
    steps = [f"first of {header.frames} frames"] if header.frames > 1 else []
    if raster.pictures > 1:
        steps.append(f"main one of {raster.pictures} pictures")
    if header.format == "HEIC":
        steps.append("HEIC to RGB")
    steps += colours.steps
    if words := turn_for(raster.orientation).words:
        steps.append(words)
    if factor > 1:
        steps.append(f"read at 1/{factor} of its size")
    return tuple(steps)
