"""`vitrine models`: what is served."""

from __future__ import annotations

import sys

import click

from app.cli.checks.models import problem_of
from app.cli.house import catch_up, open_models, tell_unrecorded
from app.cli.importing import import_
from app.cli.promoting import let_answer
from app.cli.shadow import shadow
from app.cli.show import show
from app.cli.tables import show_table
from app.composition import repository_of
from app.config import load_settings
from app.errors import ModelNotFound, VitrineError
from app.inference.repository import Repository
from app.services.audit_log import COMMAND_LINE


@click.group()
def models() -> None:
    """Import models, look at them, and say which version answers."""


models.add_command(import_)
models.add_command(show)
models.add_command(shadow)


@models.command("list")
def list_models() -> None:
    """List the models and their versions; the active one is marked, and one that runs in its shadow."""
    repository = _repository()
    rows = []
    for name in repository.names():
        active, beside = repository.active_version(name), repository.shadow(name)
        for version in repository.versions(name):
            mark = "active" if version == active else "shadow" if beside and version == beside.version else ""
            try:
                manifest = repository.package(name, version).manifest
            except VitrineError as error:
                rows.append((name, version, mark, "", "", str(error)))
                continue
            accuracy = manifest.metric("accuracy")
            rows.append((name, version, mark, str(len(manifest.classes)), f"{accuracy.value:.1%}" if accuracy else "", "good"))
    show_table(("model", "version", "active", "classes", "accuracy", "state"), rows)


@models.command()
@click.argument("name")
@click.argument("version")
@click.option("--yes", is_flag=True, help="Also where more than a few answers flip.")
def activate(name: str, version: str, yes: bool) -> None:
    """Let VERSION of the model NAME answer from now on, once both versions have answered what pictures there are.

    The samples of both versions and up to 200 pictures that are kept are replayed, for ten seconds at most. Where more than one
    in twenty of them gets another answer, and more than one, nothing is changed without --yes.
    """
    change = let_answer(open_models(), name, version, yes=yes)
    click.echo(f"{name} {change.active} is active; running workers follow within seconds.", err=True)
    tell_unrecorded(change.recorded)


@models.command()
@click.argument("name")
def rollback(name: str) -> None:
    """Let the version of the model NAME answer again that was active before."""
    change = open_models().versions.roll_back(name, COMMAND_LINE)
    click.echo(f"{name} {change.active} is active again; running workers follow within seconds.", err=True)
    tell_unrecorded(change.recorded)


@models.command()
@click.argument("name")
@click.argument("version")
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(name: str, version: str, yes: bool) -> None:
    """Remove VERSION of the model NAME for good; the active one and what came with Vitrine stay."""
    if not yes:
        click.confirm(f"Remove {name} {version} for good?", abort=True, err=True)
    change = open_models().versions.remove(name, version, COMMAND_LINE)
    click.echo(f"{name} {version} is removed.", err=True)
    tell_unrecorded(change.recorded)


@models.command()
@click.argument("name", required=False)
@click.argument("version", required=False)
def verify(name: str | None, version: str | None) -> None:
    """Hash every file that is pinned and open what is served, of all models, of NAME, or of its VERSION alone.

    One line a version; the exit code is 1 where one is damaged.
    """
    repository, damaged = _repository(), False
    for model in repository.names() if name is None else [name]:
        there = repository.versions(model)
        versions = there if version is None else [version]
        if not there or versions[0] not in there:
            raise ModelNotFound(f"There is no {f'version {version!r} of a ' if version else ''}model called {model!r}.")
        for number in versions:
            problem = problem_of(repository, model, number)
            click.echo(f"{model} {number}: {f'damaged: {problem}' if problem else 'good'}")
            damaged = damaged or bool(problem)
    sys.exit(1 if damaged else 0)


def _repository() -> Repository:
    repository = repository_of(load_settings())
    catch_up(repository)
    return repository
