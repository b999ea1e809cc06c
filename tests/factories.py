"""Small real things for tests: settings, services over a fresh database, packages, pictures."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from sklearn.linear_model import LogisticRegression
from ulid import ULID

from app.composition import Services, compose
from app.config import TREE, Settings
from app.inference.images import Image
from app.inference.libraries import installed
from app.inference.package import Manifest, ModelPackage
from app.inference.prediction import ClassScore, Picture, Prediction, Timings
from app.inference.provenance import Candidate, Proof, Source
from app.inference.recipe import Recipe
from app.inference.repository import Repository
from app.storage.schema import upgrade
from tests.passwords import remembered

CAT = TREE / "models" / "cats-vs-dogs" / "1" / "samples" / "Maine_Coon_31.jpg"
DOG = TREE / "models" / "cats-vs-dogs" / "1" / "samples" / "german_shorthaired_72.jpg"
EIGHT = TREE / "models" / "digits" / "1" / "samples" / "8.png"


def make_settings(folder: Path, **given: Any) -> Settings:
    """Give settings over a data folder of the test's own."""
    return Settings(**{"data": folder / "data", "log_format": "json", **given})


def make_services(folder: Path, **given: Any) -> Services:
    """Give the services over a fresh SQLite file."""
    settings = make_settings(folder, **given)
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    services = compose(settings, passwords=remembered())
    upgrade(services.engine, copies=settings.data / "copies")
    return services


def make_picture(colour: tuple[int, int, int] = (200, 30, 30), size: tuple[int, int] = (32, 24), form: str = "PNG") -> bytes:
    """Give a picture of one colour as a file."""
    file = BytesIO()
    PillowImage.new("RGB", size, colour).save(file, form)
    return file.getvalue()


def make_image(pixels: NDArray[np.uint8]) -> Image:
    """Give a decoded picture of these pixels, shape (height, width, 3)."""
    return Image(pixels, "PNG", pixels.shape[1], pixels.shape[0], "0" * 64, ())


def make_drawing(label: str, number: int, side: int = 24) -> PillowImage.Image:
    """Give a noisy drawing that differs from all others; its label is told by which half is brighter."""
    noise = np.random.default_rng([*label.encode(), number]).integers(0, 120, (side, side, 3), dtype=np.uint8)
    half = slice(0, side // 2) if sum(label.encode()) % 2 else slice(side // 2, side)
    noise[:, half] += 130
    return PillowImage.fromarray(noise)


def make_photos(folder: Path, labels: tuple[str, ...] = ("left", "right"), count: int = 20) -> Path:
    """Write drawings into one sub-folder a label, and give the folder."""
    for label in labels:
        (folder / label).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            make_drawing(label, number).save(folder / label / f"{number:02}.png")
    return folder


def make_prediction(**given: Any) -> Prediction:
    """Give a prediction as the classification would, made now."""
    created_at = given.get("created_at", datetime.now(UTC))
    values: dict[str, Any] = {
        "id": str(ULID.from_datetime(created_at)),
        "model": "shade",
        "version": "1",
        "scores": (ClassScore("light", 0.75), ClassScore("dark", 0.25)),
        "picture": Picture("PNG", 32, 24, "0" * 64, ("grey to RGB",)),
        "timings": Timings(1.0, 2.0, 3.0, 6.5),
        "created_at": created_at,
    }
    return Prediction(**{**values, **given})


class Clock:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def make_classifier(classes: tuple[str, ...] = ("dark", "light"), features: int = 12) -> LogisticRegression:
    """Give a classifier that tells dark from light flat rows of levels from 0 to 1."""
    levels = np.linspace(0, 1, 40)[:, np.newaxis] * np.ones(features)
    labels = [classes[int(i * len(classes) / 40)] for i in range(40)]
    return LogisticRegression(C=100).fit(levels, labels)


def make_manifest(name: str = "shade", **given: Any) -> Manifest:
    """Give a manifest for `make_classifier` on pictures of 2 by 2 pixels."""
    values: dict[str, Any] = {
        "name": name,
        "version": "",
        "classes": ("dark", "light"),
        "recipe": Recipe(2, 2),
        "runtime": "sklearn",
        "artifact": "source.pkl",
        "digests": {},
        "created_at": "2026-01-01T00:00:00+00:00",
        "origin": "imported",
        "libraries": installed(),
    }
    return Manifest(**{**values, **given})


def make_source(**given: Any) -> Source:
    """Give where an imported model came from: a pickle of an older scikit-learn, opened in confinement."""
    values: dict[str, Any] = {
        "format": "pickle",
        "sha256": "5e" * 32,
        "estimators": ("sklearn.linear_model._logistic.LogisticRegression",),
        "libraries": {"scikit-learn": "1.3.2"},
        "differences": ("Written with scikit-learn 1.3.2, opened with 1.9.1.",),
        "confinement": ("limits", "own network", "system calls"),
    }
    return Source(**{**values, **given})


def make_proof(**given: Any) -> Proof:
    """Give a strong proof on 256 pictures: scikit-learn serves, ONNX is slower, a forest cannot hold the classifier."""
    values: dict[str, Any] = {
        "pictures": 256,
        "rarest": 97,
        "weak": False,
        "tolerance": 1e-5,
        "source_one_ms": 0.6,
        "source_batch_ms": 12.3,
        "candidates": (
            Candidate("sklearn", 256, 2e-7, 0.41, 3.25),
            Candidate("onnx", 255, 0.04, 0.2, 1.5, refused="one label differs"),
            Candidate("forest", refused="it holds trees only"),
        ),
    }
    return Proof(**{**values, **given})


def publish(repository: Repository, name: str = "shade", **given: Any) -> ModelPackage:
    """Publish the next version of a small model."""
    return repository.publish(make_manifest(name, **given), {"source.pkl": pickle.dumps(make_classifier())})
