"""`vitrine predict`: classify photos without a server, through the same path as the site."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click

from app.cli.house import catch_up
from app.composition import compose
from app.config import load_settings
from app.errors import VitrineError
from app.http.logs import configure_logs
from app.inference.naming import name_of, percent
from app.services.classification import Answer
from app.services.recorder import Owner


@click.command()
@click.argument("photos", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--model", help="Which model (default: as the site chooses).")
@click.option("--version", "model_version", help="Which version of it (default: the active one).")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def predict(photos: tuple[Path, ...], model: str | None, model_version: str | None, as_json: bool) -> None:
    """Say what is on each of PHOTOS; nothing is stored."""
    settings = load_settings()
    configure_logs(settings.log_format)
    services = compose(settings)
    catch_up(services.repository)
    classification = services.classification
    failed = False
    for photo in photos:
        try:
            answer = classification.classify(_read(photo), owner=Owner(), model=model, version=model_version)
        except VitrineError as error:
            click.echo(f"{photo}: {error}", err=True)
            failed = True
            continue
        click.echo(_as_json(photo, answer) if as_json else _as_sentence(photo, answer))
    sys.exit(1 if failed else 0)


def _read(photo: Path) -> bytes:
    try:
        return photo.read_bytes()
    except OSError as error:
        raise VitrineError(f"This file cannot be opened ({error.strerror}).") from error


def _as_sentence(photo: Path, answer: Answer) -> str:
    top = answer.prediction.top
    return f"{photo}: This image is {name_of(top.label, answer.manifest.titles)} ({percent(top.probability)})"


def _as_json(photo: Path, answer: Answer) -> str:
    made = answer.prediction
    return json.dumps(
        {
            "file": str(photo),
            "model": {"name": made.model, "version": made.version},
            "label": made.top.label,
            "probability": made.top.probability,
            "predictions": [asdict(score) for score in made.scores],
        }
    )
