"""What every command needs: the settings, and the services over a prepared data folder."""

from __future__ import annotations

import shutil

import click

from app.composition import Services, compose
from app.config import Settings, load_settings
from app.errors import InvalidSettings
from app.http.logs import configure_logs
from app.storage.schema import upgrade

_LEAST_FREE_BYTES = 200_000_000


def open_house(settings: Settings | None = None) -> Services:
    """Give the services with the data folder made and the database up to date, or raise InvalidSettings."""
    settings = settings or load_settings()
    configure_logs(settings.log_format)
    prepare_folder(settings)
    services = compose(settings)
    copy = upgrade(services.engine, copies=settings.data / "copies")
    if copy is not None:
        click.echo(f"The database was brought up to date; as it was before, it is kept in {copy}", err=True)
    return services


def prepare_folder(settings: Settings) -> None:
    """Make the data folder, 0700, and see that it can be written to and has room."""
    try:
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = settings.data / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InvalidSettings(
            f"The data folder {settings.data} cannot be written to: mend its permissions, or name another in VITRINE_DATA."
        ) from error
    free = shutil.disk_usage(settings.data).free
    if free < _LEAST_FREE_BYTES:
        raise InvalidSettings(f"Only {free // 1_000_000} MB are free on the disk of {settings.data}: make room first.")
