"""An upgrade that is killed at one step of it after the other, and a real one that is killed at any moment."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres import RunningPostgres
from tests.serving import TREE, VITRINE, RunningSite
from tests.storage.ending import assert_goes_on
from tests.storage.migrating import as_before, dump_of, load, revisions, rows_of, schema_of

STARTS = {"from nothing": "", "from the oldest": revisions()[0]}


@pytest.fixture(scope="module")
def server() -> Iterator[RunningPostgres]:
    with RunningPostgres() as running:
        yield running


@pytest.mark.parametrize("start", STARTS)
def test_a_file_is_whole_and_goes_on_wherever_it_was(start: str, tmp_path: Path) -> None:
    assert_goes_on(lambda file: f"sqlite:///{file}", STARTS[start], tmp_path, every=2)


@pytest.mark.parametrize("start", STARTS)
def test_postgresql_is_whole_and_goes_on_wherever_it_was(start: str, server: RunningPostgres, tmp_path: Path) -> None:
    assert_goes_on(lambda _: server.database(), STARTS[start], tmp_path, every=7)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_commands_that_are_killed_at_any_moment_leave_it_to_the_next(
    kind: str, server: RunningPostgres, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir(mode=0o700)
    url = f"sqlite:///{tmp_path / 'data' / 'vitrine.db'}" if kind == "sqlite" else server.database()
    load(url, dump_of(revisions()[0], url))
    rows, oldest = rows_of(url), schema_of(url)
    site = RunningSite(tmp_path, database_url=url)
    ended = 0
    for twentieths in range(6, 60, 2):
        command = subprocess.Popen([*VITRINE, "upgrade"], cwd=TREE, env=site.environment, stderr=subprocess.DEVNULL)
        time.sleep(twentieths / 20)
        command.kill()
        ended += command.wait() != 0
        assert as_before(rows_of(url), rows) == rows
        if schema_of(url) != oldest:
            break
    done = site.run("upgrade")
    assert done.returncode == 0, done.stderr
    assert as_before(rows_of(url), rows) == rows
    assert schema_of(url) != oldest
    assert ended >= 2
    print(f"{kind}: {ended} commands were killed; every row is there")
