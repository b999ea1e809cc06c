"""Tables as they stand at one moment, row by row, in an order that is the same in every database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Select, String, Table, select, tuple_

from app.services.exchange.store import BATCH

Key = tuple[Any, ...]
_Rows = Sequence[dict[str, Any]]


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """Give a connection that sees the database as it stands at its first question, whatever is written meanwhile."""
    if engine.dialect.name != "sqlite":
        with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
            yield connection
        return
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        # What is no UTF-8 is read all the same: as halves of surrogates, which are mended on the way.
        driver.text_factory = _text
        try:
            connection.exec_driver_sql("BEGIN")
            yield connection
        finally:
            driver.text_factory = str


def key_of(table: Table, row: dict[str, Any]) -> Key:
    """Give the primary key of a row."""
    return tuple(row[column.name] for column in table.primary_key)


def rows_of(connection: Connection, table: Table, *, after: Key | None = None) -> Iterator[_Rows]:
    """Give the rows of a table in the order of their primary key, after one of them, some at a time."""
    order = _order(connection, table)
    wanted: Select[*tuple[Any, ...]] = select(table).order_by(*order)
    if after is not None:
        wanted = wanted.where(tuple_(*order) > tuple_(*after))
    with connection.execute(wanted, execution_options={"yield_per": BATCH}) as found:
        for rows in found.mappings().partitions():
            yield [dict(row) for row in rows]


def last_key(connection: Connection, table: Table) -> Key | None:
    """Give the primary key of the last row in that order, or None where there is no row."""
    last_first = (column.desc() for column in _order(connection, table))
    row = connection.execute(select(*table.primary_key).order_by(*last_first).limit(1)).first()
    return None if row is None else tuple(row)


def _order(connection: Connection, table: Table) -> list[ColumnElement[Any]]:
    # Where texts are sorted as people do, another database would sort them differently: by their bytes all do it alike.
    bytewise = connection.dialect.name == "postgresql"
    return [column.collate("C") if bytewise and isinstance(column.type, String) else column for column in table.primary_key]


def _text(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape")
