"""How often somebody may try to log in, counted in the database and so for all workers together."""

from __future__ import annotations

import time

from sqlalchemy import Engine, delete, text

from app.errors import TooManyAttempts
from app.storage.counters import Count, Counters, counting
from app.storage.tables import Attempt

_WINDOW_SECONDS = 300
_RECOVERY_SECONDS = 3600
_CEREMONY_SECONDS = 600

_COUNT = text(counting(Attempt.__tablename__))


class DatabaseCounters:
    """Counters in the table of attempts, exact across workers and machines without a further server."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def count(self, key: str, window: int, amount: int = 1) -> Count:
        """Add to a counter, and give what it stands at then; one whose window of so many seconds is over starts anew."""
        now = time.time()
        with self._engine.begin() as connection:
            connection.execute(delete(Attempt).where(Attempt.expires_at <= now, Attempt.key != key))
            values = {"key": key, "amount": amount, "now": now, "until": now + window}
            return Count(*connection.execute(_COUNT, values).one())


class LoginAttempts:
    """At most ten failures in five minutes for an account, ten from an address, and a thousand in all."""

    def __init__(self, *, engine: Engine) -> None:
        self._counters: Counters = DatabaseCounters(engine)

    def begin(self, account: str, address: str) -> None:
        """Count an attempt before the password is looked at, so that many at once cannot slip through; may raise."""
        self._count(_counters(account, address), _WINDOW_SECONDS, "Too many failed attempts to log in")

    def begin_recovery(self, account: str, address: str) -> None:
        """Count that somebody asks for a link to a new password: five in an hour for an account, twenty from an address."""
        named = f"recovery/account/{account.strip().lower()[:200]}", 5
        self._count((named, (f"recovery/address/{address}", 20)), _RECOVERY_SECONDS, "Too many links were asked for")

    def begin_step(self, account: str, address: str) -> None:
        """Count an attempt at the second step of a login, or with a passkey alone, for which no account is given; may raise."""
        self._count(_step_counters(account, address), _WINDOW_SECONDS, "Too many failed attempts to log in")

    def succeed_step(self, account: str, address: str) -> None:
        """Take the attempt at the second step back that turned out to be a good one."""
        for key, _ in _step_counters(account, address):
            self._counters.count(key, _WINDOW_SECONDS, -1)

    def is_first(self, challenge: str) -> bool:
        """Tell whether a challenge to a browser is answered for the first time; it is asked for no longer than ten minutes."""
        return self._counters.count(f"challenge/{challenge[:200]}", _CEREMONY_SECONDS).amount == 1

    def succeed(self, account: str, address: str) -> None:
        """Take the attempt back that turned out to be a good one."""
        for key, _ in _counters(account, address):
            self._counters.count(key, _WINDOW_SECONDS, -1)

    def _count(self, counters: tuple[tuple[str, int], ...], window: int, reason: str) -> None:
        for key, most in counters:
            counted = self._counters.count(key, window)
            if counted.amount > most:
                wait = max(1, round(counted.ends_at - time.time()))
                raise TooManyAttempts(f"{reason}; please wait a few minutes.", wait)


def _step_counters(account: str, address: str) -> tuple[tuple[str, int], ...]:
    of_account = ((f"step/account/{account.strip().lower()[:200]}", 10),) if account else ()
    return (*of_account, (f"step/address/{address}", 10))


def _counters(account: str, address: str) -> tuple[tuple[str, int], ...]:
    return (
        (f"login/account/{account.strip().lower()[:200]}", 10),
        (f"login/address/{address}", 10),
        ("login/everyone", 1000),
    )
