"""Writes what a site keeps to a file or a database, and goes on where it was interrupted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session
from ulid import ULID

from app.services.audit_log import COMMAND_LINE, AuditLog, subject_of_list
from app.services.exchange.databases import shown
from app.services.exchange.shapes import PREDICTIONS, Key, Shape
from app.services.exchange.site_rows import SiteRows
from app.services.exchange.store import Source, Target
from app.services.exchange.stores import open_target
from app.storage.tables import StoredPrediction

Step = Callable[[int], object]

# How much later than its identifier an answer is in the database at the latest, beside the time that it may wait for.
_STORED_WITHIN = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Exported:
    """How many rows were written, and how many are too new for that."""

    rows: int
    left: int


@dataclass(frozen=True, slots=True)
class Export:
    """Rows that are about to be written: `length` of them, after the last one that is there already."""

    source: Source
    target: Target
    left: int

    @property
    def length(self) -> int:
        """How many rows there are to write."""
        return self.source.length

    @property
    def after(self) -> Key | None:
        """The key of the last row that is there already."""
        return self.target.last

    def run(self, step: Step) -> Exported:
        """Write them, and tell `step` after each batch how many it had."""
        rows = 0
        try:
            for batch in self.source.batches():
                self.target.write([placed.row for placed in batch.rows])
                rows += len(batch.rows)
                step(batch.length)
        finally:
            self.target.close()
        return Exported(rows, self.left)


class Exporter:
    """Exports what a site keeps; an answer waits for no longer than `answer_within` seconds before it is stored."""

    def __init__(self, *, engine: Engine, audit_log: AuditLog, answer_within: float) -> None:
        self._engine = engine
        self._audit_log = audit_log
        self._unsettled = timedelta(seconds=answer_within) + _STORED_WITHIN

    def open(self, shape: Shape, url: str) -> Export:
        """Open what is exported to, or raise InvalidRequest; that it is done is written down."""
        target = open_target(url, shape)
        before = self._settled() if shape is PREDICTIONS else None
        source = SiteRows(self._engine, shape, after=target.last, before=before)
        self._audit_log.record(COMMAND_LINE, "exported", subject_of_list(shape.name), f"to {named(url)}")
        return Export(source, target, self._newer(before) if before else 0)

    def _settled(self) -> str:
        # An identifier is made before its picture is looked at: newer answers may still come between those that are there, and
        # an export that is gone on with would never see them.
        return str(ULID.from_datetime(datetime.now(UTC) - self._unsettled))[:10]

    def _newer(self, before: str) -> int:
        with Session(self._engine) as session:
            return session.scalar(select(func.count()).where(StoredPrediction.id >= before)) or 0


def named(url: str) -> str:
    """Give a store's address without the password in it."""
    return shown(url) if "://" in url else url
