"""Accounts that come from elsewhere: without a password, which only a link to a new one gives them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.errors import InvalidAccount, InvalidRequest
from app.services.accounts.accounts import admin_role, checked_email
from app.services.exchange.shapes import Row
from app.services.exchange.store import Placed
from app.storage.tables import User, now

_ROLES: list[list[str]] = [[], ["admin"]]


class TakenAccounts:
    """Makes an account for every address that has none; those that are there stay as they are."""

    def take(self, session: Session, rows: list[Placed]) -> tuple[int, int]:
        """Add the accounts that are not there, and give how many these were."""
        emails = [_email(placed) for placed in rows]
        known = set(numbers_of(session, emails))
        new: list[User] = []
        for email, placed in zip(emails, rows, strict=True):
            if email.lower() not in known:
                known.add(email.lower())
                new.append(_account(session, email, placed))
        session.add_all(new)
        return len(new), 0


def numbers_of(session: Session, emails: Iterable[str | None]) -> dict[str, int]:
    """Give the numbers of the accounts that have one of these addresses, by the address in small letters."""
    address = func.lower(User.email)
    found = select(address, User.id).where(address.in_({email.lower() for email in emails if email}))
    return {row[0]: row[1] for row in session.execute(found)}


def _email(placed: Placed) -> str:
    try:
        return checked_email(placed.row["email"])
    except InvalidAccount as error:
        raise InvalidRequest(f"{placed.place} is not taken: {error}") from error


def _account(session: Session, email: str, placed: Placed) -> User:
    row: Row = placed.row
    roles = row["roles"] or []
    if roles not in _ROLES:
        raise InvalidRequest(f'{placed.place} is not taken: its roles are neither [] nor ["admin"].')
    return User(
        email=email,
        password=None,
        active=row["active"] is not False,
        fs_uniquifier=uuid.uuid4().hex,
        created_at=row["created_at"] or now(),
        logged_in_at=row["logged_in_at"],
        roles=[admin_role(session)] if roles else [],
    )
