"""A backup put into a data folder: whole or not at all, and never below a site that runs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from app.errors import InvalidBackup, InvalidSettings
from app.inference.durable import settle, settle_tree
from app.services.backup_file import DATABASE, BackupReader, Manifest, Progress
from app.services.private_files import PLACING, RESTORED, UNPACKED, alone_in

# Everything of ours in a data folder but `copies`: whatever else somebody has put there stays.
_OURS = ("vitrine.db*", "secret_key", "setup_token", "models", "pictures", "uploads", "counters.mdb*", "usage.mdb*")
_MOUNTS = Path("/proc/self/mountinfo")
_SPARE_BYTES = 200_000_000


class Restoring:
    """Checks a backup, unpacks it beside what is there, brings its database up to date, and then lets it take the place."""

    def __init__(self, *, data: Path, knows: Callable[[str], bool], upgrade: Callable[[Path], object]) -> None:
        self._data = data
        self._knows = knows
        self._upgrade = upgrade

    def look(self, file: Path) -> BackupReader:
        """Read what a file says that it holds; raise InvalidBackup where it is no backup, or one of a newer Vitrine."""
        reader = BackupReader(file)
        if not self._knows(reader.manifest.revision):
            raise InvalidBackup(
                f"That backup was made by a newer Vitrine ({reader.manifest.version}): restore it with that one, or a newer."
            )
        return reader

    def restore(self, reader: BackupReader, *, replace: bool, progress: Progress) -> Manifest:
        """Let a backup be what the data folder holds; raise InvalidBackup, or InvalidSettings while a site runs on it."""
        with alone_in(self._data):
            finish(self._data)
            self._demand_place(reader.size, replace=replace)
            unpacked = self._data / UNPACKED
            shutil.rmtree(unpacked, ignore_errors=True)
            unpacked.mkdir(mode=0o700)
            try:
                reader.unpack(unpacked, progress)
                self._upgrade(unpacked / DATABASE)
                _give_to_owner(unpacked, self._data)
                os.sync()  # one file after the other would take minutes
                settle_tree(unpacked)
                unpacked.rename(self._data / RESTORED)
            except BaseException:
                shutil.rmtree(unpacked, ignore_errors=True)
                raise
            settle(self._data)
            finish(self._data)
        return reader.manifest

    def _demand_place(self, size: int, *, replace: bool) -> None:
        if not replace and _held(self._data):
            raise InvalidBackup(
                f"There is a site in {self._data} already: restore into an empty folder, or say --replace to lose that one."
            )
        for mounted in _mounted_below(self._data):
            raise InvalidBackup(f"{mounted} is mounted, so it cannot be replaced: restore into a folder without, and copy it.")
        if shutil.disk_usage(self._data).free < size + _SPARE_BYTES:
            raise InvalidBackup(f"The backup needs {size // 1_000_000} MB on the disk of {self._data}: make room.")


def finish(data: Path) -> None:
    """Bring a restoring to its end that was killed on the way, for whoever has the folder alone; it may be killed again.

    From the moment that the folder RESTORED is there it is decided; before that nothing has changed.
    """
    restored, placing = data / RESTORED, data / PLACING
    if restored.exists():
        for old in _held(data):
            if old.is_dir() and not old.is_symlink():
                shutil.rmtree(old)
            else:
                old.unlink()
        settle(data)
        restored.rename(placing)  # only once all that was there has gone: an older log of SQLite's would be applied
        settle(data)
    if placing.exists():
        for new in list(placing.iterdir()):
            new.rename(data / new.name)
        settle(data)
        placing.rmdir()


def sweep(data: Path) -> None:
    """Remove what a restoring that was killed had unpacked, where nobody restores now."""
    with suppress(InvalidSettings), alone_in(data):
        shutil.rmtree(data / UNPACKED, ignore_errors=True)


def _held(data: Path) -> list[Path]:
    return [path for pattern in _OURS for path in data.glob(pattern)]


def _mounted_below(data: Path) -> list[Path]:
    """Give the places in a folder where another disk or folder is mounted, as far as the system tells."""
    with suppress(OSError):
        places = [line.split(" ")[4] for line in _MOUNTS.read_text(errors="replace").splitlines()]
        # Of what could stand in a name it escapes spaces and the like, in octal.
        return [place for name in places if data in (place := Path(name.replace("\\040", " "))).parents]
    return []


def _give_to_owner(folder: Path, data: Path) -> None:
    """Let what root has unpacked belong to whoever the data folder belongs to."""
    owner = data.stat()
    if os.geteuid() == 0 and (owner.st_uid, owner.st_gid) != (0, 0):
        for path in (folder, *folder.rglob("*")):
            os.chown(path, owner.st_uid, owner.st_gid)
