"""The engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import URL, Engine, create_engine, event, inspect, make_url
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import ArgumentError, DatabaseError, InterfaceError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from app.errors import DatabaseUnavailable, InvalidSettings

_BUSY_SECONDS = 5.0

log = structlog.get_logger(__name__)


def open_database(url: str) -> Engine:
    """Give an engine; nothing is connected before the first use, so this is safe before a fork."""
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            engine = create_engine(parsed, connect_args={"timeout": _BUSY_SECONDS})
            event.listen(engine, "connect", _prepare_sqlite)
        else:
            engine = create_engine(parsed, pool_pre_ping=True)
    except (ArgumentError, ImportError) as error:  # the URL itself may hold a password
        raise InvalidSettings("VITRINE_DATABASE_URL names no kind of database that can be used here.") from error
    event.listen(engine, "handle_error", _tell)
    return engine


def is_prepared(engine: Engine) -> bool:
    """Tell whether the database answers and holds our tables."""
    with engine.connect() as connection:
        return inspect(connection).has_table("alembic_version")


def sqlite_file(url: str | URL) -> Path | None:
    """Give the file of a SQLite database, or None for any other."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
        return None
    return Path(str(parsed.database))


def _tell(context: ExceptionContext) -> None:
    # What the database cannot do now becomes our own noun here, so that no floor above needs the library's.
    found = context.sqlalchemy_exception
    # SQLite says plainly DatabaseError of a file that is none, or is damaged.
    cannot = isinstance(found, (OperationalError, InterfaceError)) or type(found) is DatabaseError
    if cannot and not context.is_pre_ping:
        log.error("database_unavailable", reason=str(context.original_exception))
        raise DatabaseUnavailable from context.original_exception


def _prepare_sqlite(connection: Any, _entry: ConnectionPoolEntry) -> None:
    # WAL lets pages read while an answer is written; NORMAL survives a killed process (a power cut may cost the last ones).
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
