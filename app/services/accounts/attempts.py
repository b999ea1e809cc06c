"""How often somebody may try to log in, counted in the database and so for all workers together."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from sqlalchemy import Engine, delete, select, text

from app.errors import TooManyAttempts
from app.storage.counters import Count, Counters, counting
from app.storage.tables import Attempt

_WINDOW_SECONDS = 300
_AN_HOUR = 3600
_TOO_MANY_LINKS = "Too many links were asked for"
_CEREMONY_SECONDS = 600

_COUNT = text(counting(Attempt.__tablename__))


class DatabaseCounters:
    """Counters in the table of attempts, exact across workers and machines without a further server."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def count(self, key: str, window: int, amount: int = 1) -> Count:
        """Add to a counter, and give what it stands at then; one whose window of so many seconds is over starts anew."""
        now = time.time()
        values = {"key": key, "amount": amount, "now": now, "until": now + window}
        # What others are about to count is left to them: in PostgreSQL two would wait for each other.
        over = select(Attempt.key).where(Attempt.expires_at <= now, Attempt.key != key).with_for_update(skip_locked=True)
        with self._engine.begin() as connection:
            count = Count(*connection.execute(_COUNT, values).one())
            connection.execute(delete(Attempt).where(Attempt.key.in_(over)))
        return count

    def look(self, keys: Sequence[str]) -> tuple[int, ...]:
        """Give what counters stand at, without counting; 0 for those whose window is over."""
        wanted = select(Attempt.key, Attempt.amount).where(Attempt.key.in_(keys), Attempt.expires_at > time.time())
        with self._engine.connect() as connection:
            found = {row.key: row.amount for row in connection.execute(wanted)}
        return tuple(found.get(key, 0) for key in keys)


class LoginAttempts:
    """At most ten failures in five minutes for an account, ten from an address, and a thousand in all."""

    def __init__(self, *, counters: Counters, limited: Callable[[], None] = lambda: None) -> None:
        self._counters = counters
        self._limited = limited

    def begin(self, account: str, address: str) -> None:
        """Count an attempt before the password is looked at, so that many at once cannot slip through; may raise."""
        self._count(_counters(account, address), _WINDOW_SECONDS, "Too many failed attempts to log in")

    def begin_recovery(self, account: str, address: str) -> None:
        """Count that somebody asks for a link to a new password: five in an hour for an account, twenty from an address."""
        named = f"recovery/account/{account.strip().lower()[:200]}", 5
        self._count((named, (f"recovery/address/{address}", 20)), _AN_HOUR, _TOO_MANY_LINKS)

    def begin_registration(self, account: str, address: str) -> None:
        """Count that somebody asks for a link to a new account: as often as for one to a new password."""
        named = f"registration/account/{account.strip().lower()[:200]}", 5
        self._count((named, (f"registration/address/{address}", 20)), _AN_HOUR, _TOO_MANY_LINKS)

    def begin_address_change(self, account: int, email: str, address: str) -> None:
        """Count that somebody asks for a link to a new address: five in an hour for an account, and five to that address."""
        counters = (
            (f"new/account/{account}", 5),
            (f"new/email/{email.strip().lower()[:200]}", 5),
            (f"new/address/{address}", 20),
        )
        self._count(counters, _AN_HOUR, _TOO_MANY_LINKS)

    def begin_download(self, account: int) -> None:
        """Count that somebody loads everything that is kept of them, which keeps a thread as long: ten times in an hour."""
        self._count(((f"download/account/{account}", 10),), _AN_HOUR, "Everything was loaded too often")

    def begin_history(self, owner: str) -> None:
        """Count that somebody loads their history as a file, which keeps a thread as long: twenty times in an hour."""
        self._count(((f"history/{owner}", 20),), _AN_HOUR, "The history was loaded too often")

    def begin_departure(self, address: str) -> None:
        """Count that somebody is sent to a provider of single sign-on: a hundred times in five minutes from an address."""
        self._count(((f"departure/address/{address}", 100),), _WINDOW_SECONDS, "Too many attempts to log in")

    def begin_return(self, address: str) -> None:
        """Count that somebody comes back from there, before the provider is asked who it is."""
        self._count(_counters("", address)[1:], _WINDOW_SECONDS, "Too many failed attempts to log in")

    def succeed_return(self, address: str) -> None:
        """Take that attempt back: it was a good one."""
        for key, _ in _counters("", address)[1:]:
            self._counters.count(key, _WINDOW_SECONDS, -1)

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
                if window == _WINDOW_SECONDS:  # a login, and no link
                    self._limited()
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
