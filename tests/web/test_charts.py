"""Charts in numbers: from nothing to a round number, in proportion, and nothing beyond the drawing."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.config import TREE
from app.web.charts import HEIGHT, Scale, duration, places, ranging, share, stacked, whole

CSS = (TREE / "static" / "app.css").read_text(encoding="utf-8")


@given(st.floats(0, 1e9), st.booleans())
def test_a_scale_begins_with_nothing_and_ends_with_a_round_number_above(most: float, halves: bool) -> None:
    scale = Scale(most, halves=halves)
    ticks = scale.ticks(lambda value: f"{value:g}")
    assert scale.top >= most * (1 - 1e-9)
    assert (ticks[0].words, ticks[0].y, ticks[-1].y) == ("0", HEIGHT, 0)
    assert len(ticks) == 3 if halves else 2 <= len(ticks) <= 5


@pytest.mark.parametrize(
    ("most", "words"),
    [
        (0, ["0", "1"]),
        (1, ["0", "1"]),
        (3, ["0", "1", "2", "3"]),
        (7, ["0", "2", "4", "6", "8"]),
        (40, ["0", "10", "20", "30", "40"]),
        (41, ["0", "20", "40", "60"]),
        (1_300, ["0", "500", "1,000", "1,500"]),
    ],
)
def test_things_are_counted_in_whole_round_numbers(most: int, words: list[str]) -> None:
    assert [tick.words for tick in Scale(most, whole=True).ticks(whole)] == words


def test_columns_are_in_proportion_and_stand_on_each_other() -> None:
    scale = Scale(100)
    first, second, third = stacked(0, 1, "", scale, [("1", 50), ("2", 25), ("3", 0)]).pieces
    assert (first.y, first.height) == (HEIGHT / 2, HEIGHT / 2)
    assert (second.y, second.height) == (HEIGHT / 4, HEIGHT / 4)
    assert (third.y, third.height) == (HEIGHT / 4, 0)


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=6))
@example([10**6, 1, 1, 1, 1, 1])
@example([1, 1, 10**6])
def test_whatever_there_is_can_be_seen_and_stays_in_the_drawing(parts: list[int]) -> None:
    column = stacked(0, 1, "", Scale(sum(parts), whole=True), [("1", part) for part in parts])
    for part, piece in zip(parts, column.pieces, strict=True):
        assert (piece.height > 0) == (part > 0)
        assert 0 <= piece.y <= piece.y + piece.height <= HEIGHT + 0.01


@given(st.floats(0, 1e5), st.floats(0, 1e5))
def test_a_range_has_its_lines_where_its_ends_are(one: float, other: float) -> None:
    lower, upper = sorted((one, other))
    between, above, below = ranging(0, 1, "", Scale(1e5), lower, upper).pieces
    assert above.y <= below.y <= HEIGHT - below.height
    assert above.y == pytest.approx(HEIGHT * (1 - upper / 1e5), abs=4.01)
    assert between.y == above.y
    assert between.y + between.height <= HEIGHT


@pytest.mark.parametrize("slots", [1, 20, 24, 28, 30, 60])
def test_columns_fill_the_width_evenly_with_room_between(slots: int) -> None:
    found = places(slots)
    assert len(found) == slots
    ends = [x + width for x, width in found]
    assert all(end < x for end, (x, _) in zip(ends, found[1:], strict=False))
    assert (found[0][0] > 0, ends[-1] < 100) == (True, True)


@pytest.mark.parametrize(
    ("ms", "words"), [(0.04, "0.0 ms"), (1.25, "1.2 ms"), (9.94, "9.9 ms"), (31.6, "32 ms"), (999, "999 ms"), (1234, "1.2 s")]
)
def test_a_duration_is_said_as_people_read_it(ms: float, words: str) -> None:
    assert duration(ms) == words


@pytest.mark.parametrize(
    ("part", "of", "words"),
    [(0, 0, "0.0 %"), (0, 9, "0.0 %"), (1, 10_000, "< 0.1 %"), (1, 3, "33.3 %"), (9999, 10_000, "> 99.9 %"), (5, 5, "100.0 %")],
)
def test_what_is_there_is_never_nothing_and_what_is_missing_never_all(part: int, of: int, words: str) -> None:
    assert share(part, of) == words


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_colour_of_a_chart_stands_out_from_the_wall(scheme: str) -> None:
    light, dark = (
        dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block)) for block in re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
    )
    colours = light if scheme == "light" else dark
    for name in ("series-1", "series-2", "series-3", "series-4", "edge", "danger"):
        darker, lighter = sorted(map(luminance, (colours[name], colours["wall"])))
        assert (lighter + 0.05) / (darker + 0.05) >= 3, name
