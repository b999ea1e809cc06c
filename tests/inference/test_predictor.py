"""Predictors: recipe, runtime and classes answer together, or say that they do not."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from app.errors import InvalidModel
from app.estimators import FlatPixels
from app.inference.images import decode
from app.inference.predictor import Predictor
from app.inference.recipe import Recipe
from app.inference.repository import Repository
from tests.factories import make_classifier, make_manifest, make_picture


def predictor_of(folder: Path, classifier: Any, **given: Any) -> Predictor:
    repository = Repository(shipped=None, own=folder)
    return Predictor(repository.publish(make_manifest(**given), {"source.pkl": pickle.dumps(classifier)}))


def test_answers_for_a_picture_as_its_classifier_does(tmp_path: Path) -> None:
    classifier = make_classifier()
    predictor = predictor_of(tmp_path, classifier)
    row = predictor.prepare(decode(make_picture((240, 240, 240))))
    answers = predictor.probabilities(np.stack([row, row * 0]))
    assert np.array_equal(answers, classifier.predict_proba([[240 / 255] * 12, [0.0] * 12]))
    assert answers.argmax(axis=1).tolist() == [1, 0]


def test_warms_up_on_numbers_of_either_kind(tmp_path: Path) -> None:
    predictor_of(tmp_path / "scaled", make_classifier()).warm_up()
    pictures = np.stack([np.zeros((8, 8, 3), np.uint8), np.full((8, 8, 3), 255, np.uint8)])
    whole = FlatPixels(size=2).fit(pictures)  # takes nothing but uint8
    head = LogisticRegression().fit(whole.transform(pictures), ["dark", "light"])
    recipe = Recipe(8, 8, scale="0-255", layout="height-width-channels")
    predictor_of(tmp_path / "whole", Pipeline([("features", whole), ("head", head)]), recipe=recipe).warm_up()


def test_a_classifier_of_other_classes_than_the_manifest_gives_no_answer(tmp_path: Path) -> None:
    predictor = predictor_of(tmp_path, make_classifier(), classes=("dark", "light", "none"))
    with pytest.raises(InvalidModel, match="shade 1 gave no probabilities"):
        predictor.warm_up()


def test_an_answer_that_is_no_number_is_not_given(tmp_path: Path) -> None:
    classifier = make_classifier()
    classifier.coef_[:] = np.nan
    with pytest.raises(InvalidModel, match="gave no probabilities"):
        predictor_of(tmp_path, classifier).probabilities(np.zeros((1, 12)))
