"""`vitrine collect-static`: put together what a web server in front may answer by itself."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from app.errors import InvalidSettings
from app.factory import static_folders


@click.command("collect-static")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def collect_static(folder: Path) -> None:
    """Copy everything that is served below /static/ into FOLDER, over what an earlier version has put there."""
    try:
        for below, source in static_folders().items():
            shutil.copytree(source, folder / below, dirs_exist_ok=True, copy_function=_copy)
    except OSError as error:
        raise InvalidSettings(
            f"The files cannot be put into {folder}: {error.strerror or 'it cannot be written to'}."
        ) from error
    click.echo(f"{sum(1 for path in folder.rglob('*') if path.is_file())} files are in {folder}", err=True)


def _copy(source: str, target: str) -> None:
    shutil.copyfile(source, target)
    Path(target).chmod(0o644)  # the web server may be another user
