"""Who has an account, and what administrators do to accounts: each deed is written down."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, delete, func, select
from sqlalchemy.orm import Session, sessionmaker

from app.errors import AccountNotFound, InvalidRequest
from app.services.accounts.accounts import admin_role
from app.services.accounts.second_factors import take_off, with_factors
from app.services.audit_log import Action, Actor, AuditLog, subject_of_account
from app.storage.tables import Role, StoredLogin, User

_PAGE = 50

Change = Callable[[Session, User], None]


@dataclass(frozen=True, slots=True)
class Person:
    """An account as administrators see it."""

    id: int
    email: str
    admin: bool
    active: bool
    created_at: datetime
    logged_in_at: datetime | None
    second_factor: bool


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """Some of the accounts, by their address; `number` and `pages` count from 1."""

    people: tuple[Person, ...]
    number: int
    pages: int
    total: int

    @property
    def previous(self) -> int | None:
        """The number of the page before, or None."""
        return self.number - 1 if self.number > 1 else None

    @property
    def next(self) -> int | None:
        """The number of the page after, or None."""
        return self.number + 1 if self.number < self.pages else None


class People:
    """Lists accounts, and changes what they may do; nobody changes their own, so there is always an administrator left."""

    def __init__(self, *, sessions: sessionmaker[Session], audit_log: AuditLog) -> None:
        self._sessions = sessions
        self._audit_log = audit_log

    def page(self, number: int, search: str = "") -> PeoplePage:
        """Give one page of the accounts whose address holds a text; a number beyond the last gives the last."""
        found = func.lower(User.email).contains(search.strip().lower(), autoescape=True)
        with self._sessions() as session:
            total = session.scalar(select(func.count()).select_from(User).where(found)) or 0
            pages = max(1, -(-total // _PAGE))
            number = min(max(1, number), pages)
            some = select(User).where(found).order_by(func.lower(User.email)).limit(_PAGE).offset((number - 1) * _PAGE)
            return PeoplePage(_persons(session, some), number, pages, total)

    def before(self, number: int | None, limit: int) -> tuple[Person, ...]:
        """Give the newest accounts before one; before none the newest of all."""
        earlier = () if number is None else (User.id < number,)
        with self._sessions() as session:
            return _persons(session, select(User).where(*earlier).order_by(User.id.desc()).limit(limit))

    def disable(self, number: int, actor: Actor) -> str:
        """Let an account in nowhere any more, and give its address; its logins end, and its keys within seconds."""
        return self._change(number, actor, "disabled", lambda _session, user: setattr(user, "active", False))

    def enable(self, number: int, actor: Actor) -> str:
        """Let a disabled account in again, and give its address."""
        return self._change(number, actor, "enabled", lambda _session, user: setattr(user, "active", True))

    def promote(self, number: int, actor: Actor) -> str:
        """Let an account administer the site, and give its address; it has to log in again."""
        return self._change(number, actor, "promoted", lambda session, user: _set_roles(user, [admin_role(session)]))

    def demote(self, number: int, actor: Actor) -> str:
        """Let an account administer the site no more, and give its address; it has to log in again."""
        return self._change(number, actor, "demoted", lambda _session, user: _set_roles(user, []))

    def log_out(self, number: int, actor: Actor) -> str:
        """End all logins of an account, and give its address."""
        return self._change(number, actor, "logged out", lambda _session, _user: None)

    def take_second_factor_off(self, number: int, actor: Actor) -> str:
        """Let an account in by its password alone, for whoever lost the second factor, and give its address; its logins end."""
        return self._change(number, actor, "second factor off", lambda session, user: take_off(session, user.id))

    def _change(self, number: int, actor: Actor, action: Action, change: Change) -> str:
        if number == actor.account:
            raise InvalidRequest("Nobody changes their own account here; ask another administrator.")
        with self._sessions.begin() as session:
            user = session.get(User, number)
            if user is None:
                raise AccountNotFound("There is no such account.")
            change(session, user)
            # Whatever cookie was given out under other rights is worth nothing.
            user.fs_uniquifier = uuid.uuid4().hex
            session.execute(delete(StoredLogin).where(StoredLogin.user_id == number))
            email = user.email
        self._audit_log.record(actor, action, subject_of_account(email))
        return email


def _set_roles(user: User, roles: list[Role]) -> None:
    user.roles = roles


def _persons(session: Session, wanted: Select[User]) -> tuple[Person, ...]:
    users = session.scalars(wanted).all()
    secured = with_factors(session, [user.id for user in users])
    return tuple(_person(user, user.id in secured) for user in users)


def _person(user: User, second_factor: bool) -> Person:
    return Person(user.id, user.email, user.is_admin, user.active, user.created_at, user.logged_in_at, second_factor)
