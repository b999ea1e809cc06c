"""The recipe of a file: what was said first, then what the number of features leaves no doubt about."""

from __future__ import annotations

from typing import Any

import pytest

from app.errors import InvalidRequest
from app.inference.recipe import Recipe
from app.intake.recipe_guess import RecipeWish, recipe_for
from app.intake.scan import Report


def recipe(features: int | None, estimators: tuple[str, ...] = (), **said: Any) -> Recipe:
    return recipe_for(Report(estimators, n_features=features), RecipeWish(**said))[0]


@pytest.mark.parametrize(
    ("features", "said", "expected"),
    [
        (64, {}, Recipe(8, 8, colour="grey")),
        (3072, {}, Recipe(32, 32)),
        (3072, {"colour": "bgr"}, Recipe(32, 32, colour="bgr")),
        (3072, {"size": "64x48", "colour": "grey"}, Recipe(64, 48, colour="grey")),
        (3072, {"size": "64x48"}, Recipe(64, 48, colour="grey")),
        (9216, {"size": "64x48"}, Recipe(64, 48)),
        (None, {"size": "8x8", "scale": "0-16", "fit": "pad"}, Recipe(8, 8, scale="0-16", fit="pad")),
    ],
)
def test_what_leaves_no_doubt_is_concluded(features: int | None, said: dict[str, Any], expected: Recipe) -> None:
    assert recipe(features, **said) == expected


@pytest.mark.parametrize(
    ("features", "said"),
    [(65, {}), (None, {}), (64, {"colour": "rgb"}), (3072, {"colour": "grey"}), (0, {}), (3, {"colour": "grey"})],
)
def test_where_no_one_square_fits_the_size_is_asked_for(features: int | None, said: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match=r"say the size of the pictures with --size\.$"):
        recipe(features, **said)


@pytest.mark.parametrize("size", ["", "8", "8*8", "0x8", "8x0", "-8x8", "8x8x3", "99999x1"])
def test_a_size_that_is_none_is_told(size: str) -> None:
    with pytest.raises(InvalidRequest, match="is no size: write it like 32x32"):
        recipe(64, size=size)


def test_what_was_concluded_is_said() -> None:
    notes = recipe_for(Report(n_features=64), RecipeWish())[1]
    assert notes == [
        "Seen from its 64 features: grey pictures of 8x8.",
        "Levels are taken as 0-1; if it learned others, say which (--scale).",
    ]
    assert recipe_for(Report(n_features=64), RecipeWish("8x8", "grey", "0-1"))[1] == []


def test_transformers_of_our_own_see_levels_in_bytes() -> None:
    assert recipe(3072, ("Pipeline", "FlatPixels", "LogisticRegression")) == Recipe(32, 32, scale="0-255")
