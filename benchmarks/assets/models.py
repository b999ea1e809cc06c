"""The three classifiers, light to heavy, each written as one joblib file that all servers open or import."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from benchmarks.assets.photos import SEED, Photo
from benchmarks.peers.recipe import row_of

# A server may decode fewer pixels than another, so pictures are used only where the first class leads by so much.
_LEAD = 0.15


@dataclass(frozen=True, slots=True)
class Design:
    """A pipeline to be fitted."""

    title: str
    build: Callable[[], Pipeline]


DESIGNS = {
    "A": Design(
        "StandardScaler, LogisticRegression", lambda: make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=2000))
    ),
    "B": Design(
        "StandardScaler, RandomForestClassifier of 300 trees",
        lambda: make_pipeline(StandardScaler(), RandomForestClassifier(300, random_state=SEED)),
    ),
    "C": Design(
        "PCA to 64, CalibratedClassifierCV(SVC(), ensemble=False)",
        lambda: make_pipeline(PCA(64, random_state=SEED), CalibratedClassifierCV(SVC(), ensemble=False)),
    ),
}


class Fitted:
    """A trained model that answers in this process: what every server is held against."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self.classes = [str(name) for name in model.classes_]

    def probabilities(self, file: bytes) -> dict[str, float]:
        """Give the model's probabilities for a picture that is decoded whole."""
        values = self._model.predict_proba(_row(file, draft=False)[np.newaxis])[0]
        return dict(zip(self.classes, values.tolist(), strict=True))

    def sure_label(self, file: bytes) -> str | None:
        """Give the label, or None where it is a close call or changes with the number of pixels decoded."""
        whole, drafted = self._model.predict_proba(np.stack([_row(file, draft=False), _row(file, draft=True)]))
        second, first = np.sort(whole)[-2:]
        if first - second < _LEAD or whole.argmax() != drafted.argmax():
            return None
        return self.classes[int(whole.argmax())]


def train(photos: list[Photo], folder: Path) -> dict[str, Fitted]:
    """Fit every design on the photos that are not held out and write it into the folder."""
    learned = [photo for photo in photos if not photo.held_out]
    rows = np.stack([row_of(photo.upright(), draft=False) for photo in learned])
    labels = [photo.label for photo in learned]
    fitted = {}
    for name, design in DESIGNS.items():
        model = design.build().fit(rows, labels)
        joblib.dump(model, folder / f"{name}.joblib")
        fitted[name] = Fitted(model)
    return fitted


def _row(file: bytes, *, draft: bool) -> NDArray[np.float32]:
    with Image.open(BytesIO(file)) as image:
        return row_of(image, draft=draft and image.format == "JPEG")
