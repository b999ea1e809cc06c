"""A copy of a SQLite file while others write: what was committed at one moment, in one file, and nobody waits."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from app.composition import Services
from app.errors import DatabaseUnavailable
from app.services.recorder import Owner, Recorder
from app.storage.snapshot import Snapshot
from tests.factories import make_prediction, make_services
from tests.storage.migrating import revisions

GUEST = Owner(guest="a" * 32)


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_services(tmp_path)


@pytest.fixture
def file(services: Services) -> Path:
    return services.settings.data / "vitrine.db"


def stored(services: Services) -> str:
    prediction = make_prediction()
    assert Recorder(engine=services.engine).record(prediction, GUEST, "a.png")
    return prediction.id


def test_it_has_what_was_committed_and_nothing_of_later(services: Services, file: Path, tmp_path: Path) -> None:
    before = stored(services)
    with closing(Snapshot.take(file, tmp_path / "copy.db")) as snapshot:
        after = stored(services)
        assert (snapshot.has(before), snapshot.has(after)) == (True, False)
        assert snapshot.revision == revisions()[-1]
    assert sorted(path.name for path in tmp_path.glob("copy*")) == ["copy.db"]


def test_whoever_is_writing_is_not_waited_for_and_does_not_wait(services: Services, file: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("INSERT INTO attempts VALUES ('mine', 1, 1.5)")
        Snapshot.take(file, tmp_path / "copy.db").close()
        writer.execute("COMMIT")
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        assert copy.execute("SELECT * FROM attempts").fetchall() == []
        assert copy.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_what_is_deleted_later_is_told_and_can_be_forgotten(services: Services, file: Path, tmp_path: Path) -> None:
    kept, deleted = stored(services), stored(services)
    with closing(Snapshot.take(file, tmp_path / "copy.db")) as snapshot:
        services.history.delete(GUEST, deleted)
        assert snapshot.deleted_since() == [deleted]
        snapshot.forget([deleted])
        assert (snapshot.has(kept), snapshot.has(deleted)) == (True, False)
        assert snapshot.deleted_since() == []


def test_what_is_no_database_has_no_copy(tmp_path: Path) -> None:
    (tmp_path / "vitrine.db").write_bytes(b"no database" * 1000)
    for file in ("vitrine.db", "nothing.db"):
        with pytest.raises(DatabaseUnavailable, match="cannot be copied"):
            Snapshot.take(tmp_path / file, tmp_path / "copy.db")
    assert not (tmp_path / "nothing.db").exists()


def test_a_file_without_our_tables_has_no_revision(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "other.db").close()
    with closing(Snapshot.take(tmp_path / "other.db", tmp_path / "copy.db")) as snapshot:
        assert snapshot.revision == ""
