"""A site that has something in every table, whichever tables there are."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask_security import AsaList
from sqlalchemy import JSON, BigInteger, Boolean, Column, Double, Engine, Float, Integer, LargeBinary, String, insert, select
from sqlalchemy.types import TypeEngine

from app.storage.tables import Base, Moment
from tests.services.exchange.rows import BEGAN

TEXTS = ["", "z", "Z", "ä", "_", "0", "\U0001f408", "a b", "-", "~"]


def value_of(kind: TypeEngine[Any], number: int, name: str) -> Any:
    """Give a value that a column of this type takes, another for each number."""
    if isinstance(kind, AsaList):
        return ["a", "b"] if number % 2 else None
    if isinstance(kind, String):
        # Sorted differently wherever a language sorts them.
        return f"{TEXTS[number % len(TEXTS)]}{number}{name}"[: kind.length]
    values: list[tuple[type[TypeEngine[Any]], Any]] = [
        (Boolean, number % 2 == 0),
        (BigInteger, 2**40 + number),
        (Integer, number),
        (Double, number / 3),
        (Float, number / 3),
        (Moment, BEGAN + timedelta(days=number, microseconds=number)),
        (JSON, {"a": [number / 7, None, "ä", {"b": True}]}),
        (LargeBinary, bytes([0, 255, number])),
    ]
    return next(value for known, value in values if isinstance(kind, known))


def fill(engine: Engine, count: int = 12) -> None:
    """Put so many rows into every table."""
    for table in Base.metadata.sorted_tables:
        with engine.begin() as connection:
            rows = [{column.name: _cell(column, number) for column in table.columns} for number in range(1, count + 1)]
            connection.execute(insert(table), rows)


def content_of(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Give every row of every table."""
    with engine.connect() as connection:
        tables = {table.name: connection.execute(select(table)).all() for table in Base.metadata.sorted_tables}
    return {name: sorted(map(tuple, rows), key=repr) for name, rows in tables.items()}


def _cell(column: Column[Any], number: int) -> Any:
    if column.nullable and number % 5 == 0:
        return None
    for key in column.foreign_keys:
        return _cell(key.column, number)
    return number if column.primary_key and isinstance(column.type, Integer) else value_of(column.type, number, column.name)
