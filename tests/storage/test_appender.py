"""The appender: what SQLAlchemy would have written, all of it or nothing, over a connection that may end meanwhile."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, ForeignKey, event, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import JSON

from app.errors import DatabaseUnavailable
from app.storage import database
from app.storage.appender import Appender
from app.storage.database import open_database
from app.storage.tables import Moment

NOON = datetime(2026, 3, 1, 12, 30, 15, 250_000, tzinfo=UTC)


class Base(DeclarativeBase):
    pass


class Owner(Base):
    __tablename__ = "owners"

    id: Mapped[int] = mapped_column(primary_key=True)


class Note(Base):
    __tablename__ = "notes"

    id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[int | None] = mapped_column(ForeignKey("owners.id"))
    said: Mapped[dict[str, Any]] = mapped_column(JSON)
    at: Mapped[datetime] = mapped_column(Moment)


NOTES = Base.metadata.tables["notes"]


def note(name: str, *, owner: int | None = None, at: datetime = NOON) -> dict[str, Any]:
    return {"id": name, "owner": owner, "said": {"text": "ä % ? :x", "list": [1, None]}, "at": at}


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    engine = open_database(f"sqlite:///{tmp_path / 'notes.db'}")
    Base.metadata.create_all(engine)
    return engine


def names(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.execute(select(NOTES.c.id).order_by(NOTES.c.id)).scalars())


def test_it_writes_what_sqlalchemy_would_have_written(engine: Engine) -> None:
    abroad = note("b", at=NOON.astimezone(timezone(timedelta(hours=5))))
    with engine.begin() as connection:
        connection.execute(NOTES.insert(), [note("a")])
    Appender(engine, NOTES).append([abroad])
    with engine.connect() as connection:
        raw = connection.execute(text("SELECT owner, said, at FROM notes")).all()
        read = connection.execute(select(NOTES)).all()
    assert raw[0] == raw[1]
    assert read[1] == ("b", None, note("b")["said"], NOON)


@pytest.mark.parametrize("number", [1, 2, 256])
def test_rows_of_one_call_are_one_statement(engine: Engine, number: int) -> None:
    told: list[Any] = []
    event.listen(engine, "after_cursor_execute", lambda *what: told.append(what[2]))
    appender = Appender(engine, NOTES)
    appender.append([note(f"{number:03}") for number in range(number)])
    assert len(told) == 1
    assert names(engine) == [f"{number:03}" for number in range(number)]


def test_where_one_row_is_refused_none_is_written_and_the_next_call_goes_on(engine: Engine) -> None:
    appender = Appender(engine, NOTES)
    appender.append([note("a")])
    for refused in ([note("b"), note("c", owner=9)], [note("b"), note("a")]):
        with pytest.raises(IntegrityError):
            appender.append(refused)
    appender.append([note("d")])
    assert names(engine) == ["a", "d"]


def test_a_kept_connection_that_has_ended_is_replaced(engine: Engine) -> None:
    opened: list[sqlite3.Connection] = []
    event.listen(engine, "connect", lambda connection, _: opened.append(connection))
    engine.dispose()
    appender = Appender(engine, NOTES)
    appender.append([note("a")])
    for connection in opened:
        connection.close()
    appender.append([note("b")])
    assert names(engine) == ["a", "b"]


def test_a_database_that_is_gone_is_told(engine: Engine, tmp_path: Path) -> None:
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE notes"))
    for broken in (engine, open_database(f"sqlite:///{tmp_path / 'nowhere' / 'a.db'}")):
        with pytest.raises(DatabaseUnavailable):
            Appender(broken, NOTES).append([note("a")])


def test_the_connection_goes_back_as_it_was(engine: Engine) -> None:
    appender = Appender(engine, NOTES)
    with pytest.raises(IntegrityError):
        appender.append([note("a", owner=9)])
    with engine.connect() as connection:
        connection.execute(NOTES.insert(), [note("b")])  # and nothing commits it
    assert names(engine) == []


def test_a_lock_is_waited_for_once_and_as_long_as_ever_once_it_has_been_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_BUSY_SECONDS", 0.4)
    moment = [100.0]
    engine = open_database(f"sqlite:///{tmp_path / 'notes.db'}", clock=lambda: moment[0])
    Base.metadata.create_all(engine)
    appender, waits = Appender(engine, NOTES), []

    def look(_connection: object, cursor: sqlite3.Cursor, *_: object) -> None:
        waits.append(cursor.execute("PRAGMA busy_timeout").fetchone()[0])

    appender.append([note("a")])
    event.listen(engine, "before_cursor_execute", look)
    other = sqlite3.connect(tmp_path / "notes.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseUnavailable):
        appender.append([note("b")])
    assert waits == [250]  # the driver has waited already, for its 400
    other.execute("ROLLBACK")
    appender.append([note("b")])
    moment[0] += 60
    appender.append([note("c")])
    assert appender._cursor.execute("PRAGMA busy_timeout").fetchone() == (400,)
    assert names(engine) == ["a", "b", "c"]
    other.close()
