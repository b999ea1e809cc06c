"""Another e-mail address for an account: a link, good once and for an hour, that is sent to the new one."""

from __future__ import annotations

import contextlib
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from app.errors import InvalidAccount, InvalidAddressLink
from app.services.accounts.accounts import checked_email
from app.services.audit_log import Actor, AuditLog, subject_of_account
from app.storage.tables import StoredAddressChange, StoredLogin, User, now

_GOOD_FOR = timedelta(hours=1)
_DEAD = "This link is used, too old, or was sent for another account than the one that is logged in here."


@dataclass(frozen=True, slots=True)
class AddressChange:
    """From which address to which; `token` is for the link, and None where the new one has an account already."""

    old: str
    new: str
    token: str | None = None


class AddressChanges:
    """Changes the address of an account once its owner has shown that letters to the new one reach them."""

    def __init__(self, *, sessions: sessionmaker[Session], audit_log: AuditLog, clock: Callable[[], datetime] = now) -> None:
        self._sessions = sessions
        self._audit_log = audit_log
        self._clock = clock

    def ask(self, account: int, email: str) -> AddressChange:
        """Prepare the change, or raise InvalidAccount; whoever calls it shows nobody what came of it, and sends the letters.

        An earlier link of the account is dead then. The same is written for an address that has an account, only that its link
        is never good: neither the answer nor its time tells who has one.
        """
        new, token, moment = checked_email(email), secrets.token_urlsafe(32), self._clock()
        # One asked at the same moment may have been quicker: its letter bears the good link then.
        with contextlib.suppress(IntegrityError), self._sessions.begin() as session:
            over = (StoredAddressChange.expires_at <= moment) | (StoredAddressChange.user_id == account)
            session.execute(delete(StoredAddressChange).where(over))
            old = session.scalars(select(User.email).where(User.id == account)).one()
            if old == new:
                raise InvalidAccount("That is the address of your account already.")
            taken = _taken(session, account, new)
            expires_at = moment if taken else moment + _GOOD_FOR
            session.add(StoredAddressChange(user_id=account, digest=_digest(token), email=new, expires_at=expires_at))
        return AddressChange(old, new, None if taken else token)

    def find(self, account: int, token: str) -> AddressChange:
        """Give the change that a link of this account leads to, or raise InvalidAddressLink."""
        with self._sessions() as session:
            row = session.get(StoredAddressChange, account)
            if row is None or row.digest != _digest(token) or row.expires_at <= self._clock():
                raise InvalidAddressLink(_DEAD)
            return AddressChange(session.scalars(select(User.email).where(User.id == account)).one(), row.email)

    def use(self, account: int, token: str, *, here: int, address: str | None = None) -> AddressChange:
        """Change the address, or raise InvalidAddressLink; all logins end but `here`, and links to a new password are dead.

        `address` is where the browser is that asks.
        """
        moment = self._clock()
        try:
            with self._sessions.begin() as session:
                # Whoever deletes it holds it: of two at once, one finds it gone.
                good = StoredAddressChange.user_id == account, StoredAddressChange.digest == _digest(token)
                held = delete(StoredAddressChange).where(*good, StoredAddressChange.expires_at > moment)
                new = session.scalar(held.returning(StoredAddressChange.email))
                if new is None or _taken(session, account, new):
                    raise InvalidAddressLink(_DEAD)
                user = session.scalars(select(User).where(User.id == account)).one()
                # Links to a new password are older than this login then, and so are worth nothing.
                old, user.email, user.logged_in_at = user.email, new, moment
                session.execute(delete(StoredLogin).where(StoredLogin.user_id == account, StoredLogin.id != here))
        except IntegrityError as error:  # somebody was quicker by a moment
            raise InvalidAddressLink(_DEAD) from error
        self._audit_log.record(Actor(old, account, address), "changed address", subject_of_account(new), f"from {old}")
        return AddressChange(old, new)


def _taken(session: Session, account: int, email: str) -> bool:
    # Another way to write one's own address is nobody else's.
    others = select(User.id).where(func.lower(User.email) == email.lower(), User.id != account)
    return session.scalar(others) is not None


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
