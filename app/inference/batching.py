"""Joining concurrent calls of one model into one, and bounding how many may wait.

Whoever finds the model free leads: it runs the model for every row that is ready and hands the others their answers.
A lone call never waits and never changes thread.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.errors import Overloaded

_BUSY = "More pictures are waiting than this machine can look at; please try again in a moment."


@dataclass(frozen=True, slots=True)
class BatchAnswer:
    """One row's probabilities, shape (n_classes,), and its share of the time in milliseconds."""

    probabilities: NDArray[np.float64]
    queue_ms: float
    model_ms: float


class _Call:
    """One waiting row; written by the leader, read by its owner once `done`."""

    __slots__ = ("done", "error", "model_ms", "result", "row", "started")

    def __init__(self, row: NDArray[np.generic]) -> None:
        self.row = row
        self.done = False
        self.started = 0.0
        self.model_ms = 0.0
        self.result: NDArray[np.float64] | None = None
        self.error: Exception | None = None


class Batcher:
    """Runs one model for many threads, at most `largest` rows at a time and at most `waiting` rows in line."""

    def __init__(
        self, run: Callable[[NDArray[np.generic]], NDArray[np.float64]], *, largest: int = 32, waiting: int = 128
    ) -> None:
        self._run = run
        self._largest = largest
        self._waiting = waiting
        self._changed = threading.Condition()
        self._line: list[_Call] = []
        self._busy = False

    @property
    def in_line(self) -> int:
        """How many rows wait now."""
        return len(self._line)

    def submit(self, row: NDArray[np.generic], deadline: float) -> BatchAnswer:
        """Give the answer for one row, or raise Overloaded where it cannot come before `deadline` (`time.monotonic`)."""
        call, arrived = _Call(row), time.monotonic()
        with self._changed:
            if len(self._line) >= self._waiting:
                raise Overloaded(_BUSY)
            self._line.append(call)
        while not call.done:
            batch = self._take_or_wait(call, deadline)
            if batch:
                self._lead(batch)
        if call.error is not None:
            raise call.error
        if call.result is None:
            raise Overloaded(_BUSY)
        return BatchAnswer(call.result, (call.started - arrived) * 1000, call.model_ms)

    def _take_or_wait(self, call: _Call, deadline: float) -> list[_Call]:
        with self._changed:
            while self._busy and not call.done:
                left = deadline - time.monotonic()
                if left <= 0 and call in self._line:
                    self._line.remove(call)
                    raise Overloaded(_BUSY)
                # A call that a leader has taken already is waited for: its answer is being computed.
                self._changed.wait(timeout=max(left, 0.05))
            if call.done:
                return []
            batch, self._line = self._line[: self._largest], self._line[self._largest :]
            self._busy = True
            return batch

    def _lead(self, batch: list[_Call]) -> None:
        started = time.monotonic()
        results: NDArray[np.float64] | None = None
        error: Exception | None = None
        try:
            results = self._run(np.stack([call.row for call in batch]))
        except Exception as caught:
            error = caught
        finally:  # also where a thread is told to exit: the line must not stand still for the others
            model_ms = (time.monotonic() - started) * 1000
            with self._changed:
                for index, call in enumerate(batch):
                    call.started, call.model_ms, call.error = started, model_ms, error
                    call.result = None if results is None else results[index]
                    call.done = True
                self._busy = False
                self._changed.notify_all()


class Gate:
    """Lets at most `width` threads through at once; the others wait until their deadline."""

    def __init__(self, width: int) -> None:
        self._slots = threading.BoundedSemaphore(width)

    @contextmanager
    def passage(self, deadline: float) -> Iterator[None]:
        """Hold a place for the length of the block, or raise Overloaded where none is free before `deadline`."""
        if not self._slots.acquire(timeout=max(0.0, deadline - time.monotonic())):
            raise Overloaded(_BUSY)
        try:
            yield
        finally:
            self._slots.release()
