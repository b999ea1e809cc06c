"""`vitrine models import`: from a model file to a served model."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import click

from app.cli.house import open_house, record
from app.cli.promoting import let_imported_answer
from app.inference.recipe import Scale
from app.intake.recipe_guess import RecipeWish
from app.intake.sandbox import Sandbox
from app.services.conversion import ConversionService
from app.services.importing import Given, Imported, ImportingService
from app.services.version_report import report_on


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", required=True, help="What the model is called.")
@click.option("--size", metavar="WxH", help="Size of the pictures it was trained on, e.g. 32x32, where the file does not tell.")
@click.option("--colour", type=click.Choice(["rgb", "bgr", "grey"]), help="Order of the colours.")
@click.option(
    "--scale", type=click.Choice(get_args(Scale)), help="Levels as it learned them, from black to white; 0-1 by default."
)
@click.option(
    "--fit",
    type=click.Choice(["stretch", "crop", "pad"]),
    help="How a picture of another shape comes to that size; stretched by default.",
)
@click.option("--labels", default="", metavar="A,B,...", help="Names of the classes, in the classifier's order.")
@click.option(
    "--samples", type=click.Path(path_type=Path, file_okay=False, exists=True), help="A folder of pictures to prove it on."
)
@click.option("--trust", default="", metavar="sha256:...", help="The file's digest: says that you vouch for what is in it.")
@click.option(
    "--code", type=click.Path(path_type=Path, file_okay=False, exists=True), help="A folder of modules that the file needs."
)
@click.option("--weak-sandbox", is_flag=True, help="Open the file even where this system cannot confine what opens it.")
@click.option("--keep-active", is_flag=True, help="Let the version that answers now go on answering.")
def import_(
    file: Path,
    name: str,
    labels: str,
    samples: Path | None,
    trust: str,
    code: Path | None,
    weak_sandbox: bool,
    keep_active: bool,
    **wish: Any,
) -> None:
    """Import the trained classifier in FILE: a pickle, a joblib or skops file, an ONNX graph, or an MLflow folder.

    The file is read without being run, opened once by a confined process, converted to a form that cannot run anything, and
    compared with the original on hundreds of pictures. A file that needs more than a trained classifier does is refused.
    """
    house = open_house(needs_database=False)
    service = ImportingService(repository=house.repository, conversion=ConversionService(sandbox=Sandbox(weak=weak_sandbox)))
    imported = service.bring_in(
        Given(
            file,
            name,
            wish=RecipeWish(**wish),
            labels=tuple(label.strip() for label in labels.split(",") if label.strip()),
            samples=samples,
            trust=trust,
            code=code,
        )
    )
    manifest = imported.package.manifest
    for line in _told(imported):
        click.echo(line)
    record(house, "imported", name, f"version {manifest.version} from {file.name}")
    if keep_active or house.repository.active_version(name) == manifest.version:
        active = house.repository.active_version(name)
        click.echo(f"{name} {manifest.version} is imported; version {active} is active.", err=True)
        return
    let_imported_answer(house, name, manifest.version)


def _told(imported: Imported) -> list[str]:
    """Give what there is to tell of an import, a line each."""
    manifest, read = imported.package.manifest, imported.report
    told = report_on(manifest)
    lines = [f"Read without being run: {', '.join(list(dict.fromkeys(read.estimators))[:4]) or manifest.artifact}."]
    if told.written_with:
        lines.append(f"Written with {told.written_with}.")
    lines += [*(manifest.source.differences if manifest.source else ()), *imported.notes]
    lines.append(f"Classes: {', '.join(manifest.classes)}.")
    lines += [line for line in (told.trusted, told.answers) if line]
    if manifest.proof is None or told.proof is None:
        return lines
    serving = next(form for form in manifest.proof.candidates if form.runtime == manifest.runtime and not form.refused)
    lines += [line for line in (told.proof.weakness, told.proof.sentence) if line]
    took = f"{serving.one_ms:.3g} ms a picture, where the file itself takes {manifest.proof.source_one_ms:.3g}"
    return [*lines, f"Served by {told.runtime}: {took}."]
