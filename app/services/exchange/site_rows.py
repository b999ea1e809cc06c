"""What a site keeps, as the rows that are exchanged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Engine, Select, SQLColumnExpression, func, select
from sqlalchemy.orm import Session

from app.services.exchange.shapes import AUDIT_LOG, PREDICTIONS, USERS, Key, Row, Shape
from app.services.exchange.store import BATCH, Batch, Placed, checked
from app.storage.tables import AuditEntry, Role, StoredPrediction, User, roles_of_users

_Wanted = Select[*tuple[Any, ...]]


class SiteRows:
    """Rows of a site, read some at a time so that nobody waits for long; numbers of accounts become their addresses.

    With `before` only those whose key is smaller are given, and with `after` only those whose key is larger; `strict` refuses
    what another site would not take.
    """

    def __init__(
        self, engine: Engine, shape: Shape, *, after: Key | None = None, before: Key | None = None, strict: bool = False
    ) -> None:
        self._engine, self._shape, self._strict = engine, shape, strict
        self._wanted, self._key = _wanted(shape)
        bounds: list[ColumnElement[bool]] = [] if before is None else [self._key < before]
        self._bounds = bounds if after is None else [*bounds, self._key > after]
        with Session(engine) as session:
            self.length = session.scalar(select(func.count(self._key)).where(*self._bounds)) or 0

    def batches(self) -> Iterator[Batch]:
        """Give all rows, some at a time, measured in rows."""
        bounds = self._bounds
        while True:
            wanted = self._wanted.where(*bounds).order_by(self._key).limit(BATCH)
            with Session(self._engine) as session:
                rows = [dict(row) for row in session.execute(wanted).mappings()]
                if self._shape is USERS:
                    _add_roles(session, rows)
            if not rows:
                return
            bounds = [*self._bounds, self._key > rows[-1][self._shape.key]]
            yield Batch([self._placed(row) for row in rows], len(rows))

    def close(self) -> None:
        """End the connections."""
        self._engine.dispose()

    def _placed(self, row: Row) -> Placed:
        placed = Placed(f"Row {row[self._shape.key]} of the site", row)
        return checked(self._shape, placed) if self._strict else placed


def _wanted(shape: Shape) -> tuple[_Wanted, SQLColumnExpression[Any]]:
    """Give the question for all rows of a shape, and their key."""
    if shape is USERS:
        return select(User.id, User.email, User.active, User.created_at, User.logged_in_at), User.id
    table, owner, called = {
        PREDICTIONS.name: (StoredPrediction, StoredPrediction.user_id, "owner"),
        AUDIT_LOG.name: (AuditEntry, AuditEntry.account_id, "account"),
    }[shape.name]
    columns = (getattr(table, name) for name in shape.names if name != called)
    return select(*columns, User.email.label(called)).select_from(table).outerjoin(User, User.id == owner), getattr(
        table, shape.key
    )


def _add_roles(session: Session, rows: list[Row]) -> None:
    """Put with each account the names of its roles."""
    known: dict[int, list[str]] = {row["id"]: row.setdefault("roles", []) for row in rows}
    column = roles_of_users.c.user_id
    held = select(column, Role.name).join(Role, Role.id == roles_of_users.c.role_id).where(column.in_(known))
    for account, role in session.execute(held.order_by(Role.name)):
        known[account].append(role)
