"""The opened classifier, asked as every served form will be: the answers that the others are compared with."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline

from app.errors import InvalidModel
from app.inference.answers import softmax
from app.inference.provenance import Answers
from app.inference.recipe import Recipe
from app.inference.runtimes.sklearn import answers_of
from app.intake.older import brought_up_to_date
from app.intake.soundness import require_sound

Rows = NDArray[np.generic]
_PREFERRED: tuple[Answers, ...] = ("predict_proba", "decision_function", "predict")
# What holds the estimator that really answers, and under which name.
_HOLDERS = {
    "GridSearchCV": "best_estimator_",
    "RandomizedSearchCV": "best_estimator_",
    "HalvingGridSearchCV": "best_estimator_",
    "HalvingRandomSearchCV": "best_estimator_",
    "FrozenEstimator": "estimator",
}


# The label is not the most probable class, on purpose: only asking for the label itself gives it.
_OWN_THRESHOLDS = {"FixedThresholdClassifier", "TunedThresholdClassifierCV"}


class SourceModel:
    """A fitted classifier that answers for rows of the recipe's shape; raises InvalidModel where it is none."""

    def __init__(self, opened: object, recipe: Recipe) -> None:
        if not hasattr(opened, "predict"):
            raise InvalidModel(f"The file holds a {type(opened).__name__}, which is not a classifier.")
        repaired = []
        for part in parts_of(opened):
            _forget_names(part)
            require_sound(part)
            repaired.append(brought_up_to_date(part))
        self.repairs = tuple(dict.fromkeys(sentence for sentence in repaired if sentence))
        self.classifier: Any = unwrapped(opened)
        if not hasattr(self.classifier, "classes_"):
            raise InvalidModel(f"The file holds a {type(self.classifier).__name__} that is no fitted classifier.")
        if isinstance(self.classifier.classes_, list):
            raise InvalidModel("The classifier gives more than one answer for a picture: only one can be shown.")
        self.classes = tuple(str(label) for label in self.classifier.classes_)
        self._require_features(recipe)
        self.answers = self._way_to_answer(recipe)

    def probabilities(self, rows: Rows) -> NDArray[np.float64]:
        """Give the probability of every class, shape (n, n_classes)."""
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return answers_of(self.classifier, self.answers, rows)

    def _require_features(self, recipe: Recipe) -> None:
        count = getattr(self.classifier, "n_features_in_", None)
        expected = int(np.prod(recipe.shape))
        if count is not None and int(count) != expected:
            raise InvalidModel(
                f"The classifier takes {int(count):,} numbers, but a {recipe.colour} picture of "
                f"{recipe.width}x{recipe.height} has {expected:,}: give another size or colour."
            )

    def _way_to_answer(self, recipe: Recipe) -> Answers:
        rng = np.random.default_rng(0)
        dtype = np.uint8 if recipe.scale == "0-255" else np.float64
        rows = rng.integers(0, 2, (4, *recipe.shape)).astype(dtype)
        reason = ""
        last = type(steps_of(self.classifier)[-1]).__name__
        for way in _PREFERRED if last not in _OWN_THRESHOLDS else ("predict",):
            if not hasattr(self.classifier, way):
                continue
            self.answers = way
            try:
                found = self.probabilities(rows)
            except NotFittedError as error:
                raise InvalidModel(f"The file holds a {type(self.classifier).__name__} that is not fitted.") from error
            except Exception as error:  # a classifier that cannot answer one way may answer another
                reason = f"{type(error).__name__}: {error}"
                continue
            if found.shape != (len(rows), len(self.classes)):
                if way == "decision_function":
                    continue  # one value for each pair of classes
                raise InvalidModel("The classifier gives more than one answer for a picture: only one can be shown.")
            if way != "decision_function" or self._decides_as_it_predicts(rows):
                return way
        raise InvalidModel(f"The classifier does not answer for such a picture: {reason}")

    def _decides_as_it_predicts(self, rows: Rows) -> bool:
        # One-against-one votes and thresholds of their own may name another class than the largest value does.
        noise = np.random.default_rng(1).random((64, *rows.shape[1:])) * rows.max()
        trial = np.concatenate([rows, noise.astype(rows.dtype)])
        values = softmax(self.classifier.decision_function(trial))
        return bool((np.asarray(self.classifier.classes_)[values.argmax(axis=1)] == self.classifier.predict(trial)).all())


def unwrapped(estimator: Any) -> Any:
    """Give the estimator that really answers: a search's winner, without the search."""
    while (name := _HOLDERS.get(type(estimator).__name__)) and hasattr(estimator, name):
        estimator = getattr(estimator, name)
    return estimator


def steps_of(estimator: Any) -> list[Any]:
    """Give the steps of a pipeline, pipelines within it opened up and those that do nothing left out."""
    estimator = unwrapped(estimator)
    if not isinstance(estimator, Pipeline):
        return [estimator]
    return [step for _, part in estimator.steps if part not in (None, "passthrough") for step in steps_of(part)]


def parts_of(estimator: object) -> Iterator[Any]:
    """Give an estimator and every object of scikit-learn within it, once."""
    waiting: list[Any] = [estimator]
    seen = set()
    while waiting:
        found = waiting.pop()
        if id(found) in seen:
            continue
        seen.add(id(found))
        if isinstance(found, dict):
            waiting += found.values()
        elif isinstance(found, (list, tuple)) or (isinstance(found, np.ndarray) and found.dtype == object):
            waiting += list(found.flat) if isinstance(found, np.ndarray) else found
        elif type(found).__module__.partition(".")[0] in ("sklearn", "scipy", "app"):
            yield found
            waiting += vars(found).values() if hasattr(found, "__dict__") else []


def _forget_names(part: object) -> None:
    """Let an estimator that was fitted on a table with named columns take plain arrays without complaint."""
    if isinstance(part, BaseEstimator) and "feature_names_in_" in vars(part):
        del part.feature_names_in_
