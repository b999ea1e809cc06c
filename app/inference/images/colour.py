"""Pixels of any kind to RGB: on purpose, and the same for every format."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageCms

from app.errors import InvalidImage
from app.inference.images.profiles import Conversion, conversion_for

_GREY = frozenset({"1", "L", "LA", "La"})
_DEEP_GREY = frozenset({"I;16", "I;16B", "I;16L", "I;16N"})
_STRAIGHT = {"La": "LA", "RGBa": "RGBA"}  # colours that were multiplied by their opacity
_WORDS = {
    "1": "black and white to RGB",
    "L": "grey to RGB",
    "LA": "grey to RGB",
    "P": "palette to RGB",
    "PA": "palette to RGB",
    "CMYK": "CMYK to RGB",
}


class Colours:
    """Turns parts of one picture into RGB and collects, in words, what that took."""

    def __init__(self, mode: str, profile: bytes | None, levels: tuple[int, int]) -> None:
        """`mode` is Pillow's; `levels` are black and white of 16-bit grey."""
        if mode in ("I", "F"):
            raise InvalidImage("This picture has 32 bits a colour without saying which is white; save it with 8 or 16.")
        self._levels = levels
        self._conversion: Conversion = conversion_for(profile, _base(mode))
        self._words = "16-bit grey to RGB" if mode in _DEEP_GREY else _WORDS.get(mode, "")
        self._transparent = False

    @property
    def steps(self) -> tuple[str, ...]:
        """What was done to the colours of the parts so far."""
        white = "transparency on white" if self._transparent else ""
        return tuple(step for step in (self._words, self._conversion.step, white) if step)

    def opaque(self, part: Image.Image) -> Image.Image:
        """Give a part on white where it is transparent, in a mode that `to_srgb` reads and that can be averaged."""
        if part.mode == "RGB" and "transparency" not in part.info:
            return part
        if part.mode in _DEEP_GREY:
            part = _eight_bits(part, self._levels)
        part, opacity = _apart(part)
        if part.mode != self._conversion.mode:
            part = part.convert(self._conversion.mode)
        if opacity is None or opacity.getextrema() == (255, 255):
            return part
        self._transparent = True
        white = Image.new(part.mode, part.size, "white")
        white.paste(part, mask=opacity)
        return white

    def to_srgb(self, part: Image.Image) -> Image.Image:
        """Give a part that `opaque` gave as RGB in sRGB."""
        if self._conversion.transform is None:
            return part
        return ImageCms.applyTransform(part, self._conversion.transform) or part


def _base(mode: str) -> str:
    if mode in _GREY or mode in _DEEP_GREY:
        return "L"
    return mode if mode in ("CMYK", "LAB") else "RGB"


def _eight_bits(part: Image.Image, levels: tuple[int, int]) -> Image.Image:
    """Scale 16-bit grey to 8 bits, rounded; Pillow would clip at 255."""
    black, white = levels
    deep = np.asarray(part).astype(np.float32)
    grey = Image.fromarray(np.clip((deep - black) * (255 / (white - black)) + 0.5, 0, 255).astype(np.uint8))
    clear = part.info.get("transparency")
    if isinstance(clear, int):
        grey.putalpha(Image.fromarray(np.where(deep == clear, 0, 255).astype(np.uint8)))
    return grey


def _apart(part: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Part colours from opacity, which is None where everything is opaque."""
    part = part.convert(_STRAIGHT[part.mode]) if part.mode in _STRAIGHT else part
    if not part.has_transparency_data:
        return part, None
    if part.mode == "LA":
        return part.getchannel("L"), part.getchannel("A")
    part = part if part.mode == "RGBA" else part.convert("RGBA")
    return part.convert("RGB"), part.getchannel("A")
