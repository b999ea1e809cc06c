"""Drawings in numbers: where columns, ticks and marks of a chart stand; a template puts them into SVG.

What lies across is in percent of the drawing's width, so that it fits any screen with letters of one size; what stands up is in
pixels, from the top.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

HEIGHT = 160
_GAP = 0.2
_STEPS = (1, 2, 5, 10)
_MOST_PARTS = 4
# One in a thousand is to be seen too.
_LEAST, _LINE = 1.5, 2


@dataclass(frozen=True, slots=True)
class Tick:
    """A line across, and what it stands for."""

    y: float
    words: str


@dataclass(frozen=True, slots=True)
class Mark:
    """Words below the columns, which begin, end or have their middle there; a `roomy` one goes where there is no room."""

    x: float
    words: str
    anchor: Literal["start", "middle", "end", "roomy"] = "middle"


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a column, of a kind that the style sheet knows a colour for."""

    kind: str
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Column:
    """What stands in one slot, and the same in words."""

    x: float
    width: float
    words: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Key:
    """What a colour means."""

    kind: str
    words: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A whole drawing; `unit` says what its ticks count."""

    unit: str
    ticks: tuple[Tick, ...]
    marks: tuple[Mark, ...]
    columns: tuple[Column, ...]
    legend: tuple[Key, ...] = ()
    height: int = HEIGHT


@dataclass(frozen=True, slots=True)
class Table:
    """The same figures to be read: each row begins with what it is about, the rest are numbers."""

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A chart and its table."""

    chart: Chart
    table: Table


class Scale:
    """From nothing at the foot of a drawing to a round number at its head, which `most` does not exceed.

    Of `halves` there are two, however much is in them; else as many parts as give round numbers.
    """

    def __init__(self, most: float, *, whole: bool = False, halves: bool = False) -> None:
        rough = max(most, 1e-9) / (2 if halves else _MOST_PARTS)
        magnitude = 10.0 ** math.floor(math.log10(rough))
        step = next(magnitude * step for step in _STEPS if magnitude * step >= rough * (1 - 1e-9))
        self._step = max(1.0, step) if whole else step
        self.top = self._step * (2 if halves else max(1, math.ceil(most / self._step - 1e-9)))

    def ticks(self, words: Callable[[float], str]) -> tuple[Tick, ...]:
        """Give the round numbers, from nothing to the top, in words."""
        values = (self._step * number for number in range(round(self.top / self._step) + 1))
        return tuple(Tick(self.y(value), words(value)) for value in values)

    def y(self, value: float) -> float:
        """Give how far from the top a value is."""
        return round(HEIGHT * (1 - value / self.top), 2)

    def tall(self, value: float) -> float:
        """Give how tall a value is; whatever there is can be seen."""
        return max(_LEAST, round(HEIGHT * value / self.top, 2)) if value else 0.0


def stacked(x: float, width: float, words: str, scale: Scale, parts: Iterable[tuple[str, float]]) -> Column:
    """Give a column of parts on each other, the first at the foot; a part of nothing has a piece without a height."""
    kinds, values = zip(*parts, strict=True)
    heights = [scale.tall(value) for value in values]
    # What had to be made tall enough to be seen, the tallest gives.
    heights[heights.index(max(heights))] -= max(0.0, sum(heights) - HEIGHT)
    foot, pieces = float(HEIGHT), []
    for kind, height in zip(kinds, heights, strict=True):
        foot -= height
        pieces.append(Piece(kind, max(0.0, round(foot, 2)), round(height, 2)))
    return Column(x, width, words, tuple(pieces))


def ranging(x: float, width: float, words: str, scale: Scale, lower: float, upper: float) -> Column:
    """Give a column that hangs between two values, with a line at each."""
    top, foot = min(scale.y(upper), HEIGHT - 2 * _LINE), min(scale.y(lower), HEIGHT - _LINE)
    lines = Piece("upper", top, _LINE), Piece("lower", foot, _LINE)
    return Column(x, width, words, (Piece("range", top, max(0, round(foot - top, 2))), *lines))


def places(slots: int) -> Sequence[tuple[float, float]]:
    """Give where the columns of so many slots begin, and how wide they are."""
    slot = 100 / slots
    return [(round(slot * (number + _GAP / 2), 3), round(slot * (1 - _GAP), 3)) for number in range(slots)]


def whole(number: float) -> str:
    """Give a number of things in words."""
    return f"{number:,.0f}"


def duration(ms: float) -> str:
    """Give milliseconds as people read them."""
    if ms >= 1000:
        return f"{ms / 1000:.1f} s"
    return f"{ms:.0f} ms" if ms >= 10 else f"{ms:.1f} ms"


def share(part: float, of: float) -> str:
    """Give a part as people read it; what is there is never called nothing, and what is missing never all."""
    percent = 100 * part / of if of else 0.0
    if 0 < percent < 0.1:
        return "< 0.1 %"
    return "> 99.9 %" if 99.9 < percent < 100 else f"{percent:.1f} %"
