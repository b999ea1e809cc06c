"""A folder that lasts as long as the process that made it, however that ends."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.errors import InvalidSettings

# Whoever holds this file locked uses the folder. A folder without one is none of ours, whatever it is called.
_MARK = ".vitrine-scratch"


@contextmanager
def scratch_folder(prefix: str) -> Iterator[Path]:
    """Give a new folder, 0700, that is removed at the end of the block; raise InvalidSettings where none can be made.

    SIGTERM and SIGHUP end the process by way of that end. Children that it forks in the block may pass the end as well: they
    leave the folder alone, and one that outlives it keeps the folder from being swept. What killed ones left is swept here.
    """
    owner = os.getpid()
    with _ended_in_order():
        folder, lock = _made(prefix)
        try:
            yield folder
        finally:
            if os.getpid() == owner:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(lock)


def _made(prefix: str) -> tuple[Path, int]:
    """Make a folder that is marked as in use by this process and its children, and give it with what holds the mark."""
    try:
        _sweep(prefix)
        folder = Path(tempfile.mkdtemp(prefix=prefix))
        try:
            return folder, _marked(folder)
        except OSError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    except OSError as error:
        raise InvalidSettings(f"No temporary folder can be made ({error.strerror}): name another place in TMPDIR.") from error


def _marked(folder: Path) -> int:
    unfinished = folder / f"{_MARK}.new"
    lock = os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    # By its name it is never to be found unlocked, for somebody else may be sweeping.
    unfinished.rename(folder / _MARK)
    return lock


def _sweep(prefix: str) -> None:
    """Remove the folders of processes that are gone: marked, of this user, and locked by nobody."""
    for folder in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        with contextlib.suppress(OSError):  # somebody else's, no folder, none of ours, or in use
            about = folder.lstat()
            if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.getuid():
                continue
            lock = os.open(folder / _MARK, os.O_RDWR | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)


@contextmanager
def _ended_in_order() -> Iterator[None]:
    """Let signals that would end this process at once do so by way of its `finally` blocks; one that is ignored stays so."""
    ending = [number for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, _leave) for number in ending}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave(number: int, _frame: object) -> None:
    sys.exit(128 + number)
