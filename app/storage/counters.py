"""Counters that all workers of one machine share, in a small file of their own."""

from __future__ import annotations

import hashlib
import os
import struct
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import lmdb

from app.errors import DatabaseUnavailable

_FILE_BYTES = 1 << 24
# They take a third of the file: what is swept out must be written too.
_MOST_COUNTERS = 100_000
_ENTRY = struct.Struct("<qd")  # the amount, and when its window is over
_SWEEP_EVERY = 1000


class Count(NamedTuple):
    """What a counter stands at, and when its window is over, in seconds since the epoch."""

    amount: int
    ends_at: float


class Counters(Protocol):
    """Counts that end with their window."""

    def count(self, key: str, window: int, amount: int = 1) -> Count:
        """Add to a counter, and give what it stands at then; one whose window of so many seconds is over starts anew."""
        ...

    def look(self, keys: Sequence[str]) -> tuple[int, ...]:
        """Give what counters stand at, without counting; 0 for those whose window is over."""
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


class CounterFile:
    """Exact across the workers of one machine, without a further server; LMDB counts in a file that all of them map.

    A count costs a microsecond, and the interpreter is let go of once; in SQLite it costs ten, and beside a second worker,
    whose every count makes the first one read its pages again, several times that. The count is worth nothing after a power
    cut, so nothing waits for the disk; a killed process loses none of it.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock
        self._counted = 0

    def count(self, key: str, window: int, amount: int = 1) -> Count:
        """Add to a counter, and give what it stands at then; one whose window of so many seconds is over starts anew."""
        now = self._clock()
        name = _name(key)
        try:
            with _opened(self._path).begin(write=True) as transaction:
                self._counted += 1
                if self._counted % _SWEEP_EVERY == 0:
                    _sweep(transaction, now)
                entry = transaction.get(name)
                if entry is None and transaction.stat()["entries"] >= _MOST_COUNTERS:
                    raise DatabaseUnavailable
                counted, ends_at = (0, now) if entry is None else _ENTRY.unpack(entry)
                if ends_at <= now:
                    counted, ends_at = 0, now + window
                transaction.put(name, _ENTRY.pack(counted + amount, ends_at))
        except (lmdb.Error, OSError) as error:
            raise DatabaseUnavailable from error
        return Count(counted + amount, ends_at)

    def look(self, keys: Sequence[str]) -> tuple[int, ...]:
        """Give what counters stand at, without counting; 0 for those whose window is over."""
        now = self._clock()
        try:
            # As a writer, who writes nothing: a reader that is killed would leave its place in the file's table taken.
            with _opened(self._path).begin(write=True) as transaction:
                entries = [transaction.get(_name(key)) for key in keys]
        except (lmdb.Error, OSError) as error:
            raise DatabaseUnavailable from error
        counts = (Count(0, now) if entry is None else Count(*_ENTRY.unpack(entry)) for entry in entries)
        return tuple(count.amount if count.ends_at > now else 0 for count in counts)


def _name(key: str) -> bytes:
    return hashlib.blake2b(key.encode(), digest_size=16).digest()


# LMDB allows a process to open a file once, and to use what it has opened itself: not what came through a fork.
_files: dict[Path, lmdb.Environment] = {}
_opening = threading.Lock()


def _opened(path: Path) -> lmdb.Environment:
    environment = _files.get(path)
    if environment is None:
        with _opening:
            environment = _files[path] = _files.get(path) or _open(path)
    return environment


def _open(path: Path) -> lmdb.Environment:
    environment = lmdb.open(
        str(path), subdir=False, mode=0o600, map_size=_FILE_BYTES, writemap=True, map_async=True, sync=False, metasync=False
    )
    try:
        # All of the file is there before it is written to: on a full disk, a page that it lacks would end the process.
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, _FILE_BYTES)
    except OSError:
        environment.close()
        raise
    return environment


def _sweep(transaction: lmdb.Transaction, now: float) -> None:
    over = [name for name, entry in transaction.cursor() if _ENTRY.unpack(entry)[1] <= now]
    for name in over:
        transaction.delete(name)


def _forget() -> None:
    global _opening
    _opening = threading.Lock()
    _files.clear()


os.register_at_fork(after_in_child=_forget)
