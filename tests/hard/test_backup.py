"""Backups that are taken one after the other while programs send pictures, and are all restored."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

from app.inference.repository import Repository
from tests.busy import Busy
from tests.factories import EIGHT, publish
from tests.services.test_restoring import assert_before_or_after
from tests.serving import RunningSite

BACKUPS = 6
PROGRAMS, VISITORS = 6, 2
OLD_ROWS = 200_000


def make_old(data: Path) -> None:
    """Let the history be long: the rows of before come again and again under other numbers."""
    with closing(sqlite3.connect(data / "vitrine.db", timeout=30)) as connection, connection:
        names = [row[1] for row in connection.execute("PRAGMA table_info(predictions)") if row[1] != "id"]
        wanted = ", ".join(names)
        connection.execute(
            f"WITH RECURSIVE many(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many WHERE n < {OLD_ROWS}) "
            f"INSERT INTO predictions (id, {wanted}) SELECT printf('01A%023d', n), {wanted} FROM many, "
            f"(SELECT {wanted} FROM predictions LIMIT 1)"
        )


def test_backups_under_load_lose_nothing_and_keep_nobody_waiting(tmp_path: Path) -> None:
    taken: list[tuple[float, float, Path]] = []
    with RunningSite(tmp_path, workers="2", key_limit="0", visitor_limit="0") as site:
        assert site.predict(EIGHT.read_bytes(), "/api/v1/models/digits/predict").status == 200
        make_old(site.data)
        repository = Repository(shipped=None, own=site.data / "models")
        with Busy(site, programs=PROGRAMS, visitors=VISITORS, fickle=True) as load:
            time.sleep(3)
            quiet = sorted(load.seconds)
            load.seconds.clear()
            for number in range(BACKUPS):
                file, began = tmp_path / f"{number}.tar", time.monotonic()
                publishing = threading.Thread(target=publish, args=(repository,))
                publishing.start()
                ran = site.run("backup", str(file))
                assert ran.returncode == 0, ran.stderr
                taken.append((began, time.monotonic(), file))
                publishing.join()
            busy = sorted(load.seconds)
    assert set(load.statuses) == {200, 303}, load.statuses
    given = load.acknowledged + load.shown
    for number, (began, _, file) in enumerate(taken):
        other = RunningSite(tmp_path / f"other-{number}")
        (tmp_path / f"other-{number}").mkdir()
        ran = other.run("restore", str(file))
        assert ran.returncode == 0, ran.stderr
        assert_whole(other.data, site.data, {identifier for moment, identifier in given if moment < began})
        ran = other.run("models", "verify", "shade")
        assert ran.returncode == 0 or (number == 0 and "There is no model" in ran.stderr), ran.stdout + ran.stderr
    longest = max(ended - began for began, ended, _ in taken)
    print(
        f"\n{BACKUPS} backups of {OLD_ROWS:,} rows and more, {longest:.1f} s at most: of {load.statuses.total()} requests none "
        f"failed, and no backup lacks a row given before; a picture by key took {_ms(quiet)} before, {_ms(busy)} meanwhile"
    )


def assert_whole(data: Path, live: Path, given: set[str]) -> None:
    """See that every row that was given and not deleted is there, with its picture where it has one, and no other picture."""
    with closing(sqlite3.connect(data / "vitrine.db")) as connection:
        rows = dict(connection.execute("SELECT id, file_name FROM predictions"))
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    with closing(sqlite3.connect(live / "vitrine.db")) as connection:
        alive = {identifier for (identifier,) in connection.execute("SELECT id FROM predictions")}
    assert given & alive <= rows.keys()
    pictures = {path.name.partition(".")[0] for path in (data / "pictures").rglob("*.picture.jpg")}
    by_page = {identifier for identifier, name in rows.items() if name and name.startswith("photo-")}
    assert by_page & given & alive <= pictures
    assert len(list((data / "pictures").rglob("*.jpg"))) == 2 * len(pictures)


def _ms(seconds: list[float]) -> str:
    return f"{1000 * seconds[len(seconds) // 2]:.0f} ms (95 %: {1000 * seconds[len(seconds) * 95 // 100]:.0f} ms)"


def test_a_restoring_that_is_killed_at_any_change_is_whole_or_absent(tmp_path: Path) -> None:
    folder = tmp_path / "one"
    folder.mkdir()
    site = RunningSite(folder)
    site.make_account()
    ran = site.run("backup", str(tmp_path / "a.tar"))
    assert ran.returncode == 0, ran.stderr
    (tmp_path / "killed").mkdir()
    assert_before_or_after(tmp_path / "a.tar", tmp_path / "killed", every=1)
