"""What Prometheus is given: the numbers of all processes of this machine as one, those of processes that have ended included.

Each process counts in files of its own, which stay when it ends. They are added to one file then: a month of restarts takes no
more room than a day, and no longer to read.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import struct
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.errors import Overloaded
from app.services.telemetry.numbers import FOLDER_VARIABLE, numbers

_FOLDER = "vitrine-metrics-"
# What goes up and down belongs to whoever lives; the rest is kept for ever.
_KEPT = ("counter", "histogram")
_ENDED = "ended"
_PATIENCE_SECONDS, _PAUSE_SECONDS = 2.0, 0.005


@dataclass(frozen=True, slots=True)
class Exposition:
    """The numbers in the form that was asked for, and what that form is called."""

    body: bytes
    content_type: str


def exposition(accept: str) -> Exposition:
    """Give all numbers: as OpenMetrics where `accept` asks for it, else in the text form that everybody reads."""
    from prometheus_client import CollectorRegistry
    from prometheus_client.exposition import choose_encoder
    from prometheus_client.multiprocess import MultiProcessCollector

    here = numbers()
    encode, content_type = choose_encoder(accept)
    folder = os.environ.get(FOLDER_VARIABLE)
    if not folder:
        return Exposition(encode(here.registry), content_type)
    sweep(Path(folder))
    registry = CollectorRegistry()
    with _hold(Path(folder), fcntl.LOCK_SH, _PATIENCE_SECONDS) as held:
        if not held:
            raise Overloaded("The numbers are being put together by somebody else; please try again in a moment.")
        MultiProcessCollector(registry, path=folder)  # type: ignore[no-untyped-call]
        try:
            return Exposition(encode(registry), content_type)
        except struct.error:  # the file of a process that is just beginning was empty for a moment
            time.sleep(_PAUSE_SECONDS)
            return Exposition(encode(registry), content_type)


def counts_together() -> bool:
    """Tell whether this process counts where others are found as well."""
    return bool(os.environ.get(FOLDER_VARIABLE))


def shared_folder(parent: Path) -> Path:
    """Make the folder in which this process and its children count, and sweep away those of processes that are gone."""
    for old in parent.glob(f"{_FOLDER}*"):
        if not Path("/proc", old.name.removeprefix(_FOLDER)).exists():
            shutil.rmtree(old, ignore_errors=True)
    folder = parent / f"{_FOLDER}{os.getpid()}"
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    return folder


def is_shared_folder(folder: str) -> bool:
    """Tell whether a folder is one that was made here, and not one that an operator has named."""
    return Path(folder).name.startswith(_FOLDER)


def sweep(folder: Path) -> None:
    """Add up what processes that have ended have counted, and forget the rest of theirs; never while somebody reads."""
    gone = list(_of_ended(folder))
    if not gone:
        return
    with _hold(folder, fcntl.LOCK_EX) as held:
        if not held:  # the next one does it
            return
        for kind in _KEPT:
            _add_up(folder / f"{kind}_{_ENDED}.db", [path for path in gone if path.name.startswith(f"{kind}_")])
        for path in gone:
            path.unlink(missing_ok=True)


def _of_ended(folder: Path) -> Iterator[Path]:
    for path in folder.glob("*.db"):
        number = path.stem.rpartition("_")[2]
        if number.isdigit() and not _lives(int(number)):
            yield path


def _lives(number: int) -> bool:
    try:
        os.kill(number, 0)  # asks, and sends nothing
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _add_up(whole: Path, parts: list[Path]) -> None:
    """Add files to one that is never seen half written."""
    from prometheus_client.mmap_dict import MmapedDict

    if not parts:
        return
    read_all: Any = MmapedDict.read_all_values_from_file
    sums: dict[str, float] = defaultdict(float)
    for path in (whole, *parts):
        # There was nothing before; somebody else has just added it; or its process was killed as it began to write.
        with contextlib.suppress(OSError, struct.error, RuntimeError):
            for name, value, _, _ in read_all(str(path)):
                if name.startswith("["):  # as the client writes them, and nothing that was cut off
                    sums[name] += value
    new = whole.with_suffix(".new")
    new.unlink(missing_ok=True)
    file: Any = MmapedDict(str(new))  # type: ignore[no-untyped-call]
    for name, value in sums.items():
        file.write_value(name, value, 0.0)
    file.close()
    new.replace(whole)


@contextlib.contextmanager
def _hold(folder: Path, how: int, seconds: float = 0.0) -> Iterator[bool]:
    """Hold the lock of a folder for the length of the block, and tell whether it could be had within so many seconds."""
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield _locked(descriptor, how, time.monotonic() + seconds)
    finally:
        os.close(descriptor)


def _locked(descriptor: int, how: int, deadline: float) -> bool:
    while True:
        try:
            fcntl.flock(descriptor, how | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(_PAUSE_SECONDS)
        else:
            return True
