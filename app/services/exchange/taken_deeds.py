"""Entries of another audit log: added at the end of this one, in their own order and with their own times."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Engine, func, insert, select
from sqlalchemy.orm import Session

from app.errors import InvalidRequest
from app.services.exchange.shapes import Row
from app.services.exchange.store import BATCH, Placed
from app.services.exchange.taken_accounts import numbers_of
from app.storage.tables import AuditEntry

_TOLD = ("at", "actor", "action", "subject", "detail", "address")
_Entry = tuple[datetime | str | None, ...]


class TakenDeeds:
    """Adds what a log holds beyond what was taken of it before.

    Both logs are only ever added to, so what was taken of the other stands in this one in the same order, with entries of this
    site's own between: to walk through both side by side finds it, whatever numbers it was given here.
    """

    def __init__(self, engine: Engine) -> None:
        self._here = _entries(engine)
        self._last = 0

    def take(self, session: Session, rows: list[Placed]) -> tuple[int, int]:
        """Add the entries that are not there, and give how many these were."""
        for placed in rows:
            if placed.row["id"] <= self._last:
                raise InvalidRequest(f"{placed.place} is not taken: entries come in the order of their numbers.")
            self._last = placed.row["id"]
        new = [placed.row for placed in rows if not self._is_here(placed.row)]
        if new:
            accounts = numbers_of(session, (row["account"] for row in new))
            session.execute(insert(AuditEntry), [_stored(row, accounts) for row in new])
        return len(new), 0

    def _is_here(self, row: Row) -> bool:
        wanted = tuple(row[name] for name in _TOLD)
        return any(entry == wanted for entry in self._here)


def _entries(engine: Engine) -> Iterator[_Entry]:
    """Give the entries that are there now, in order, some at a time."""
    with Session(engine) as session:
        until = session.scalar(select(func.max(AuditEntry.id))) or 0
    columns, last = [getattr(AuditEntry, name) for name in _TOLD], 0
    while True:
        some = select(AuditEntry.id, *columns).where(AuditEntry.id > last, AuditEntry.id <= until)
        with Session(engine) as session:
            rows = session.execute(some.order_by(AuditEntry.id).limit(BATCH)).all()
        if not rows:
            return
        yield from (tuple(row[1:]) for row in rows)
        last = rows[-1].id


def _stored(row: Row, accounts: dict[str, int]) -> Row:
    return {name: row[name] for name in _TOLD} | {"account_id": accounts.get((row["account"] or "").lower())}
