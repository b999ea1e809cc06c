"""Upgrades in processes of their own that are killed at a step: nothing of them gets to tidy up, and the next goes on."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Before the processes are forked, so that none of them imports them again.
import alembic.command
import alembic.config
import alembic.runtime.migration
import alembic.script  # noqa: F401
from sqlalchemy import Engine, event

from app.storage.database import open_database
from app.storage.schema import upgrade
from tests.storage.migrating import as_before, dump_of, load, rows_of, schema_of

_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload([__name__])


def assert_goes_on(new_database: Callable[[Path], str], start: str, folder: Path, *, every: int) -> None:
    """Kill upgrades from a revision, or from nothing, at one step after the other; see each database whole before and after."""
    newest = _newest_schema(new_database, folder)
    for number, step in enumerate(itertools.count(every // 2, every)):
        place = folder / str(number)
        url = _database_at(new_database, start, place)
        rows, schema = rows_of(url), schema_of(url)
        process = _PROCESSES.Process(target=upgrade_until, args=(step, url, place / "copies"))
        process.start()
        process.join(60)
        if process.exitcode == 0:
            assert number >= 3
            return
        assert process.exitcode == -signal.SIGKILL
        # As it was before, or as it is to be, and never in between.
        assert schema_of(url) in (schema, newest)
        assert as_before(rows_of(url), rows) == rows
        _upgrade(url, place / "copies")
        assert schema_of(url) == newest
        assert as_before(rows_of(url), rows) == rows
        for copy in (place / "copies").glob("*") if rows else ():
            assert rows_of(f"sqlite:///{copy}") == rows


def upgrade_until(step: int, url: str, copies: Path) -> None:
    """Upgrade, and be killed at the step of that number, before a statement or after; where there are fewer, finish."""
    engine = open_database(url)
    _kill_at(step, engine)
    upgrade(engine, copies=copies)
    engine.dispose()


def _newest_schema(new_database: Callable[[Path], str], folder: Path) -> dict[str, str]:
    url = _database_at(new_database, "", folder / "newest")
    _upgrade(url, folder)
    return schema_of(url)


def _database_at(new_database: Callable[[Path], str], start: str, place: Path) -> str:
    place.mkdir()
    url = new_database(place / "vitrine.db")
    if start:
        load(url, dump_of(start, url))
    return url


def _upgrade(url: str, copies: Path) -> None:
    engine = open_database(url)
    upgrade(engine, copies=copies)
    engine.dispose()


def _kill_at(step: int, engine: Engine) -> None:
    taken = 0

    def count(*_: Any) -> None:
        nonlocal taken
        taken += 1
        if taken > step:
            os.kill(os.getpid(), signal.SIGKILL)

    for moment in ("before_cursor_execute", "after_cursor_execute", "commit"):
        event.listen(engine, moment, count)
