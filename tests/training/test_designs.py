"""The pipelines on offer: how they choose, and that what was fitted can be stored, copied and fitted again."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

from app.inference.images import decode
from app.training.designs import DESIGNS, Design, assemble, fit_head
from tests.factories import make_drawing, make_image, make_picture

Features = NDArray[np.float32]
STRENGTHS = (1e-4, 1e-2, 1.0, 100.0)


def make_features(count: int = 40, apart: float = 1.5) -> tuple[Features, list[str]]:
    """Give rows of two classes that overlap."""
    labels = [("cat", "dog")[number % 2] for number in range(count)]
    noise = np.random.default_rng(0).normal(size=(count, 6))
    return (noise + apart * (np.arange(count) % 2)[:, np.newaxis] * np.eye(6)[0]).astype(np.float32), labels


def make_pictures(design: Design, count: int) -> tuple[NDArray[Any], list[str]]:
    """Give drawings of two classes as this design wants them."""
    labels = [("left", "right")[number % 2] for number in range(count)]
    drawings = [np.asarray(make_drawing(label, number)) for number, label in enumerate(labels)]
    return np.stack([design.recipe.array(make_image(drawing)) for drawing in drawings]), labels


@pytest.fixture(scope="module", params=[*DESIGNS.values()], ids=[*DESIGNS])
def design(request: pytest.FixtureRequest) -> Design:
    assert isinstance(request.param, Design)
    return request.param


@pytest.fixture(scope="module")
def learned(design: Design) -> tuple[Pipeline, NDArray[Any], list[str]]:
    pictures, labels = make_pictures(design, 16)
    transformer = design.transformer().fit(pictures)
    head, _ = fit_head(transformer.transform(pictures), labels, np.arange(16), design.strengths[:2])
    return assemble(transformer, head), pictures, labels


def test_the_strength_is_the_one_with_the_least_log_loss_in_a_grouped_cross_validation() -> None:
    features, labels = make_features()
    groups = np.arange(40) // 2
    losses = dict.fromkeys(STRENGTHS, 0.0)
    for strength in STRENGTHS:
        for train, test in StratifiedGroupKFold(5, shuffle=True, random_state=0).split(features, labels, groups):
            tried = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=2000))
            tried.fit(features[train], [labels[i] for i in train])
            losses[strength] += log_loss([labels[i] for i in test], tried.predict_proba(features[test])) / 5
    head, strength = fit_head(features, labels, groups, STRENGTHS)
    assert strength == min(losses, key=lambda tried: losses[tried])
    assert strength == head["classifier"].C


def test_near_copies_in_one_fold_keep_it_from_learning_them_by_heart() -> None:
    # Noise with labels that follow from nothing, each row four times: only who sees copies can trust a strong fit.
    rows = np.random.default_rng(1).normal(size=(16, 30)).astype(np.float32)
    features, labels = np.repeat(rows, 4, axis=0), [("cat", "dog")[number % 2] for number in range(16) for _ in range(4)]
    _, together = fit_head(features, labels, np.arange(16).repeat(4), STRENGTHS)
    _, apart = fit_head(features, labels, np.arange(64), STRENGTHS)
    assert together == STRENGTHS[0]
    assert apart > together


def test_a_class_that_is_one_group_is_learned_without_a_choice() -> None:
    features, labels = make_features()
    groups = np.where(np.arange(40) % 2, 0, np.arange(40))
    head, strength = fit_head(features, labels, groups, STRENGTHS)
    assert strength == STRENGTHS[2] == head["classifier"].C
    assert head.score(features, labels) > 0.7


@pytest.mark.parametrize("fewest", [2, 3, 4])
def test_a_class_of_few_groups_is_chosen_for_in_as_many_folds(fewest: int) -> None:
    features, labels = make_features()
    groups = np.where(np.arange(40) % 2, np.arange(40) % (2 * fewest), 100 + np.arange(40))
    head, strength = fit_head(features, labels, groups, STRENGTHS)
    assert strength in STRENGTHS
    assert head.classes_.tolist() == ["cat", "dog"]


def test_the_head_is_the_same_each_time() -> None:
    features, labels = make_features()
    first, second = (fit_head(features, labels, np.arange(40), STRENGTHS) for _ in range(2))
    assert first[1] == second[1]
    assert np.array_equal(first[0].predict_proba(features), second[0].predict_proba(features))


def test_a_recipe_gives_what_its_transformer_takes(design: Design) -> None:
    row = design.recipe.array(decode(make_picture(size=(60, 31)), fit=design.recipe.size))
    assert row.shape == (design.recipe.height, design.recipe.width, 3)
    assert row.dtype == np.uint8
    assert row[0, 0].tolist() == [200, 30, 30]
    assert design.transformer().fit(row[np.newaxis]).transform(row[np.newaxis]).shape[0] == 1


def test_designs_are_found_by_their_names_and_share_no_state(design: Design) -> None:
    assert DESIGNS[design.name] is design
    assert list(design.strengths) == sorted(set(design.strengths))
    assert design.transformer() is not design.transformer()


def test_one_pipeline_goes_from_pictures_to_probabilities(learned: tuple[Pipeline, NDArray[Any], list[str]]) -> None:
    pipeline, pictures, labels = learned
    probabilities = pipeline.predict_proba(pictures)
    assert np.allclose(probabilities.sum(axis=1), 1)
    assert pipeline.classes_.tolist() == ["left", "right"]
    assert pipeline.predict(pictures).tolist() == labels
    assert np.array_equal(probabilities, pipeline[1:].predict_proba(pipeline[0].transform(pictures)))


def test_the_stored_pipeline_gives_the_same_answers(learned: tuple[Pipeline, NDArray[Any], list[str]]) -> None:
    pipeline, pictures, _ = learned
    opened = pickle.loads(pickle.dumps(pipeline, protocol=5))
    assert np.array_equal(opened.predict_proba(pictures), pipeline.predict_proba(pictures))


def test_a_clone_has_learned_nothing_and_learns_the_same(learned: tuple[Pipeline, NDArray[Any], list[str]]) -> None:
    pipeline, pictures, labels = learned
    copy = clone(pipeline)
    with pytest.raises(NotFittedError):
        check_is_fitted(copy[0])
    assert copy["classifier"].C == pipeline["classifier"].C
    fitted = copy.fit(pictures, labels)
    assert np.allclose(fitted.predict_proba(pictures), pipeline.predict_proba(pictures), atol=1e-6)
