"""Rows as a file of comma-separated values (RFC 4180), of which no spreadsheet runs a cell."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from io import StringIO
from typing import Any

import orjson

# What a spreadsheet takes for the beginning of a formula; the wide forms too, which some of them read as the narrow ones.
_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_SPACES = " \u00a0\ufeff"


def csv_pieces(columns: Sequence[str], batches: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """Give the file in UTF-8, a piece for its head with the first batch and one for each further batch.

    The columns are the names of what is written of each row.
    """
    head: list[Sequence[object]] = [columns]
    for batch in batches:
        yield _lines([*head, *([getattr(row, name) for name in columns] for row in batch)])
        head = []
    if head:
        yield _lines(head)


def harmless(text: str) -> str:
    """Give a text as it stands, or with an apostrophe before it where a spreadsheet would run it.

    One that looks like that already gets another, so that `as_it_was` gives every text again.
    """
    return f"'{text}" if _is_run(text.lstrip("'")) else text


def as_it_was(text: str) -> str:
    """Give the text that `harmless` was given."""
    return text[1:] if text.startswith("'") and _is_run(text.lstrip("'")) else text


def _is_run(text: str) -> bool:
    return text.lstrip(_SPACES).startswith(_FORMULAS)


def _lines(rows: Sequence[Sequence[object]]) -> bytes:
    file = StringIO()
    csv.writer(file).writerows([[_cell(value) for value in row] for row in rows])
    return file.getvalue().encode(errors="replace")


def _cell(value: Any) -> object:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, dict)):
        return orjson.dumps(value).decode()
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return harmless(value) if isinstance(value, str) else value
