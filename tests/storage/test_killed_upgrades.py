"""An upgrade that is killed, wherever it was: the next start goes on to the end, and nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres import RunningPostgres
from tests.storage.ending import assert_goes_on
from tests.storage.migrating import revisions

# At many more steps in tests/hard.
_EVERY = 37
STARTS = {"from nothing": "", "from the oldest": revisions()[0]}


@pytest.fixture(scope="module")
def server() -> Iterator[RunningPostgres]:
    with RunningPostgres() as running:
        yield running


@pytest.mark.parametrize("start", STARTS)
def test_a_file_is_whole_and_goes_on(start: str, tmp_path: Path) -> None:
    assert_goes_on(lambda file: f"sqlite:///{file}", STARTS[start], tmp_path, every=_EVERY)


@pytest.mark.parametrize("start", STARTS)
def test_postgresql_is_whole_and_goes_on(start: str, server: RunningPostgres, tmp_path: Path) -> None:
    assert_goes_on(lambda _: server.database(), STARTS[start], tmp_path, every=_EVERY)
