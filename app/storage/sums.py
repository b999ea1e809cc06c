"""Sums of what was answered and refused, by the minute and by the hour: figures, with nobody and no picture in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import BigInteger, Engine, String, delete, func, select, text
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.tables import Base

MINUTE, HOUR = 60, 3600

# One statement for SQLite and PostgreSQL.
_ADD = text(
    "INSERT INTO sums (span, measure, begins_at, model, version, detail, amount, total)"
    " VALUES (:span, :measure, :begins_at, :model, :version, :detail, :amount, :total)"
    " ON CONFLICT (span, measure, begins_at, model, version, detail)"
    " DO UPDATE SET amount = sums.amount + excluded.amount, total = sums.total + excluded.total"
)


class StoredSum(Base):
    """How often something happened within a minute or an hour, by all processes, and what it came to; it is nobody's.

    In SQLite its rows lie in the order of their key (the migration says so), which is most of what is in them.
    """

    __tablename__ = "sums"

    span: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # seconds
    measure: Mapped[str] = mapped_column(String(16), primary_key=True)
    begins_at: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)  # seconds since the epoch
    model: Mapped[str] = mapped_column(String(63), primary_key=True)
    version: Mapped[str] = mapped_column(String(16), primary_key=True)
    detail: Mapped[str] = mapped_column(String(255), primary_key=True)
    amount: Mapped[int] = mapped_column(BigInteger)
    total: Mapped[float]


class SumKey(NamedTuple):
    """What is added up together: seconds and their beginning since the epoch, what is measured, and of what."""

    span: int
    measure: str
    begins_at: int
    model: str
    version: str
    detail: str


class Amount(NamedTuple):
    """How often, and what it came to in the unit of what is measured."""

    times: int
    total: float


@dataclass(frozen=True, slots=True)
class Sum:
    """How often something happened in the slot of that number, and what it came to."""

    measure: str
    slot: int
    model: str
    version: str
    detail: str
    amount: int
    total: float


class Sums:
    """The table of sums, which any number of processes and machines add to."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, amounts: Mapping[SumKey, Amount]) -> None:
        """Add all of these in one transaction, or none of them."""
        # In the same order everywhere: two that wait for each other's rows would wait for ever.
        rows = [{**key._asdict(), "amount": times, "total": total} for key, (times, total) in sorted(amounts.items())]
        with self._engine.begin() as connection:
            connection.execute(_ADD, rows)

    def read(self, span: int, measures: Iterable[str], since: int, slot: int, model: str | None = None) -> list[Sum]:
        """Give the sums of some measures from a moment on, added up over slots of so many seconds."""
        row = StoredSum
        number = (row.begins_at - since) // slot
        named = row.measure, number.label("slot"), row.model, row.version, row.detail
        wanted = (
            select(*named, func.sum(row.amount), func.sum(row.total))
            .where(row.span == span, row.measure.in_(measures), row.begins_at >= since)
            .group_by(row.measure, text("slot"), row.model, row.version, row.detail)
        )
        if model is not None:
            wanted = wanted.where(row.model == model)
        with self._engine.connect() as connection:
            return [Sum(*found[:5], int(found[5]), float(found[6])) for found in connection.execute(wanted)]

    def models(self, measure: str) -> list[str]:
        """Give the names of the models of which something was measured, in order."""
        wanted = select(StoredSum.model).where(StoredSum.span == HOUR, StoredSum.measure == measure).distinct()
        with self._engine.connect() as connection:
            return sorted(connection.scalars(wanted))

    def forget(self, span: int, measures: Iterable[str], before: int) -> None:
        """Delete the sums of some measures that began before a moment."""
        old = delete(StoredSum).where(StoredSum.span == span, StoredSum.measure.in_(measures), StoredSum.begins_at < before)
        with self._engine.begin() as connection:
            connection.execute(old)
