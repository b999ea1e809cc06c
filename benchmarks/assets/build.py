"""Makes the assets once, and reads them."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import chain
from pathlib import Path

import click
from pydantic import TypeAdapter

from benchmarks.assets.models import Fitted, train
from benchmarks.assets.photos import Photo, make_photos, read_photos
from benchmarks.assets.pictures import SIZES, check_pictures, measured_picture
from benchmarks.places import HERE

_CHECKS_PER_CLASS = 4
_NOTE = "expected.json"
_OPENS_THE_MODEL = ("scikit-learn", "scipy", "joblib", "numpy", "pillow")


@dataclass(frozen=True)
class Expected:
    """What was made, from what, and what each model answers in process: model -> file -> class -> probability."""

    key: str
    source: str
    answers: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)


_ADAPTER = TypeAdapter(Expected)


@dataclass(frozen=True)
class Assets:
    """The folder of models and pictures, and what to expect."""

    folder: Path
    expected: Expected

    def model_file(self, model: str) -> Path:
        """Give the joblib file of a model."""
        return self.folder / f"{model}.joblib"

    def picture(self, name: str) -> bytes:
        """Give the file of a measured picture, `1`, `2` or `3`."""
        return (self.folder / f"{name}.jpg").read_bytes()

    @property
    def checks(self) -> dict[str, bytes]:
        """Give the files to check labels with."""
        return {path.name: path.read_bytes() for path in sorted((self.folder / "checks").iterdir())}


def prepare_assets(folder: Path, photos: Path | None) -> Assets:
    """Read the assets, made anew where there are none or where other photos, versions or code made them."""
    key = _key(photos)
    note = folder / _NOTE
    expected = _ADAPTER.validate_json(note.read_bytes()) if note.is_file() else None
    if expected is None or expected.key != key:
        click.echo("Making models and pictures; this takes a minute or two.")
        shutil.rmtree(folder, ignore_errors=True)
        expected = _make(folder, photos, key)
        note.write_bytes(_ADAPTER.dump_json(expected, indent=1))
    return Assets(folder, expected)


def _key(photos: Path | None) -> str:
    sources = [*sorted((HERE / "assets").glob("*.py")), HERE / "peers" / "recipe.py"]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    versions = " ".join(version(name) for name in _OPENS_THE_MODEL)
    return f"{digest} {versions} {photos.resolve() if photos else 'made up'}"


def _make(folder: Path, source: Path | None, key: str) -> Expected:
    photos = read_photos(source) if source else make_photos()
    (folder / "checks").mkdir(parents=True)
    models = train(photos, folder)
    held_out = [photo for photo in photos if photo.held_out]
    for name in SIZES:
        (folder / f"{name}.jpg").write_bytes(_choose_picture(name, held_out, models))
    for name, file in _choose_checks(held_out, models):
        (folder / "checks" / name).write_bytes(file)
    files = {path.name: path.read_bytes() for path in chain(folder.glob("*.jpg"), (folder / "checks").iterdir())}
    answers = {
        name: {file: model.probabilities(data) for file, data in sorted(files.items())} for name, model in models.items()
    }
    return Expected(key, f"{len(photos)} photos" if source else f"{len(photos)} made-up pictures", answers)


def _choose_picture(name: str, photos: list[Photo], models: dict[str, Fitted]) -> bytes:
    """Give the picture of that size made of the first photo of which every model is sure."""
    for photo in photos:
        image = photo.upright()
        # Tried small at first: a picture of twelve megapixels takes seconds to make.
        for trial in dict.fromkeys(("1", name)):
            file = measured_picture(trial, image)
            if any(model.sure_label(file) is None for model in models.values()):
                break
        else:
            return file
    raise click.ClickException("The models are sure of none of the photos that were held out: give more photos.")


def _choose_checks(photos: list[Photo], models: dict[str, Fitted]) -> Iterable[tuple[str, bytes]]:
    """Give pictures of which every model is sure, until each class of each model has been answered a few times."""
    classes = next(iter(models.values())).classes
    wanted = {(model, label): _CHECKS_PER_CLASS for model in models for label in classes}
    for name, file in check_pictures(photos):
        answers = [(model, fitted.sure_label(file)) for model, fitted in models.items()]
        wanting = [(model, label) for model, label in answers if label is not None]
        if len(wanting) < len(answers) or not any(wanted[key] > 0 for key in wanting):
            continue
        yield name, file
        for key in wanting:
            wanted[key] -= 1
        if max(wanted.values()) <= 0:
            return
