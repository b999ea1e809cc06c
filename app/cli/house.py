"""What every command needs: the settings, and the services over a prepared data folder."""

from __future__ import annotations

import os
import shutil
import sys
import traceback
from pathlib import Path
from typing import NoReturn

import click

from app.composition import Services, compose, signing_key
from app.config import Settings, load_settings
from app.errors import DatabaseUnavailable, InvalidSettings, VitrineError
from app.http.logs import configure_logs
from app.inference.repository import Repository
from app.services.audit_log import COMMAND_LINE, Action, subject_of_model
from app.services.private_files import UNPACKED, alone_in, restoring
from app.storage.schema import upgrade

LEAST_FREE_BYTES = 200_000_000


def open_house(settings: Settings | None = None, *, needs_database: bool = True) -> Services:
    """Give the services with the data folder made and the database up to date, or raise InvalidSettings.

    A command that only writes into the database what it did goes on without one; `tell_unrecorded` says so in the end.
    """
    settings = settings or load_settings()
    configure_logs(settings.log_format)
    prepare_folder(settings)
    services = compose(settings)
    try:
        copy = upgrade(services.engine, copies=settings.data / "copies")
    except DatabaseUnavailable:  # one that a newer Vitrine has made is there, and is not written to
        if needs_database:
            raise
        return services
    if copy is not None:
        click.echo(f"The database was brought up to date; as it was before, it is kept in {copy}", err=True)
    return services


def open_models(settings: Settings | None = None) -> Services:
    """Give the services for a command on models: it can do without a database, and begins with what other machines have."""
    services = open_house(settings, needs_database=False)
    catch_up(services.repository)
    return services


def catch_up(repository: Repository) -> None:
    """Bring the models up to the store that machines share, and say where that cannot be."""
    problem = repository.refresh()
    if problem is not None:
        click.echo(problem, err=True)


def make_ready(settings: Settings) -> Services:
    """Give the services over everything that a server expects to be there, swept of what is too old."""
    services = open_house(settings)
    signing_key(settings)
    _tidy(services)
    return services


def make_ready_apart(settings: Settings) -> Services:
    """Do the same for a server that is to fork: the threads that speak with a bucket would not come through."""
    if not settings.bucket:
        return make_ready(settings)
    services = open_house(settings)
    signing_key(settings)
    sys.stdout.flush()
    child = os.fork()
    if not child:
        _tidy_and_end(services)
    if os.waitpid(child, 0)[1]:
        sys.exit(1)  # it has said why
    return services


def _tidy(services: Services) -> None:
    catch_up(services.repository)
    services.history.sweep()
    services.traffic.sweep()
    services.repository.sweep()
    if (services.settings.data / UNPACKED).exists():
        from app.services.restoring import sweep

        sweep(services.settings.data)


def _tidy_and_end(services: Services) -> NoReturn:
    code = 1
    try:
        services.engine.dispose(close=False)  # its connections are the other process's
        _tidy(services)
        code = 0
    except VitrineError as error:
        click.echo(f"vitrine: {error}", err=True)
    except Exception:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


def record(services: Services, action: Action, name: str, detail: str) -> None:
    """Write down what was done to a model on the command line, and say where that could not be."""
    tell_unrecorded(services.audit_log.record(COMMAND_LINE, action, subject_of_model(name), detail))


def tell_unrecorded(recorded: bool) -> None:
    """Say that what was done could not be written down."""
    if not recorded:
        click.echo("It could not be recorded who did this: the database cannot be opened or written to.", err=True)


def prepare_folder(settings: Settings) -> None:
    """Make the data folder, 0700, and one that machines share, and see that they can be written to and have room."""
    _demand_room(settings.data, "data folder", "VITRINE_DATA")
    if settings.kept != settings.data:
        _demand_room(settings.kept, "store's folder", "VITRINE_STORE")
    if restoring(settings.data):
        from app.services.restoring import finish

        with alone_in(settings.data):
            finish(settings.data)


def _demand_room(folder: Path, called: str, setting: str) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink(missing_ok=True)  # another command may be looking, too
    except OSError as error:
        raise InvalidSettings(
            f"The {called} {folder} cannot be written to: mend its permissions, or name another in {setting}."
        ) from error
    free = shutil.disk_usage(folder).free
    if free < LEAST_FREE_BYTES:
        raise InvalidSettings(f"Only {free // 1_000_000} MB are free on the disk of {folder}: make room first.")
