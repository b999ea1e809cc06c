"""What the input of an ONNX graph tells of the pictures it takes: size, colours and layout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.errors import InvalidRequest
from app.inference.recipe import Colour, Layout
from app.intake.recipe_guess import RecipeWish

# Where the colours, lines and columns of a row stand, and how that is said.
_WHOLE: tuple[tuple[Layout, int, int, int, str], ...] = (
    ("channels-height-width", 0, 1, 2, "colours first"),
    ("height-width-channels", 2, 0, 1, "colours last"),
)
_CHANNELS = (1, 3)


@dataclass(frozen=True, slots=True)
class GraphInput:
    """What was said, completed by what a graph tells; `n_features` is the length of a flat row, None where there is none."""

    wish: RecipeWish
    layout: Layout = "flat"
    n_features: int | None = None
    notes: tuple[str, ...] = ()


def read_input(shape: Sequence[int | None] | None, wish: RecipeWish, layout: Layout | None = None) -> GraphInput:
    """Complete what was said by the shape of a graph's rows, None for a length that may be any.

    Raises InvalidRequest where the two do not agree, or the shape is not a picture's.
    """
    if shape is None or len(shape) == 1:
        return GraphInput(wish, layout or "flat", shape[0] if shape else None)
    fitting = [whole for whole in _WHOLE if len(shape) == 3 and layout in (None, whole[0])]
    # Where a graph leaves open how many colours it takes, as some exporters do, they come first as in PyTorch.
    found = next((whole for may in (_CHANNELS, (None,)) for whole in fitting if shape[whole[1]] in may), None)
    if found is None:
        wrong = f"not {layout}" if layout else "not a picture's: colours, 1 or 3, stand neither first nor last"
        raise InvalidRequest(f"The graph takes rows of the shape {_told(shape)}, which is {wrong}.")
    name, channel, line, column, words = found
    colour = _colour(shape[channel], wish.colour)
    size = _size(shape[column], shape[line], wish.size)
    note = f"Seen from its input of {_told(shape)}: {colour} pictures of {size}, {words}."
    return GraphInput(replace(wish, size=size, colour=colour), name, notes=(note,))


def _colour(channels: int | None, said: Colour | None) -> Colour:
    if said is not None and channels not in (None, 1 if said == "grey" else 3):
        raise InvalidRequest(f"The graph takes {channels} colour{'s' if channels != 1 else ''} a picture, which is not {said}.")
    return said or ("grey" if channels == 1 else "rgb")


def _size(width: int | None, height: int | None, said: str | None) -> str:
    if width and height:
        if said not in (None, f"{width}x{height}"):
            raise InvalidRequest(f"The graph takes pictures of {width}x{height}, not of {said}.")
        return f"{width}x{height}"
    if said is None:
        raise InvalidRequest("The graph takes pictures of more than one size: say with --size which it learned from.")
    return said


def _told(shape: Sequence[int | None]) -> str:
    return f"({', '.join('any' if length is None else str(length) for length in shape)})"
