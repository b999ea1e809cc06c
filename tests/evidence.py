"""Versions of a small model that draw the line between dark and light at different greys, and pictures on either side of it."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from app.composition import Services
from app.inference.package import ModelPackage, Sample
from app.inference.repository import Repository
from app.services.recorder import Owner, Recorder
from tests.factories import make_manifest, make_picture, make_prediction

# The file of a sample is called by its grey.
GREYS = (20, 100, 150, 240)


def grey(level: int, size: tuple[int, int] = (32, 24)) -> bytes:
    """Give a picture of one grey, from 0 to 255."""
    return make_picture((level, level, level), size)


def publish_at(
    repository: Repository, line: int = 128, greys: tuple[int, ...] = (), name: str = "shade", **given: Any
) -> ModelPackage:
    """Publish a version to which pictures from this grey on are light; it comes with samples of such greys, labelled by 128."""
    levels = np.linspace(0, 1, 256)[:, np.newaxis] * np.ones(12)
    classifier = LogisticRegression(C=1e4).fit(levels, np.where(np.arange(256) >= line, "light", "dark"))
    samples = tuple(Sample(f"samples/{level}.png", f"Grey {level}", "light" if level >= 128 else "dark") for level in greys)
    files = {sample.file: grey(level) for sample, level in zip(samples, greys, strict=True)}
    return repository.publish(make_manifest(name, samples=samples, **given), {"source.pkl": pickle.dumps(classifier), **files})


def keep(services: Services, owner: Owner, *levels: int, model: str = "shade") -> list[str]:
    """Have pictures of these greys kept as of answers of version 1, and give the identifiers of the answers."""
    recorder, made = Recorder(engine=services.engine), []
    for level in levels:
        prediction = make_prediction(model=model)
        assert recorder.record(prediction, owner, "grey.png")
        assert services.pictures.keep(prediction.id, grey(level))
        made.append(prediction.id)
    return made
