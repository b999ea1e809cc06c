"""What a classifier may have been fed, and when samples leave no doubt."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from app.inference.recipe import Recipe
from app.intake.recipe_search import FEWEST_SAMPLES, KnownParts, Trial, judge, variants


def sizes(features: int | None, known: KnownParts | None = None) -> set[tuple[int, int, str]]:
    found = variants(features, None, known or KnownParts())
    return {(recipe.width, recipe.height, "grey" if recipe.colour == "grey" else "colour") for recipe in found}


def trial(recipe: Recipe, right: int, samples: int, seed: int = 0) -> Trial:
    """A way that answers so many samples right, two classes, each with a certainty of its own."""
    truth = np.arange(samples) % 2
    answers = np.where(np.arange(samples) < right, truth, 1 - truth)
    sure = np.random.default_rng(seed).uniform(0.6, 0.9, samples)
    return Trial(recipe, np.stack([np.where(answers == k, sure, 1 - sure) for k in (0, 1)], axis=1), truth)


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        (12_288, {(64, 64, "colour"), (128, 96, "grey"), (96, 128, "grey")}),
        (784, {(28, 28, "grey")}),
        (64, {(8, 8, "grey")}),
        (14_400, {(120, 120, "grey"), (80, 60, "colour"), (60, 80, "colour"), (160, 90, "grey"), (90, 160, "grey")}),
        (1_000, set()),
        (None, set()),
    ],
)
def test_a_number_of_features_stands_for_pictures_of_usual_shapes(features: int | None, expected: set[object]) -> None:
    assert sizes(features) == expected


def test_a_size_that_was_said_is_taken_where_it_fits() -> None:
    assert sizes(12_288, KnownParts(size=(64, 64))) == {(64, 64, "colour")}
    assert sizes(1_000, KnownParts(size=(50, 20))) == {(50, 20, "grey")}
    assert sizes(1_000, KnownParts(size=(9, 9))) == set()
    assert sizes(None, KnownParts(size=(9, 9))) == {(9, 9, "grey"), (9, 9, "colour")}


def test_every_part_is_tried_and_the_usual_comes_first() -> None:
    found = variants(192, None, KnownParts(size=(8, 8)))
    assert found[0] == Recipe(8, 8)
    assert len(found) == len(set(found)) == 2 * 2 * 2 * 3 * 6
    assert {recipe.colour for recipe in found} == {"rgb", "bgr"}
    assert {recipe.layout for recipe in found} == {"flat", "flat-channels-first"}


def test_what_was_said_is_not_tried_otherwise() -> None:
    known = KnownParts(size=(8, 8), colour="bgr", scale="imagenet", fit="pad", layout="flat", invert=False)
    assert variants(192, None, known) == (Recipe(8, 8, "pad", "bgr", "imagenet"),)
    assert variants(64, None, known) == ()


@pytest.mark.parametrize(
    ("shape", "known", "layouts"),
    [
        ((3, 32, 48), KnownParts(), {("channels-height-width", 48, 32)}),
        ((32, 48, 3), KnownParts(), {("height-width-channels", 48, 32)}),
        ((1, 28, 28), KnownParts(), {("channels-height-width", 28, 28)}),
        ((3, 3, 3), KnownParts(), {("channels-height-width", 3, 3), ("height-width-channels", 3, 3)}),
        ((3, None, None), KnownParts(size=(20, 10)), {("channels-height-width", 20, 10)}),
        ((3, None, None), KnownParts(), set()),
        ((7, 8, 9), KnownParts(), set()),
        ((192,), KnownParts(), {("flat", 8, 8), ("flat-channels-first", 8, 8), ("flat", 16, 12), ("flat", 12, 16)}),
    ],
)
def test_a_shape_tells_where_the_channels_are(
    shape: Sequence[int | None], known: KnownParts, layouts: set[tuple[str, int, int]]
) -> None:
    assert {(recipe.layout, recipe.width, recipe.height) for recipe in variants(None, shape, known)} == layouts


def test_a_way_that_stands_out_is_chosen() -> None:
    good, poor = Recipe(8, 8), Recipe(8, 8, scale="0-255")
    finding = judge([trial(poor, 60, 100), trial(good, 95, 100)])
    assert (finding.chosen, finding.rivals) == (good, ())
    assert [seen.recipe for seen in finding.trials] == [good, poor]
    assert finding.reason == "95.0% of 100 samples are right, at least 88.8% with 95 % certainty; the next best way has 60.0%."


def test_a_way_that_is_nearly_as_good_is_a_rival_and_nothing_is_chosen() -> None:
    finding = judge([trial(Recipe(8, 8), 95, 100), trial(Recipe(8, 8, "crop"), 90, 100, seed=1)])
    assert finding.chosen is None
    assert [rival.recipe.fit for rival in finding.rivals] == ["crop"]
    assert finding.reason == "2 ways answer too nearly as well as each other to be told apart by 100 samples."


def test_ways_that_answer_the_same_are_no_rivals_and_the_usual_one_is_taken() -> None:
    finding = judge([trial(Recipe(8, 8), 95, 100), trial(Recipe(8, 8, "crop"), 95, 100)])
    assert finding.chosen == Recipe(8, 8)
    assert finding.reason == "95.0% of 100 samples are right, at least 88.8% with 95 % certainty."


def test_equal_labels_with_other_probabilities_are_rivals() -> None:
    finding = judge([trial(Recipe(8, 8), 100, 100), trial(Recipe(8, 8, scale="0-255"), 100, 100, seed=1)])
    assert finding.chosen is None


def test_few_samples_decide_nothing() -> None:
    few = FEWEST_SAMPLES - 1
    finding = judge([trial(Recipe(8, 8), few, few), trial(Recipe(8, 8, "crop"), 0, few)])
    assert finding.chosen is None
    assert finding.reason == "29 samples are too few to decide by: it takes 30."


def test_the_interval_is_wilsons() -> None:
    # Newcombe, Statistics in Medicine 17, 1998, table I: 81 of 263 has 0.2553 to 0.3662, 15 of 148 has 0.0624 to 0.1605.
    for right, samples, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605)):
        assert trial(Recipe(8, 8), right, samples).interval == pytest.approx((low, high), abs=5e-5)
