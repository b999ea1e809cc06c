"""How many pictures a key or a visitor may have classified in a minute, and a key in a day."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import structlog

from app.errors import DatabaseUnavailable, TooManyRequests
from app.storage.counters import Counters

Who = Literal["key", "account", "address"]
_WINDOW_SECONDS, _DAY_SECONDS = 60, 86_400

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left to somebody: `remaining` of `limit` pictures, until the count starts anew in so many seconds.

    `who` is for whom it is counted, or "day" for a key's daily quota.
    """

    who: Who | Literal["day"]
    limit: int
    remaining: int
    resets_in: int
    window: int = _WINDOW_SECONDS

    @property
    def headers(self) -> dict[str, str]:
        """Give it in the fields of the IETF's draft (draft-ietf-httpapi-ratelimit-headers-10)."""
        return headers_of((self,))


def headers_of(allowances: Sequence[Allowance]) -> dict[str, str]:
    """Give allowances in the fields of that draft, each an item of one list; nothing where there are none."""
    if not allowances:
        return {}
    return {
        "RateLimit-Policy": ", ".join(f'"{each.who}";q={each.limit};w={each.window}' for each in allowances),
        "RateLimit": ", ".join(f'"{each.who}";r={each.remaining};t={each.resets_in}' for each in allowances),
    }


class RequestLimits:
    """Counts for all workers together; where it cannot be counted, everybody is let through: answers matter more."""

    def __init__(self, *, counters: Counters, a_key: int, a_visitor: int, clock: Callable[[], float] = time.time) -> None:
        self._counters = counters
        self._clock = clock
        self._most: dict[Who, int] = {"key": a_key, "account": a_visitor, "address": a_visitor}

    def count(self, who: Who, name: str, pictures: int = 1) -> Allowance | None:
        """Count pictures before any work is done for them, and give what is left; None where there is no limit.

        Raises TooManyRequests where there were too many already.
        """
        most = self._most[who]
        if not most:
            return None
        try:
            counted, ends_at = self._counters.count(f"pictures/{who}/{name}", _WINDOW_SECONDS, pictures)
        except DatabaseUnavailable:
            log.error("limits_not_counted")
            return None
        left = max(1, math.ceil(ends_at - self._clock()))
        allowance = Allowance(who, most, max(0, most - counted), left)
        if counted > most:
            raise TooManyRequests(_refusal(most, pictures, left), left, allowance.headers)
        return allowance

    def count_key(self, key_id: str, daily: int | None, pictures: int = 1) -> tuple[Allowance, ...]:
        """Count a key's pictures in the minute and against its daily quota, and give what is left of each limit there is.

        Raises TooManyRequests; what was refused takes nothing of the quota.
        """
        minute = self.count("key", key_id, pictures)
        before = () if minute is None else (minute,)
        day = None if daily is None else self._count_day(key_id, daily, pictures, before)
        return before if day is None else (*before, day)

    def used_today(self, key_id: str) -> int | None:
        """Give how many pictures of a key count in this UTC day; None where that cannot be told."""
        try:
            (counted,) = self._counters.look([_of_day(key_id, self._clock())])
        except DatabaseUnavailable:
            return None
        return counted

    def _count_day(self, key_id: str, most: int, pictures: int, before: tuple[Allowance, ...]) -> Allowance | None:
        now = self._clock()
        name, left = _of_day(key_id, now), max(1, math.ceil(_DAY_SECONDS - now % _DAY_SECONDS))
        try:
            counted = self._counters.count(name, left, pictures).amount
            refused = counted > most
            if refused:
                # Taken back: whoever sends a hundred together too late may still send the ten that are left.
                counted = self._counters.count(name, left, -pictures).amount
        except DatabaseUnavailable:
            log.error("limits_not_counted")
            return None
        allowance = Allowance("day", most, max(0, most - counted), left, _DAY_SECONDS)
        if refused:
            raise TooManyRequests(_refusal_of_day(most, pictures), left, headers_of((*before, allowance)))
        return allowance


def _of_day(key_id: str, now: float) -> str:
    return f"pictures/day/{key_id}/{int(now // _DAY_SECONDS)}"


def _refusal(most: int, pictures: int, left: int) -> str:
    if pictures > most:  # to wait would help nobody
        return f"These are {pictures:,} pictures at once, and at most {most:,} are taken in a minute; send fewer together."
    taken = "1 picture is" if most == 1 else f"{most:,} pictures are"
    return f"At most {taken} taken in a minute; please wait {left} seconds."


def _refusal_of_day(most: int, pictures: int) -> str:
    if pictures > most:
        return f"These are {pictures:,} pictures at once, and this key may send {most:,} in a day; send fewer together."
    may = "1 picture" if most == 1 else f"{most:,} pictures"
    return f"This key may send {may} in a day; the next day begins at midnight UTC."
