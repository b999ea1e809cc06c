"""Everything that must be kept of a site, in one file: taken while it runs, and from one moment."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from app.errors import InvalidBackup
from app.inference.durable import settle
from app.inference.repository import Repository
from app.services.backup_file import DATABASE, KEY, BackupWriter, Manifest, Progress
from app.storage.snapshot import Snapshot

_MODELS, _PICTURES = "models", "pictures"
_COPIES_OF_A_PICTURE = 2


class Backup:
    """Takes the database, the models that were added, the pictures that are kept and the secret key.

    Left out is what a site makes again by itself or has no use for once it stands elsewhere: counters and uses of keys (minutes
    to days old), uploads that nobody has imported (an hour), the set-up link, and the copies that upgrades made.
    """

    def __init__(self, *, data: Path, database: Path, repository: Repository, version: str) -> None:
        self._data = data
        self._database = database
        self._repository = repository
        self._version = version

    def size(self) -> int:
        """Give about how many bytes it will have, for whoever waits."""
        files = [self._database, *_files(self._data / _MODELS), *_files(self._data / _PICTURES)]
        return sum(map(_size, files))

    def write(self, target: Path, *, key: str, progress: Progress) -> Manifest:
        """Write a backup whole or not at all; raise InvalidBackup or DatabaseUnavailable.

        Rows come first and pictures after them, for a picture is kept once its row is: no row in the backup is without it.
        """
        if not self._database.is_file():
            raise InvalidBackup(f"There is nothing to back up in {self._data}: it has no database yet.")
        taken_at = datetime.now(UTC).isoformat(timespec="seconds")
        with _staged(target) as (place, archive), closing(Snapshot.take(self._database, place / DATABASE)) as snapshot:
            if not snapshot.revision:
                raise InvalidBackup(f"There is nothing to back up: {self._database} has no tables of Vitrine's.")
            with closing(BackupWriter(archive, progress)) as writer:
                self._add_all(writer, snapshot)
                return writer.finish(taken_at=taken_at, version=self._version, revision=snapshot.revision, key=key)

    def _add_all(self, writer: BackupWriter, snapshot: Snapshot) -> None:
        copies: Counter[str] = Counter()
        self._add_pictures(writer, snapshot, copies)
        self._add_models(writer)
        writer.add(KEY, self._data / KEY)
        self._add_pictures(writer, snapshot, copies)  # those that were being written when they were looked for
        # Its owner has deleted it meanwhile, and its picture may have been gone by then.
        snapshot.forget([number for number in snapshot.deleted_since() if copies[number] < _COPIES_OF_A_PICTURE])
        writer.add(DATABASE, snapshot.file)

    def _add_pictures(self, writer: BackupWriter, snapshot: Snapshot, copies: Counter[str]) -> None:
        for file in _files(self._data / _PICTURES):
            name = file.relative_to(self._data).as_posix()
            identifier = file.name.partition(".")[0]
            if name not in writer.files and snapshot.has(identifier):
                copies[identifier] += writer.add(name, file)

    def _add_models(self, writer: BackupWriter) -> None:
        folder = self._data / _MODELS
        for model in sorted(_entries(folder)):
            # Nobody publishes, activates or removes a version meanwhile; one model at a time, so that nobody waits for long.
            with self._repository.changing():
                for file in _files(model):
                    writer.add(file.relative_to(self._data).as_posix(), file)


def _entries(folder: Path) -> Iterator[Path]:
    """Give what is in a folder; names that begin with a dot are of what is being written, and of locks."""
    try:
        found = list(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return
    yield from (entry for entry in found if not entry.name.startswith("."))


def _files(folder: Path) -> Iterator[Path]:
    for entry in _entries(folder):
        if entry.is_dir():
            yield from _files(entry)
        else:
            yield entry


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:  # deleted a moment ago
        return 0


@contextmanager
def _staged(target: Path) -> Iterator[tuple[Path, Path]]:
    """Give a folder beside a file that is to be, and where it is written to; in the end it is there whole, or as before.

    What a killed process leaves is that folder, whose name begins with a dot; the next backup of that name clears it away.
    """
    place = target.with_name(f".{target.name}.half")
    place.mkdir(mode=0o700, exist_ok=True)
    held = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InvalidBackup(f"Another backup is being written to {target}.") from error
        for left in place.iterdir():
            left.unlink()
        archive = place / "backup"
        archive.touch(mode=0o600)
        try:
            yield place, archive
            with archive.open("rb") as written:
                os.fsync(written.fileno())
            archive.replace(target)
            settle(target.parent)
        finally:
            shutil.rmtree(place, ignore_errors=True)
    finally:
        os.close(held)
