"""The disks: room for data and temporary files, and what takes it."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from app.cli.checks.finding import Case, Finding, error, good, megabytes, warning
from app.cli.checks.permissions import nearest
from app.cli.house import LEAST_FREE_BYTES

_SCARCE_BYTES = 1_000_000_000
_SCARCE_FILES = 10_000
# Millions of pictures take minutes to count.
_COUNT_SECONDS = 5.0


def disk(case: Case) -> Iterator[Finding]:
    """Look how much room there is for the data and for temporary files, and how much the pictures take."""
    data = case.settings.data
    there = nearest(data)
    found = list(scarce(there, data, "no start goes on with less than 200 MB"))
    if not found:
        found = [
            good(f"{megabytes(_free(there))} are free for the data; pictures take {_taken(case.settings.kept / 'pictures')}.")
        ]
    yield from found
    try:
        temporary = Path(tempfile.gettempdir())
    except OSError:
        yield error("No folder for temporary files can be written to.", "Make one, and name it in TMPDIR.")
        return
    found = list(scarce(temporary, temporary, "imports and slow uploads may need more"))
    yield from found or [good(f"{megabytes(_free(temporary))} are free for temporary files in {temporary}.")]


def _free(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def scarce(there: Path, folder: Path, needed: str) -> Iterator[Finding]:
    """Find that the disk of a folder has little room left, or none for more files."""
    free, files = _free(there), os.statvfs(there)
    if free < LEAST_FREE_BYTES:
        yield error(f"Only {megabytes(free)} are free on the disk of {folder}; {needed}.", "Make room.")
    elif free < _SCARCE_BYTES:
        yield warning(f"Only {megabytes(free)} are free on the disk of {folder}.", "Make room, or lower VITRINE_KEEP_DAYS.")
    if files.f_files and files.f_favail < _SCARCE_FILES:  # some file systems count none
        level = warning if files.f_favail else error
        yield level(
            f"The disk of {folder} takes only {files.f_favail} more files.", "Remove some, or make a disk with more inodes."
        )


def _taken(folder: Path) -> str:
    """Give how much the files in a folder take, as far as they could be counted in a few seconds."""
    until, size = time.monotonic() + _COUNT_SECONDS, 0
    for path, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):  # swept meanwhile
                size += os.lstat(os.path.join(path, name)).st_size  # noqa: PTH118 - millions of them
        if time.monotonic() > until:
            return f"more than {megabytes(size)}"
    return megabytes(size)
