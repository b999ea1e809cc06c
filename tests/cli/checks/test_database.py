"""The database: away, damaged, held, older, newer, on a network."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from app.cli.checks import database as module
from app.cli.checks.database import database, network_of
from app.cli.checks.finding import Case, Level
from app.config import Settings
from app.storage import inspection
from app.storage.inspection import Seen
from tests.cli.checks.looking import assert_well, look, only, wrong
from tests.factories import make_services, make_settings
from tests.storage.test_inspection import held
from tests.storage.test_schema import COLUMN, later_migrations

SERVER = Seen("PostgreSQL 15.6", 10_000_000, inspection.known_revisions()[-1], None, connections=100)
MOUNTS = r"""
22 27 0:21 / / rw,relatime - ext4 /dev/vda rw
23 22 0:22 / /srv rw,relatime shared:1 - nfs4 server:/srv rw
24 22 0:23 / /srv/my\040disk rw - xfs /dev/vdb rw
25 22 0:24 / /mnt/bucket rw - fuse.s3fs s3fs rw
"""


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """Give a site whose database nobody has open."""
    services = make_services(tmp_path)
    services.engine.dispose()
    yield services.settings
    services.engine.dispose()


def test_a_good_one_is_well_and_told_with_its_size(settings: Settings) -> None:
    assert_well(database, settings)
    assert " MB in " in look(database, settings)[0].what


def test_one_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    assert only(database, make_settings(tmp_path)).level is Level.WARNING
    assert list(tmp_path.iterdir()) == []


def test_an_older_one_is_to_be_prepared(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspection, "MIGRATIONS", later_migrations(tmp_path / "later", COLUMN))
    found = wrong(database, settings)
    assert (found.level, "older version" in found.what, "vitrine prepare" in found.mend) == (Level.ERROR, True, True)


def test_a_newer_one_says_that_the_code_is_old(settings: Settings) -> None:
    with closing(sqlite3.connect(settings.data / "vitrine.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    found = wrong(database, settings)
    assert (found.level, "a newer Vitrine (9999" in found.what) == (Level.ERROR, True)


def test_one_without_tables_is_to_be_prepared(tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    settings.data.mkdir(mode=0o700)
    (settings.data / "vitrine.db").touch()
    found = wrong(database, settings)
    assert (found.level, "no tables" in found.what) == (Level.ERROR, True)


def test_a_damaged_one_is_an_error(settings: Settings) -> None:
    (settings.data / "vitrine.db").write_bytes(b"\x1b[31mno database" * 100)
    found = only(database, settings)
    assert (found.level, "damaged" in found.what, "backup" in found.mend) == (Level.ERROR, True, True)


def test_one_that_somebody_holds_is_told_with_who_it_is(settings: Settings) -> None:
    with held(settings.data / "vitrine.db") as process:
        found = wrong(database, settings)
    assert (found.level, f"Process {process} has been writing" in found.what) == (Level.WARNING, True)


def test_one_that_the_site_may_not_write_to_is_an_error(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "may_write", lambda path, _user: path.name != "vitrine.db")
    found = wrong(database, settings)
    assert (found.level, "may not write to" in found.what) == (Level.ERROR, True)


def test_one_on_a_network_is_told(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"22 27 0:21 / {tmp_path} rw - cifs //server/share rw\n")
    monkeypatch.setattr(module, "_MOUNTS", mounts)
    found = wrong(database, settings)
    assert (found.level, "(cifs)" in found.what) == (Level.WARNING, True)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        *[("/data", None), ("/srv/data", "nfs4"), ("/srv/my disk/data", None), ("/mnt/bucket/a", "fuse.s3fs")],
        ("/srvs", None),
    ],
)
def test_the_nearest_mount_tells_what_a_path_is_on(path: str, kind: str | None) -> None:
    assert network_of(Path(path), MOUNTS.strip()) == kind


def test_a_server_that_does_not_answer_is_told_without_its_password(tmp_path: Path) -> None:
    url = "postgresql://vitrine:secret-word@127.0.0.1:1/vitrine"
    found = only(database, make_settings(tmp_path, database_url=url))
    assert (found.level, "refused" in found.what) == (Level.ERROR, True)
    assert "secret-word" not in found.what


def test_what_is_no_database_is_told(tmp_path: Path) -> None:
    found = only(database, make_settings(tmp_path, database_url="nonsense:secret-word"))
    assert (found.level, "secret-word" in found.what) == (Level.ERROR, False)


@pytest.mark.parametrize(
    ("seen", "level", "what"),
    [
        (SERVER, Level.GOOD, "PostgreSQL 15.6, 10.0 MB"),
        (replace(SERVER, system="PostgreSQL 13.1"), Level.WARNING, "older than what is tested"),
        (replace(SERVER, writable=False), Level.ERROR, "may only be read"),
        (replace(SERVER, encoding="SQL_ASCII"), Level.ERROR, "keeps texts as SQL_ASCII"),
        (replace(SERVER, connections=9), Level.WARNING, "takes 9 connections, and this machine may want 10"),
    ],
)
def test_a_server_is_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seen: Seen, level: Level, what: str) -> None:
    monkeypatch.setattr(Case, "seen", seen)
    found = look(database, make_settings(tmp_path, database_url="postgresql://a", workers=2, threads=4))[0]
    assert (found.level, what in found.what) == (level, True), found
