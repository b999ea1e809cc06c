"""How often somebody may try to log in, counted in the database and so for all workers together."""

from __future__ import annotations

import time

from sqlalchemy import Engine, delete, select, text

from app.errors import TooManyAttempts
from app.storage.counters import Counters
from app.storage.tables import Attempt

_WINDOW_SECONDS = 300

_COUNT = text(
    """
    INSERT INTO attempts (key, amount, expires_at) VALUES (:key, :amount, :until)
    ON CONFLICT (key) DO UPDATE SET
      amount = CASE WHEN attempts.expires_at <= :now THEN :amount ELSE attempts.amount + :amount END,
      expires_at = CASE WHEN attempts.expires_at <= :now THEN :until ELSE attempts.expires_at END
    RETURNING amount
    """
)


class DatabaseStorage:
    """Counters in the table of attempts, exact across workers and machines without a further server."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Add to a counter and give what it stands at; a counter whose window is over starts anew."""
        values = {"key": key, "amount": amount, "now": time.time(), "until": time.time() + expiry}
        with self._engine.begin() as connection:
            connection.execute(delete(Attempt).where(Attempt.expires_at <= values["now"], Attempt.key != key))
            return int(connection.execute(_COUNT, values).scalar_one())

    def get_expiry(self, key: str) -> float:
        """Give when a counter's window is over, in seconds since the epoch."""
        with self._engine.connect() as connection:
            return connection.execute(select(Attempt.expires_at).where(Attempt.key == key)).scalar() or time.time()


class LoginAttempts:
    """At most ten failures in five minutes for an account, ten from an address, and a thousand in all."""

    def __init__(self, *, engine: Engine) -> None:
        self._storage: Counters = DatabaseStorage(engine)

    def begin(self, account: str, address: str) -> None:
        """Count an attempt before the password is looked at, so that many at once cannot slip through; may raise."""
        for key, most in _counters(account, address):
            if self._storage.incr(key, _WINDOW_SECONDS) > most:
                wait = max(1, round(self._storage.get_expiry(key) - time.time()))
                raise TooManyAttempts("Too many failed attempts to log in; please wait a few minutes.", wait)

    def succeed(self, account: str, address: str) -> None:
        """Take the attempt back that turned out to be a good one."""
        for key, _ in _counters(account, address):
            self._storage.incr(key, _WINDOW_SECONDS, -1)


def _counters(account: str, address: str) -> tuple[tuple[str, int], ...]:
    return (
        (f"login/account/{account.strip().lower()[:200]}", 10),
        (f"login/address/{address}", 10),
        ("login/everyone", 1000),
    )
