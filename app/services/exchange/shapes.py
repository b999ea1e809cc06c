"""What is exchanged: which fields a prediction, an account and a deed have outside of a site."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from typing import Any, Literal

Kind = Literal["text", "whole", "number", "flag", "moment", "data"]
Row = dict[str, Any]
Key = str | int

_WORDS: dict[Kind, str] = {
    "text": "a text",
    "whole": "a whole number",
    "number": "a number",
    "flag": "yes or no",
    "moment": "a time with its zone, such as 2026-11-29T03:04:05+00:00",
    "data": "a list or an object of JSON",
}
_LARGEST = 1 << 63
_CALLED = {
    "predictions": ("prediction", "predictions"),
    "users": ("account", "accounts"),
    "audit-log": ("entry of the audit log", "entries of the audit log"),
}


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that is told of each row; an optional one may be empty, and a source may lack it."""

    name: str
    kind: Kind
    optional: bool = False
    longest: int = 255

    def checked(self, value: Any) -> Any:
        """Give a value as a row holds it, or raise ValueError with what is wrong with it."""
        if value is None:
            if not self.optional:
                raise ValueError(f"{self.name} is missing")
            return None
        if not _fits(self.kind, value):
            raise self.no_value()
        if self.kind == "text" and len(value) > self.longest:
            raise ValueError(f"{self.name} is longer than {self.longest} characters")
        if self.kind == "moment":
            return value.astimezone(UTC)
        return float(value) if self.kind == "number" else value

    def no_value(self) -> ValueError:
        """Give what is said of a value that is none."""
        return ValueError(f"{self.name} is not {_WORDS[self.kind]}")


@dataclass(frozen=True, slots=True)
class Shape:
    """One kind of rows; the first field is their key, in whose order they come."""

    name: str
    fields: tuple[Field, ...]

    @property
    def key(self) -> str:
        """The name of the field by which a row is known, and found again."""
        return self.fields[0].name

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all fields."""
        return tuple(field.name for field in self.fields)

    def told(self, count: int) -> str:
        """Give so many rows in words."""
        one, many = _CALLED[self.name]
        return f"{count:,} {one if count == 1 else many}"

    def check_names(self, names: Collection[str]) -> None:
        """Raise ValueError where names are unknown, there twice, or lack one that is needed."""
        unknown = [name for name in names if name not in self.names]
        missing = [field.name for field in self.fields if not field.optional and field.name not in names]
        if unknown:
            raise ValueError(f"it has a field {unknown[0]!r}; known are {', '.join(self.names)}")
        if missing:
            raise ValueError(f"it has no field {missing[0]!r}")
        if len(set(names)) < len(names):
            raise ValueError("a field is there twice")

    def row(self, given: Mapping[str, Any]) -> Row:
        """Give a row of checked values for all fields, or raise ValueError."""
        return {field.name: field.checked(given.get(field.name)) for field in self.fields}


def _fits(kind: Kind, value: Any) -> bool:
    if kind == "text":
        return isinstance(value, str)
    if kind == "flag":
        return isinstance(value, bool)
    if kind == "moment":
        return isinstance(value, datetime) and value.tzinfo is not None
    if kind == "data":
        return isinstance(value, (list, dict))
    if isinstance(value, bool):
        return False
    if kind == "whole":
        return isinstance(value, int) and abs(value) < _LARGEST
    return isinstance(value, (int, float)) and isfinite(value)


PREDICTIONS = Shape(
    "predictions",
    (
        Field("id", "text", longest=26),
        Field("owner", "text", optional=True),
        Field("guest", "text", optional=True, longest=32),
        Field("model", "text", longest=63),
        Field("version", "text", longest=16),
        Field("label", "text"),
        Field("probability", "number"),
        Field("scores", "data"),
        Field("picture", "data"),
        Field("timings", "data"),
        Field("file_name", "text", optional=True),
        Field("created_at", "moment"),
    ),
)
# Never a password, a token or a second factor: whoever has the file must not be able to be somebody else.
USERS = Shape(
    "users",
    (
        Field("id", "whole", optional=True),
        Field("email", "text"),
        Field("roles", "data", optional=True),
        Field("active", "flag", optional=True),
        Field("created_at", "moment", optional=True),
        Field("logged_in_at", "moment", optional=True),
    ),
)
AUDIT_LOG = Shape(
    "audit-log",
    (
        Field("id", "whole"),
        Field("at", "moment"),
        Field("actor", "text"),
        Field("account", "text", optional=True),
        Field("action", "text", longest=40),
        Field("subject", "text"),
        Field("detail", "text", longest=1000),
        Field("address", "text", optional=True, longest=45),
    ),
)
SHAPES = {shape.name: shape for shape in (PREDICTIONS, USERS, AUDIT_LOG)}
