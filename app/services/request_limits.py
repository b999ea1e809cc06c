"""How many pictures a key or a visitor may have classified in a minute."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import structlog

from app.errors import DatabaseUnavailable, TooManyRequests
from app.storage.counters import Counters

Who = Literal["key", "account", "address"]
_WINDOW_SECONDS = 60

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left to somebody: `remaining` of `limit` pictures, until the count starts anew in so many seconds."""

    who: Who
    limit: int
    remaining: int
    resets_in: int

    @property
    def headers(self) -> dict[str, str]:
        """Give it in the fields of the IETF's draft (draft-ietf-httpapi-ratelimit-headers-10)."""
        return {
            "RateLimit-Policy": f'"{self.who}";q={self.limit};w={_WINDOW_SECONDS}',
            "RateLimit": f'"{self.who}";r={self.remaining};t={self.resets_in}',
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


def _refusal(most: int, pictures: int, left: int) -> str:
    if pictures > most:  # to wait would help nobody
        return f"These are {pictures:,} pictures at once, and at most {most:,} are taken in a minute; send fewer together."
    taken = "1 picture is" if most == 1 else f"{most:,} pictures are"
    return f"At most {taken} taken in a minute; please wait {left} seconds."
