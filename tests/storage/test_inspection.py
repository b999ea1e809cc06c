"""Looking at a database: what is told is so, and nothing of it has changed afterwards."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.composition import Services
from app.errors import DatabaseUnavailable, InvalidSettings
from app.services.recorder import Owner, Recorder
from app.storage import inspection
from app.storage.inspection import Seen, known_revisions, look_at, who_holds
from tests.factories import make_prediction, make_services

HOLD = (
    "import sqlite3, sys; here = sqlite3.connect(sys.argv[1], isolation_level=None); here.execute('BEGIN IMMEDIATE'); "
    "print(); input()"
)


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    """Give a site whose database nobody has open."""
    made = make_services(tmp_path)
    made.engine.dispose()
    yield made
    made.engine.dispose()


@contextmanager
def held(file: Path) -> Iterator[int]:
    """Let another process write to a database meanwhile; give its number."""
    command = [sys.executable, "-c", HOLD, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        try:
            yield holder.pid
        finally:
            holder.kill()


def snapshot(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Give every file with its content and when it was written."""
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir() if path.is_file()}


def file_of(services: Services) -> Path:
    return services.settings.data / "vitrine.db"


def seen_of(services: Services) -> Seen:
    seen = look_at(services.settings.database)
    assert seen is not None
    return seen


def test_a_database_that_nobody_has_open_is_left_as_it_was(services: Services) -> None:
    before = snapshot(services.settings.data)
    seen = seen_of(services)
    assert snapshot(services.settings.data) == before
    assert list(before) == ["vitrine.db"]
    assert (seen.system, seen.size) == (f"SQLite {sqlite3.sqlite_version}", len(before["vitrine.db"][0]))
    assert (seen.revision, seen.newest, seen.damage, seen.whole) == (known_revisions()[-1], None, "", True)


def test_what_a_running_site_has_just_written_is_seen(services: Services) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    recorder = Recorder(engine=services.engine)
    for moment in (tomorrow, datetime.now(UTC)):
        assert recorder.record(make_prediction(created_at=moment), Owner(guest="a"), None)
    assert (services.settings.data / "vitrine.db-wal").stat().st_size > 0
    before = snapshot(services.settings.data)["vitrine.db"]
    newest = seen_of(services).newest
    assert newest is not None
    assert abs(newest - datetime.now(UTC)) < timedelta(days=2)
    assert snapshot(services.settings.data)["vitrine.db"] == before
    assert recorder.record(make_prediction(), Owner(guest="a"), None)


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    assert look_at(f"sqlite:///{tmp_path / 'vitrine.db'}") is None
    assert list(tmp_path.iterdir()) == []


def test_a_database_without_our_tables_has_no_revision(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        connection.execute("CREATE TABLE notes (text)")
    seen = look_at(f"sqlite:///{tmp_path / 'other.db'}")
    assert seen is not None
    assert (seen.revision, seen.damage) == (None, "")


def test_damage_is_found_wherever_it_is(services: Services) -> None:
    file = file_of(services)
    whole = file.read_bytes()
    for content in (b"no database at all" * 100, whole[:4096] + b"\xff" * 4096 + whole[8192:], whole[: len(whole) // 2]):
        file.write_bytes(content)
        assert seen_of(services).damage


def test_who_has_no_time_to_look_at_all_of_it_says_so(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspection, "_LOOK_SECONDS", -1.0)
    monkeypatch.setattr(inspection, "_STEPS", 1)
    seen = seen_of(services)
    assert (seen.whole, seen.damage, seen.revision) == (False, "", known_revisions()[-1])


def test_what_cannot_be_opened_says_why(tmp_path: Path) -> None:
    (tmp_path / "vitrine.db").mkdir()
    with pytest.raises(DatabaseUnavailable, match=r"^(unable to open database file|disk I/O error)$"):
        look_at(f"sqlite:///{tmp_path / 'vitrine.db'}")


@pytest.mark.parametrize("url", ["nonsense", "sqlite://", "sqlite:///:memory:", "nothing://a"])
def test_what_is_no_database_to_keep_something_in_is_refused(url: str) -> None:
    with pytest.raises(InvalidSettings, match="VITRINE_DATABASE_URL"):
        look_at(url)


def test_who_writes_for_a_second_on_end_is_named_and_who_comes_and_goes_is_not(services: Services) -> None:
    file = file_of(services)
    assert who_holds(file) is None
    with held(file) as process:
        assert who_holds(file) == process
        assert seen_of(services).damage == ""  # and it is read all the same
        other = sqlite3.connect(file, timeout=0, isolation_level=None)
        with closing(other), pytest.raises(sqlite3.OperationalError, match="locked"):  # for it has not been taken away
            other.execute("BEGIN IMMEDIATE")
    assert who_holds(file) is None
    seen = iter((7, 7, None, 7, 7, 7))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inspection, "_writer", lambda _: next(seen))
        patch.setattr(time, "sleep", lambda _: None)
        assert who_holds(file) is None


def test_the_revisions_are_those_of_the_migrations() -> None:
    known = known_revisions()
    assert known == sorted(known)
    assert known[0] == "0001"
