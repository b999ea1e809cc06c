"""The stores that there are, by how their address begins or ends; a further one is a line here, and a file beside this one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import PurePath

from app.errors import InvalidRequest
from app.services.exchange.csv_form import Csv
from app.services.exchange.json_form import JsonLines
from app.services.exchange.line_file import STANDARD, Form, LineSource, LineTarget
from app.services.exchange.shapes import Shape
from app.services.exchange.sql_table import SqlTarget, sql_source
from app.services.exchange.store import Source, Target

_OpenTarget = Callable[[str, Shape], Target]
_OpenSource = Callable[[str, Shape], Source]


def _lines(form: Form) -> tuple[_OpenTarget, _OpenSource]:
    return partial(LineTarget, form=form), partial(LineSource, form=form)


_SUFFIXES: dict[str, tuple[_OpenTarget, _OpenSource]] = {
    ".csv": _lines(Csv()),
    ".jsonl": _lines(JsonLines()),
    ".ndjson": _lines(JsonLines()),
}
# Whatever SQLAlchemy has a driver for; the part of a scheme after a plus names the driver.
_SCHEMES: dict[str, tuple[_OpenTarget, _OpenSource]] = dict.fromkeys(
    ("sqlite", "postgresql", "mysql", "mariadb", "oracle", "mssql"), (SqlTarget, sql_source)
)


def open_target(url: str, shape: Shape) -> Target:
    """Give what rows of a shape are written to, or raise InvalidRequest."""
    return _store(url)[0](url, shape)


def open_source(url: str, shape: Shape) -> Source:
    """Give what rows of a shape are read from, or raise InvalidRequest."""
    return _store(url)[1](url, shape)


def _store(url: str) -> tuple[_OpenTarget, _OpenSource]:
    scheme, separator, _ = url.partition("://")
    found = _SCHEMES.get(scheme.partition("+")[0]) if separator else _SUFFIXES.get(PurePath(url).suffix.lower())
    if url == STANDARD:
        found = _SUFFIXES[".csv"]
    if found is None:
        raise InvalidRequest(
            f"{scheme if separator else url} is none of what is known: a file named *{', *'.join(_SUFFIXES)}, "
            "- for CSV on the terminal, or the URL of a database such as sqlite:///file.db or postgresql://HOST/NAME."
        )
    return found
