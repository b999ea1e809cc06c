"""The steps before a forest: each computes what it says, as wide as the rows are, and is read back as it was packed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from app.inference.runtimes.steps import Step, from_arrays, to_arrays


def test_every_step_computes_what_it_says() -> None:
    rows = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 60.0]])
    values = np.array([1.0, 2.0, 4.0])
    assert Step("subtract", values).apply(rows).tolist() == [[0, 0, -1], [3, 3, 56]]
    assert Step("add", values).apply(rows).tolist() == [[2, 4, 7], [5, 7, 64]]
    assert Step("divide", values).apply(rows).tolist() == [[1, 1, 0.75], [4, 2.5, 15]]
    assert Step("multiply", values).apply(rows).tolist() == [[1, 4, 12], [4, 10, 240]]
    assert Step("clip", np.array([2.0, 5.0])).apply(rows).tolist() == [[2, 2, 3], [4, 5, 5]]
    assert Step("take", np.array([2, 0])).apply(rows).tolist() == [[3, 1], [60, 4]]


def test_steps_keep_the_width_of_the_numbers() -> None:
    narrow = np.ones((2, 6), np.float32)
    for step in (Step("divide", np.full(6, 3.0)), Step("divide-rounded", np.full(6, 3.0)), Step("clip", np.array([0.0, 1.0]))):
        assert step.apply(narrow).dtype == np.float32


def test_rounding_comes_first_or_last_as_it_is_said() -> None:
    narrow, third = np.array([[np.float32(0.1)]]), np.array([1 / 3])
    assert Step("subtract", third).apply(narrow)[0, 0] == np.float32(np.float64(np.float32(0.1)) - 1 / 3)
    assert Step("subtract-rounded", third).apply(narrow)[0, 0] == np.float32(0.1) - np.float32(1 / 3)


def test_steps_come_back_in_the_order_they_were_given() -> None:
    steps = [Step("subtract", np.array([float(number)])) for number in range(12)] + [Step("take", np.array([0]))]
    found = from_arrays({"link": np.array("mean"), **to_arrays(steps)})
    assert [step.operation for step in found] == ["subtract"] * 12 + ["take"]
    assert [step.values.item() for step in found] == [*range(12), 0]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("step000_exec", np.ones(2)),
        ("step000_add", np.array(["1", "2"])),
        ("step000_add", np.ones((2, 2))),
        ("step000_take", np.ones(2)),
    ],
)
def test_what_is_no_step_is_told(name: str, values: Any) -> None:
    with pytest.raises(ValueError, match="is no step"):
        from_arrays({name: values})
