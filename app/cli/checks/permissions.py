"""Who may read and write what the site stands on: its secret, its data, its models."""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain, islice
from pathlib import Path

from app.cli.checks.finding import Case, Finding, error, good, warning
from app.errors import InvalidSettings
from app.services.private_files import secret_key

# Enough for every file that the site itself opens; pictures come in thousands, all made in the same way.
_MOST_FILES = 5000


def key_of_the_site(case: Case) -> Iterator[Finding]:
    """Look whether the key that signs cookies can be used, and who may read it."""
    settings = case.settings
    given = None if settings.secret_key is None else settings.secret_key.get_secret_value()
    file = settings.secret_key_file or settings.data / "secret_key"
    if given is None and settings.secret_key_file is None and not file.exists():
        yield warning("There is no secret key yet.", "`vitrine prepare` makes one, as the first start does.")
        return
    try:
        secret_key(given=given, given_file=settings.secret_key_file, own_file=file)
    except InvalidSettings as wrong:
        yield error(str(wrong), "Mend it; with another key everybody has to log in again.")
        return
    if given is None and file.stat().st_mode & stat.S_IRGRP and file.stat().st_gid != _own_group(case.keeper):
        yield warning(f"A whole group may read the secret key in {file}.", f"chmod 600 {file}")
        return
    yield good("The secret key is strong, and nobody else may read it.")


def data_folder(case: Case) -> Iterator[Finding]:
    """Look whose the data folder is, who may look into it, and whether the site may write to it."""
    folder, keeper = case.settings.data, case.keeper
    if not folder.exists():
        yield from _not_there(folder)
        return
    if not folder.is_dir():
        yield error(f"The data folder {folder} is no folder.", "Name another in VITRINE_DATA.")
        return
    found = [*_looked_into(folder, keeper), *_kept_by(folder, keeper)]
    if not found and (foreign := foreign_files(folder, keeper)):
        whose = user_name(keeper)
        found.append(
            error(
                f"{len(foreign)} files in {folder} do not belong to {whose}, such as {foreign[0].name}.",
                f"chown -R {whose} {folder}; and run commands as that user.",
            )
        )
    yield from found or [good(f"{folder} belongs to {user_name(keeper)} alone.")]


def writers_of_models(case: Case) -> Iterator[Finding]:
    """Look who may change a model: whoever may, decides what is answered."""
    found = []
    for folder in (case.settings.models, case.settings.kept / "models"):
        open_to_all, open_to_groups = [], []
        for path, entry in _files_in(folder):
            if entry.st_mode & stat.S_IWOTH:
                open_to_all.append(path)
            elif entry.st_mode & stat.S_IWGRP and entry.st_gid != _own_group(entry.st_uid):
                open_to_groups.append(path)
        if open_to_all:
            found.append(error(f"Everybody on this machine may write to {open_to_all[0]}.", f"chmod -R o-w {folder}"))
        if open_to_groups:
            found.append(warning(f"A whole group may write to {open_to_groups[0]}.", f"chmod -R g-w {folder}"))
    yield from found or [good("Nobody else may change the models.")]


def foreign_files(folder: Path, user: int) -> list[Path]:
    """Give what is in a folder, as far as it is looked through, and belongs to somebody else than this user."""
    return [path for path, entry in _files_in(folder) if entry.st_uid != user and path not in (folder, folder / "lost+found")]


def may_write(path: Path, user: int) -> bool:
    """Tell whether a user of the system may write to what is there; the superuser may where its disk is not read-only."""
    if os.statvfs(path).f_flag & os.ST_RDONLY:
        return False
    if user in (0, os.geteuid()):
        return user == 0 or os.access(path, os.W_OK)
    found = path.stat()
    others = stat.S_IWGRP if found.st_gid == _own_group(user) else stat.S_IWOTH
    return bool(found.st_mode & (stat.S_IWUSR if user == found.st_uid else others))


def nearest(path: Path) -> Path:
    """Give a path, or that of the folders above it that is there."""
    return path if path.exists() else nearest(path.parent)


def user_name(user: int) -> str:
    """Give what a user of the system is called."""
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)


def _not_there(folder: Path) -> Iterator[Finding]:
    above = nearest(folder.parent)
    if above.is_dir() and may_write(above, os.geteuid()):
        yield warning(f"The data folder {folder} is not there yet.", "`vitrine prepare` makes it, as the first start does.")
    else:
        yield error(
            f"The data folder {folder} is not there, and {user_name(os.geteuid())} may not make it in {above}.",
            "Make it, or name another in VITRINE_DATA.",
        )


def _looked_into(folder: Path, keeper: int) -> Iterator[Finding]:
    found = folder.stat()
    if found.st_mode & stat.S_IRWXO:
        yield error(f"Everybody on this machine may look into {folder}.", f"chmod 700 {folder}")
    elif found.st_mode & stat.S_IRWXG and found.st_gid != _own_group(keeper) and found.st_gid not in os.getgroups():
        yield warning(f"A whole group may look into {folder}.", f"chmod 700 {folder}")


def _kept_by(folder: Path, keeper: int) -> Iterator[Finding]:
    if not may_write(folder, keeper):
        yield error(
            f"The site may not write to {folder}.", f"chmod 700 {folder}; or mount its disk so that it can be written to."
        )
    elif os.geteuid() not in (0, keeper):
        yield error(
            f"{folder} belongs to {user_name(keeper)}, and you are {user_name(os.geteuid())}.",
            f"Run this, and the site, as {user_name(keeper)}.",
        )


def _files_in(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Give a folder and what is in it and those below, with what the system tells of each; links are left out."""
    # What is in the folder itself comes first: below it there may be more than is looked at.
    below = chain(folder.iterdir(), (path for path in folder.rglob("*") if path.parent != folder)) if folder.is_dir() else ()
    for path in islice(chain([folder], below), _MOST_FILES):
        with suppress(FileNotFoundError):  # gone since
            entry = path.lstat()
            if not stat.S_ISLNK(entry.st_mode):
                yield path, entry


def _own_group(user: int) -> int | None:
    try:
        return pwd.getpwuid(user).pw_gid
    except KeyError:
        return None
