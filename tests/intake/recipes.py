"""Forty classifiers whose pictures were fed in known ways: what the search for a recipe is tried on.

Half of them learned scikit-learn's digits and are searched with digits that they have not seen; half learned photos of cats and
dogs, too few to tell others apart well, and are searched with some of the very photos, as whoever has the training folder at
hand does.
"""

from __future__ import annotations

import csv
import pickle
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as PillowImage
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC

from app.inference.images import decode
from app.inference.recipe import Recipe
from app.intake.recipe_search import Finding, KnownParts
from app.intake.sandbox import Sandbox
from app.services.recipe_finding import RecipeFinder, Sample

_LEARNED, _SHOWN = 900, 300
_PHOTOS_LEARNED, _PHOTOS_SHOWN = 400, 160

CLASSIFIERS: dict[str, Callable[[], Any]] = {
    "logistic regression": lambda: LogisticRegression(max_iter=500),
    "scaler, logistic regression": lambda: make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)),
    "range scaler, logistic regression": lambda: make_pipeline(MinMaxScaler(), LogisticRegression(max_iter=500)),
    "SVC": lambda: SVC(),
    "scaler, SVC": lambda: make_pipeline(StandardScaler(), SVC()),
    "PCA, SVC": lambda: make_pipeline(PCA(40, random_state=0), SVC()),
    "nearest neighbours": lambda: KNeighborsClassifier(3),
    "random forest": lambda: RandomForestClassifier(60, random_state=0),
    "extra trees": lambda: ExtraTreesClassifier(60, random_state=0),
    "gradient boosting": lambda: HistGradientBoostingClassifier(max_iter=20, random_state=0),
    "neural network": lambda: MLPClassifier((64,), max_iter=200, random_state=0),
    "linear discriminants": lambda: LinearDiscriminantAnalysis(),
    "naive Bayes": lambda: GaussianNB(),
}


@dataclass(frozen=True, slots=True)
class Case:
    """A classifier, what it learned and how its pictures were fed."""

    learned: str  # "digits" or "photos"
    classifier: str
    recipe: Recipe


@dataclass(frozen=True, eq=False)
class Outcome:
    """What the search found of a case, and whether the recipe it chose answers as the true one does."""

    case: Case
    finding: Finding
    right: bool

    @property
    def decided(self) -> bool:
        """Whether it chose by itself."""
        return self.finding.chosen is not None


CASES = (
    Case("digits", "SVC", Recipe(8, 8, colour="grey")),
    Case("digits", "logistic regression", Recipe(8, 8, colour="grey", scale="0-255")),
    Case("digits", "random forest", Recipe(8, 8, colour="grey", scale="0-16")),
    Case("digits", "neural network", Recipe(8, 8, colour="grey", scale="-1-1")),
    Case("digits", "nearest neighbours", Recipe(8, 8, colour="grey", scale="standardised")),
    Case("digits", "scaler, logistic regression", Recipe(8, 8, colour="grey", scale="imagenet")),
    Case("digits", "extra trees", Recipe(16, 16, colour="grey", invert=True)),
    Case("digits", "scaler, SVC", Recipe(16, 16, colour="grey", scale="0-255", invert=True)),
    Case("digits", "random forest", Recipe(12, 12, scale="0-255")),
    Case("digits", "PCA, SVC", Recipe(12, 12, layout="flat-channels-first")),
    Case("digits", "linear discriminants", Recipe(8, 8, colour="grey", scale="0-16")),
    Case("digits", "naive Bayes", Recipe(8, 8, colour="grey", scale="0-255")),
    Case("digits", "gradient boosting", Recipe(8, 8, colour="grey", scale="-1-1")),
    Case("digits", "nearest neighbours", Recipe(8, 8, colour="grey", scale="-1-1", invert=True)),
    Case("digits", "range scaler, logistic regression", Recipe(16, 16, colour="grey", scale="0-255")),
    Case("digits", "scaler, SVC", Recipe(12, 16, colour="grey", scale="0-16")),
    Case("digits", "neural network", Recipe(20, 15, colour="grey", scale="0-255")),
    Case("digits", "PCA, SVC", Recipe(28, 28, colour="grey", scale="0-1", invert=True)),
    Case("digits", "extra trees", Recipe(8, 8, scale="-1-1")),
    Case("digits", "scaler, logistic regression", Recipe(28, 28, colour="grey", scale="0-255")),
    Case("photos", "random forest", Recipe(16, 16)),
    Case("photos", "random forest", Recipe(16, 16, colour="bgr", scale="0-255")),
    Case("photos", "extra trees", Recipe(24, 24, colour="grey")),
    Case("photos", "scaler, SVC", Recipe(16, 16, scale="0-255")),
    Case("photos", "random forest", Recipe(16, 16, layout="flat-channels-first")),
    Case("photos", "scaler, logistic regression", Recipe(32, 32, scale="imagenet")),
    Case("photos", "nearest neighbours", Recipe(32, 32, colour="bgr")),
    Case("photos", "neural network", Recipe(16, 16, scale="-1-1", layout="flat-channels-first")),
    Case("photos", "SVC", Recipe(24, 24, colour="bgr", scale="imagenet")),
    Case("photos", "extra trees", Recipe(20, 15, scale="0-255")),
    Case("photos", "random forest", Recipe(16, 16, "crop")),
    Case("photos", "extra trees", Recipe(16, 16, "pad", colour="bgr")),
    Case("photos", "logistic regression", Recipe(24, 24, scale="standardised")),
    Case("photos", "gradient boosting", Recipe(16, 16, scale="imagenet", layout="flat-channels-first")),
    Case("photos", "random forest", Recipe(64, 64, scale="0-255")),
    Case("photos", "scaler, SVC", Recipe(32, 24, colour="grey")),
    Case("photos", "nearest neighbours", Recipe(24, 24, scale="standardised", colour="bgr")),
    Case("photos", "extra trees", Recipe(32, 32, colour="grey", scale="0-16")),
    Case("photos", "scaler, logistic regression", Recipe(32, 32, "crop", scale="-1-1")),
    Case("photos", "random forest", Recipe(16, 16, invert=True)),
)


def searched(case: Case, sandbox: Sandbox, photos: Path) -> Outcome:
    """Fit a case, forget how it was fed, and search; `photos` is the folder of the pet photos."""
    learned, shown = _digits() if case.learned == "digits" else _photos(photos)
    rows = np.stack([case.recipe.array(decode(sample.content, fit=case.recipe.size)) for sample in learned])
    classifier = CLASSIFIERS[case.classifier]()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        classifier.fit(rows, [sample.label for sample in learned])
    finder = RecipeFinder(sandbox=sandbox)
    finding = finder.find(pickle.dumps(classifier), "pickle", rows.shape[1], KnownParts(), shown).finding
    chosen = next((trial for trial in finding.trials if trial.recipe == finding.chosen), None)
    true = next((trial for trial in finding.trials if trial.recipe == case.recipe), None)
    return Outcome(case, finding, bool(chosen and true and true.answers_as(chosen)))


def outcomes(cases: Sequence[Case], sandbox: Sandbox, photos: Path) -> Iterator[Outcome]:
    """Give the outcomes one by one."""
    return (searched(case, sandbox, photos) for case in cases)


@cache
def _digits() -> tuple[list[Sample], list[Sample]]:
    given = load_digits()
    samples = [
        Sample(Path(f"{number}.png"), _png(image), str(label))
        for number, (image, label) in enumerate(zip(given.images, given.target, strict=True))
    ]
    return samples[:_LEARNED], samples[_LEARNED : _LEARNED + _SHOWN]


def _png(image: Any) -> bytes:
    """Give one of scikit-learn's digits as the picture it once was: larger, and drawn smoothly."""
    file = BytesIO()
    PillowImage.fromarray(np.rint(image / 16 * 255).astype(np.uint8)).resize((24, 24)).save(file, "PNG")
    return file.getvalue()


@cache
def _photos(folder: Path) -> tuple[list[Sample], list[Sample]]:
    with (folder / "pets" / "labels.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    chosen = [row for label in ("cat", "dog") for row in [r for r in rows if r["label"] == label][: _PHOTOS_LEARNED // 2]]
    learned = [Sample(Path(row["file"]), (folder / "pets" / row["file"]).read_bytes(), row["label"]) for row in chosen]
    return learned, learned[:: _PHOTOS_LEARNED // _PHOTOS_SHOWN][:_PHOTOS_SHOWN]
