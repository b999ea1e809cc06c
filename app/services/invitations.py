"""Invitations: a link, good once and for a week, with which somebody makes an account of a given address."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, sessionmaker

from app.errors import InvalidAccount, InvalidInvitation
from app.services.accounts import Accounts, check_password, checked_email
from app.services.audit_log import Actor, AuditLog, subject_of_account
from app.storage.tables import StoredInvitation, now

_GOOD_FOR = timedelta(days=7)
_CLOCKS_DIFFER = timedelta(minutes=5)
_DEAD = "This invitation is used, withdrawn or too old; ask for a new one."


@dataclass(frozen=True, slots=True)
class Invitation:
    """Who is invited, to be what, by whom, and until when."""

    id: int
    email: str
    admin: bool
    invited_by: str
    expires_at: datetime


class Invitations:
    """Invites, and lets the invited in; of a link's token only a digest is kept, and an address has one at a time."""

    def __init__(
        self,
        *,
        sessions: sessionmaker[Session],
        accounts: Accounts,
        audit_log: AuditLog,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._sessions = sessions
        self._accounts = accounts
        self._audit_log = audit_log
        self._clock = clock

    def invite(self, email: str, actor: Actor, *, admin: bool = False) -> str:
        """Invite somebody and give the link's token, this once; an earlier invitation of the address is dead then."""
        address, token, moment = checked_email(email), secrets.token_urlsafe(32), self._clock()
        if self._accounts.exists(address):
            raise InvalidAccount(f"There is an account for {address} already.")
        with self._sessions.begin() as session:
            over = StoredInvitation.expires_at <= moment
            session.execute(delete(StoredInvitation).where(over | (StoredInvitation.email == address)))
            session.add(
                StoredInvitation(
                    digest=_digest(token), email=address, admin=admin, invited_by=actor.name, expires_at=moment + _GOOD_FOR
                )
            )
        self._audit_log.record(actor, "invited", subject_of_account(address), "as administrator" if admin else "as member")
        return token

    def find(self, token: str) -> Invitation:
        """Give the invitation of a token, or raise InvalidInvitation."""
        with self._sessions() as session:
            row = session.scalar(select(StoredInvitation).where(StoredInvitation.digest == _digest(token)))
        moment = self._clock()
        # One that would still be good for longer than any was made before the clock went back.
        if row is None or not moment < row.expires_at <= moment + _GOOD_FOR + _CLOCKS_DIFFER:
            raise InvalidInvitation(_DEAD)
        return _invitation(row)

    def accept(self, token: str, password: str) -> int:
        """Make the account and give its number; raises InvalidInvitation, or InvalidAccount for a password that cannot be."""
        invitation = self.find(token)
        check_password(password)
        with self._sessions.begin() as session:
            # Whoever deletes it holds it: of two at once, one finds it gone.
            taken = delete(StoredInvitation).where(StoredInvitation.id == invitation.id).returning(StoredInvitation.id)
            if session.scalar(taken) is None:
                raise InvalidInvitation(_DEAD)
        account = self._accounts.create(invitation.email, password, admin=invitation.admin)
        actor = Actor(invitation.email, account)
        self._audit_log.record(actor, "joined", subject_of_account(invitation.email), f"invited by {invitation.invited_by}")
        return account

    def list(self) -> tuple[Invitation, ...]:
        """Give the invitations that wait for an answer, by their address."""
        waiting = select(StoredInvitation).where(StoredInvitation.expires_at > self._clock()).order_by(StoredInvitation.email)
        with self._sessions() as session:
            return tuple(map(_invitation, session.scalars(waiting)))

    def withdraw(self, number: int, actor: Actor) -> bool:
        """Let an invitation be worth nothing; False where there is none of that number."""
        gone = delete(StoredInvitation).where(StoredInvitation.id == number).returning(StoredInvitation.email)
        with self._sessions.begin() as session:
            email = session.scalar(gone)
        if email is None:
            return False
        self._audit_log.record(actor, "withdrawn", subject_of_account(email))
        return True


def _invitation(row: StoredInvitation) -> Invitation:
    return Invitation(row.id, row.email, row.admin, row.invited_by, row.expires_at)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
