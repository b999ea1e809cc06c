"""Two tables beside each other: every difference is found, wherever it is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.services.exchange.comparing import differences
from app.services.exchange.shapes import Row

ROWS = st.dictionaries(st.integers(0, 9), st.integers(0, 1))


def in_order(side: dict[int, int]) -> Iterator[Row]:
    return iter([Row(id=key, value=side[key]) for key in sorted(side)])


def compared(here: dict[int, int], there: dict[int, int]) -> list[object]:
    return [key for (key,) in differences(in_order(here), in_order(there), lambda row: (row["id"],))]


@given(ROWS, ROWS)
def test_a_row_that_is_another_or_on_one_side_alone_is_told(here: dict[int, int], there: dict[int, int]) -> None:
    assert compared(here, there) == [key for key in range(10) if here.get(key) != there.get(key)]


@pytest.mark.parametrize("rows", [{}, {1: 1}, {1: 1, 2: 0}])
def test_the_same_rows_do_not_differ(rows: dict[int, int]) -> None:
    assert compared(rows, dict(rows)) == []
