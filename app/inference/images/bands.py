"""From a stored picture to upright RGB pixels, a few lines at a time, so that no second whole copy is made."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.inference.images.colour import Colours
from app.inference.images.orientation import turn_for
from app.inference.images.rasters import Raster

_BAND_PIXELS = 1_048_576


def upright_picture(raster: Raster, colours: Colours, factor: int) -> Image.Image | NDArray[np.uint8]:
    """Give the picture in RGB, upright, each pixel the mean of `factor` by `factor` stored ones.

    It comes as Pillow has it where it is small; else as an array (height, width, 3) that was filled band by band.

    Means are taken after turning, from the upright picture's first line and column, so that a picture gives the same
    ones however it is stored.
    """
    turn = turn_for(raster.orientation)
    lines = max(factor, _BAND_PIXELS // raster.width // factor * factor)
    if lines >= raster.height:
        return _upright_band(raster, colours, (0, raster.height), factor)
    width, height = (raster.height, raster.width) if turn.swaps_sides else (raster.width, raster.height)
    pixels = np.empty((-(-height // factor), -(-width // factor), 3), dtype=np.uint8)
    for begin in range(0, raster.height, lines):
        end = min(begin + lines, raster.height)
        stored = (raster.height - end, raster.height - begin) if turn.reversed_rows else (begin, end)
        place = slice(begin // factor, -(-end // factor))
        band = np.asarray(_upright_band(raster, colours, stored, factor))
        pixels[(slice(None), place) if turn.swaps_sides else place] = band
    return pixels


def _upright_band(raster: Raster, colours: Colours, rows: tuple[int, int], factor: int) -> Image.Image:
    band = colours.opaque(raster.rows(*rows))
    method = turn_for(raster.orientation).method
    if method is not None:
        band = band.transpose(method)
    # Colours come last: of an eighth of the lines, a sixty-fourth of the pixels is left.
    return colours.to_srgb(band.reduce(factor) if factor > 1 else band)
