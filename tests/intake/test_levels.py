"""What classifiers keep of their input tells at which levels it was."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from app.inference.recipe import Recipe, Scale
from app.intake.levels import levels_of
from app.intake.pictures import rows_of
from tests.intake.classifiers import digits

ROWS, LABELS = digits()
LEVELS = np.rint(ROWS * 255).astype(np.uint8)
PICTURES = np.repeat(LEVELS.reshape(-1, 8, 8, 1), 3, axis=3)
SCALES: tuple[Scale, ...] = ("0-255", "0-1", "0-16", "-1-1", "imagenet", "standardised")


def possible(classifier: Any, learned: Recipe) -> set[Scale]:
    """Give the scales that a classifier which learned by one recipe does not rule out."""
    levels = levels_of(classifier.fit(rows_of(PICTURES, learned), LABELS))
    assert levels is not None
    recipes = (Recipe(8, 8, colour="grey", scale=scale) for scale in SCALES)
    return {recipe.scale for recipe in recipes if not levels.contradict(recipe, rows_of(PICTURES, recipe))}


@pytest.mark.parametrize(
    "classifier",
    [
        RandomForestClassifier(20, random_state=0),
        HistGradientBoostingClassifier(max_iter=3),
        KNeighborsClassifier(),
        SVC(),
        GaussianNB(),
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=50)),
        make_pipeline(MinMaxScaler(), LogisticRegression(max_iter=50)),
        make_pipeline(PCA(10), LogisticRegression(max_iter=50)),
    ],
    ids=lambda classifier: type(classifier[0] if hasattr(classifier, "steps") else classifier).__name__,
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("scale", SCALES)
def test_what_was_learned_is_never_ruled_out_and_levels_of_bytes_always_where_they_were_not(
    classifier: Any, scale: Scale
) -> None:
    left = possible(classifier, Recipe(8, 8, colour="grey", scale=scale))
    assert scale in left
    assert ("0-255" in left) == (scale == "0-255")


@pytest.mark.parametrize("classifier", [make_pipeline(StandardScaler(), SVC()), KNeighborsClassifier()])
def test_deviations_tell_scales_apart_that_lie_within_each_other(classifier: Any) -> None:
    assert possible(classifier, Recipe(8, 8, colour="grey", scale="-1-1")) == {"-1-1", "standardised"}
    assert possible(classifier, Recipe(8, 8, colour="grey", scale="0-1")) == {"0-1"}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_weights_alone_tell_nothing() -> None:
    for classifier in (LogisticRegression(max_iter=20), MLPClassifier((4,), max_iter=2)):
        assert levels_of(classifier.fit(ROWS, LABELS)) is None


def test_a_single_threshold_says_nothing_of_how_far_pixels_reach() -> None:
    stump = DecisionTreeClassifier(max_depth=1)
    assert {"0-1", "0-255", "0-16"} <= possible(stump, Recipe(8, 8, colour="grey", scale="0-1"))
