"""Moves a whole site into an empty database, secrets included, and compares every row afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import Column, Connection, Engine, MetaData, String, Table, func, insert, inspect, select
from sqlalchemy.exc import IntegrityError

from app.errors import InvalidRequest
from app.services.audit_log import COMMAND_LINE, AuditLog, subject_of_list
from app.services.exchange.comparing import differences
from app.services.exchange.databases import Mender, opened, shown
from app.services.exchange.exporting import Step
from app.services.exchange.shapes import Row
from app.services.exchange.tables_in_order import key_of, last_key, rows_of, snapshot
from app.storage.schema import upgrade
from app.storage.sums import StoredSum

EVERYTHING = "everything"
# There while a move is under way, so that one that was killed is known again, and nothing else is taken for one.
_MARK = Table("vitrine_move", MetaData(), Column("source", String(2000), primary_key=True))


@dataclass(frozen=True, slots=True)
class Moved:
    """What was moved and compared; `mended` counts texts with a stand-in for what the other database cannot hold."""

    tables: int
    rows: int
    mended: int


@dataclass(frozen=True, slots=True)
class Move:
    """A site that is about to be moved; each row is a step twice, when it is copied and when it is compared."""

    source: Engine
    target: Engine
    length: int

    def run(self, step: Step) -> Moved:
        """Copy what is not there yet, compare all of it, and give what was moved; raises InvalidRequest where it differs."""
        with snapshot(self.source) as here:
            for table in _tables():
                self._copy(here, table, step)
            found = [self._compare(here, table, step) for table in _tables()]
        _MARK.drop(self.target)
        return Moved(len(found), sum(rows for rows, _ in found), sum(mended for _, mended in found))

    def _copy(self, here: Connection, table: Table, step: Step) -> None:
        mender = Mender(self.target)
        with self.target.connect() as there:
            after = last_key(there, table)
            step(there.scalar(select(func.count()).select_from(table)) or 0)
        for rows in rows_of(here, table, after=after):
            self._write(table, list(map(mender.row, rows)))
            step(len(rows))
        number = table.autoincrement_column
        if self.target.dialect.name == "postgresql" and number is not None:
            sequence = func.pg_get_serial_sequence(table.name, number.name)
            with self.target.begin() as there:
                there.execute(select(func.setval(sequence, select(func.max(number)).scalar_subquery())))

    def _write(self, table: Table, rows: Sequence[Row]) -> None:
        try:
            with self.target.begin() as there:
                there.execute(insert(table), rows)
        except (IntegrityError, InvalidRequest) as error:
            if len(rows) > 1:  # one by one, to tell which: those before it are good
                for row in rows:
                    self._write(table, [row])
                return
            # The driver's own words alone: SQLAlchemy's tell the row, with whatever is secret in it.
            why = str(getattr(error, "orig", error)).partition("\n")[0].rstrip(".")
            raise InvalidRequest(f"Row {_words(key_of(table, rows[0]))} of {table.name} is not taken there: {why}.") from error

    def _compare(self, here: Connection, table: Table, step: Step) -> tuple[int, int]:
        mender, count = Mender(self.target), 0

        def given() -> Iterator[Row]:
            nonlocal count
            for rows in rows_of(here, table):
                yield from map(mender.row, rows)
                count += len(rows)
                step(len(rows))

        with snapshot(self.target) as there:
            kept = (row for rows in rows_of(there, table) for row in rows)
            for key in differences(given(), kept, partial(key_of, table)):
                raise InvalidRequest(
                    f"Row {_words(key)} of {table.name} is not the same in both databases: stop the site, "
                    f"empty {shown(self.target.url)} and call this again."
                )
        return count, mender.mended


class Mover:
    """Moves the site; what it writes meanwhile stays behind, so it should be stopped."""

    def __init__(self, *, engine: Engine, audit_log: AuditLog, copies: Path) -> None:
        self._engine = engine
        self._audit_log = audit_log
        self._copies = copies

    @contextmanager
    def open(self, url: str) -> Iterator[Move]:
        """Give the move into an empty database, or the rest of one that was killed; raises InvalidRequest for any other."""
        if "://" not in url:
            raise InvalidRequest("A whole site moves into a database alone: give its URL, such as postgresql://HOST/NAME.")
        target = opened(url, new=True)
        try:
            yield self._begun(target, url)
        finally:
            target.dispose()

    def _begun(self, target: Engine, url: str) -> Move:
        if target.url == self._engine.url:
            raise InvalidRequest("That is the database that the site has already.")
        unknown = set(inspect(self._engine).get_table_names()) - {table.name for table in _tables()} - {"alembic_version"}
        if unknown:
            raise InvalidRequest(f"The table {min(unknown)} is none of Vitrine's, and would be left behind: remove it first.")
        self._claim(target)
        self._audit_log.record(COMMAND_LINE, "exported", subject_of_list(EVERYTHING), f"to {shown(url)}")
        with self._engine.connect() as here:
            rows = sum(here.scalar(select(func.count()).select_from(table)) or 0 for table in _tables())
        return Move(self._engine, target, 2 * rows)

    def _claim(self, target: Engine) -> None:
        """Make the tables of the target and mark it, unless an interrupted move of this site has done so."""
        source, tables = shown(self._engine.url), inspect(target).get_table_names()
        if _MARK.name in tables:
            with target.connect() as there:
                if there.scalar(select(_MARK.c.source)) in (source, None):
                    return
            raise InvalidRequest(f"{shown(target.url)} is where another site is being moved to.")
        if tables and "alembic_version" not in tables:
            raise InvalidRequest(f"{shown(target.url)} is not empty: name a database that holds no tables.")
        upgrade(target, copies=self._copies)
        with target.begin() as there:
            if any(there.execute(select(*table.primary_key).limit(1)).first() for table in _tables()):
                raise InvalidRequest(f"{shown(target.url)} holds a site already: name an empty database.")
            _MARK.create(there)
            there.execute(insert(_MARK), {"source": source})


def _tables() -> list[Table]:
    return StoredSum.metadata.sorted_tables  # its own, and all those beside it


def _words(key: tuple[object, ...]) -> str:
    return ", ".join(map(str, key))
