"""Who is logged in where: kept on the server, so that a login ends there, whatever a browser still holds."""

from __future__ import annotations

import contextlib
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.orm import Session, sessionmaker

from app.errors import DatabaseUnavailable
from app.storage.tables import StoredLogin, User, now

# How exactly it is known when a browser was last seen: to write it down at every page would cost one a write.
_SEEN_EVERY = timedelta(minutes=1)
_CLOCKS_DIFFER = timedelta(minutes=5)
_LONGEST_BROWSER, _LONGEST_ADDRESS = 255, 45


@dataclass(frozen=True, slots=True)
class Login:
    """One browser in which an account is logged in; `browser` is what it says of itself."""

    id: int
    account: int
    browser: str
    address: str
    began_at: datetime
    seen_at: datetime


class Logins:
    """A login is a random token in the browser's cookie, of which a digest is kept here.

    It ends when it is told to, after `days`, or where its browser was not seen for `idle_hours`.
    """

    def __init__(
        self, *, sessions: sessionmaker[Session], days: float, idle_hours: float, clock: Callable[[], datetime] = now
    ) -> None:
        self._sessions = sessions
        self._longest = timedelta(days=days)
        self._idle = timedelta(hours=idle_hours)
        self._clock = clock

    def begin(self, account: int, *, browser: str, address: str) -> str:
        """Begin a login of an account, and give its token; what has ended by itself is swept out on the way."""
        token, moment = secrets.token_urlsafe(32), self._clock()
        with self._sessions.begin() as session:
            session.execute(delete(StoredLogin).where(or_(*self._over(moment))))
            session.execute(update(User).where(User.id == account).values(logged_in_at=moment))
            session.add(
                StoredLogin(
                    user_id=account,
                    digest=_digest(token),
                    browser=browser[:_LONGEST_BROWSER],
                    address=address[:_LONGEST_ADDRESS],
                    began_at=moment,
                    seen_at=moment,
                )
            )
        return token

    def check(self, token: str, *, seen: bool = True) -> Login | None:
        """Give the login of a token and note that its browser was `seen`; None where it has ended."""
        moment = self._clock()
        with self._sessions() as session:
            row = session.scalar(select(StoredLogin).where(StoredLogin.digest == _digest(token), *self._alive(moment)))
        if row is None:
            self._bury(token)
            return None
        if seen and row.seen_at <= moment - _SEEN_EVERY:
            # A login stays good where the database can be read but not written to.
            with contextlib.suppress(DatabaseUnavailable), self._sessions.begin() as session:
                session.execute(update(StoredLogin).where(StoredLogin.id == row.id).values(seen_at=moment))
        return _login(row)

    def list(self, account: int) -> tuple[Login, ...]:
        """Give an account's logins, the one that was seen last first."""
        with self._sessions() as session:
            alive = select(StoredLogin).where(StoredLogin.user_id == account, *self._alive(self._clock()))
            return tuple(map(_login, session.scalars(alive.order_by(StoredLogin.seen_at.desc(), StoredLogin.id.desc()))))

    def end(self, token: str) -> None:
        """End the login of a token."""
        with self._sessions.begin() as session:
            session.execute(delete(StoredLogin).where(StoredLogin.digest == _digest(token)))

    def end_one(self, account: int, number: int) -> bool:
        """End one login of an account; False where it has no such login."""
        ended = delete(StoredLogin).where(StoredLogin.user_id == account, StoredLogin.id == number).returning(StoredLogin.id)
        with self._sessions.begin() as session:
            return session.scalar(ended) is not None

    def end_others(self, account: int, token: str) -> int:
        """End all logins of an account but that of the token, and give how many there were."""
        others = delete(StoredLogin).where(StoredLogin.user_id == account, StoredLogin.digest != _digest(token))
        with self._sessions.begin() as session:
            return len(session.scalars(others.returning(StoredLogin.id)).all())

    def _bury(self, token: str) -> None:
        # What was once found to be over stays so, wherever the clock goes.
        dead = StoredLogin.digest == _digest(token)
        with contextlib.suppress(DatabaseUnavailable):
            with self._sessions() as session:
                found = session.scalar(select(StoredLogin.id).where(dead))
            if found is not None:
                self.end(token)

    def _alive(self, moment: datetime) -> tuple[ColumnElement[bool], ...]:
        # Seen in the future: the clock has gone back since, and nobody knows how long it was.
        known = StoredLogin.seen_at <= moment + _CLOCKS_DIFFER
        return StoredLogin.began_at > moment - self._longest, StoredLogin.seen_at > moment - self._idle, known

    def _over(self, moment: datetime) -> tuple[ColumnElement[bool], ...]:
        return StoredLogin.began_at <= moment - self._longest, StoredLogin.seen_at <= moment - self._idle


def _login(row: StoredLogin) -> Login:
    return Login(row.id, row.user_id, row.browser, row.address, row.began_at, row.seen_at)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
