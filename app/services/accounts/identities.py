"""Who somebody is elsewhere: accounts linked with what a provider of single sign-on calls them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from app.errors import InvalidAccount, SignInRefused
from app.services.accounts.accounts import checked_email
from app.services.audit_log import Action, Actor, AuditLog, subject_of_account
from app.storage.tables import StoredIdentity, User, now

# The same for an address that nobody has, an account that is disabled, and one that is somebody else's there.
_NOBODY = "No account here goes with that login; ask an administrator of this site."
_UNVERIFIED = "The provider does not vouch for your e-mail address: verify it there, and log in again."
_NOT_SET_UP = "Nobody administers this site yet: make the first account with the set-up link."


@dataclass(frozen=True, slots=True)
class Identity:
    """What a provider says of somebody who comes from there; `authenticated_at` is in seconds since 1970, 0 if unknown."""

    issuer: str
    subject: str
    email: str
    email_verified: bool
    authenticated_at: float


@dataclass(frozen=True, slots=True)
class Departure:
    """Where to send a browser, and what has to be known when it is back: without it what it brings is worth nothing."""

    url: str
    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class LinkedIdentity:
    """An identity that an account is linked with."""

    id: int
    issuer: str
    linked_at: datetime


class Identities:
    """Finds the account of an identity: by issuer and subject, and only the first time by an address that was verified.

    An address may be given to somebody else one day, so an account has one identity of an issuer, and no second comes in by it.
    """

    def __init__(
        self, *, sessions: sessionmaker[Session], audit_log: AuditLog, make_accounts: bool, clock: Callable[[], datetime] = now
    ) -> None:
        self._sessions = sessions
        self._audit_log = audit_log
        self._make_accounts = make_accounts
        self._clock = clock

    def account_of(self, identity: Identity, *, address: str | None = None) -> int:
        """Give the number of the account of an identity, linked or made now where that may be; raises SignInRefused.

        `address` is where the browser is that comes back.
        """
        known = self.known_account(identity)
        if known is not None:
            return known
        if not identity.email_verified:
            raise SignInRefused(_UNVERIFIED)
        try:
            email = checked_email(identity.email)
        except InvalidAccount as error:
            raise SignInRefused(_UNVERIFIED) from error
        try:
            account, action = self._link(identity, email)
        except IntegrityError as error:  # another tab was quicker by a moment, or the account is somebody else's there
            known = self.known_account(identity)
            if known is None:
                raise SignInRefused(_NOBODY) from error
            return known
        self._audit_log.record(Actor(email, account, address), action, subject_of_account(email), f"through {identity.issuer}")
        return account

    def known_account(self, identity: Identity) -> int | None:
        """Give the number of the account linked with an identity, or None; raises SignInRefused where it is disabled."""
        with self._sessions() as session:
            linked = select(User).join(StoredIdentity, StoredIdentity.user_id == User.id)
            user = session.scalar(
                linked.where(StoredIdentity.issuer == identity.issuer, StoredIdentity.subject == identity.subject)
            )
            return None if user is None else _let_in(user).id

    def list(self, account: int) -> tuple[LinkedIdentity, ...]:
        """Give the identities that an account is linked with."""
        linked = select(StoredIdentity).where(StoredIdentity.user_id == account).order_by(StoredIdentity.id)
        with self._sessions() as session:
            return tuple(LinkedIdentity(row.id, row.issuer, row.linked_at) for row in session.scalars(linked))

    def unlink(self, account: int, number: int, *, address: str | None = None) -> bool:
        """Forget an identity of an account; False where it has no such, InvalidAccount where nothing else would let it in."""
        gone = delete(StoredIdentity).where(StoredIdentity.id == number, StoredIdentity.user_id == account)
        with self._sessions.begin() as session:
            user = session.get_one(User, account)
            if not user.password:
                raise InvalidAccount("Choose a password first: without it nothing else would let you in.")
            issuer, email = session.scalar(gone.returning(StoredIdentity.issuer)), user.email
        if issuer is None:
            return False
        self._audit_log.record(Actor(email, account, address), "unlinked", subject_of_account(email), f"from {issuer}")
        return True

    def _link(self, identity: Identity, address: str) -> tuple[int, Action]:
        with self._sessions.begin() as session:
            user = session.scalar(select(User).where(func.lower(User.email) == address.lower()))
            action: Action = "joined" if user is None else "linked"
            user = self._make(session, address) if user is None else _let_in(user)
            session.add(
                StoredIdentity(user_id=user.id, issuer=identity.issuer, subject=identity.subject, linked_at=self._clock())
            )
            return user.id, action

    def _make(self, session: Session, address: str) -> User:
        if not self._make_accounts:
            raise SignInRefused(_NOBODY)
        # The set-up link is worth nothing once there is an account, and this one would administer nothing.
        if session.scalar(select(User.id).limit(1)) is None:
            raise SignInRefused(_NOT_SET_UP)
        user = User(email=address, password=None, active=True, fs_uniquifier=uuid.uuid4().hex)
        session.add(user)
        session.flush()
        return user


def _let_in(user: User) -> User:
    if not user.active:
        raise SignInRefused(_NOBODY)
    return user
