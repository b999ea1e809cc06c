"""The recipe of an imported model: what its owner said, completed by what the file tells."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import isqrt

from app.errors import InvalidRequest
from app.inference.recipe import Colour, Fit, Layout, Recipe, Scale
from app.intake.scan import Report

_SIZE = re.compile(r"(\d{1,4})x(\d{1,4})")
_OURS = {"ImageEmbedding", "OrientedGradients", "FlatPixels"}


@dataclass(frozen=True, slots=True)
class RecipeWish:
    """What was said of how pictures were fed to the classifier; None where nothing was."""

    size: str | None = None
    colour: Colour | None = None
    scale: Scale | None = None
    fit: Fit | None = None
    layout: Layout | None = None


def recipe_for(report: Report, wish: RecipeWish) -> tuple[Recipe, list[str]]:
    """Give the recipe, and a sentence for each thing that was concluded; raises InvalidRequest where nothing could be."""
    ours = bool(_OURS & set(report.estimators))
    notes = []
    if wish.size is None:
        width, height, colour = _from_features(report.n_features, wish.colour)
        notes.append(f"Seen from its {report.n_features:,} features: {colour} pictures of {width}x{height}.")
    else:
        match = _SIZE.fullmatch(wish.size)
        if match is None or not int(match[1]) or not int(match[2]):
            raise InvalidRequest(f"{wish.size!r} is no size: write it like 32x32.")
        width, height = int(match[1]), int(match[2])
        colour = wish.colour or ("grey" if report.n_features == width * height else "rgb")
    scale: Scale = wish.scale or ("0-255" if ours else "0-1")
    if wish.scale is None:
        notes.append(f"Levels are taken as {scale}; if it learned others, say so with --scale.")
    return Recipe(width, height, wish.fit or "stretch", colour, scale, wish.layout or "flat"), notes


def _from_features(count: int | None, colour: Colour | None) -> tuple[int, int, Colour]:
    possible: list[tuple[int, Colour]] = []
    if count and colour in (None, "grey") and isqrt(count) ** 2 == count:
        possible.append((isqrt(count), "grey"))
    if count and colour != "grey" and count % 3 == 0 and isqrt(count // 3) ** 2 == count // 3:
        possible.append((isqrt(count // 3), colour or "rgb"))
    if len(possible) != 1:
        told = f"The classifier takes {count:,} numbers" if count else "The file does not tell how many numbers it takes"
        raise InvalidRequest(f"{told}, which fits no one square picture: say the size of the pictures with --size.")
    side, found = possible[0]
    return side, side, found
