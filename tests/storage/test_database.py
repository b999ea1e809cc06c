"""The engine: SQLite as we want it, and our own errors for what a database cannot do."""

from __future__ import annotations

import contextlib
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.errors import DatabaseUnavailable, InvalidSettings
from app.services.accounts.accounts import Accounts
from app.storage.database import Durable, is_prepared, open_database, sqlite_file, why_unwritable
from app.storage.tables import ApiKey, User
from tests.factories import make_services


def url_of(file: Path) -> str:
    return f"sqlite:///{file}"


def test_nothing_is_opened_before_the_first_use(tmp_path: Path) -> None:
    engine = open_database(url_of(tmp_path / "a.db"))
    assert list(tmp_path.iterdir()) == []
    with engine.connect():
        assert (tmp_path / "a.db").exists()


def test_sqlite_writes_ahead_and_keeps_foreign_keys(tmp_path: Path) -> None:
    engine = open_database(url_of(tmp_path / "a.db"))
    with engine.connect() as one, engine.connect() as other:
        for connection in (one, other):
            found = {name: connection.execute(text(f"PRAGMA {name}")).scalar() for name in ("journal_mode", "foreign_keys")}
            assert found == {"journal_mode": "wal", "foreign_keys": 1}
            assert connection.execute(text("PRAGMA busy_timeout")).scalar() == 5000


@pytest.mark.parametrize(("durable", "synchronous"), [("normal", 1), ("full", 2)])
def test_sqlite_waits_for_the_disk_where_it_is_asked_to(tmp_path: Path, durable: Durable, synchronous: int) -> None:
    with open_database(url_of(tmp_path / "a.db"), durable=durable).connect() as connection:
        assert connection.execute(text("PRAGMA synchronous")).scalar() == synchronous
        assert connection.execute(text("PRAGMA wal_autocheckpoint")).scalar() == 4000


def test_a_row_of_nobody_is_refused_and_rows_go_with_their_account(tmp_path: Path) -> None:
    services = make_services(tmp_path)
    with pytest.raises(IntegrityError):
        services.api_keys.create(1, "nobody's")
    account = services.accounts.create("ada@example.org", "correct horse battery", admin=True)
    services.api_keys.create(account, "hers")
    with Session(services.engine) as session, session.begin():
        session.execute(delete(User).where(User.id == account))
    with Session(services.engine) as session:
        assert session.scalar(select(func.count()).select_from(ApiKey)) == 0
        assert session.execute(text("SELECT count(*) FROM roles_users")).scalar() == 0


def test_tells_whether_it_is_prepared(tmp_path: Path) -> None:
    assert not is_prepared(open_database(url_of(tmp_path / "empty.db")))
    assert is_prepared(make_services(tmp_path).engine)


def test_tells_the_file_of_a_sqlite_database(tmp_path: Path) -> None:
    assert sqlite_file(url_of(tmp_path / "a.db")) == tmp_path / "a.db"
    for url in ("sqlite://", "sqlite:///:memory:", "postgresql://user:secret@host/name"):
        assert sqlite_file(url) is None


@pytest.mark.parametrize("url", ["nonsense", "://", "oracle9000://ada:secret@host/name", "sqlite+nothing:///secret.db"])
def test_a_url_of_no_database_is_told_without_repeating_it(url: str) -> None:
    with pytest.raises(InvalidSettings) as refusal:
        open_database(url)
    assert "VITRINE_DATABASE_URL" in str(refusal.value)
    assert "secret" not in str(refusal.value)


def test_a_driver_that_is_missing_is_told_with_the_extra_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(InvalidSettings, match="Vitrine's extra postgres") as refusal:
        open_database("postgresql://ada:secret@host/name")
    assert "secret" not in str(refusal.value)


def test_a_file_that_cannot_be_opened_is_our_own_error(tmp_path: Path) -> None:
    engine = open_database(url_of(tmp_path / "no-such-folder" / "a.db"))
    with pytest.raises(DatabaseUnavailable):
        engine.connect()


def test_a_file_that_is_no_database_is_our_own_error(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_text("Dear diary, " * 100)
    with pytest.raises(DatabaseUnavailable):
        open_database(url_of(tmp_path / "a.db")).connect()


def test_a_table_that_is_gone_is_our_own_error(tmp_path: Path) -> None:
    services = make_services(tmp_path)
    with services.engine.begin() as connection:
        connection.execute(text("DROP TABLE api_keys"))
        connection.execute(text("DROP TABLE predictions"))
        connection.execute(text("DROP TABLE roles_users"))
        connection.execute(text("DROP TABLE users"))
    accounts: Accounts = services.accounts
    with pytest.raises(DatabaseUnavailable) as found:
        accounts.is_empty()
    assert found.value.retry_after >= 1


def test_who_has_waited_in_vain_for_another_program_waits_briefly_for_a_while(tmp_path: Path) -> None:
    make_services(tmp_path)
    moments = [1000.0]
    engine = open_database(url_of(tmp_path / "data" / "vitrine.db"), clock=lambda: moments[0])

    def wait_of_a_write() -> int:
        with engine.connect() as connection:
            with contextlib.suppress(DatabaseUnavailable):
                connection.execute(text("DELETE FROM predictions"))
            return int(connection.connection.cursor().execute("PRAGMA busy_timeout").fetchone()[0])

    with engine.connect() as connection:  # so that the first in vain does not take its five seconds
        connection.exec_driver_sql("PRAGMA busy_timeout=1")
    with closing(sqlite3.connect(tmp_path / "data" / "vitrine.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        assert [wait_of_a_write() for _ in range(2)] == [1, 250]
    moments[0] += 9
    assert wait_of_a_write() == 250
    moments[0] += 2
    assert wait_of_a_write() == 5000


def test_why_nothing_can_be_stored_is_told_in_a_sentence(tmp_path: Path) -> None:
    services = make_services(tmp_path)
    url = services.settings.database
    assert why_unwritable(url) is None
    assert why_unwritable("postgresql://user:secret@host/name") is None
    with closing(sqlite3.connect(tmp_path / "data" / "vitrine.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        assert why_unwritable(url) == "Answers are not stored: another program holds the database."
    (tmp_path / "letter.db").write_text("Dear diary, " * 100)
    assert why_unwritable(url_of(tmp_path / "letter.db")) == "Answers are not stored: the database cannot be written to."
    assert why_unwritable(url_of(tmp_path / "gone.db")) == "Answers are not stored: the data folder cannot be written to."
    assert not (tmp_path / "gone.db").exists()
