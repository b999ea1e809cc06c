"""The batcher: alone at once, together in one, and never stuck."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from app.errors import Overloaded
from app.inference.batching import BatchAnswer, Batcher, Gate

PATIENCE = 30.0
Rows = NDArray[np.generic]


def in_time() -> float:
    return time.monotonic() + PATIENCE


def too_late() -> float:
    return time.monotonic() - 1


def row(value: float) -> NDArray[np.float64]:
    return np.array([value])


class Model:
    """Doubles what it is given, and waits before the first batch until it is released."""

    def __init__(self, *, released: bool = True) -> None:
        self.batches: list[list[float]] = []
        self.threads: list[int] = []
        self.working = threading.Event()
        self._released = threading.Event()
        if released:
            self._released.set()

    def __call__(self, rows: Rows) -> NDArray[np.float64]:
        values = np.asarray(rows, np.float64)
        self.batches.append(values[:, 0].tolist())
        self.threads.append(threading.get_ident())
        self.working.set()
        assert self._released.wait(PATIENCE)
        if (values < 0).any():
            raise ArithmeticError("below nothing")
        if (values > 1000).any():
            raise SystemExit
        return values * 2

    def release(self) -> None:
        self._released.set()


def wait_until(condition: Callable[[], bool]) -> None:
    limit = in_time()
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.001)


@contextmanager
def line_of(batcher: Batcher, model: Model, *values: float) -> Iterator[list[Future[BatchAnswer]]]:
    """Have the model busy with a 0, and these values waiting in line; all is released at the end."""
    with ThreadPoolExecutor(len(values) + 1) as pool:
        futures = [pool.submit(batcher.submit, row(0), in_time())]
        try:
            assert model.working.wait(PATIENCE)
            for number, value in enumerate(values, start=1):
                futures.append(pool.submit(batcher.submit, row(value), in_time()))
                wait_until(lambda number=number: batcher.in_line == number)  # type: ignore[misc]
            yield futures
        finally:
            model.release()


def test_a_lone_call_stays_in_its_thread_and_waits_for_nobody() -> None:
    model = Model()
    answer = Batcher(model).submit(row(3), too_late())  # who would have to wait is too late already
    assert answer.probabilities.tolist() == [6]
    assert model.threads == [threading.get_ident()]
    assert min(answer.queue_ms, answer.model_ms) >= 0


def test_calls_that_wait_are_answered_together() -> None:
    model = Model(released=False)
    with line_of(Batcher(model), model, 1, 2, 3, 4) as futures:
        model.release()
        assert [future.result().probabilities.tolist() for future in futures] == [[0], [2], [4], [6], [8]]
    assert model.batches == [[0], [1, 2, 3, 4]]


def test_no_batch_is_larger_than_it_may_be() -> None:
    model = Model(released=False)
    with line_of(Batcher(model, largest=2), model, 1, 2, 3, 4, 5) as futures:
        model.release()
        assert [future.result().probabilities.tolist() for future in futures] == [[0], [2], [4], [6], [8], [10]]
    assert model.batches == [[0], [1, 2], [3, 4], [5]]


@settings(deadline=None, max_examples=25)
@given(st.lists(st.floats(0, 1000), min_size=1, max_size=24), st.integers(1, 5))
def test_every_answer_goes_to_its_owner(values: list[float], largest: int) -> None:
    model = Model()
    batcher = Batcher(model, largest=largest)
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda value: batcher.submit(row(value), in_time()).probabilities.tolist(), values)
        assert list(answers) == [[value * 2] for value in values]
    assert sorted(value for batch in model.batches for value in batch) == sorted(values)
    assert max(map(len, model.batches)) <= largest
    assert batcher.in_line == 0


def test_an_error_reaches_every_caller_of_its_batch_and_nobody_else() -> None:
    model = Model(released=False)
    batcher = Batcher(model, largest=2)
    with line_of(batcher, model, 1, -1, 2, 3) as futures:
        model.release()
        for index in (1, 2):
            with pytest.raises(ArithmeticError, match="below nothing"):
                futures[index].result()
        assert [futures[index].result().probabilities.tolist() for index in (0, 3, 4)] == [[0], [4], [6]]
    assert batcher.submit(row(4), in_time()).probabilities.tolist() == [8]


def test_a_leader_that_is_told_to_exit_leaves_the_line_moving() -> None:
    model = Model(released=False)
    batcher = Batcher(model, largest=2)
    with line_of(batcher, model, 1, 2000, 3) as futures:
        model.release()
        outcomes = [future.exception() for future in futures]
    assert outcomes[0] is None
    # Whichever of the three woke first led; the others of the batch are told, and the last was answered unless it led.
    names = [type(outcome).__name__ for outcome in outcomes[1:]]
    assert names in (
        ["SystemExit", "Overloaded", "NoneType"],
        ["Overloaded", "SystemExit", "NoneType"],
        ["Overloaded", "Overloaded", "SystemExit"],
    )
    assert batcher.submit(row(4), in_time()).probabilities.tolist() == [8]


def test_who_cannot_be_answered_in_time_is_told_and_costs_nothing() -> None:
    model = Model(released=False)
    batcher = Batcher(model)
    with line_of(batcher, model, 1):
        with pytest.raises(Overloaded):
            batcher.submit(row(7), too_late())
        assert batcher.in_line == 1
    assert model.batches == [[0], [1]]


def test_a_full_line_takes_nobody_more() -> None:
    model = Model(released=False)
    batcher = Batcher(model, waiting=2)
    with line_of(batcher, model, 1, 2) as futures:
        with pytest.raises(Overloaded) as refusal:
            batcher.submit(row(3), in_time())
        assert refusal.value.retry_after >= 1
        model.release()
        assert [future.result().probabilities.tolist() for future in futures] == [[0], [2], [4]]
    assert batcher.submit(row(3), in_time()).probabilities.tolist() == [6]


def test_the_gate_lets_so_many_through_and_no_more() -> None:
    gate = Gate(2)
    with gate.passage(too_late()), gate.passage(too_late()), pytest.raises(Overloaded), gate.passage(too_late()):
        pytest.fail("a third came through")
    with gate.passage(too_late()), gate.passage(too_late()):
        pass


def test_a_place_at_the_gate_is_free_again_after_an_error() -> None:
    gate = Gate(1)
    for _ in range(3):
        with pytest.raises(ArithmeticError), gate.passage(too_late()):
            raise ArithmeticError


def test_who_waits_at_the_gate_comes_through_when_a_place_is_free() -> None:
    gate, inside, most = Gate(2), [0], [0]
    counting = threading.Lock()

    def pass_through(_: int) -> None:
        with gate.passage(in_time()):
            with counting:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
            time.sleep(0.002)
            with counting:
                inside[0] -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(pass_through, range(24)))
    assert (inside, most) == ([0], [2])
