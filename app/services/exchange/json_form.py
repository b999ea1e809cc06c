"""JSON lines: an object a line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from app.services.exchange.line_file import refused
from app.services.exchange.shapes import Row, Shape
from app.services.exchange.store import Placed
from app.services.exchange.texts import dumped, loaded, moment_of


class JsonLines:
    """A row is an object, and a time in it a text; what is written is read again exactly."""

    quoted = False

    def head(self, shape: Shape) -> bytes:  # noqa: ARG002
        """Give nothing: every line says what it holds."""
        return b""

    def beginning(self, shape: Shape) -> bytes:
        """Give how the first row begins."""
        return f'{{"{shape.key}":'.encode()

    def lines(self, shape: Shape, rows: Sequence[Row]) -> bytes:
        """Give rows as lines."""
        moments = set(_moments(shape))
        objects = ({name: _json(row[name], name in moments) for name in shape.names} for row in rows)
        return "".join(dumped(one) + "\n" for one in objects).encode()

    def read(self, shape: Shape, lines: Iterator[bytes], name: str) -> Iterator[Placed]:
        """Give the rows of a file."""
        moments = _moments(shape)
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                given = loaded(line)
                if not isinstance(given, dict):
                    raise ValueError("it is no object of JSON")
                shape.check_names(given)
                yield Placed(f"Line {number} of {name}", shape.row({**given, **_read(shape, given, moments)}))
            except ValueError as error:
                raise refused(number, name, error) from error


def _moments(shape: Shape) -> list[str]:
    return [field.name for field in shape.fields if field.kind == "moment"]


def _json(value: Any, moment: bool) -> Any:
    return value.isoformat() if moment and value is not None else value


def _read(shape: Shape, given: dict[str, Any], moments: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in moments:
        if isinstance(text := given.get(name), str):
            try:
                found[name] = moment_of(text)
            except ValueError as error:
                raise next(field for field in shape.fields if field.name == name).no_value() from error
    return found
