"""The way from any older schema to today's. Only the command line needs this."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, text

from app.errors import InvalidSettings
from app.storage.database import is_prepared, sqlite_file

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(engine: Engine, *, copies: Path, migrations: Path = MIGRATIONS) -> Path | None:
    """Bring the schema up to date; give the copy of a SQLite file that was made first, if one was needed."""
    with _alone(engine):
        return None if _is_current(engine, migrations) else _change(engine, copies, migrations)


def _change(engine: Engine, copies: Path, migrations: Path) -> Path | None:
    # Imported here because they take a seventh of a second, and most starts find the schema as it should be.
    from alembic import command
    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(migrations))
    known = ScriptDirectory.from_config(config)
    with engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    if current == known.get_current_head():
        return None
    if current is not None and current not in {revision.revision for revision in known.walk_revisions()}:
        raise InvalidSettings("The database was made by a newer Vitrine: run that one, or restore the copy made before it.")
    copy = _copy(engine, copies) if current is not None else None
    with _at_once(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return copy


@contextmanager
def _at_once(engine: Engine) -> Iterator[Connection]:
    """Give a connection on which everything happens or nothing, also where this process is killed."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            # Of several machines that start at once one changes the tables; the others wait, and find it done.
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('vitrine'))"))
        elif engine.dialect.name == "sqlite":
            connection.detach()  # nobody else gets it with what is switched off here
            # A table that is made anew is dropped first, and the rows that refer to its own would go with them.
            connection.execute(text("PRAGMA foreign_keys=OFF"))
            # Its driver begins by itself where rows are changed, and not where tables are.
            connection.execute(text("BEGIN IMMEDIATE"))
        yield connection
        connection.commit()


@contextmanager
def _alone(engine: Engine) -> Iterator[None]:
    # SQLite's tables are made one by one, and even the first connections to a new file are in each other's way. Several
    # processes wait for the folder, which leaves nothing lying about; PostgreSQL's lock is taken where its tables are changed.
    file = sqlite_file(engine.url)
    with ExitStack() as held:
        if file is not None:
            with suppress(OSError):  # where there is no such folder, or none that locks, the connection says what is wrong
                folder = os.open(file.absolute().parent, os.O_RDONLY)
                held.callback(os.close, folder)
                fcntl.flock(folder, fcntl.LOCK_EX)
        yield


def _is_current(engine: Engine, migrations: Path) -> bool:
    # Revisions are numbered as their files are; that each file says the number it is named by is tested.
    newest = max(file.name.partition("_")[0] for file in (migrations / "versions").glob("*.py"))
    if not is_prepared(engine):
        return False
    with engine.connect() as connection:
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == [newest]


def _copy(engine: Engine, folder: Path) -> Path | None:
    file = sqlite_file(engine.url)
    if file is None:
        return None
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for half in folder.glob(f".{file.stem}-*"):  # of a process that was killed: nobody else is copying now
        half.unlink()
    target = folder / f"{file.stem}-{datetime.now():%Y%m%d-%H%M%S-%f}.db"
    staged = target.with_name(f".{target.name}")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM INTO :target"), {"target": str(staged)})
    staged.chmod(0o600)
    _wait_for_disk(staged)
    staged.rename(target)
    _wait_for_disk(folder)
    return target


def _wait_for_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:  # some network file systems know no such call for folders
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)
