"""Counters that all workers of one machine share, in a small file of their own."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import weakref
from functools import partial
from pathlib import Path
from typing import Protocol

from app.errors import DatabaseUnavailable

# The count is worth nothing after a power cut, so nothing waits for the disk; a killed process loses none of it.
_PREPARE = """
PRAGMA journal_mode=WAL;
PRAGMA synchronous=OFF;
CREATE TABLE IF NOT EXISTS counters (key TEXT PRIMARY KEY, amount INTEGER NOT NULL, expires_at REAL NOT NULL) WITHOUT ROWID;
"""
_COUNT = """
INSERT INTO counters (key, amount, expires_at) VALUES (:key, :amount, :until)
ON CONFLICT (key) DO UPDATE SET
  amount = CASE WHEN expires_at <= :now THEN :amount ELSE amount + :amount END,
  expires_at = CASE WHEN expires_at <= :now THEN :until ELSE expires_at END
RETURNING amount
"""
_BUSY_SECONDS = 1.0
_SWEEP_EVERY = 1000

_Values = dict[str, float | str]


class Counters(Protocol):
    """Counts that end with their window; named as the storages of the `limits` library are, which has one for Redis."""

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Add to a counter and give what it stands at; one whose window of `expiry` seconds is over starts anew."""
        ...

    def get_expiry(self, key: str) -> float:
        """Give when a counter's window is over, in seconds since the epoch."""
        ...


class CounterFile:
    """Exact across workers, without a further server: one statement counts and tells."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._counted = 0
        # A connection that comes through a fork makes SQLite believe in locks that only the parent holds.
        os.register_at_fork(before=partial(_close, weakref.ref(self)))

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Add to a counter and give what it stands at; a counter whose window is over starts anew."""
        now = time.time()
        values: _Values = {"key": key, "amount": amount, "now": now, "until": now + expiry}
        self._counted += 1
        if self._counted % _SWEEP_EVERY == 0:
            self._ask("DELETE FROM counters WHERE expires_at <= :now", {"now": now})
        return int(self._ask(_COUNT, values) or 0)

    def get_expiry(self, key: str) -> float:
        """Give when a counter's window is over, in seconds since the epoch."""
        return self._ask("SELECT expires_at FROM counters WHERE key = :key", {"key": key}) or time.time()

    def _ask(self, statement: str, values: _Values) -> float | None:
        """Run one statement and give the first number it gives, if any."""
        try:
            with self._lock:
                row = self._connected().execute(statement, values).fetchone()
        except sqlite3.Error as error:
            raise DatabaseUnavailable from error
        return None if row is None else row[0]

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            connection = sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            connection.executescript(_PREPARE)
            self._connection = connection
        return self._connection

    def close(self) -> None:
        """Let go of the file; the next count opens it again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None


def _close(reference: weakref.ref[CounterFile]) -> None:
    counters = reference()
    if counters is not None:
        counters.close()
