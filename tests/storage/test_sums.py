"""The table of sums: what many add to comes out exactly, by slots of time, and goes when it is old."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.composition import Services
from app.storage.sums import HOUR, MINUTE, Amount, Sum, SumKey, Sums
from tests.factories import make_services

DAY = 24 * HOUR
NOON = 20_000 * DAY + 12 * HOUR


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_services(tmp_path)


@pytest.fixture
def sums(services: Services) -> Sums:
    return Sums(services.engine)


def key(begins_at: int = NOON, measure: str = "total", model: str = "shade", detail: str = "10", span: int = HOUR) -> SumKey:
    return SumKey(span, measure, begins_at, model, "1", detail)


def test_what_is_added_adds_up(sums: Sums) -> None:
    sums.add({key(): Amount(2, 15.0), key(detail="20"): Amount(1, 20.0)})
    sums.add({key(): Amount(3, 25.5)})
    found = {row.detail: (row.amount, row.total) for row in sums.read(HOUR, ["total"], NOON, HOUR)}
    assert found == {"10": (5, 40.5), "20": (1, 20.0)}


def test_hours_are_added_up_over_slots(sums: Sums) -> None:
    sums.add({key(NOON + hour * HOUR): Amount(1 + hour, 0.0) for hour in range(-1, 6)})
    found = sums.read(HOUR, ["total"], NOON, 3 * HOUR)
    assert sorted((row.slot, row.amount) for row in found) == [(0, 1 + 2 + 3), (1, 4 + 5 + 6)]


def test_what_is_asked_for_is_told_and_nothing_else(sums: Sums) -> None:
    wanted = key(model="digits")
    others = (key(), key(model="digits", measure="refused"), key(NOON, model="digits", span=MINUTE))
    sums.add(dict.fromkeys((wanted, *others), Amount(1, 2.5)))
    assert sums.read(HOUR, ["total"], NOON, HOUR, "digits") == [Sum("total", 0, "digits", "1", "10", 1, 2.5)]
    assert sums.read(HOUR, ["queue"], NOON, HOUR) == []


def test_the_models_are_named_in_order(sums: Sums) -> None:
    sums.add(
        {key(model=name): Amount(1, 0.0) for name in ("shade", "digits")} | {key(measure="refused", model=""): Amount(1, 0.0)}
    )
    assert sums.models("total") == ["digits", "shade"]


def test_old_ones_are_forgotten_each_span_by_itself(sums: Sums) -> None:
    moments = (NOON - 2 * HOUR, NOON - HOUR, NOON)
    sums.add({key(moment, span=span): Amount(1, 0.0) for moment in moments for span in (MINUTE, HOUR)})
    sums.forget(MINUTE, ["total", "refused"], NOON)
    sums.forget(HOUR, ["total"], NOON - HOUR)
    sums.forget(HOUR, ["refused"], NOON + HOUR)
    assert [len(sums.read(span, ["total"], 0, HOUR)) for span in (MINUTE, HOUR)] == [1, 2]


def test_many_who_add_at_once_lose_nothing(sums: Sums) -> None:
    add_in_every_order(sums)
    assert [(row.amount, row.total) for row in sums.read(HOUR, ["total"], NOON, HOUR)] == [(200, 100.0)] * 5


def add_in_every_order(sums: Sums) -> None:
    """Have eight add to the same five rows, half of them from the last to the first."""
    names = ["a", "b", "c", "d", "e"]

    def add(number: int) -> None:
        order = names if number % 2 else names[::-1]
        for _ in range(25):
            sums.add({key(model=name): Amount(1, 0.5) for name in order})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(8)))
