"""Case D: the bundled cats-vs-dogs, which no peer can open, against its own network and decoder in one process."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from app.config import TREE
from app.inference.images import decode
from app.inference.predictor import Predictor
from app.inference.repository import Repository
from benchmarks.floors import measure_floors
from benchmarks.results.values import Floor

NAME = "cats-vs-dogs"


def bundled_answers(files: Mapping[str, bytes]) -> dict[str, dict[str, float]]:
    """Give what the model answers in process for each picture file: class -> probability."""
    predictor = Predictor(Repository(shipped=TREE / "models", own=TREE / "models").package(NAME))
    classes, size = predictor.manifest.classes, predictor.manifest.recipe.size
    answers = {}
    for file, data in files.items():
        row = predictor.prepare(decode(data, fit=size))
        answers[file] = dict(zip(classes, predictor.probabilities(row[np.newaxis])[0].tolist(), strict=True))
    return answers


def bundled_floor(data: Path, picture: Path, number: int) -> Floor:
    """Measure the network and the decoder for a round."""
    (costs,) = measure_floors(data, NAME, [picture])
    return Floor("D2", number, costs.decode_ms + costs.prepare_ms, costs.predict_ms)
