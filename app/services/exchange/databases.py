"""Databases by their URL, and what one of them does not take."""

from __future__ import annotations

import re
from typing import Any

import orjson
from sqlalchemy import URL, Engine, inspect, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from app.errors import DatabaseUnavailable, InvalidRequest, InvalidSettings
from app.services.private_files import touch_private
from app.storage.database import is_prepared, open_database, sqlite_file
from app.storage.tables import StoredPrediction

_HALVES = re.compile("[\ud800-\udfff]")
_HALVES_AND_ZEROS = re.compile("[\0\ud800-\udfff]")


def shown(url: str | URL) -> str:
    """Give the URL of a database without the password in it."""
    return make_url(url).render_as_string(hide_password=True)


def opened(url: str, *, new: bool) -> Engine:
    """Give a database that answers, or raise InvalidRequest; `new` makes the file of a SQLite one, for its owner alone."""
    try:
        file = sqlite_file(url)
        engine = open_database(url)
    except (ArgumentError, NoSuchModuleError, InvalidSettings) as error:
        raise InvalidRequest(
            "That names no kind of database that can be used here; PostgreSQL's driver comes with the extra postgres."
        ) from error
    try:
        if file is not None:
            touch_private(file, new=new)
        with engine.connect():
            return engine
    except OSError as error:
        raise InvalidRequest(f"{file} cannot be opened: {error.strerror}.") from error
    except DatabaseUnavailable as error:
        raise InvalidRequest(f"{shown(url)} cannot be opened, or does not answer.") from error


def is_site(engine: Engine) -> bool:
    """Tell whether a database is a site's own."""
    return is_prepared(engine) and inspect(engine).has_table(StoredPrediction.__tablename__)


class Mender:
    """Puts a stand-in for what a database cannot hold: half a surrogate, and in PostgreSQL the character zero."""

    def __init__(self, engine: Engine) -> None:
        self._never = _HALVES_AND_ZEROS if engine.dialect.name == "postgresql" else _HALVES
        self.mended = 0

    def row(self, row: dict[str, Any]) -> dict[str, Any]:
        """Give a row that the database takes; `mended` counts the texts that are another."""
        return {name: value if _is_harmless(value) else self._value(value) for name, value in row.items()}

    def _value(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, dict):
            return {self._value(name): self._value(inner) for name, inner in value.items()}
        return [self._value(inner) for inner in value] if isinstance(value, list) else value

    def _text(self, value: str) -> str:
        text, count = self._never.subn("\N{REPLACEMENT CHARACTER}", value)
        self.mended += count > 0
        return text


def _is_harmless(value: Any) -> bool:
    """Tell soon, of most values, that every database takes them."""
    if isinstance(value, str):
        return value.isascii() and "\0" not in value
    if isinstance(value, (list, dict)):
        try:
            return b"\\u0000" not in orjson.dumps(value)
        except TypeError:  # half a surrogate
            return False
    return True
