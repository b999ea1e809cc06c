"""Writing so that what has been written is whole after a power cut, and by one process at a time."""

from __future__ import annotations

import errno
import fcntl
import os
import tempfile
from pathlib import Path


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, and wait until the disk has them."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    settle(folder.parent)


def write_durably(path: Path, content: bytes) -> None:
    """Write a new file, and wait until the disk has its content; its name is the folder's affair: see `settle`."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def replace_durably(path: Path, content: bytes) -> None:
    """Let a file have another content: whoever reads it, at any moment, finds the old one or the new one.

    A process that is killed meanwhile leaves a file whose name begins with a dot, this file's name and a dash.
    """
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    os.close(descriptor)
    staged = Path(name)
    try:
        write_durably(staged, content)
        staged.chmod(0o644)  # a temporary file is its maker's alone, and the site may run under another user
        staged.replace(path)
    except BaseException:
        staged.unlink(missing_ok=True)
        raise
    settle(path.parent)


def settle(folder: Path) -> None:
    """Wait until the disk has the names in a folder; syncing a file does not promise them."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network file systems know no such call for folders, and can promise no more than they do.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def settle_tree(folder: Path) -> None:
    """Wait until the disk has the names in a folder and in all those below it."""
    for below in folder.rglob("*"):
        if below.is_dir():
            settle(below)
    settle(folder)


def taken(descriptor: int) -> bool:
    """Lock an open file against all others who do, until it is closed; False where another holds it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
