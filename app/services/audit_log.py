"""Who did what to what is served and to whom, when and from where: written once, read by administrators."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from app.errors import DatabaseUnavailable
from app.storage.tables import AuditEntry

_OfModels = Literal["imported", "trained", "activated", "rolled back", "removed", "shadow begun", "shadow ended"]
_OfAccounts = Literal["invited", "withdrawn", "joined", "made", "disabled", "enabled", "promoted", "demoted", "logged out"]
_OfTheirOwn = Literal["changed address", "deleted", "linked", "unlinked"]
_OfLogins = Literal["logged in", "login failed", "password changed", "password reset", "recovery asked"]
_OfFactors = Literal[
    "second factor on", "second factor off", "passkey added", "passkey removed", "recovery codes made", "recovery code used"
]
_OfKeys = Literal["key made", "key revoked"]
_OfLists = Literal["downloaded", "exported"]
Action = _OfModels | _OfAccounts | _OfTheirOwn | _OfLogins | _OfFactors | _OfKeys | _OfLists
ACTIONS: tuple[str, ...] = tuple(sorted(action for kind in get_args(Action) for action in get_args(kind)))

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever does something: an e-mail address with its account, from where, and the key if by one; or the command line."""

    name: str
    account: int | None = None
    address: str | None = None
    key: str = ""


COMMAND_LINE = Actor("command line")
_LONGEST_ADDRESS, _LONGEST_SUBJECT, _LONGEST_DETAIL = 45, 255, 1000


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that was done."""

    at: datetime
    actor: str
    action: str
    detail: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was done, and to what."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: str
    address: str | None


class AuditLog:
    """Keeps what was done by its subject; an entry is never changed, and outlives the account that it names."""

    def __init__(self, *, sessions: sessionmaker[Session]) -> None:
        self._sessions = sessions

    def record(self, actor: Actor, action: Action, subject: str, detail: str = "") -> bool:
        """Write down what was just done, and tell whether it could be: what is done is not undone for want of a record."""
        detail += f"{', ' if detail else ''}by key {actor.key}" if actor.key else ""
        told = {
            "actor": actor.name,
            "action": action,
            "subject": subject[:_LONGEST_SUBJECT],
            "detail": detail[:_LONGEST_DETAIL],
        }
        address = actor.address and actor.address[:_LONGEST_ADDRESS]
        try:
            with self._sessions.begin() as session:
                session.add(AuditEntry(**told, account_id=actor.account, address=address))
        except DatabaseUnavailable:
            log.error("deed_not_recorded", **told, address=address)
            return False
        if actor is not COMMAND_LINE:  # whose standard error is no log: there is somebody before it
            log.info("deed", **told, address=address)
        return True

    def about(self, subject: str, limit: int = 20) -> list[Deed]:
        """Give what was done to a subject, newest first."""
        found = AuditEntry.subject == subject[:_LONGEST_SUBJECT]
        newest = select(AuditEntry).where(found).order_by(AuditEntry.id.desc()).limit(limit)
        with self._sessions() as session:
            return [Deed(row.at, row.actor, row.action, row.detail) for row in session.scalars(newest)]

    def before(self, number: int | None, limit: int) -> tuple[Entry, ...]:
        """Give what was done to anything, newest first, before one entry; before none the newest of all."""
        earlier = () if number is None else (AuditEntry.id < number,)
        newest = select(AuditEntry).where(*earlier).order_by(AuditEntry.id.desc()).limit(limit)
        with self._sessions() as session:
            rows = session.scalars(newest)
            return tuple(Entry(row.id, row.at, row.actor, row.action, row.subject, row.detail, row.address) for row in rows)


def subject_of_model(name: str) -> str:
    """Give the subject under which everything about a model is kept."""
    return f"model:{name}"


def subject_of_account(email: str) -> str:
    """Give the subject under which everything about an account is kept."""
    return f"account:{email}"


def subject_of_key(key_id: str) -> str:
    """Give the subject under which everything about a key is kept."""
    return f"key:{key_id}"


def subject_of_list(name: str) -> str:
    """Give the subject under which everything about a list for administrators is kept."""
    return f"list:{name}"
