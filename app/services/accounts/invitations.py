"""Invitations: a link, good once and for a week, with which somebody makes an account of a given address.

Where registration is open anybody invites themselves: the link goes to their address by mail alone, and is good for a day.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from app.errors import InvalidAccount, InvalidInvitation
from app.services.accounts.accounts import Accounts, checked_email
from app.services.audit_log import Actor, AuditLog, subject_of_account
from app.storage.tables import StoredInvitation, now

Registration = Literal["off", "invited", "open"]

_GOOD_FOR = timedelta(days=7)
_REGISTRATION_GOOD_FOR = timedelta(days=1)
_NOBODY = ""
_CLOCKS_DIFFER = timedelta(minutes=5)
_DEAD = "This invitation is used, withdrawn or too old; ask for a new one."


@dataclass(frozen=True, slots=True)
class Invitation:
    """Who is invited, to be what, by whom (by nobody where somebody registers), and until when."""

    id: int
    email: str
    admin: bool
    invited_by: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Registering:
    """What goes to whoever registers: a token, or none where the address has an account already."""

    email: str
    token: str | None


class Invitations:
    """Invites, and lets the invited in; of a link's token only a digest is kept, and an address has one at a time."""

    def __init__(
        self,
        *,
        sessions: sessionmaker[Session],
        accounts: Accounts,
        audit_log: AuditLog,
        registration: Registration = "invited",
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._sessions = sessions
        self._accounts = accounts
        self._audit_log = audit_log
        self._registration = registration
        self._clock = clock

    def invite(self, email: str, actor: Actor, *, admin: bool = False) -> str:
        """Invite somebody and give the link's token, this once; an earlier invitation of the address is dead then."""
        if self._registration == "off":
            raise InvalidAccount("Nobody is invited here: accounts are made on the command line alone.")
        address, token, moment = checked_email(email), secrets.token_urlsafe(32), self._clock()
        if self._accounts.exists(address):
            raise InvalidAccount(f"There is an account for {address} already.")
        row = StoredInvitation(digest=_digest(token), email=address, admin=admin, invited_by=actor.name)
        row.expires_at = moment + _GOOD_FOR
        try:
            with self._sessions.begin() as session:
                over = StoredInvitation.expires_at <= moment
                session.execute(delete(StoredInvitation).where(over | (StoredInvitation.email == address)))
                session.add(row)
        except IntegrityError as error:  # the other's link is the good one then
            raise InvalidAccount(f"Somebody else has just invited {address}.") from error
        self._audit_log.record(actor, "invited", subject_of_account(address), "as administrator" if admin else "as member")
        return token

    def check_registration(self) -> None:
        """Raise InvalidInvitation unless anybody may register; nobody does before the first administrator is made."""
        if self._registration != "open" or self._accounts.is_empty():
            raise InvalidInvitation("Nobody can make an account here.")

    def register(self, email: str) -> Registering:
        """Let somebody invite themselves; whoever calls it shows nobody what came of it, and sends one letter in each case.

        Whoever waits with an invitation gets that one, under a new link. The same is written for an address that has an
        account, only that its link is never good: neither the answer nor its time tells who has one.
        """
        self.check_registration()
        address, token, moment = checked_email(email), secrets.token_urlsafe(32), self._clock()
        known = self._accounts.exists(address)
        # One asked at the same moment may have been quicker: its letter bears the good link then.
        with contextlib.suppress(IntegrityError), self._sessions.begin() as session:
            session.execute(delete(StoredInvitation).where(StoredInvitation.expires_at <= moment))
            row = StoredInvitation(digest=_digest(token), email=address, admin=False, invited_by=_NOBODY)
            row.expires_at = moment if known else moment + _REGISTRATION_GOOD_FOR
            columns = StoredInvitation.admin, StoredInvitation.invited_by, StoredInvitation.expires_at
            earlier = delete(StoredInvitation).where(StoredInvitation.email == address).returning(*columns)
            waiting = session.execute(earlier).one_or_none()
            if waiting is not None and waiting.invited_by != _NOBODY and not known:
                row.admin, row.invited_by, row.expires_at = waiting
            session.add(row)
        return Registering(address, None if known else token)

    def find(self, token: str) -> Invitation:
        """Give the invitation of a token, or raise InvalidInvitation."""
        with self._sessions() as session:
            row = session.scalar(select(StoredInvitation).where(StoredInvitation.digest == _digest(token)))
        moment = self._clock()
        # One that would still be good for longer than any was made before the clock went back.
        if row is None or not moment < row.expires_at <= moment + _GOOD_FOR + _CLOCKS_DIFFER or not self._offered(row):
            raise InvalidInvitation(_DEAD)
        return _invitation(row)

    def accept(self, token: str, password: str, *, address: str | None = None) -> int:
        """Make the account and give its number; raises InvalidInvitation, or InvalidAccount for a password that cannot be."""
        invitation = self.find(token)
        hashed = self._accounts.hashed(invitation.email, password)
        with self._sessions.begin() as session:
            # Whoever deletes it holds it: of two at once, one finds it gone.
            taken = delete(StoredInvitation).where(StoredInvitation.id == invitation.id).returning(StoredInvitation.id)
            if session.scalar(taken) is None:
                raise InvalidInvitation(_DEAD)
        account = self._accounts.add(invitation.email, hashed, admin=invitation.admin)
        actor = Actor(invitation.email, account, address)
        how = f"invited by {invitation.invited_by}" if invitation.invited_by else "registered"
        self._audit_log.record(actor, "joined", subject_of_account(invitation.email), how)
        return account

    def list(self) -> tuple[Invitation, ...]:
        """Give the invitations that wait for an answer, by their address; not those who register, whom nobody here invited."""
        waiting = select(StoredInvitation).where(
            StoredInvitation.expires_at > self._clock(), StoredInvitation.invited_by != _NOBODY
        )
        with self._sessions() as session:
            return tuple(map(_invitation, session.scalars(waiting.order_by(StoredInvitation.email))))

    def withdraw(self, number: int, actor: Actor) -> bool:
        """Let an invitation be worth nothing; False where there is none of that number."""
        gone = delete(StoredInvitation).where(StoredInvitation.id == number).returning(StoredInvitation.email)
        with self._sessions.begin() as session:
            email = session.scalar(gone)
        if email is None:
            return False
        self._audit_log.record(actor, "withdrawn", subject_of_account(email))
        return True

    def _offered(self, row: StoredInvitation) -> bool:
        # The settings of today count, also for links of yesterday.
        return self._registration == "open" or (self._registration == "invited" and row.invited_by != _NOBODY)


def _invitation(row: StoredInvitation) -> Invitation:
    return Invitation(row.id, row.email, row.admin, row.invited_by, row.expires_at)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
