"""`vitrine models`: what is served."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from app.cli.house import prepare_folder
from app.config import load_settings
from app.errors import VitrineError
from app.inference.repository import Repository
from app.services.adding import AddingService


@click.group()
def models() -> None:
    """List, add and activate models."""


@models.command("list")
def list_models() -> None:
    """List the models and their versions; the active one is marked."""
    repository = _repository()
    table = Table("model", "version", "active", "classes", "accuracy", "state")
    for name in repository.names():
        active = repository.active_version(name)
        for version in repository.versions(name):
            mark = "active" if version == active else ""
            try:
                manifest = repository.package(name, version).manifest
            except VitrineError as error:
                table.add_row(name, version, mark, "", "", str(error))
                continue
            accuracy = manifest.metric("accuracy")
            table.add_row(name, version, mark, str(len(manifest.classes)), f"{accuracy.value:.1%}" if accuracy else "", "good")
    Console(markup=False, emoji=False).print(table)


@models.command()
@click.argument("name")
@click.argument("version")
def activate(name: str, version: str) -> None:
    """Let VERSION of the model NAME answer from now on."""
    _repository(to_write=True).activate(name, version)
    click.echo(f"{name} {version} is active; running workers follow within seconds.", err=True)


@models.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", required=True, help="What the model is called.")
@click.option("--size", required=True, metavar="WxH", help="Size of the pictures it was trained on, e.g. 32x32.")
@click.option(
    "--colour", type=click.Choice(["rgb", "bgr", "grey"]), default="rgb", show_default=True, help="Order of the colours."
)
@click.option(
    "--scale",
    type=click.Choice(["0-1", "0-255", "0-16", "-1-1"]),
    default="0-1",
    show_default=True,
    help="Black and white as it learned them.",
)
@click.option(
    "--fit",
    type=click.Choice(["stretch", "crop", "pad"]),
    default="stretch",
    show_default=True,
    help="How a picture of another shape comes to that size.",
)
@click.option("--labels", default="", metavar="A,B,...", help="Names of the classes, in the classifier's order.")
@click.option("--trust", default="", metavar="sha256:...", help="The file's digest: says that you vouch for what is in it.")
def add(file: Path, name: str, size: str, colour: str, scale: str, fit: str, labels: str, trust: str) -> None:
    """Add the pickled scikit-learn classifier in FILE.

    A pickle runs what it names when it is opened, so only a file that you vouch for by its digest is taken.
    """
    added = AddingService(repository=_repository(to_write=True)).add(
        file,
        name,
        size=size,
        colour=colour,
        scale=scale,
        fit=fit,
        labels=[label.strip() for label in labels.split(",") if label.strip()],
        trust=trust,
    )
    click.echo(f"{name} {added.manifest.version} is added and active. Classes: {', '.join(added.manifest.classes)}.")


def _repository(*, to_write: bool = False) -> Repository:
    settings = load_settings()
    if to_write:
        prepare_folder(settings)
    return Repository(shipped=settings.models, own=settings.data / "models")
