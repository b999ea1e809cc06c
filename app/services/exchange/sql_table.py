"""A table of a database, found by its URL; or, to be read from, another site's own tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    Engine,
    MetaData,
    String,
    Table,
    func,
    insert,
    inspect,
    select,
)
from sqlalchemy.types import TypeEngine

from app.errors import InvalidRequest, VitrineError
from app.services.exchange.databases import Mender, is_site, opened, shown
from app.services.exchange.shapes import Field, Key, Row, Shape
from app.services.exchange.site_rows import SiteRows
from app.services.exchange.store import BATCH, Batch, Placed, Source, checked
from app.storage.tables import Moment

_LONGEST_KEY = 64


class SqlTarget:
    """A table of our own making, named vitrine_predictions and so on; a batch is a transaction."""

    def __init__(self, url: str, shape: Shape) -> None:
        self._engine, self._shape = opened(url, new=True), shape
        try:
            self._table = self._made(url)
        except InvalidRequest:
            self.close()
            raise
        self._mender = Mender(self._engine)
        with self._engine.connect() as connection:
            self.last: Key | None = connection.scalar(select(func.max(self._table.c[shape.key])))

    def write(self, rows: Sequence[Row]) -> None:
        """Add rows in one transaction."""
        with self._engine.begin() as connection:
            connection.execute(insert(self._table), list(map(self._mender.row, rows)))

    def close(self) -> None:
        """End the connections."""
        self._engine.dispose()

    def _made(self, url: str) -> Table:
        if is_site(self._engine):
            raise InvalidRequest(
                f"{shown(url)} is the database of a site: let that site take them with vitrine import {self._shape.name}, "
                "or move everything into an empty database with vitrine export everything."
            )
        table = _table(self._shape)
        table.create(self._engine, checkfirst=True)
        _check(self._engine, table, url)
        return table


class SqlSource:
    """A table that an export has made, measured in rows."""

    def __init__(self, engine: Engine, url: str, shape: Shape) -> None:
        self._engine, self._shape, self._table = engine, shape, _table(shape)
        _check(engine, self._table, url)
        self._where = f"of {self._table.name} in {shown(url)}"
        with engine.connect() as connection:
            self.length = connection.scalar(select(func.count()).select_from(self._table)) or 0

    def batches(self) -> Iterator[Batch]:
        """Give all rows, some at a time."""
        key, last = self._table.c[self._shape.key], None
        while True:
            wanted = select(self._table).order_by(key).limit(BATCH)
            with self._engine.connect() as connection:
                rows = connection.execute(wanted if last is None else wanted.where(key > last)).mappings().all()
            if not rows:
                return
            last = rows[-1][self._shape.key]
            placed = (Placed(f"Row {row[self._shape.key]} {self._where}", dict(row)) for row in rows)
            yield Batch([checked(self._shape, one) for one in placed], len(rows))

    def close(self) -> None:
        """End the connections."""
        self._engine.dispose()


def sql_source(url: str, shape: Shape) -> Source:
    """Give the table that an export has made in a database, or what a site keeps in it itself."""
    engine = opened(url, new=False)
    try:
        return SiteRows(engine, shape, strict=True) if is_site(engine) else SqlSource(engine, url, shape)
    except VitrineError:
        engine.dispose()
        raise


def _table(shape: Shape) -> Table:
    first, *others = shape.fields
    key: TypeEngine[Any] = String(_LONGEST_KEY) if first.kind == "text" else BigInteger()
    columns = (Column(field.name, _type(field), nullable=field.optional) for field in others)
    name = f"vitrine_{shape.name.replace('-', '_')}"
    return Table(name, MetaData(), Column(first.name, key, primary_key=True, autoincrement=False), *columns)


def _type(field: Field) -> TypeEngine[Any]:
    types: dict[str, TypeEngine[Any]] = {
        "text": String(field.longest),
        "whole": BigInteger(),
        "number": Double(),
        "flag": Boolean(),
        "moment": Moment(),
        "data": JSON(none_as_null=True),
    }
    return types[field.kind]


def _check(engine: Engine, table: Table, url: str) -> None:
    """Raise InvalidRequest unless the table is there, with the columns that it should have."""
    found = inspect(engine)
    if not found.has_table(table.name):
        raise InvalidRequest(f"{shown(url)} has no table {table.name}, and is not the database of a site.")
    if {column["name"] for column in found.get_columns(table.name)} != set(table.columns.keys()):
        raise InvalidRequest(f"The table {table.name} in {shown(url)} has other columns than an export makes.")
