"""Embedded colour profiles: from a picture's own colours to sRGB."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO

import numpy as np
from PIL import Image, ImageCms

_SPACES = {b"RGB ": "RGB", b"GRAY": "L", b"CMYK": "CMYK", b"Lab ": "LAB"}
_CACHED_BYTES = 16_384  # the profiles of cameras and phones have 0.5 to 4 kB
_SAME = 3  # levels of 255 by which versions of sRGB differ from each other
_UNREADABLE = "colour profile ignored: it cannot be read"
_OTHER_COLOURS = "colour profile ignored: it is for other colours"


@dataclass(frozen=True, slots=True)
class Conversion:
    """How pixels of a mode become sRGB; without a transform their RGB already is, or is taken to be."""

    transform: ImageCms.ImageCmsTransform | None = None
    mode: str = "RGB"  # that the transform reads
    step: str = ""  # what a person is told


NO_CONVERSION = Conversion()


def conversion_for(profile: bytes | None, mode: str) -> Conversion:
    """Give the conversion to sRGB of pixels that are "RGB", "L", "CMYK" or "LAB", by the embedded profile."""
    if mode == "LAB":
        return _lab_conversion()
    if profile is None:
        return NO_CONVERSION
    space = _SPACES.get(profile[16:20])
    if space is None or b"mpet" in profile:
        # Elements of this kind may be a chain of any length, each computed for every colour.
        return Conversion(step=_UNREADABLE)
    if space != mode and (mode, space) != ("L", "RGB"):
        return Conversion(step=_OTHER_COLOURS)
    build = _cached_conversion if len(profile) <= _CACHED_BYTES else _conversion
    return build(profile, space)


def _conversion(profile: bytes, space: str) -> Conversion:
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), space, "RGB", ImageCms.Intent.PERCEPTUAL)
        if _changes_nothing(transform, space):
            return NO_CONVERSION
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return Conversion(step=_UNREADABLE)
    return Conversion(transform, space, "colours to sRGB")


_cached_conversion = lru_cache(maxsize=32)(_conversion)


@lru_cache(maxsize=1)
def _lab_conversion() -> Conversion:
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return Conversion(ImageCms.buildTransform(lab, srgb, "LAB", "RGB", ImageCms.Intent.PERCEPTUAL), "LAB", "LAB to RGB")


def _changes_nothing(transform: ImageCms.ImageCmsTransform, space: str) -> bool:
    # Profiles for sRGB go by many names and differ by a level or two: try the colours, do not believe the name.
    if space == "CMYK":
        return False
    levels = np.arange(0, 256, 15, dtype=np.uint8)
    colours = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(len(levels), -1, 3)
    probe = Image.fromarray(colours if space == "RGB" else levels.reshape(1, -1))
    expected = np.asarray(probe.convert("RGB"), dtype=np.int16)
    answered = np.asarray(ImageCms.applyTransform(probe, transform), dtype=np.int16)
    return int(np.abs(expected - answered).max()) <= _SAME
