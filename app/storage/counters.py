"""Counters that all workers of one machine share, in a small file of their own."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import weakref
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol

from app.errors import DatabaseUnavailable

# The count is worth nothing after a power cut, so nothing waits for the disk; a killed process loses none of it.
_PREPARE = """
PRAGMA journal_mode=WAL;
PRAGMA synchronous=OFF;
CREATE TABLE IF NOT EXISTS counters (key TEXT PRIMARY KEY, amount INTEGER NOT NULL, expires_at REAL NOT NULL) WITHOUT ROWID;
"""
_BUSY_SECONDS = 1.0
_SWEEP_EVERY = 1000

_Values = dict[str, float | str]


class Count(NamedTuple):
    """What a counter stands at, and when its window is over, in seconds since the epoch."""

    amount: int
    ends_at: float


class Counters(Protocol):
    """Counts that end with their window."""

    def count(self, key: str, window: int, amount: int = 1) -> Count:
        """Add to a counter, and give what it stands at then; one whose window of so many seconds is over starts anew."""
        ...


def counting(table: str) -> str:
    """Give the statement that counts and tells, for a table with `key`, `amount` and `expires_at`, on any of our databases."""
    return f"""
    INSERT INTO {table} (key, amount, expires_at) VALUES (:key, :amount, :until)
    ON CONFLICT (key) DO UPDATE SET
      amount = CASE WHEN {table}.expires_at <= :now THEN :amount ELSE {table}.amount + :amount END,
      expires_at = CASE WHEN {table}.expires_at <= :now THEN :until ELSE {table}.expires_at END
    RETURNING amount, expires_at
    """  # noqa: S608 - a table's name, from our own code


_COUNT = counting("counters")


class CounterFile:
    """Exact across workers, without a further server: one statement counts and tells."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._counted = 0
        # A connection that comes through a fork makes SQLite believe in locks that only the parent holds.
        os.register_at_fork(before=partial(_close, weakref.ref(self)))

    def count(self, key: str, window: int, amount: int = 1) -> Count:
        """Add to a counter, and give what it stands at then; one whose window of so many seconds is over starts anew."""
        now = time.time()
        self._counted += 1
        if self._counted % _SWEEP_EVERY == 0:
            self._ask("DELETE FROM counters WHERE expires_at <= :now", {"now": now})
        return Count(*self._ask(_COUNT, {"key": key, "amount": amount, "now": now, "until": now + window})[0])

    def _ask(self, statement: str, values: _Values) -> list[tuple[int, float]]:
        try:
            with self._lock:
                return self._connected().execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise DatabaseUnavailable from error

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            connection = sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            _prepare(connection)
            self._connection = connection
        return self._connection

    def close(self) -> None:
        """Let go of the file; the next count opens it again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None


def _prepare(connection: sqlite3.Connection) -> None:
    # Where several workers make the file at the same time, SQLite refuses the change to WAL at once, without its usual wait.
    until = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.executescript(_PREPARE)
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                connection.close()
                raise
            time.sleep(0.01)
        else:
            return


def _close(reference: weakref.ref[CounterFile]) -> None:
    counters = reference()
    if counters is not None:
        counters.close()
