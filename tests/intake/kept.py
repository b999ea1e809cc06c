"""Good model files to read: those that are kept with the tests, and small ones of today in every form."""

from __future__ import annotations

import io
import pickle
from functools import cache
from pathlib import Path

import joblib
import numpy as np
import skops.io
from sklearn.ensemble import RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

KEPT = sorted(
    path for path in (Path(__file__).parents[1] / "data" / "models").glob("*/*") if path.suffix in (".pkl", ".joblib")
)
ROWS = np.random.default_rng(5).random((60, 12))
LABELS = np.array(["cat", "dog", "eel"], dtype=object)[np.arange(60) % 3]


@cache
def pipeline() -> Pipeline:
    """Give a classifier with arrays of numbers and of objects, row by row and column by column."""
    return make_pipeline(StandardScaler(), SVC(C=10)).fit(np.asfortranarray(ROWS), LABELS)


@cache
def others() -> tuple[RandomForestClassifier, KNeighborsClassifier]:
    """Give classifiers that hold compiled parts and types with fields."""
    forest = RandomForestClassifier(n_estimators=3, random_state=1).fit(ROWS, LABELS)
    return forest, KNeighborsClassifier(algorithm="kd_tree").fit(ROWS, LABELS)


def dumped(model: object, protocol: int | None = None, compress: int = 0) -> bytes:
    """Give a joblib file."""
    file = io.BytesIO()
    joblib.dump(model, file, protocol=protocol, compress=compress)
    return file.getvalue()


@cache
def good() -> tuple[bytes, ...]:
    """Give small good files of every form."""
    forest, neighbours = others()
    return (
        *(pickle.dumps(pipeline(), protocol=protocol) for protocol in range(6)),
        *(dumped(pipeline(), protocol) for protocol in range(6)),
        *(dumped(model, compress=3) for model in (pipeline(), forest, neighbours)),
        skops.io.dumps(pipeline()),
    )
