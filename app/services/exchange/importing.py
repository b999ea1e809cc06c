"""Takes into a site what another one, or a file, holds; whoever calls it again goes on, and nothing is there twice."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.errors import InvalidRequest
from app.services.audit_log import COMMAND_LINE, AuditLog, subject_of_list
from app.services.exchange.databases import Mender
from app.services.exchange.exporting import Step, named
from app.services.exchange.shapes import AUDIT_LOG, PREDICTIONS, USERS, Shape
from app.services.exchange.store import Placed, Source
from app.services.exchange.stores import open_source
from app.services.exchange.taken_accounts import TakenAccounts
from app.services.exchange.taken_deeds import TakenDeeds
from app.services.exchange.taken_predictions import TakenPredictions


@dataclass(frozen=True, slots=True)
class Imported:
    """How many rows were taken, were there already, and were left out because nobody here is their owner."""

    rows: int = 0
    known: int = 0
    ownerless: int = 0
    mended: int = 0

    def __add__(self, other: Imported) -> Imported:
        return Imported(
            self.rows + other.rows, self.known + other.known, self.ownerless + other.ownerless, self.mended + other.mended
        )


class Taker(Protocol):
    """Takes rows of one shape into the database of a site."""

    def take(self, session: Session, rows: list[Placed]) -> tuple[int, int]:
        """Add those that are not there, and give how many these were and how many have no owner; may raise InvalidRequest."""
        ...


@dataclass(frozen=True, slots=True)
class Import:
    """Rows that are about to be taken."""

    source: Source
    engine: Engine
    taker: Taker

    @property
    def length(self) -> int:
        """What the steps come to in all; 0 where nobody knows."""
        return self.source.length

    def run(self, step: Step) -> Imported:
        """Take them, each batch in a transaction of its own, and tell `step` after each how long it was."""
        done = Imported()
        mender = Mender(self.engine)
        try:
            for batch in self.source.batches():
                done += self._take([placed._replace(row=mender.row(placed.row)) for placed in batch.rows])
                step(batch.length)
        except InvalidRequest as error:
            before = f" {done.rows + done.known:,} rows before it are in: mend it, and call this again to go on."
            raise InvalidRequest(f"{error}{before if done.rows + done.known else ' Nothing was taken.'}") from error
        finally:
            self.source.close()
        return replace(done, mended=mender.mended)

    def _take(self, rows: list[Placed]) -> Imported:
        with Session(self.engine) as session, session.begin():
            added, ownerless = self.taker.take(session, rows)
        return Imported(added, len(rows) - added - ownerless, ownerless)


class Importer:
    """Imports what a file or a database holds; that it is done is written down before the first row is taken."""

    def __init__(self, *, engine: Engine, audit_log: AuditLog) -> None:
        self._engine = engine
        self._audit_log = audit_log

    def open(self, shape: Shape, url: str) -> Import:
        """Open what is imported, or raise InvalidRequest."""
        source = open_source(url, shape)
        takers: dict[str, Taker] = {
            PREDICTIONS.name: TakenPredictions(),
            USERS.name: TakenAccounts(),
            AUDIT_LOG.name: TakenDeeds(self._engine),
        }
        self._audit_log.record(COMMAND_LINE, "imported", subject_of_list(shape.name), f"from {named(url)}")
        return Import(source, self._engine, takers[shape.name])
