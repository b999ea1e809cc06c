"""How much a key is used: its requests day by day, counted for all workers together."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from app.errors import DatabaseUnavailable
from app.storage.counters import Counters

DAYS = 30
_DAY_SECONDS, _EPOCH = 86_400, date(1970, 1, 1)
# A day more than is shown: the counter of a day begins with its first request.
_KEPT_SECONDS = (DAYS + 1) * _DAY_SECONDS
_WRITTEN_AFTER_SECONDS = 0.2
_ANSWERED, _REFUSED = "answered", "refused"


@dataclass(frozen=True, slots=True)
class UsedDay:
    """What a key was used for in one UTC day, in requests; a refused one got an error."""

    day: date
    answered: int
    refused: int


class KeyUsage:
    """One counter a key, day and outcome, written several times a second: a request waits neither for a lock nor for a disk.

    A process that is killed loses what it has counted since.
    """

    def __init__(self, *, counters: Counters, clock: Callable[[], float] = time.time) -> None:
        self._counters = counters
        self._clock = clock
        self._lock = threading.Lock()
        self._unwritten: Counter[str] = Counter()
        self._writing = False

    def count(self, key_id: str, *, refused: bool) -> None:
        """Count a request; where that cannot be done, it is answered all the same."""
        counter = _counter(key_id, self._today(), _REFUSED if refused else _ANSWERED)
        with self._lock:
            self._unwritten[counter] += 1
            begins, self._writing = not self._writing, True
        if begins:
            # Not as a daemon: a process that ends waits for it.
            threading.Timer(_WRITTEN_AFTER_SECONDS, self.write).start()

    def write(self) -> None:
        """Write what was counted, for other processes to see; nothing is left to do where that cannot be done."""
        with self._lock:
            counted, self._unwritten, self._writing = self._unwritten, Counter(), False
        with contextlib.suppress(DatabaseUnavailable):
            for counter, amount in counted.items():
                self._counters.count(counter, _KEPT_SECONDS, amount)

    def days(self, key_id: str) -> tuple[UsedDay, ...]:
        """Give the last thirty days, today the last; none at all where they cannot be told."""
        self.write()
        today = self._today()
        days = range(today - DAYS + 1, today + 1)
        try:
            answered, refused = (
                self._counters.look([_counter(key_id, day, outcome) for day in days]) for outcome in (_ANSWERED, _REFUSED)
            )
        except DatabaseUnavailable:
            return ()
        return tuple(map(UsedDay, (_EPOCH + timedelta(days=day) for day in days), answered, refused))

    def _today(self) -> int:
        return int(self._clock() // _DAY_SECONDS)


def _counter(key_id: str, day: int, outcome: str) -> str:
    return f"uses/{key_id}/{day}/{outcome}"
