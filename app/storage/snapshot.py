"""A SQLite file as it is at one moment, copied while others go on writing to it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from app.errors import DatabaseUnavailable

_PATIENCE_SECONDS = 5.0


class Snapshot:
    """A copy of a SQLite file, in a file of its own."""

    def __init__(self, file: Path, *, of: Path) -> None:
        self.file = file
        self._of = of
        self._connection = sqlite3.connect(file, isolation_level=None)

    @classmethod
    def take(cls, source: Path, target: Path) -> Snapshot:
        """Copy what is committed at this moment, and nothing of what comes after; raise DatabaseUnavailable.

        Nobody waits for it: who writes meanwhile writes ahead, into another file.
        """
        # In one go: in pieces it would begin anew with every row that others write meanwhile.
        with _telling(source), closing(_opened(source)) as live, closing(sqlite3.connect(target)) as copy:
            live.execute("SELECT count(*) FROM sqlite_master").fetchone()  # it waits for a lock, and not for ever
            live.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # all of it in the one file
        return cls(target, of=source)

    @property
    def revision(self) -> str:
        """The revision of its schema; empty where it has none."""
        try:
            return str(self._connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])
        except (sqlite3.Error, TypeError):
            return ""

    def has(self, prediction_id: str) -> bool:
        """Tell whether a prediction is in it."""
        found = self._connection.execute("SELECT 1 FROM predictions WHERE id = ?", (prediction_id,))
        return found.fetchone() is not None

    def deleted_since(self) -> list[str]:
        """Give the predictions in it that somebody has deleted since it was taken; raise DatabaseUnavailable."""
        wanted = "SELECT id FROM main.predictions AS kept WHERE NOT EXISTS"
        wanted += " (SELECT 1 FROM live.predictions AS there WHERE there.id = kept.id)"
        with _telling(self._of):
            self._connection.execute("ATTACH ? AS live", (str(self._of),))
            found = self._connection.execute(wanted).fetchall()
            self._connection.execute("DETACH live")
        return [identifier for (identifier,) in found]

    def forget(self, predictions: list[str]) -> None:
        """Delete predictions from it, and what goes with them."""
        self._connection.execute("PRAGMA foreign_keys=ON")
        self._connection.execute("BEGIN")
        self._connection.executemany("DELETE FROM predictions WHERE id = ?", [(identifier,) for identifier in predictions])
        self._connection.execute("COMMIT")

    def close(self) -> None:
        """Let go of it; it stays where it is."""
        self._connection.close()


@contextmanager
def _telling(file: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise DatabaseUnavailable(f"The database {file} cannot be copied: {error}.") from error


def _opened(file: Path) -> sqlite3.Connection:
    # Never made here: a copy of nothing would pass for one.
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True, timeout=_PATIENCE_SECONDS)
