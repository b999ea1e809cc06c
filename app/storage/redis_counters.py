"""Counters that the workers of several machines share, in Redis; and what counts where that is away."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import structlog

from app.errors import DatabaseUnavailable, InvalidSettings
from app.storage.counters import Count, Counters

# One that does not answer by then is as good as none: a request waits for it.
_ANSWER_SECONDS = 0.5
_SILENT_SECONDS = 5.0
_PREFIX = "vitrine:"
# Counts, lets the window begin with the first count, and tells how much of it is left, in one round trip.
_COUNT = """
local amount = redis.call('INCRBY', KEYS[1], ARGV[1])
local left = redis.call('PTTL', KEYS[1])
if left < 0 then
  left = tonumber(ARGV[2])
  redis.call('PEXPIRE', KEYS[1], left)
end
return {amount, left}
"""

_Answer = TypeVar("_Answer")

log = structlog.get_logger(__name__)


class RedisCounters:
    """Exact across machines; it connects on first use.

    A Redis that is stopped, or does not answer in half a second, is left alone for five seconds, so that requests do not wait
    for it one by one; that is logged once, and once more when it is back.
    """

    def __init__(self, url: str, *, clock: Callable[[], float] = time.time) -> None:
        try:
            from redis import Redis, RedisError
            from redis.backoff import NoBackoff
            from redis.retry import Retry
        except ImportError as error:
            raise InvalidSettings("VITRINE_REDIS_URL needs the client of Redis: install Vitrine's extra 'redis'.") from error
        try:
            # Without the client's own retries: a count that was made but not heard of would be made again.
            client = Redis.from_url(
                url, socket_timeout=_ANSWER_SECONDS, socket_connect_timeout=_ANSWER_SECONDS, retry=Retry(NoBackoff(), 0)
            )
        except ValueError as error:  # its message may hold the password
            raise InvalidSettings("VITRINE_REDIS_URL must be an address such as redis://127.0.0.1:6379/0.") from error
        self._client = client
        self._script = client.register_script(_COUNT)
        self._faults = (RedisError, OSError)
        self._clock = clock
        self._silent = False
        self._ask_again_at = 0.0

    def count(self, key: str, window: int, amount: int = 1) -> Count:
        """Add to a counter, and give what it stands at then; one whose window of so many seconds is over starts anew."""
        counted, left = self._asked(lambda: self._script(keys=[_PREFIX + key], args=[amount, window * 1000]))
        return Count(int(counted), self._clock() + int(left) / 1000)

    def look(self, keys: Sequence[str]) -> tuple[int, ...]:
        """Give what counters stand at, without counting; 0 for those whose window is over."""
        if not keys:
            return ()
        found = self._asked(lambda: self._client.mget([_PREFIX + key for key in keys]))
        return tuple(int(amount or 0) for amount in found)

    def _asked(self, question: Callable[[], _Answer]) -> _Answer:
        silent = self._silent
        if silent:
            now = self._clock()
            if now < self._ask_again_at:
                raise DatabaseUnavailable
            self._ask_again_at = now + _SILENT_SECONDS  # before asking, so that others do not wait for the answer too
        try:
            answer = question()
        except self._faults as error:
            self._note_silence(error)
            raise DatabaseUnavailable from error
        if silent:  # when it was asked: an answer from before it fell silent says nothing
            self._silent = False
            log.info("redis_is_back")
        return answer

    def _note_silence(self, error: Exception) -> None:
        self._ask_again_at = self._clock() + _SILENT_SECONDS
        if not self._silent:
            self._silent = True
            log.error("redis_unavailable", reason=str(error))


class WithFallback:
    """Counts in the first counters, or in the second ones for as long as the first cannot be counted in."""

    def __init__(self, first: Counters, second: Counters) -> None:
        self._first = first
        self._second = second

    def count(self, key: str, window: int, amount: int = 1) -> Count:
        """Add to a counter, and give what it stands at then; one whose window of so many seconds is over starts anew."""
        try:
            return self._first.count(key, window, amount)
        except DatabaseUnavailable:
            return self._second.count(key, window, amount)

    def look(self, keys: Sequence[str]) -> tuple[int, ...]:
        """Give what counters stand at in both together, without counting."""
        here = self._second.look(keys)
        try:
            shared = self._first.look(keys)
        except DatabaseUnavailable:
            return here
        return tuple(one + other for one, other in zip(shared, here, strict=True))
