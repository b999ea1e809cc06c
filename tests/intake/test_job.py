"""What a conversion is given, as it is read from its message."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
from pydantic import ValidationError

from app.inference.recipe import Recipe
from app.intake.job import recipe_of, samples_of
from app.intake.wire import Message

RECIPE = Recipe(3, 2, fit="pad", colour="grey", scale="0-16", invert=True)


def test_the_recipe_comes_as_it_was_sent() -> None:
    assert recipe_of(Message({"recipe": asdict(RECIPE)})) == RECIPE


def test_a_recipe_that_is_none_is_refused() -> None:
    with pytest.raises(ValidationError):
        recipe_of(Message({"recipe": {**asdict(RECIPE), "colour": "sepia"}}))


def test_samples_come_as_they_were_sent() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 2, 3, 3), dtype=np.uint8)
    assert np.array_equal(samples_of(Message({}, {"samples": pixels.tobytes()}), RECIPE), pixels)


@pytest.mark.parametrize("content", [b"", b"less than a picture"[:17]])
def test_without_a_whole_picture_there_is_none(content: bytes) -> None:
    assert samples_of(Message({}, {"samples": content}), RECIPE).shape == (0, 2, 3, 3)
    assert samples_of(Message({}), RECIPE).shape == (0, 2, 3, 3)
