"""`vitrine backup` and `vitrine restore`: everything that must be kept of a site, in one file and back."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from app import __version__
from app.cli.house import prepare_folder
from app.composition import signing_key
from app.config import Settings, load_settings
from app.errors import InvalidBackup
from app.http.logs import configure_logs
from app.inference.repository import Repository
from app.services.backup import Backup
from app.services.backup_file import KEY, Manifest, Progress, mark_of
from app.services.restoring import Restoring
from app.storage.database import open_database, sqlite_file
from app.storage.schema import knows
from app.storage.schema import upgrade as upgrade_database

_MANY_BYTES = 20_000_000


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(file: Path) -> None:
    """Write the database, models, pictures and the secret key into FILE, whole or not at all, while the site runs on.

    Whoever has FILE can read everything in it, and log in as anybody: it is as secret as the data folder.
    """
    settings = load_settings()
    configure_logs(settings.log_format)
    database = _file_of(settings)
    prepare_folder(settings)
    repository = Repository(shipped=settings.models, own=settings.data / "models")
    service = Backup(data=settings.data, database=database, repository=repository, version=__version__)
    with _refusing("The backup cannot be written to", file), _progress("backing up", service.size) as progress:
        manifest = service.write(file.absolute(), key=_mark(settings) or "", progress=progress)
    click.echo(f"{_told(manifest)} are in {file}", err=True)
    if manifest.key and KEY not in manifest.files:
        click.echo("The secret key is not: it is set (VITRINE_SECRET_KEY), so keep it where it is set.", err=True)


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Lose what is in the data folder now.")
def restore(file: Path, replace: bool) -> None:
    """Put what `vitrine backup` has written into FILE into the data folder, whole or not at all, while no site runs there."""
    settings = load_settings()
    configure_logs(settings.log_format)
    if _file_of(settings) != settings.data / "vitrine.db":
        raise InvalidBackup(
            "VITRINE_DATABASE_URL names another file than the data folder's: restore without it, and move vitrine.db there."
        )
    prepare_folder(settings)
    service = Restoring(data=settings.data, knows=knows, upgrade=bring_up_to_date)
    with _refusing("The backup cannot be restored into", settings.data):
        reader = service.look(file)
        with _progress("restoring", lambda: reader.size) as progress:
            manifest = service.restore(reader, replace=replace, progress=progress)
    click.echo(f"{_told(manifest)}, as they were at {manifest.taken_at}, are in {settings.data}", err=True)
    if manifest.key and _mark(settings) != manifest.key:
        click.echo(
            "The secret key is another than that site's: set VITRINE_SECRET_KEY to that one, "
            "or codes of apps let nobody in any more and everybody has to log in again.",
            err=True,
        )


def _file_of(settings: Settings) -> Path:
    """Give the database's file, or raise InvalidBackup: where anything is kept elsewhere this would be half of a backup."""
    if settings.store:
        raise InvalidBackup(
            "This is for one machine. VITRINE_STORE names where models and pictures are kept for several: copy that folder, "
            "or that bucket, by the means that it has, and the database by its own."
        )
    file = sqlite_file(settings.database)
    if file is None:
        raise InvalidBackup(
            "This is for a SQLite file. VITRINE_DATABASE_URL names a database with means of its own (pg_dump and pg_restore): "
            "use those, and keep models/, pictures/ and secret_key of the data folder with what they write."
        )
    return file.absolute()


def _mark(settings: Settings) -> str | None:
    """Give the mark of the secret key in use; None where the next start would make one."""
    given = settings.secret_key is not None or settings.secret_key_file is not None
    return mark_of(signing_key(settings)) if given or (settings.data / KEY).exists() else None


def bring_up_to_date(database: Path) -> None:
    """Let the file of a backup have the schema of today."""
    engine, older = open_database(f"sqlite:///{database}"), database.with_name("older")
    upgrade_database(engine, copies=older)
    engine.dispose()
    shutil.rmtree(older, ignore_errors=True)  # the backup is the copy


def _told(manifest: Manifest) -> str:
    pictures = len({name.rpartition("/")[2].partition(".")[0] for name in manifest.files if name.startswith("pictures/")})
    versions = sum(1 for name in manifest.files if name.startswith("models/") and name.endswith("/manifest.json"))
    size = sum(content.size for content in manifest.files.values()) / 1_000_000
    return f"The database, {versions} versions of models and {pictures} pictures ({size:.1f} MB)"


@contextmanager
def _refusing(what: str, path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        where = f" ({error.filename})" if error.filename not in (None, str(path)) else ""
        raise InvalidBackup(f"{what} {path}: {error.strerror or 'a file changed while it was read'}{where}.") from error


@contextmanager
def _progress(label: str, size: Callable[[], int]) -> Iterator[Progress]:
    length = size() if sys.stderr.isatty() else 0
    if length < _MANY_BYTES:
        yield lambda _: None
        return
    with click.progressbar(length=length, label=label, file=sys.stderr) as bar:
        update: Callable[[int], None] = bar.update
        yield update
