"""`vitrine models import`: from a model file to a served model."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from app.cli.house import open_models, record
from app.cli.promoting import let_imported_answer
from app.cli.recipe_options import given, recipe_options
from app.cli.tables import show_table
from app.inference.repository import Repository
from app.intake.recipe_search import Trial
from app.intake.sandbox import Sandbox
from app.services.importing import Examined, Imported, ImportingService, importing_into
from app.services.version_report import describe_recipe, report_on

_SHOWN_WAYS = 5


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", required=True, help="What the model is called.")
@recipe_options
@click.option("--keep-active", is_flag=True, help="Let the version that answers now go on answering.")
def import_(file: Path, name: str, keep_active: bool, **options: Any) -> None:
    """Import the trained classifier in FILE: a pickle, a joblib or skops file, an ONNX graph, or an MLflow folder.

    The file is read without being run, opened once by a confined process, converted to a form that cannot run anything, and
    compared with the original on hundreds of pictures. A file that needs more than a trained classifier does is refused.
    """
    house = open_models()
    imported = bring_in(house.repository, file, name, **options)
    manifest = imported.package.manifest
    record(house, "imported", name, f"version {manifest.version} from {file.name}")
    if keep_active or house.repository.active_version(name) == manifest.version:
        active = house.repository.active_version(name)
        click.echo(f"{name} {manifest.version} is imported; version {active} is active.", err=True)
        return
    let_imported_answer(house, name, manifest.version)


def bring_in(repository: Repository, file: Path, name: str, *, weak_sandbox: bool, **options: Any) -> Imported:
    """Import a file as the options of `recipe_options` say, and tell of it, a line each.

    Where samples leave open how it is fed, the terminal is asked; RecipeUndecided is raised where there is none.
    """
    service = importing_into(repository, Sandbox(weak=weak_sandbox))
    imported = _completed(service, service.examine(given(file, name, **options)))
    for line in _told(imported):
        click.echo(line)
    return imported


def _completed(service: ImportingService, examined: Examined) -> Imported:
    if examined.found is None:
        return service.complete(examined)
    finding = examined.found.finding
    ways = finding.trials[: max(_SHOWN_WAYS, 1 + len(finding.rivals))]
    show_table(("", "right", "95 % interval", "a picture is"), [_way(number, trial) for number, trial in enumerate(ways, 1)])
    if examined.recipe is not None or not sys.stdin.isatty():
        return service.complete(examined)
    click.echo(finding.reason)
    chosen = click.prompt("Which is it", type=click.IntRange(1, len(ways)), err=True)
    return service.complete(examined, ways[chosen - 1].recipe)


def _way(number: int, trial: Trial) -> tuple[str, str, str, str]:
    low, high = trial.interval
    return str(number), f"{trial.accuracy:.1%}", f"{low:.1%} to {high:.1%}", describe_recipe(trial.recipe)


def _told(imported: Imported) -> list[str]:
    """Give what there is to tell of an import, a line each."""
    manifest, read = imported.package.manifest, imported.report
    told = report_on(manifest)
    lines = [f"Read without being run: {', '.join(list(dict.fromkeys(read.estimators))[:4]) or manifest.artifact}."]
    if told.written_with:
        lines.append(f"Written with {told.written_with}.")
    lines += [*(manifest.source.differences if manifest.source else ()), *imported.notes]
    if imported.found is not None and imported.found.finding.chosen is not None:
        lines.append(f"How it is fed: {told.recipe}. {imported.found.finding.reason}")
    lines.append(f"Classes: {', '.join(manifest.classes)}.")
    lines += [line for line in (told.trusted, told.answers) if line]
    if manifest.proof is None or told.proof is None:
        return lines
    serving = next(form for form in manifest.proof.candidates if form.runtime == manifest.runtime and not form.refused)
    lines += [line for line in (told.proof.weakness, told.proof.sentence) if line]
    took = f"{serving.one_ms:.3g} ms a picture, where the file itself takes {manifest.proof.source_one_ms:.3g}"
    return [*lines, f"Served by {told.runtime}: {took}."]
