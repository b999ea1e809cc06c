"""The engine."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, Literal

import orjson
import structlog
from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import ArgumentError, DatabaseError, DataError, InterfaceError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from app.errors import DatabaseUnavailable, InvalidRequest, InvalidSettings

_BUSY_SECONDS = 5.0
# How long SQLite waits while it has waited in vain so shortly before.
_BRIEF_SECONDS, _SHORTLY_SECONDS = 0.25, 10.0
_FREE_BYTES = 1_000_000
_NOT_TAKEN = "The database cannot take that: a text in it is too long or holds a zero, or a number is too large."
# Of PostgreSQL's own codes: it may only be read, as a copy of another may.
_NOT_NOW = {"25006"}
_NO_DRIVER = (
    "VITRINE_DATABASE_URL names a database whose driver is not installed; "
    "PostgreSQL's comes with Vitrine's extra postgres: pip install 'psycopg[binary]>=3.2,<4'."
)

log = structlog.get_logger(__name__)


Durable = Literal["normal", "full"]


def open_database(url: str, *, durable: Durable = "normal", clock: Callable[[], float] = time.monotonic) -> Engine:
    """Give an engine; nothing is connected before the first use, so this is safe before a fork.

    What is committed survives a killed process; with `durable` full, SQLite also waits for the disk each time, as PostgreSQL
    does by itself, so that it survives a power cut.
    """
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            engine = create_engine(parsed, connect_args={"timeout": _BUSY_SECONDS}, json_serializer=_json)
            event.listen(engine, "connect", partial(_prepare_sqlite, durable.upper()))
            patience = Patience(clock)
            event.listen(engine, "before_cursor_execute", patience.tell)
            event.listen(engine, "handle_error", patience.note)
            engine.update_execution_options(patience=patience)  # for whoever asks the driver itself
        else:
            # As many connections as the threads need: who holds one for an account never waits for another's.
            engine = create_engine(parsed, pool_pre_ping=True, max_overflow=-1, json_serializer=_json)
            _watch(engine)
    except ArgumentError as error:  # the URL itself may hold a password
        raise InvalidSettings("VITRINE_DATABASE_URL names no kind of database that can be used here.") from error
    except ImportError as error:
        raise InvalidSettings(_NO_DRIVER) from error
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


def why_unwritable(url: str | URL) -> str | None:
    """Tell in a sentence why nothing can be stored in a SQLite database now; None where it can, and for any other database."""
    file = sqlite_file(url)
    if file is None:
        return None
    try:
        if shutil.disk_usage(file.parent).free < _FREE_BYTES:
            return "Answers are not stored: the disk of the data folder is full."
        if not all(os.access(path, os.W_OK) for path in (file.parent, file)):
            return "Answers are not stored: the data folder cannot be written to."
        uri = f"{file.absolute().as_uri()}?mode=rw"
        with closing(sqlite3.connect(uri, uri=True, timeout=1, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
    except (OSError, sqlite3.Error) as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
            return "Answers are not stored: another program holds the database."
        return "Answers are not stored: the database cannot be written to."
    return None


class Patience:
    """How long SQLite waits for its lock: for seconds as a rule, and briefly after it has waited in vain.

    Somebody else then holds it for longer than any of us does, and all threads would come to stand still.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._brief_until = 0.0

    def note(self, context: ExceptionContext) -> None:
        """Take note of an error that says that it has waited in vain."""
        self.lose(context.original_exception)
        code = getattr(context.original_exception, "sqlite_errorcode", 0) & 0xFF
        # What was opened while a disk could not be written to stays so, and others share it: all is opened anew.
        if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR) and context.engine is not None:
            context.is_disconnect = True
            context.engine.dispose()

    def lose(self, error: BaseException) -> None:
        """Be brief from now on, where it has waited in vain."""
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
            self._brief_until = self._clock() + _SHORTLY_SECONDS

    def tell(self, connection: Connection, cursor: Any, *_: object) -> None:
        """Tell a connection before it is used, where it has been told something else."""
        if not self._brief_until:
            return
        brief = self._clock() < self._brief_until
        if brief != connection.info.get("brief", False):
            cursor.execute(f"PRAGMA busy_timeout={1000 * (_BRIEF_SECONDS if brief else _BUSY_SECONDS):.0f}")
            connection.info["brief"] = brief


def _watch(engine: Engine) -> None:
    if engine.driver == "psycopg":
        # Imported here because its driver is an extra, and takes a tenth of a second.
        from app.storage.postgresql import Watch

        event.listen(engine, "do_connect", Watch().connect)


def _tell(context: ExceptionContext) -> None:
    # What the database cannot do now becomes our own noun here, so that no floor above needs the library's.
    found = context.sqlalchemy_exception
    if isinstance(found, DataError):  # PostgreSQL is stricter than SQLite with what anybody may have sent
        raise InvalidRequest(_NOT_TAKEN) from context.original_exception
    # SQLite says plainly DatabaseError of a file that is none, or is damaged.
    cannot = isinstance(found, (OperationalError, InterfaceError)) or type(found) is DatabaseError
    cannot = cannot or getattr(context.original_exception, "sqlstate", None) in _NOT_NOW
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
