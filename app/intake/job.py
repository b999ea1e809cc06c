"""What a conversion is given: read from the message that carries it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from app.inference.recipe import Recipe
from app.intake.wire import Message

_RECIPES = TypeAdapter(Recipe)


def recipe_of(job: Message) -> Recipe:
    """Give the recipe of the model."""
    return _RECIPES.validate_python(job.values["recipe"])


def samples_of(job: Message, recipe: Recipe) -> NDArray[np.uint8]:
    """Give the sample pictures, shape (n, height, width, 3); perhaps none."""
    shape = (recipe.height, recipe.width, 3)
    content = job.blobs.get("samples", b"")
    whole = len(content) // math.prod(shape) * math.prod(shape)
    return np.frombuffer(content[:whole], np.uint8).reshape(-1, *shape)
