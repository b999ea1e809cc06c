"""`vitrine train`: from a folder of labelled photos to a served model."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli.house import open_models, record
from app.config import load_settings
from app.errors import InvalidPackage
from app.http.logs import configure_logs
from app.inference.package import valid_name
from app.inference.repository import Repository
from app.intake.sandbox import Sandbox
from app.services.conversion import ConversionService

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

    from app.services.training import Verdict

_LISTED = 10


@click.command()
@click.argument("name")
@click.option("--data", "folder", required=True, type=click.Path(path_type=Path), help="One sub-folder a class, photos in it.")
@click.option(
    "--design",
    type=click.Choice(["embedding", "embedding-q8", "gradients", "pixels"]),
    default="embedding",
    show_default=True,
    help="What describes a photo: a frozen network (q8: in 8 bits, for pets), the directions of its edges, or its pixels.",
)
@click.option("--summary", default="", help="One sentence for the model's page.")
@click.option("--expects", default="", help="One sentence: what the model expects to be shown.")
@click.option("--limits", default="", help="Sentences for the card: what the model cannot do.")
@click.option("--attribution", default="", help="Whose photos they are, and their licence.")
@click.option(
    "--sample", "samples", multiple=True, metavar="FILE=WORDS", help="A photo that the page may show, and what it shows."
)
@click.option("--into", type=click.Path(path_type=Path), help="Another folder of models than the site's own.")
def train(name: str, folder: Path, design: str, samples: tuple[str, ...], into: Path | None, **words: str) -> None:
    """Learn to tell the classes of a folder of photos apart, and serve the result as NAME.

    Twenty photos a class are enough to begin with. The figures are in the model's card.
    """
    from app.services.training import TrainingService

    settings = load_settings()
    configure_logs(settings.log_format)
    if not valid_name(name):
        raise InvalidPackage(f"A model cannot be called {name!r}: use lower-case letters, digits and dashes.")
    house, repository = None, Repository(shipped=None, own=into or Path())
    if into is None:
        house = open_models(settings)
        repository = house.repository
    # What is opened was made here a moment ago: where a system cannot confine, it is converted all the same.
    conversion = ConversionService(sandbox=Sandbox(weak=True))
    with _progress() as progress:
        verdict = TrainingService(repository=repository, conversion=conversion).train(
            name, folder, design, progress, samples=[_sample(text) for text in samples], **words
        )
    if house is not None:
        made = verdict.package.manifest.version
        record(house, "trained", name, f"version {made}, {'active now' if verdict.active else 'not active'}")
    for line in _report(verdict):
        click.echo(line)


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    stages: set[str] = set()
    with ExitStack() as shown:
        bar: ProgressBar[int] | None = None

        def progress(stage: str, done: int, total: int) -> None:
            nonlocal bar
            if not sys.stderr.isatty():  # a log wants what was done, not how it went
                if done == total:
                    click.echo(f"{stage} {done}/{total}", err=True)
                return
            if bar is None or stage not in stages:
                shown.close()  # each stage leaves its line behind
                stages.add(stage)
                bar = shown.enter_context(click.progressbar(length=total, label=f"{stage:<33}", show_pos=True, file=sys.stderr))
            bar.update(done - bar.pos)

        yield progress


def _sample(text: str) -> tuple[Path, str]:
    file, _, words = text.partition("=")
    return Path(file), words or Path(file).stem.replace("_", " ")


def _report(verdict: Verdict) -> list[str]:
    manifest = verdict.package.manifest
    lines = [f"Left out {entry.file}: {entry.reason}." for entry in verdict.left_out[:_LISTED]]
    if len(verdict.left_out) > _LISTED:
        lines.append(f"Left out {len(verdict.left_out) - _LISTED} more; the card lists them.")
    accuracy = manifest.metric("accuracy")
    if accuracy is not None:
        lines.append(
            f"{manifest.name} {manifest.version} is right on {accuracy.value:.1%} of {verdict.held_out} held-out photos."
        )
    if verdict.active:
        lines.append(f"It is active. Its card: {verdict.package.folder / 'card.md'}")
    else:
        lines.append(
            f"It is not active: version {verdict.previous} is right on {verdict.previous_accuracy:.1%} of the same photos."
        )
        lines.append(f"To use it all the same: vitrine models activate {manifest.name} {manifest.version}")
    return lines
