"""How much a key is used: its requests day by day, counted for all workers together."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from app.errors import DatabaseUnavailable
from app.storage.counters import Counters

DAYS = 30
_DAY_SECONDS, _EPOCH = 86_400, date(1970, 1, 1)
# A day more than is shown: the counter of a day begins with its first request.
_KEPT_SECONDS = (DAYS + 1) * _DAY_SECONDS
_ANSWERED, _REFUSED = "answered", "refused"


@dataclass(frozen=True, slots=True)
class UsedDay:
    """What a key was used for in one UTC day, in requests; a refused one got an error."""

    day: date
    answered: int
    refused: int


class KeyUsage:
    """One counter a key, day and outcome: it costs a request one count, and neither a lock nor the database."""

    def __init__(self, *, counters: Counters, clock: Callable[[], float] = time.time) -> None:
        self._counters = counters
        self._clock = clock

    def count(self, key_id: str, *, refused: bool) -> None:
        """Count a request; where that cannot be done, it is answered all the same."""
        with contextlib.suppress(DatabaseUnavailable):
            self._counters.count(_counter(key_id, self._today(), _REFUSED if refused else _ANSWERED), _KEPT_SECONDS)

    def days(self, key_id: str) -> tuple[UsedDay, ...]:
        """Give the last thirty days, today the last; none at all where they cannot be told."""
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
