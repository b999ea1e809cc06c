"""What a call of a model costs is learned from calls alone, and is learned anew when it changes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.inference.call_cost import CallCost


def learned(call: float, row: float, sizes: list[int], cost: CallCost | None = None) -> CallCost:
    """Give what is known after calls of these sizes, of which each costs `call` seconds and `row` more for every row."""
    cost = cost or CallCost()
    for size in sizes:
        cost.observe(size, call + row * size)
    return cost


def test_before_the_first_call_nothing_is_known_and_rows_are_joined() -> None:
    assert CallCost().saved_by_joining == 0
    assert CallCost().joining_pays


@pytest.mark.parametrize("size", [1, 2, 32])
def test_calls_of_one_size_tell_nothing_of_what_joining_saves(size: int) -> None:
    cost = learned(0.05, 0.001, [size] * 1000)
    assert cost.saved_by_joining == 0
    assert cost.joining_pays  # the next call will tell


@settings(deadline=None)
@given(
    call=st.floats(0, 1),
    row=st.floats(0, 1),
    sizes=st.lists(st.integers(1, 32), min_size=2, max_size=200).filter(lambda sizes: max(sizes) - min(sizes) >= 1),
)
def test_what_a_call_costs_is_told_apart_from_its_rows(call: float, row: float, sizes: list[int]) -> None:
    cost = learned(call, row, [*sizes, min(sizes), max(sizes)])
    assert cost.saved_by_joining in (0, pytest.approx(call, abs=1e-4))


@pytest.mark.parametrize(("call", "row"), [(0.02, 0.0), (0.02, 0.0001), (0.02, 0.019), (0.001, 0.001)])
def test_joining_pays_where_a_call_is_dearer_than_a_row(call: float, row: float) -> None:
    cost = learned(call, row, [1, 2, 4, 1, 8])
    assert cost.joining_pays
    assert cost.saved_by_joining == pytest.approx(call)


@pytest.mark.parametrize(("call", "row"), [(0.0, 0.02), (0.001, 0.02), (0.018, 0.02)])
def test_joining_does_not_pay_where_rows_cost_the_same_in_whatever_company(call: float, row: float) -> None:
    assert not learned(call, row, [1, 2, 4, 1, 8]).joining_pays


def test_between_the_two_the_average_answer_decides() -> None:
    # One call for k rows answers all after a + k b; k calls answer the i-th after i (a + b).
    for call, row in ((0.03, 0.02), (0.02, 0.03)):
        for k in range(2, 9):
            together = call + k * row
            apart = sum(number * (call + row) for number in range(1, k + 1)) / k
            assert learned(call, row, [1, 2, 4]).joining_pays == (together < apart)


def test_what_is_cheaper_in_company_than_alone_saves_nothing_less_than_nothing() -> None:
    cost = CallCost()
    for size, seconds in ((1, 0.001), (2, 0.01), (4, 0.1), (8, 1.0)):  # rows that hinder each other
        cost.observe(size, seconds)
    assert cost.saved_by_joining == 0
    assert not cost.joining_pays


def test_rows_are_never_taken_to_cost_less_than_nothing() -> None:
    cost = CallCost()
    for size, seconds in ((1, 0.5), (5, 0.1), (1, 0.3), (5, 0.1)):  # the first calls were slow
        cost.observe(size, seconds)
    assert 0.1 <= cost.saved_by_joining <= 0.5
    assert cost.joining_pays


def test_what_has_changed_is_learned_anew() -> None:
    cost = learned(0.02, 0.0, [1, 4] * 200)
    assert cost.joining_pays
    learned(0.0, 0.02, [1, 4] * 300, cost)
    assert not cost.joining_pays


def test_after_many_calls_of_one_size_it_is_tried_again() -> None:
    cost = learned(0.0, 0.02, [1, 2, 4, 8])
    assert not cost.joining_pays
    learned(0.0, 0.02, [1] * 2000, cost)
    assert cost.joining_pays
