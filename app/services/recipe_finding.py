"""Finds how pictures were fed to a classifier, by what it answers to a folder of labelled samples."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, TypeAdapter, ValidationError

from app.errors import InvalidDataset, InvalidImage, InvalidModel, InvalidRequest
from app.inference.images import decode
from app.inference.recipe import Recipe
from app.intake.job import name_of_view
from app.intake.recipe_search import Finding, KnownParts, Trial, judge, variants
from app.intake.sandbox import Sandbox
from app.intake.wire import Message
from app.training.dataset import list_photos

_DESCRIBE, _ASK = "app.intake.recipe_trials:describe", "app.intake.recipe_trials:ask"
_MOST_SAMPLES = 300
_MOST_BYTES = 300_000_000  # of samples in all views together: large pictures are tried on fewer
_SHAPE = TypeAdapter(list[int | None] | None)
_NUMBER = re.compile(r"\d+(?:\.0)?")
_UNUSABLE = "The confined process gave no answer that can be used."


@dataclass(frozen=True, slots=True)
class _Told:
    """What the confined process told; everything in it was checked for its type."""

    classes: tuple[str, ...]
    recipes: list[Recipe]
    every: Annotated[int, Field(ge=1)]
    levels: tuple[float, float] | None
    impossible: int

    @property
    def ruled_out(self) -> str:
        """Say why some recipes were not tried; nothing where all were."""
        if self.levels is None or not self.impossible:
            return ""
        lowest, highest = self.levels
        return (
            f"The classifier's own numbers lie between {lowest:.3g} and {highest:.3g}, which rules out {self.impossible} other "
            "ways to feed it."
        )


_TOLD = TypeAdapter(_Told)


@dataclass(frozen=True, slots=True)
class Sample:
    """A picture and what is on it."""

    path: Path
    content: bytes
    label: str


@dataclass(frozen=True, eq=False)
class Found:
    """What the samples say, the names of the classes in the classifier's order, and sentences on how these were found."""

    finding: Finding
    classes: tuple[str, ...]
    notes: tuple[str, ...]


def labelled_samples(folder: Path) -> tuple[Sample, ...]:
    """Give pictures of a folder with one sub-folder a class, or a `labels.csv`, as many of each; none where it has neither."""
    try:
        photos = list_photos(folder).photos
    except InvalidDataset:
        return ()
    by_label = defaultdict(list)
    for photo in photos:
        by_label[photo.label].append(photo)
    if len(by_label) < 2:
        return ()
    most = max(1, _MOST_SAMPLES // len(by_label))
    chosen = [photo for group in by_label.values() for photo in group[:: max(1, -(-len(group) // most))]]
    return tuple(Sample(folder / photo.file, (folder / photo.file).read_bytes(), photo.label) for photo in chosen)


class RecipeFinder:
    """Tries the usual recipes on samples; the model is opened in confinement."""

    def __init__(self, *, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def find(
        self,
        model: bytes,
        form: str,
        features: int | None,
        known: KnownParts,
        samples: Sequence[Sample],
        names: Sequence[str] = (),
    ) -> Found:
        """Tell which recipe the samples speak for; `names` are those of the classes, in order, where somebody gave them.

        Raises InvalidRequest where no usual recipe fits or the samples are of other classes, InvalidModel where the model
        cannot be asked.
        """
        shape = None
        if features is None:
            described = self._sandbox.run(_DESCRIBE, Message({"format": form}, {"model": model})).values
            features, shape = described["features"], _SHAPE.validate_python(described["shape"])
        recipes = variants(features, shape, known)
        if not recipes:
            takes = f"{features:,} numbers" if features else f"rows of the shape {shape}" if shape else "it does not say what"
            raise InvalidRequest(f"The classifier takes {takes}, which fits no usual picture: say the size with --size.")
        views, labels = _views(samples, recipes)
        asked = {"format": form, "recipes": [asdict(recipe) for recipe in recipes]}
        answer = self._sandbox.run(_ASK, Message(asked, {"model": model, **views}))
        told = _read(answer)
        matched, note = _matched(told.classes, labels, names)
        truth = np.array([matched.index(label) for label in labels[:: told.every]], np.intp)
        notes = (note, told.ruled_out, f"It is slow: {len(truth)} of the samples were tried." if told.every > 1 else "")
        return Found(judge(_trials(told, answer.blobs, truth)), matched, tuple(filter(None, notes)))


def _read(answer: Message) -> _Told:
    try:
        return _TOLD.validate_python({name: answer.values.get(name) for name in _Told.__dataclass_fields__})
    except ValidationError as error:
        raise InvalidModel(_UNUSABLE) from error


def _trials(told: _Told, blobs: Mapping[str, bytes], truth: NDArray[np.intp]) -> list[Trial]:
    try:
        answers = np.frombuffer(blobs["probabilities"]).reshape(len(told.recipes), len(truth), len(told.classes))
    except (ValueError, KeyError) as error:
        raise InvalidModel(_UNUSABLE) from error
    return [Trial(recipe, answers[number], truth) for number, recipe in enumerate(told.recipes)]


def _views(samples: Sequence[Sample], recipes: Sequence[Recipe]) -> tuple[dict[str, bytes], list[str]]:
    """Give the samples as each recipe sees them, by the name of the view, and the labels of those that could be read."""
    wanted = {name_of_view(recipe): recipe for recipe in recipes}
    each = sum(recipe.width * recipe.height * 3 for recipe in wanted.values())
    step = max(1, -(-len(samples) * each // _MOST_BYTES))
    views: dict[str, list[bytes]] = {name: [] for name in wanted}
    labels = []
    for sample in samples[::step]:
        try:
            seen = {name: recipe.resized(decode(sample.content, fit=recipe.size)) for name, recipe in wanted.items()}
        except InvalidImage:
            continue
        labels.append(sample.label)
        for name, pixels in seen.items():
            views[name].append(pixels.tobytes())
    if not labels:
        raise InvalidRequest("None of the samples is a picture that can be read.")
    return {name: b"".join(parts) for name, parts in views.items()}, labels


def _matched(classes: tuple[str, ...], labels: Sequence[str], names: Sequence[str]) -> tuple[tuple[str, ...], str]:
    """Give the names of the classes, in the classifier's order, among which are those of the samples."""
    found = set(labels)
    if names and len(names) == len(classes) and found <= set(names):
        return tuple(names), ""
    if found <= set(classes):
        return classes, ""
    numbered = all(_NUMBER.fullmatch(name) for name in classes)
    if numbered and len(found) == len(classes):
        ordered = tuple(sorted(found, key=lambda name: (int(name) if name.isdecimal() else -1, name)))
        return ordered, f"The classes are numbers; they are named after the samples' folders: {', '.join(ordered)}."
    raise InvalidRequest(
        f"The classifier knows {', '.join(classes[:10])}, the samples are of {', '.join(sorted(found)[:10])}: "
        "name the folders as the classes, or give the classes' names with --labels."
    )
