"""The batcher: alone at once, together where that is sooner, and never stuck."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from app.errors import InvalidImage, Overloaded
from app.inference.batching import Batcher, Gate, Joined, Line, Probabilities
from tests.waiting import wait_until

PATIENCE = 30.0
# What a call costs in the tests of waiting, in seconds: so much that a busy machine blurs none of it.
DEAR = 0.5
Rows = NDArray[np.generic]


def in_time() -> float:
    return time.monotonic() + PATIENCE


def too_late() -> float:
    return time.monotonic() - 1


def row(value: float) -> NDArray[np.float64]:
    return np.array([value])


class Model:
    """Doubles what it is given, and waits before the first batch until it is released; `call` and `each` are what it costs."""

    def __init__(self, *, released: bool = True, call: float = 0.0, each: float = 0.0) -> None:
        self.call, self.each = call, each
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
        time.sleep(self.call + self.each * len(values))
        if (values < 0).any():
            raise ArithmeticError("below nothing")
        if (values > 1000).any():
            raise SystemExit
        return values * 2

    def release(self) -> None:
        self._released.set()

    def hold(self) -> None:
        self.working.clear()
        self._released.clear()


@contextmanager
def line_of(batcher: Batcher, model: Model, *values: float) -> Iterator[list[Future[Joined[Probabilities]]]]:
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
    assert answer.result.tolist() == [6]
    assert model.threads == [threading.get_ident()]
    assert min(answer.queue_ms, answer.work_ms) >= 0


def test_calls_that_wait_are_answered_together() -> None:
    model = Model(released=False)
    with line_of(Batcher(model), model, 1, 2, 3, 4) as futures:
        model.release()
        assert [future.result().result.tolist() for future in futures] == [[0], [2], [4], [6], [8]]
    assert model.batches == [[0], [1, 2, 3, 4]]


def test_no_batch_is_larger_than_it_may_be() -> None:
    model = Model(released=False, call=DEAR)  # so that joining pays every time
    with line_of(Batcher(model, largest=2), model, 1, 2, 3, 4, 5) as futures:
        model.release()
        assert [future.result().result.tolist() for future in futures] == [[0], [2], [4], [6], [8], [10]]
    assert model.batches == [[0], [1, 2], [3, 4], [5]]


@settings(deadline=None, max_examples=25)
@given(st.lists(st.floats(0, 1000), min_size=1, max_size=24), st.integers(1, 5))
def test_every_answer_goes_to_its_owner(values: list[float], largest: int) -> None:
    model = Model()
    batcher = Batcher(model, largest=largest)
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda value: batcher.submit(row(value), in_time()).result.tolist(), values)
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
        assert [futures[index].result().result.tolist() for index in (0, 3, 4)] == [[0], [4], [6]]
    assert batcher.submit(row(4), in_time()).result.tolist() == [8]


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
    assert batcher.submit(row(4), in_time()).result.tolist() == [8]


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
        assert [future.result().result.tolist() for future in futures] == [[0], [2], [4]]
    assert batcher.submit(row(3), in_time()).result.tolist() == [6]


def taught(model: Model, **given: int) -> Batcher:
    """Give a batcher that has seen what calls for one row and for five cost; from now on they cost nothing."""
    batcher, sizes = Batcher(model, **given), [0]
    with ThreadPoolExecutor(6) as pool:
        while sizes[-1] < 5:
            model.working.clear()
            first = pool.submit(batcher.submit, row(0), in_time())
            assert model.working.wait(PATIENCE)
            for future in [first, *(pool.submit(batcher.submit, row(0), in_time()) for _ in range(5))]:
                future.result()
            sizes = sorted(map(len, model.batches))
    model.call = model.each = 0.0
    model.batches.clear()
    return batcher


def announce(batcher: Batcher, value: float, decoded: threading.Event) -> Joined[Probabilities]:
    """Submit a row as a request does: announced first, and joined when its picture is decoded."""
    with batcher.announced():
        assert decoded.wait(PATIENCE)
        place = batcher.join(row(value))
    return batcher.result_of(place, in_time())


@contextmanager
def company(batcher: Batcher, *values: float) -> Iterator[tuple[threading.Event, list[Future[Joined[Probabilities]]]]]:
    """Have rows announced that join when the event is set, at the latest at the end."""
    decoded = threading.Event()
    with ThreadPoolExecutor(len(values)) as pool:
        try:
            yield decoded, [pool.submit(announce, batcher, value, decoded) for value in values]
        finally:
            decoded.set()


def test_where_joining_pays_those_who_are_still_decoding_are_waited_for() -> None:
    model = Model(call=DEAR)
    batcher = taught(model)
    with ThreadPoolExecutor(1) as pool, batcher.announced():  # somebody is decoding
        leader = pool.submit(batcher.submit, row(1), in_time())
        wait_until(lambda: batcher.in_line == 1)
        assert model.batches == []
        place = batcher.join(row(2))
    assert batcher.result_of(place, in_time()).result.tolist() == [4]
    assert leader.result().result.tolist() == [2]
    assert model.batches == [[1, 2]]


def test_a_leader_that_waits_takes_everyone_along_who_comes_meanwhile() -> None:
    model = Model(call=DEAR)
    batcher = taught(model)
    with company(batcher, 2, 2, 2) as (decoded, others), ThreadPoolExecutor(1) as pool:
        leader = pool.submit(batcher.submit, row(1), in_time())
        wait_until(lambda: batcher.in_line == 1)
        decoded.set()
        assert [future.result().result.tolist() for future in (leader, *others)] == [[2], [4], [4], [4]]
    assert model.batches == [[1, 2, 2, 2]]


def test_a_lone_call_waits_for_nobody_although_joining_would_pay() -> None:
    model = Model(call=DEAR)
    answer = taught(model).submit(row(1), in_time())
    assert answer.queue_ms < DEAR * 1000 / 2
    assert model.batches == [[1]]


def test_nobody_is_waited_for_before_it_is_known_that_joining_pays() -> None:
    batcher = Batcher(Model())
    with batcher.announced():
        assert batcher.submit(row(1), in_time()).queue_ms < DEAR * 1000 / 2


def test_who_does_not_come_is_not_waited_for_longer_than_joining_saves() -> None:
    batcher = taught(Model(call=DEAR))
    with batcher.announced():
        answer = batcher.submit(row(1), in_time())
    assert DEAR * 1000 / 2 < answer.queue_ms < DEAR * 1000 * 5


def test_a_deadline_ends_the_waiting_for_company() -> None:
    batcher = taught(Model(call=DEAR))
    with batcher.announced():
        answer = batcher.submit(row(1), too_late())
    assert answer.result.tolist() == [2]
    assert answer.queue_ms < DEAR * 1000 / 2


def test_whose_picture_is_refused_is_not_waited_for_any_more() -> None:
    batcher = taught(Model(call=DEAR))
    with ThreadPoolExecutor(1) as pool:
        with suppress(InvalidImage), batcher.announced():
            leader = pool.submit(batcher.submit, row(1), in_time())
            wait_until(lambda: batcher.in_line == 1)
            raise InvalidImage("This picture is damaged or ends too early.")
        assert leader.result().queue_ms < DEAR * 1000 * 0.8


def test_a_batch_that_is_full_waits_for_nobody_more() -> None:
    model = Model(call=DEAR)
    batcher = taught(model, largest=5)
    with batcher.announced(), company(batcher, 2, 2, 2, 2) as (decoded, others), ThreadPoolExecutor(1) as pool:
        leader = pool.submit(batcher.submit, row(1), in_time())
        wait_until(lambda: batcher.in_line == 1)
        decoded.set()
        assert max(future.result().queue_ms for future in (leader, *others)) < DEAR * 1000 * 0.8
    assert model.batches == [[1, 2, 2, 2, 2]]


def test_where_joining_does_not_pay_each_has_a_call_of_its_own_in_the_order_they_came() -> None:
    model = Model(each=0.1)
    batcher = taught(model)
    model.hold()
    with line_of(batcher, model, 1, 2, 3, 4, 5) as futures:
        model.release()
        assert [future.result().result.tolist() for future in futures] == [[0], [2], [4], [6], [8], [10]]
    assert model.batches == [[0], [1], [2], [3], [4], [5]]


def test_where_joining_does_not_pay_nobody_is_waited_for() -> None:
    model = Model(each=0.1)
    batcher = taught(model)
    with batcher.announced():
        assert batcher.submit(row(1), in_time()).queue_ms < 100


def test_whoever_came_first_is_answered_first() -> None:
    model = Model(released=False, call=DEAR)
    batcher = Batcher(model, largest=2)
    with line_of(batcher, model, *range(1, 10)):
        model.release()
    assert model.batches == [[0], [1, 2], [3, 4], [5, 6], [7, 8], [9]]


def test_whose_time_is_over_in_line_is_told_then_and_costs_nothing() -> None:
    model = Model(released=False)
    batcher = Batcher(model)
    with line_of(batcher, model, 1):
        with pytest.raises(Overloaded):
            batcher.submit(row(7), time.monotonic() + 0.05)
        assert batcher.in_line == 1
    assert model.batches == [[0], [1]]


def test_whose_answer_is_being_made_gets_it_though_the_time_is_over() -> None:
    model = Model(released=False)
    batcher = Batcher(model)
    with line_of(batcher, model), ThreadPoolExecutor(2) as pool:
        late = [pool.submit(batcher.submit, row(value), time.monotonic() + 1.5) for value in (1, 1)]
        wait_until(lambda: batcher.in_line == 2)
        model.each = 0.75
        model.release()
        assert [future.result().result.tolist() for future in late] == [[2], [2]]
    assert model.batches == [[0], [1, 1]]


def test_whoever_finds_the_line_full_is_told_at_once() -> None:
    model = Model(released=False)
    batcher = Batcher(model, waiting=2)
    took = []
    with line_of(batcher, model, 1, 2):
        for _ in range(5):
            began = time.monotonic()
            with pytest.raises(Overloaded), batcher.announced():
                batcher.join(row(3))
            took.append(time.monotonic() - began)
    assert min(took) < 0.05


@settings(deadline=None, max_examples=10)
@given(st.lists(st.integers(-3, 100), min_size=1, max_size=40), st.integers(1, 5), st.floats(0, 0.002))
def test_requests_that_come_and_go_as_they_like_are_all_answered(values: list[int], largest: int, call: float) -> None:
    batcher = Batcher(Model(call=call), largest=largest)

    def ask(value: int) -> list[float] | None:
        with batcher.announced():
            time.sleep(abs(value) / 50_000)  # decodes
            if value < 0:
                return None
            place = batcher.join(row(value))
        return list(batcher.result_of(place, in_time()).result)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, values)) == [None if value < 0 else [value * 2] for value in values]
    assert batcher.in_line == 0


def test_a_line_does_any_kind_of_work_and_gives_each_its_own_result() -> None:
    line: Line[str, int] = Line(lambda words: [len(word) for word in words], largest=3)
    words = ["a", "bb", "ccc", "dddd"] * 10
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda word: line.submit(word, in_time()).result, words)) == [1, 2, 3, 4] * 10


def test_a_place_in_line_keeps_until_its_result_is_asked_for() -> None:
    line: Line[int, int] = Line(lambda numbers: [number * 2 for number in numbers])
    places = [line.join(number) for number in range(1, 4)]
    assert line.in_line == 3
    assert [line.result_of(place, in_time()).result for place in reversed(places)] == [6, 4, 2]


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


def test_it_tells_once_how_many_were_worked_on_together() -> None:
    model = Model(released=False)
    batcher = Batcher(model)
    with ThreadPoolExecutor(4) as threads:
        first = threads.submit(batcher.submit, row(0.0), in_time())
        assert model.working.wait(PATIENCE)
        others = [threads.submit(batcher.submit, row(float(number)), in_time()) for number in (1, 2)]
        wait_until(lambda: batcher.in_line == 2)
        model.release()
        for call in (first, *others):
            call.result(PATIENCE)
    sizes = batcher.take_sizes()
    assert sum(size * times for size, times in sizes.items()) == 3
    assert sizes == {size: [len(batch) for batch in model.batches].count(size) for size in map(len, model.batches)}
    assert batcher.take_sizes() == {}
