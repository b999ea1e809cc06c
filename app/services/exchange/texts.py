"""Values as texts: times as ISO 8601 in UTC, data as JSON, and no cell that a spreadsheet would run."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import orjson

from app.services.exchange.shapes import Field, Kind
from app.services.spreadsheets import as_it_was, harmless

_FLAGS = {"yes": True, "true": True, "no": False, "false": False}


def cell_of(field: Field, value: Any) -> str:
    """Give a value as the cell of a table, from which `value_of` gives it again exactly."""
    if value is None:
        return ""
    if field.kind == "text":
        # Where an empty cell says that there is nothing, an empty text needs a sign of its own.
        return "'" + value if field.optional and not value.strip("'") else harmless(value)
    return _plain(field.kind, value)


def value_of(field: Field, cell: str) -> Any:
    """Give the value that a cell holds, or raise ValueError."""
    if field.kind == "text":
        if field.optional and not cell.strip("'"):
            return cell[1:] if cell else None
        return as_it_was(cell)
    if not cell:
        return None
    try:
        return _read(field.kind, cell)
    except ValueError as error:
        raise field.no_value() from error


def moment_of(text: str) -> datetime:
    """Give a time that names its zone, or raise ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without a zone may be any time")
    return moment


def dumped(value: Any) -> str:
    """Give JSON in one line, in UTF-8 but for half a surrogate, which is none."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return json.dumps(value, separators=(",", ":"))


def loaded(text: str | bytes) -> Any:
    """Give what JSON says, or raise ValueError."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return _loaded_patiently(text)


def _loaded_patiently(text: str | bytes) -> Any:
    # The standard library's reader takes half a surrogate, which a file's name may hold.
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise ValueError("it is no JSON") from error


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _plain(kind: Kind, value: Any) -> str:
    if kind == "moment":
        return str(value.isoformat())
    if kind == "flag":
        return "yes" if value else "no"
    return dumped(value) if kind == "data" else repr(value)


def _read(kind: Kind, cell: str) -> Any:
    if kind == "moment":
        return moment_of(cell)
    if kind == "data":
        return loaded(cell)
    if kind == "flag":
        if cell.lower() not in _FLAGS:
            raise ValueError("neither yes nor no")
        return _FLAGS[cell.lower()]
    return int(cell) if kind == "whole" else float(cell)
