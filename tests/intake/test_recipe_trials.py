"""A classifier is asked about samples in every way that might be meant."""

from __future__ import annotations

import pickle
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from skl2onnx import to_onnx
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from app.errors import InvalidModel
from app.inference.recipe import Recipe
from app.intake import recipe_trials
from app.intake.job import name_of_view
from app.intake.recipe_trials import ask, describe
from app.intake.wire import Message
from tests.intake.classifiers import digits

ROWS, LABELS = digits()  # 8 by 8, grey, levels of 0 to 1
PICTURES = np.repeat(np.rint(ROWS[:40] * 255).astype(np.uint8).reshape(-1, 8, 8, 1), 3, axis=3)
TREE = DecisionTreeClassifier(random_state=0).fit(np.rint(ROWS * 255) / 255, LABELS)
RIGHT, WRONG = Recipe(8, 8, colour="grey"), Recipe(8, 8, colour="grey", invert=True)
COLOUR, BYTES = Recipe(8, 8), Recipe(8, 8, colour="grey", scale="0-255")
VIEW = {name_of_view(RIGHT): PICTURES.tobytes()}


def asked(content: bytes, *recipes: Recipe, form: str = "pickle") -> tuple[list[Any], np.ndarray[Any, Any]]:
    views = {name_of_view(recipe): PICTURES.tobytes() for recipe in recipes}
    answer = ask(Message({"format": form, "recipes": [asdict(recipe) for recipe in recipes]}, {"model": content, **views}))
    answers = np.frombuffer(answer.blobs["probabilities"]).reshape(-1, len(PICTURES), len(answer.values["classes"]))
    return answer.values["recipes"], answers


def test_each_way_is_answered_as_the_classifier_itself_answers() -> None:
    recipes, answers = asked(pickle.dumps(TREE), RIGHT, WRONG)
    assert recipes == [asdict(RIGHT), asdict(WRONG)]
    levels = PICTURES[..., 0].reshape(-1, 64)
    assert (answers[0] == TREE.predict_proba(levels / 255)).all()
    assert (answers[1] == TREE.predict_proba((255 - levels) / 255)).all()
    assert (answers[0].argmax(axis=1) == LABELS[:40]).all()


def test_ways_that_do_not_fit_are_left_out() -> None:
    recipes, answers = asked(pickle.dumps(TREE), COLOUR, RIGHT)
    assert recipes == [asdict(RIGHT)]
    assert answers.shape == (1, 40, 10)
    with pytest.raises(InvalidModel, match="takes 64 numbers, but a rgb picture of 8x8 has 192"):
        asked(pickle.dumps(TREE), COLOUR)


def test_a_graph_is_asked_too_and_tells_the_shape_of_its_rows() -> None:
    linear = LogisticRegression(max_iter=300).fit(ROWS, LABELS)
    graph = to_onnx(linear, ROWS[:1].astype(np.float32), options={id(linear): {"zipmap": False}}).SerializeToString()
    recipes, answers = asked(graph, RIGHT, form="onnx")
    assert recipes == [asdict(RIGHT)]
    assert np.abs(answers[0] - linear.predict_proba(PICTURES[..., 0].reshape(-1, 64) / 255)).max() < 1e-5
    assert describe(Message({"format": "onnx"}, {"model": graph})).values == {"features": None, "shape": [64]}


def test_a_pickle_tells_how_many_numbers_it_takes() -> None:
    told = describe(Message({"format": "pickle"}, {"model": pickle.dumps(TREE)}))
    assert told.values == {"features": 64, "shape": None}


def test_ways_that_the_models_own_numbers_rule_out_are_not_tried() -> None:
    recipes, answers = asked(pickle.dumps(TREE), BYTES, RIGHT)
    assert (recipes, len(answers)) == ([asdict(RIGHT)], 1)
    job = Message({"format": "pickle", "recipes": [asdict(BYTES), asdict(RIGHT)]}, {"model": pickle.dumps(TREE), **VIEW})
    thresholds = TREE.tree_.threshold[TREE.tree_.feature >= 0]
    told = ask(job).values
    assert (told["impossible"], told["levels"]) == (1, [thresholds.min(), thresholds.max()])


def test_a_slow_model_is_asked_about_fewer_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipe_trials, "_SECONDS", 0.0001)
    answer = ask(Message({"format": "pickle", "recipes": [asdict(RIGHT)]}, {"model": pickle.dumps(TREE), **VIEW}))
    assert answer.values["every"] > 1
    few = np.frombuffer(answer.blobs["probabilities"]).reshape(1, -1, 10)[0]
    levels = PICTURES[:: answer.values["every"], ..., 0].reshape(-1, 64)
    assert (few == TREE.predict_proba(levels / 255)).all()
