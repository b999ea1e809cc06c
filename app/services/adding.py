"""A pickle whose owner vouches for it becomes a package."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import numpy as np

from app.errors import InvalidModel, InvalidRequest
from app.inference.libraries import installed
from app.inference.package import CARD, Manifest, ModelPackage
from app.inference.recipe import Colour, Fit, Recipe, Scale
from app.inference.repository import Repository

_SIZE = re.compile(r"(\d{1,4})x(\d{1,4})")


class AddingService:
    """Adds given classifiers to a repository."""

    def __init__(self, *, repository: Repository) -> None:
        self._repository = repository

    def add(
        self, file: Path, name: str, *, size: str, colour: str, scale: str, fit: str, labels: Sequence[str], trust: str
    ) -> ModelPackage:
        """Check the digest, open the classifier, let it answer once, and publish it; raises InvalidRequest or InvalidModel."""
        content = _vouched(file, trust)
        match = _SIZE.fullmatch(size)
        if match is None:
            raise InvalidRequest(f"{size!r} is no size: write it like 32x32.")
        recipe = Recipe(int(match[1]), int(match[2]), fit=cast(Fit, fit), colour=cast(Colour, colour), scale=cast(Scale, scale))
        manifest = Manifest(
            name=name,
            version="",
            classes=_classes(content, recipe, labels),
            recipe=recipe,
            runtime="sklearn",
            artifact="source.pkl",
            digests={},
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
            origin="imported",
            summary="Added as a pickle that its owner vouched for.",
            expects=f"A picture like those it was trained on; it is seen at {size} pixels.",
            libraries=installed(),
        )
        card = f"# {name}\n\nA pickled classifier, added as it is. Nothing is known here of the data it learned from.\n"
        published = self._repository.publish(manifest, {"source.pkl": content, CARD: card.encode()})
        self._repository.activate(name, published.manifest.version)
        return published


def _vouched(file: Path, trust: str) -> bytes:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InvalidRequest(f"{file} cannot be opened ({error.strerror}).") from error
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    if trust.lower() != digest:
        raise InvalidRequest(
            f"A pickle runs what it names when it is opened. If you made {file.name} yourself, say so with --trust {digest}"
        )
    return content


def _classes(content: bytes, recipe: Recipe, labels: Sequence[str]) -> tuple[str, ...]:
    from app.inference.runtimes.sklearn import SklearnRuntime

    runtime = SklearnRuntime(content)
    classes = tuple(labels) or runtime.classes
    if len(classes) != len(runtime.classes):
        raise InvalidModel(f"The classifier has {len(runtime.classes)} classes, but {len(classes)} labels were given.")
    expected = int(np.prod(recipe.shape))
    if runtime.n_features is not None and runtime.n_features != expected:
        raise InvalidModel(
            f"The classifier takes {runtime.n_features:,} numbers, but a {recipe.colour} picture of "
            f"{recipe.width}x{recipe.height} has {expected:,}: give another --size or --colour."
        )
    dtype = np.uint8 if recipe.scale == "0-255" else np.float64
    try:
        answer = runtime.probabilities(np.zeros((1, *recipe.shape), dtype=dtype))
    except Exception as error:
        raise InvalidModel(f"The classifier does not answer for such a picture: {error}") from error
    if answer.shape != (1, len(classes)):
        raise InvalidModel("The classifier gives more than one answer for a picture: only one class a picture can be shown.")
    return classes
