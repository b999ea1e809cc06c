"""Joining concurrent calls into one, and bounding how many may wait.

Whoever finds the work free leads: it does it for everyone who is ready and hands the others their results. A lone call never
waits and never changes thread.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from app.errors import Overloaded
from app.inference.call_cost import CallCost

_BUSY = "More pictures are waiting than this machine can look at; please try again in a moment."
# To let go of the processor and to come back costs about this much: shorter waits buy nothing.
_SHORTEST_WAIT = 0.001

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Joined(Generic[Result]):
    """One call's result, how long it waited, and how long the work took that it shared, in milliseconds."""

    result: Result
    queue_ms: float
    work_ms: float


class Call(Generic[Item, Result]):
    """A place in line: one item; written by the leader, read by its owner once `done`."""

    __slots__ = ("arrived", "done", "error", "item", "result", "started", "work_ms")

    def __init__(self, item: Item) -> None:
        self.item = item
        self.arrived = time.monotonic()
        self.done = False
        self.started = 0.0
        self.work_ms = 0.0
        self.result: Result | None = None
        self.error: Exception | None = None


class Line(Generic[Item, Result]):
    """Does one kind of work for many threads, first come first served: at most `largest` at a time, at most `waiting` in line.

    `work` gives one result an item, in their order; what it raises reaches everyone whose item was in it.
    """

    def __init__(self, work: Callable[[Sequence[Item]], Sequence[Result]], *, largest: int = 32, waiting: int = 128) -> None:
        self._work = work
        self._largest = largest
        self._waiting = waiting
        self._changed = threading.Condition()
        self._line: list[Call[Item, Result]] = []
        self._busy = False
        self._asleep = 0  # most often nobody, who need not be woken
        self._sizes: dict[int, int] = {}

    @property
    def in_line(self) -> int:
        """How many wait now."""
        return len(self._line)

    def take_sizes(self) -> dict[int, int]:
        """Give how often so many were worked on together since this was asked last."""
        with self._changed:
            sizes, self._sizes = self._sizes, {}
        return sizes

    def submit(self, item: Item, deadline: float) -> Joined[Result]:
        """Give the result for one item, or raise Overloaded where it cannot come before `deadline` (`time.monotonic`)."""
        return self.result_of(self.join(item), deadline)

    def join(self, item: Item) -> Call[Item, Result]:
        """Take a place in line, or raise Overloaded where there is none; whoever has one must ask for its result."""
        call: Call[Item, Result] = Call(item)
        with self._changed:
            if len(self._line) >= self._waiting:
                raise Overloaded(_BUSY)
            self._line.append(call)
        return call

    def result_of(self, call: Call[Item, Result], deadline: float) -> Joined[Result]:
        """Give the result for a place in line, or raise Overloaded where it cannot come before `deadline`."""
        while not call.done:
            batch = self._take_or_wait(call, deadline)
            if batch:
                self._lead(batch)
        if call.error is not None:
            raise call.error
        if call.result is None:
            raise Overloaded(_BUSY)
        return Joined(call.result, (call.started - call.arrived) * 1000, call.work_ms)

    def _take_or_wait(self, call: Call[Item, Result], deadline: float) -> list[Call[Item, Result]]:
        with self._changed:
            while self._busy and not call.done:
                left = deadline - time.monotonic()
                if left <= 0 and call in self._line:
                    self._line.remove(call)
                    raise Overloaded(_BUSY)
                # A call that a leader has taken already is waited for: its result is being made.
                self._asleep += 1
                try:
                    self._changed.wait(timeout=max(left, 0.05))
                finally:
                    self._asleep -= 1
            if call.done:
                return []
            self._busy = True
            number = 0
            try:
                number = self._gather(deadline)
            finally:
                if not number:  # a thread that is told to exit here: the line must not stand still for the others
                    self._busy = False
                    self._changed.notify_all()
                batch, self._line = self._line[:number], self._line[number:]
            return batch

    def _gather(self, deadline: float) -> int:  # noqa: ARG002 - other lines wait for company
        """Give how many a leader takes; called with the line's lock held."""
        return self._largest

    def _lead(self, batch: list[Call[Item, Result]]) -> None:
        started = time.monotonic()
        results: list[Result | None] = [None] * len(batch)
        error: Exception | None = None
        try:
            found = self._work([call.item for call in batch])
            results = [result for result, _ in zip(found, batch, strict=True)]
        except Exception as caught:
            error = caught
        finally:  # also where a thread is told to exit
            work_ms = (time.monotonic() - started) * 1000
            with self._changed:
                self._sizes[len(batch)] = self._sizes.get(len(batch), 0) + 1
                for call, result in zip(batch, results, strict=True):
                    call.started, call.work_ms, call.error, call.result = started, work_ms, error, result
                    call.done = True
                self._busy = False
                if self._asleep:
                    self._changed.notify_all()


Row = NDArray[np.generic]
Probabilities = NDArray[np.float64]


class Batcher(Line[Row, Probabilities]):
    """Runs one model, rows of shape (n, ...) to probabilities of shape (n, n_classes), for many threads.

    It learns what calls cost. Where one for many rows is hardly dearer than one for a single row, all that are ready are
    joined, and whoever leads waits for those who are still decoding, though never for longer than joining them saves. Where
    rows cost the same in whatever company, each has a call of its own, and the first in line is not kept for the last.
    """

    def __init__(self, run: Callable[[Row], Probabilities], *, largest: int = 32, waiting: int = 128) -> None:
        super().__init__(self._answers, largest=largest, waiting=waiting)
        self._run = run
        self._cost = CallCost()
        self._coming = 0
        self._gathering = False

    @contextmanager
    def announced(self) -> Iterator[None]:
        """Announce a row, for as long as the block takes to make it and to join: where it pays, a leader waits for it."""
        with self._changed:
            self._coming += 1
        try:
            yield
        finally:
            with self._changed:
                self._coming -= 1
                if self._gathering:
                    self._changed.notify_all()

    def _gather(self, deadline: float) -> int:
        if not self._cost.joining_pays:
            return 1
        worth = self._cost.saved_by_joining
        if worth >= _SHORTEST_WAIT:
            self._gathering = True
            until = min(deadline, time.monotonic() + worth)
            while self._coming and len(self._line) < self._largest and (left := until - time.monotonic()) > 0:
                self._changed.wait(left)
            self._gathering = False
        return self._largest

    def _answers(self, rows: Sequence[Row]) -> list[Probabilities]:
        started = time.perf_counter()
        answers = self._run(rows[0][np.newaxis] if len(rows) == 1 else np.stack(rows))
        self._cost.observe(len(rows), time.perf_counter() - started)
        return list(answers)


class Gate:
    """Lets at most `width` threads through at once; the others wait until their deadline."""

    def __init__(self, width: int, *, busy: str = _BUSY) -> None:
        self._busy = busy
        # A queue is written in C: a passage takes 2.5 µs, with a semaphore 4.5.
        self._slots: SimpleQueue[None] = SimpleQueue()
        for _ in range(width):
            self._slots.put(None)

    @contextmanager
    def passage(self, deadline: float) -> Iterator[None]:
        """Hold a place for the length of the block, or raise Overloaded where none is free before `deadline`."""
        try:
            self._slots.get(timeout=max(0.0, deadline - time.monotonic()))
        except Empty as error:
            raise Overloaded(self._busy) from error
        try:
            yield
        finally:
            self._slots.put(None)
