"""Deeds in processes of their own that kill themselves on the way: nothing of them gets to tidy up."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Before the processes are forked, so that none of them imports them again.
import alembic.command
import alembic.config
import alembic.runtime.migration
import alembic.script  # noqa: F401

from app.cli.backing_up import bring_up_to_date
from app.inference.repository import Repository
from app.services.backup import Backup
from app.services.restoring import Restoring
from app.storage.schema import knows

_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload([__name__])
# What changes a folder or a file in it; of openings those that may write.
_CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.truncate", "os.chown", "os.chmod"}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def was_killed(deed: Callable[..., object], *arguments: Any) -> bool:
    """Do something in a process of its own, and tell whether it killed itself on the way; what it came to is seen in files."""
    process = _PROCESSES.Process(target=deed, args=arguments)
    process.start()
    process.join(60)
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode != 0


def back_up_until(number: int, data: Path, target: Path) -> None:
    """Write a backup, and be killed before that change of a file."""
    repository = Repository(shipped=None, own=data / "models")
    backup = Backup(data=data, database=data / "vitrine.db", repository=repository, version="9.9.9")
    die_before_change(number)
    backup.write(target, key="", progress=lambda _: None)


def restore_until(number: int, file: Path, data: Path) -> None:
    """Restore a backup in place of what is there, and be killed before that change of a file."""
    restoring = Restoring(data=data, knows=knows, upgrade=bring_up_to_date)
    die_before_change(number)
    restoring.restore(restoring.look(file), replace=True, progress=lambda _: None)


def die_before_change(number: int) -> None:
    """Let this process be killed before it changes files for the time of that number, the first being 0."""
    changes = 0

    def look(name: str, arguments: tuple[Any, ...]) -> None:
        nonlocal changes
        if name in _CHANGES or (name == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITING):
            changes += 1
            if changes > number:
                die()

    sys.addaudithook(look)


def die() -> None:
    """End this process as the system does that has no memory left."""
    os.kill(os.getpid(), signal.SIGKILL)
