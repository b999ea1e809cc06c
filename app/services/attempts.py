"""How often somebody may try to log in, counted in the database and so for all workers together."""

from __future__ import annotations

import time

from limits import RateLimitItemPerMinute
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter
from sqlalchemy import Engine, delete, select, text

from app.errors import DatabaseUnavailable, TooManyAttempts
from app.storage.tables import Attempt

_COUNT = text(
    """
    INSERT INTO attempts (key, amount, expires_at) VALUES (:key, :amount, :until)
    ON CONFLICT (key) DO UPDATE SET
      amount = CASE WHEN attempts.expires_at <= :now THEN :amount ELSE attempts.amount + :amount END,
      expires_at = CASE WHEN attempts.expires_at <= :now THEN :until ELSE attempts.expires_at END
    RETURNING amount
    """
)


class DatabaseStorage(Storage):
    """A storage for the `limits` library in the table of attempts, exact across workers without a further server."""

    STORAGE_SCHEME = ["vitrine+database"]

    def __init__(self, engine: Engine) -> None:
        super().__init__(uri=None)
        self._engine = engine

    @property
    def base_exceptions(self) -> type[Exception]:
        """What may go wrong here."""
        return DatabaseUnavailable

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Add to a counter and give what it stands at; a counter whose window is over starts anew."""
        values = {"key": key, "amount": amount, "now": time.time(), "until": time.time() + expiry}
        with self._engine.begin() as connection:
            connection.execute(delete(Attempt).where(Attempt.expires_at <= values["now"], Attempt.key != key))
            return int(connection.execute(_COUNT, values).scalar_one())

    def get(self, key: str) -> int:
        """Give what a counter stands at."""
        statement = select(Attempt.amount).where(Attempt.key == key, Attempt.expires_at > time.time())
        with self._engine.connect() as connection:
            return connection.execute(statement).scalar() or 0

    def get_expiry(self, key: str) -> float:
        """Give when a counter's window is over, in seconds since the epoch."""
        with self._engine.connect() as connection:
            return connection.execute(select(Attempt.expires_at).where(Attempt.key == key)).scalar() or time.time()

    def check(self) -> bool:
        """Tell whether the database answers."""
        try:
            self.get("check")
        except DatabaseUnavailable:
            return False
        return True

    def reset(self) -> int | None:
        """Forget all counters and give how many there were."""
        with self._engine.begin() as connection:
            return int(connection.execute(delete(Attempt)).rowcount)

    def clear(self, key: str) -> None:
        """Forget one counter."""
        with self._engine.begin() as connection:
            connection.execute(delete(Attempt).where(Attempt.key == key))


class LoginAttempts:
    """At most ten failures in five minutes for an account, ten from an address, and a thousand in all."""

    def __init__(self, *, engine: Engine) -> None:
        self._limiter = FixedWindowRateLimiter(DatabaseStorage(engine))
        self._few = RateLimitItemPerMinute(10, 5, namespace="login")
        self._many = RateLimitItemPerMinute(1000, 5, namespace="login")

    def begin(self, account: str, address: str) -> None:
        """Count an attempt before the password is looked at, so that many at once cannot slip through; may raise."""
        for item, key in self._counters(account, address):
            if not self._limiter.hit(item, *key):
                wait = max(1, round(self._limiter.get_window_stats(item, *key).reset_time - time.time()))
                raise TooManyAttempts("Too many failed attempts to log in; please wait a few minutes.", wait)

    def succeed(self, account: str, address: str) -> None:
        """Take the attempt back that turned out to be a good one."""
        for item, key in self._counters(account, address):
            self._limiter.hit(item, *key, cost=-1)

    def _counters(self, account: str, address: str) -> tuple[tuple[RateLimitItemPerMinute, tuple[str, str]], ...]:
        return (
            (self._few, ("account", account.strip().lower()[:200])),
            (self._few, ("address", address)),
            (self._many, ("everyone", "")),
        )
