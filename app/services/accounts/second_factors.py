"""What an account needs beside its password, and the way out for whoever lost it."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session, sessionmaker

from app.storage.tables import StoredAuthenticator, StoredPasskey, StoredRecoveryCode

Required = Literal["offered", "administrators", "everybody"]
Kind = Literal["code", "passkey"]


class SecondFactors:
    """Tells which second factors an account has, and whether it must have one."""

    def __init__(self, *, sessions: sessionmaker[Session], required: Required) -> None:
        self._sessions = sessions
        self._required = required

    def of(self, account: int) -> frozenset[Kind]:
        """Give the kinds of second factors that an account has."""
        app = exists().where(StoredAuthenticator.user_id == account)
        passkey = exists().where(StoredPasskey.user_id == account)
        with self._sessions() as session:
            has_app, has_passkey = session.execute(select(app, passkey)).one()
        kinds: dict[Kind, bool] = {"code": has_app, "passkey": has_passkey}
        return frozenset(kind for kind, there in kinds.items() if there)

    def required_of(self, *, admin: bool) -> bool:
        """Tell whether such an account must have a second factor."""
        return self._required == "everybody" or (self._required == "administrators" and admin)

    def missing(self, account: int, *, admin: bool) -> bool:
        """Tell whether an account must have a second factor and has none."""
        return self.required_of(admin=admin) and not self.of(account)


def with_factors(session: Session, accounts: list[int]) -> set[int]:
    """Give which of some accounts have a second factor."""
    found: set[int] = set()
    for table in (StoredAuthenticator, StoredPasskey):
        found.update(session.scalars(select(table.user_id).where(table.user_id.in_(accounts))))
    return found


def take_off(session: Session, account: int) -> None:
    """Delete every second factor of an account, and its recovery codes."""
    for table in (StoredAuthenticator, StoredPasskey, StoredRecoveryCode):
        session.execute(delete(table).where(table.user_id == account))
