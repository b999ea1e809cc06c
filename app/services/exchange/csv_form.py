"""Comma-separated values (RFC 4180), of which no spreadsheet runs a cell."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from io import StringIO

from app.services.exchange.line_file import refused
from app.services.exchange.shapes import Row, Shape
from app.services.exchange.store import Placed
from app.services.exchange.texts import cell_of, value_of

# The scores of a model with very many classes are one cell.
_LONGEST_CELL = 1 << 24


class Csv:
    """A head of names, and a line a row; what is written is read again exactly."""

    quoted = True

    def head(self, shape: Shape) -> bytes:
        """Give the names of the fields."""
        return _written([shape.names])

    def beginning(self, shape: Shape) -> bytes:
        """Give the same."""
        return self.head(shape)

    def lines(self, shape: Shape, rows: Sequence[Row]) -> bytes:
        """Give rows as lines."""
        return _written([[cell_of(field, row[field.name]) for field in shape.fields] for row in rows])

    def read(self, shape: Shape, lines: Iterator[bytes], name: str) -> Iterator[Placed]:
        """Give the rows of a file; columns may be in any order, and optional ones may be missing."""
        texts = _Texts(lines, name)
        cells = csv.reader(texts, strict=True)
        fields = None
        while True:
            number = texts.number + 1
            try:
                row = _next(cells)
                if row is None:
                    break
                if fields is None:
                    shape.check_names(row)
                    known = {field.name: field for field in shape.fields}
                    fields = [known[column] for column in row]
                elif row:  # a blank line is none
                    if len(row) != len(fields):
                        raise ValueError(f"it has {len(row)} cells, and the head names {len(fields)}")
                    values = {field.name: value_of(field, cell) for field, cell in zip(fields, row, strict=True)}
                    yield Placed(f"Line {number} of {name}", shape.row(values))
            except (ValueError, csv.Error) as error:
                raise refused(number, name, error) from error
        if fields is None:
            raise refused(1, name, f"the names of the columns are missing: {', '.join(shape.names)}")


def _next(cells: Iterator[list[str]]) -> list[str] | None:
    # The limit is one for the whole process: whoever else reads such a file has another.
    usual = csv.field_size_limit(_LONGEST_CELL)
    try:
        return next(cells, None)
    finally:
        csv.field_size_limit(usual)


class _Texts:
    """The lines of a file as texts, counted."""

    def __init__(self, lines: Iterator[bytes], name: str) -> None:
        self._lines, self._name = lines, name
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.number += 1
        try:
            # Spreadsheets begin a file with a mark.
            return line.decode("utf-8-sig" if self.number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise refused(self.number, self._name, "it is no text in UTF-8") from error


def _written(rows: Sequence[Sequence[str]]) -> bytes:
    file = StringIO()
    csv.writer(file).writerows(rows)
    return file.getvalue().encode()
