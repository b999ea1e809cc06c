"""The database alone is brought up to date: once, by however many at the same moment."""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from tests.cli.running import Run, output_of
from tests.postgres import RunningPostgres
from tests.serving import TREE, VITRINE, RunningSite

DONE = "The database is up to date.\n"


@pytest.fixture(scope="module")
def server() -> Iterator[RunningPostgres]:
    with RunningPostgres() as running:
        yield running


def upgrade_at_once(site: RunningSite, number: int) -> list[tuple[int, str, str]]:
    """Start the command so many times, and give what came of each: its code and what it printed."""
    started = [
        subprocess.Popen(
            [*VITRINE, "upgrade"], cwd=TREE, env=site.environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(number)
    ]
    printed = [process.communicate(timeout=120) for process in started]
    return [(process.returncode, out, err) for process, (out, err) in zip(started, printed, strict=True)]


def versions_in(database: str) -> list[str]:
    with psycopg.connect(database) as connection:
        return [row[0] for row in connection.execute("SELECT version_num FROM alembic_version")]


def test_a_fresh_database_gets_its_tables_and_nothing_is_started(vitrine: Run, data: Path) -> None:
    assert output_of(vitrine("upgrade")) == DONE
    with closing(sqlite3.connect(data / "vitrine.db")) as connection:
        assert connection.execute("SELECT count(*) FROM users").fetchone() == (0,)
        assert len(connection.execute("SELECT version_num FROM alembic_version").fetchall()) == 1
    # What a start makes is left to the start.
    assert not any((data / name).exists() for name in ("secret_key", "setup_token"))


def test_a_second_time_finds_it_done(vitrine: Run, data: Path) -> None:
    output_of(vitrine("upgrade"))
    assert output_of(vitrine("upgrade")) == DONE
    assert not (data / "copies").exists()


def test_a_database_that_does_not_answer_is_refused(vitrine: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VITRINE_DATABASE_URL", "postgresql://vitrine@127.0.0.1:1/vitrine")
    ran = vitrine("upgrade")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.splitlines()[-1] == "vitrine: The database does not answer; please try again in a moment."


def test_of_several_jobs_at_once_one_changes_postgresql(server: RunningPostgres, tmp_path: Path) -> None:
    database = server.database()
    site = RunningSite(tmp_path, database_url=database)
    assert upgrade_at_once(site, 3) == [(0, DONE, "")] * 3
    assert len(versions_in(database)) == 1
