"""The engine."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, Literal

import orjson
import structlog
from sqlalchemy import URL, Engine, create_engine, event, inspect, make_url
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import ArgumentError, DatabaseError, InterfaceError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from app.errors import DatabaseUnavailable, InvalidSettings

_BUSY_SECONDS = 5.0

log = structlog.get_logger(__name__)


Durable = Literal["normal", "full"]


def open_database(url: str, *, durable: Durable = "normal") -> Engine:
    """Give an engine; nothing is connected before the first use, so this is safe before a fork.

    What is committed survives a killed process; with `durable` full, SQLite also waits for the disk each time, as PostgreSQL
    does by itself, so that it survives a power cut.
    """
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            engine = create_engine(parsed, connect_args={"timeout": _BUSY_SECONDS}, json_serializer=_json)
            event.listen(engine, "connect", partial(_prepare_sqlite, durable.upper()))
        else:
            engine = create_engine(parsed, pool_pre_ping=True, json_serializer=_json)
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


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def _prepare_sqlite(synchronous: str, connection: Any, _entry: ConnectionPoolEntry) -> None:
    # WAL lets pages read while an answer is written. It is brought into the file every 4,000 pages (16 MB) instead of 1,000:
    # new rows go to the same few pages again and again, and each of them is then copied once.
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        f"synchronous={synchronous}",
        "foreign_keys=ON",
        "wal_autocheckpoint=4000",
        "cache_size=-500",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
