"""What a database says of itself when it is only looked at: nothing is written, made, locked or brought up to date."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, create_engine, func, inspect, select, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import NullPool

from app.errors import DatabaseUnavailable, InvalidSettings
from app.storage.database import open_database, sqlite_file
from app.storage.schema import MIGRATIONS
from app.storage.tables import AuditEntry, StoredPrediction

# A file of many gigabytes takes minutes to read.
_LOOK_SECONDS = 20.0
_STEPS = 10_000
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
# Where SQLite locks the file beside a database in WAL mode while somebody writes (https://sqlite.org/walformat.html, 2.2).
_WRITING_AT = 120
_LOCK = "hhqqi4x"  # struct flock of 64-bit Linux
_LOOKS, _BETWEEN_SECONDS = 5, 0.2


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of a database.

    `revision` is that of its tables, None where there are none; `newest` when the newest row of history or audit log was
    written; `damage` what is wrong with a SQLite file, and `whole` whether all of it was looked at. The rest is PostgreSQL's.
    """

    system: str
    size: int
    revision: str | None
    newest: datetime | None
    damage: str = ""
    whole: bool = True
    ahead_seconds: float = 0.0
    connections: int | None = None
    encoding: str = "UTF8"
    writable: bool = True


def look_at(url: str) -> Seen | None:
    """Look at a database, or give None where a SQLite file is not there yet; raise DatabaseUnavailable or InvalidSettings."""
    engine = open_database(url)
    file = sqlite_file(url)
    if file is not None:
        return _sqlite(file) if file.exists() else None
    if engine.dialect.name != "postgresql":
        raise InvalidSettings("VITRINE_DATABASE_URL must name a PostgreSQL or a file of SQLite.")
    try:
        with engine.connect() as connection:
            connection.execute(text("SET TRANSACTION READ ONLY"))
            return _postgresql(connection)
    except DatabaseUnavailable as error:
        raise DatabaseUnavailable(_first_line(error.__cause__)) from error
    except DatabaseError as error:
        raise DatabaseUnavailable(_first_line(error.orig)) from error
    finally:
        engine.dispose()


def known_revisions() -> list[str]:
    """Give the revisions that this code knows, the newest last; files are numbered as their revisions are."""
    return sorted(file.name.partition("_")[0] for file in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def who_holds(file: Path) -> int | None:
    """Give the process that has been writing to a SQLite database for a second on end, or None; asking takes no lock.

    Not for a process that has the database open itself: to close the file that is asked would give up its own locks on it.
    """
    seen = {_writer(file)}
    for _ in range(_LOOKS):
        if seen == {None}:
            break
        time.sleep(_BETWEEN_SECONDS)
        seen.add(_writer(file))
    return seen.pop() if len(seen) == 1 else None


def _writer(file: Path) -> int | None:
    if sys.platform != "linux" or struct.calcsize("P") != 8:
        return None
    with suppress(OSError):
        descriptor = os.open(f"{file}-shm", os.O_RDONLY)
        try:
            asked = struct.pack(_LOCK, fcntl.F_RDLCK, os.SEEK_SET, _WRITING_AT, 1, 0)
            kind, *_, process = struct.unpack(_LOCK, fcntl.fcntl(descriptor, fcntl.F_GETLK, asked))
        finally:
            os.close(descriptor)
        return None if kind == fcntl.F_UNLCK else int(process)
    return None


def _sqlite(file: Path) -> Seen:
    size = sum(path.stat().st_size for path in (file, Path(f"{file}-wal")) if path.exists())
    system = f"SQLite {sqlite3.sqlite_version}"
    try:
        with _only_read(file) as connection:
            damage, whole = _damage(connection)
            revision, newest = _rows(connection)
        return Seen(system, size, revision, newest, damage, whole)
    except DatabaseError as error:
        cause = error.orig
        if getattr(cause, "sqlite_errorcode", 0) & 0xFF in _DAMAGED:
            return Seen(system, size, None, None, _first_line(cause))
        raise DatabaseUnavailable(_first_line(cause)) from error
    except sqlite3.Error as error:
        raise DatabaseUnavailable(_first_line(error)) from error


@contextmanager
def _only_read(file: Path) -> Iterator[Connection]:
    # Nobody has it open where there is no log beside it: it is read as if it could not change, else SQLite would make one.
    how = "mode=ro" if Path(f"{file}-wal").exists() else "mode=ro&immutable=1"
    uri = f"{file.absolute().as_uri()}?{how}"
    engine = create_engine("sqlite://", creator=lambda: sqlite3.connect(uri, uri=True, timeout=2), poolclass=NullPool)
    with engine.connect() as connection:
        yield connection


def _damage(connection: Connection) -> tuple[str, bool]:
    """Give what SQLite finds wrong with its file, and whether it had the time to look at all of it."""
    until = time.monotonic() + _LOOK_SECONDS
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - see _only_read
    driver.set_progress_handler(lambda: int(time.monotonic() > until), _STEPS)
    try:
        with closing(driver.execute("PRAGMA quick_check(1)")) as cursor:
            (told,) = cursor.fetchone()
        return ("" if told == "ok" else " ".join(str(told).split())), True
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
        return "", False
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF not in _DAMAGED:
            raise
        return _first_line(error), True
    finally:
        driver.set_progress_handler(None, 0)


def _rows(connection: Connection) -> tuple[str | None, datetime | None]:
    """Give the revision of the tables, and when the newest row was written."""
    there = set(inspect(connection).get_table_names())
    if "alembic_version" not in there:
        return None, None
    revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    moments = []
    # By their keys, which grow with the time: to look for the latest moment itself would be to read everything.
    for moment, key in ((StoredPrediction.created_at, StoredPrediction.id), (AuditEntry.at, AuditEntry.id)):
        if key.class_.__tablename__ in there:
            moments.append(connection.execute(select(moment).order_by(key.desc()).limit(1)).scalar())
    return revision, max((moment for moment in moments if moment is not None), default=None)


def _postgresql(connection: Connection) -> Seen:
    def ask(question: str) -> str:
        return str(connection.execute(text(question)).scalar())

    server_now = connection.execute(select(func.extract("epoch", func.clock_timestamp()))).scalar_one()
    ahead = float(server_now) - time.time()
    revision, newest = _rows(connection)
    copy = ask("SELECT pg_is_in_recovery()") == "True" or ask("SHOW default_transaction_read_only") == "on"
    writes = revision is None or ask("SELECT has_table_privilege('predictions', 'INSERT')") == "True"
    return Seen(
        f"PostgreSQL {ask('SHOW server_version').partition(' ')[0]}",
        int(ask("SELECT pg_database_size(current_database())")),
        revision,
        newest,
        ahead_seconds=ahead,
        connections=int(ask("SHOW max_connections")),
        encoding=ask("SHOW server_encoding"),
        writable=not copy and writes,
    )


def _first_line(error: BaseException | None) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].strip() if lines else "no reason was given"
