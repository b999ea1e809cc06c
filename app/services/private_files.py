"""Files that only their owner may read, the secret key that is one of them, and who uses the folder that they lie in."""

from __future__ import annotations

import fcntl
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from app.errors import InvalidSettings

_SHORTEST = 32
_FEWEST_DIFFERENT = 10
# Held by every process that serves, for as long as it lives; the system lets go of it for one that is killed.
_IN_USE = ".in-use"
# A backup that is being unpacked, one that is whole and is to take the place of what is there, and one that is moving there.
UNPACKED, RESTORED, PLACING = ".unpacked", ".restored", ".placing"
# Values that stand in guides and examples: whoever can guess the key can sign in as anybody.
_WELL_KNOWN = (
    "changeme",
    "change-me",
    "change_me",
    "secret-key",
    "secret_key",
    "your-secret",
    "your_secret",
    "super-secret",
    "supersecret",
)


def write_private(path: Path, text: str) -> None:
    """Write a text to a file of mode 0600, replacing what was there."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text + "\n")
    temporary.replace(path)


def touch_private(path: Path, *, new: bool) -> None:
    """See that a file can be opened; where there is none, `new` makes one of mode 0600, and else OSError is raised."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT if new else os.O_RDONLY, 0o600))


def secret_key(*, given: str | None, given_file: Path | None, own_file: Path) -> str:
    """Give the key that signs cookies: the given one, or one made at the first start; raise InvalidSettings for a weak one."""
    if given is not None:
        return _strong(given, "VITRINE_SECRET_KEY")
    if given_file is not None:
        return _strong(_read_private(given_file), "VITRINE_SECRET_KEY_FILE")
    if not own_file.exists():
        write_private(own_file, secrets.token_urlsafe(48))
    return _strong(_read_private(own_file), str(own_file))


def use(folder: Path) -> Callable[[], None]:
    """Note that a site runs on a data folder, and give what ends that; raise InvalidSettings while a backup is put there.

    Where nothing can be noted, since the disk may only be read, a backup cannot be put there either.
    """
    try:
        descriptor = _opened(folder)
    except OSError:
        return lambda: None
    held = _taken(descriptor, fcntl.LOCK_SH)
    if not held or restoring(folder):
        os.close(descriptor)
        raise InvalidSettings(f"A backup is being restored into {folder}: run `vitrine prepare` and start again.")
    return partial(os.close, descriptor)


def restoring(folder: Path) -> bool:
    """Tell whether a backup is taking the place of what is in a data folder, or was when its process was killed."""
    return (folder / RESTORED).exists() or (folder / PLACING).exists()


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keep every site off a data folder; raise InvalidSettings while one runs on it."""
    descriptor = _opened(folder)
    try:
        if not _taken(descriptor, fcntl.LOCK_EX):
            raise InvalidSettings(f"A site runs on {folder}, or a backup is being restored there: stop it first.")
        yield
    finally:
        os.close(descriptor)


def _opened(folder: Path) -> int:
    # To be read by everybody, for another user may have made it; the folder lets in whom it lets in.
    return os.open(folder / _IN_USE, os.O_RDONLY | os.O_CREAT, 0o644)


def _taken(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read_private(path: Path) -> str:
    try:
        readable_by_all = path.stat().st_mode & stat.S_IROTH
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidSettings(f"The secret key in {path} cannot be read.") from error
    if readable_by_all:
        raise InvalidSettings(f"The secret key in {path} may be read by everyone on this machine: run chmod 600 on it.")
    return text


def _strong(key: str, where: str) -> str:
    if len(key) < _SHORTEST:
        raise InvalidSettings(f"{where} is too short: give at least {_SHORTEST} random characters.")
    if len(set(key)) < _FEWEST_DIFFERENT or any(word in key.lower() for word in _WELL_KNOWN):
        raise InvalidSettings(f"{where} can be guessed: give {_SHORTEST} or more random characters.")
    return key
