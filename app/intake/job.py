"""What a conversion is given: read from the message that carries it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from app.inference.recipe import Recipe
from app.intake.wire import Message

_RECIPE, _RECIPES = TypeAdapter(Recipe), TypeAdapter(list[Recipe])


def recipe_of(job: Message) -> Recipe:
    """Give the recipe of the model."""
    return _RECIPE.validate_python(job.values["recipe"])


def recipes_of(job: Message) -> list[Recipe]:
    """Give the recipes that are to be tried."""
    return _RECIPES.validate_python(job.values["recipes"])


def samples_of(job: Message, recipe: Recipe) -> NDArray[np.uint8]:
    """Give the sample pictures, shape (n, height, width, 3); perhaps none."""
    return _pictures(job.blobs.get("samples", b""), recipe)


def name_of_view(recipe: Recipe) -> str:
    """Give the name of the blob that holds the samples as a recipe sees them, before their levels are changed."""
    return f"{recipe.width}x{recipe.height} {recipe.fit}"


def view_of(job: Message, recipe: Recipe) -> NDArray[np.uint8]:
    """Give the samples as a recipe sees them, shape (n, height, width, 3)."""
    return _pictures(job.blobs[name_of_view(recipe)], recipe)


def _pictures(content: bytes, recipe: Recipe) -> NDArray[np.uint8]:
    shape = (recipe.height, recipe.width, 3)
    whole = len(content) // math.prod(shape) * math.prod(shape)
    return np.frombuffer(content[:whole], np.uint8).reshape(-1, *shape)
