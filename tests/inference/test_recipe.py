"""Recipes: a picture becomes the very numbers its model learned from."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from app.inference.recipe import Colour, Fit, Layout, Recipe, Scale
from tests.factories import make_image

RANGES = {"0-255": (0, 255), "0-1": (0, 1), "0-16": (0, 16), "-1-1": (-1, 1)}
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # as torchvision's documentation has them

sides = st.integers(1, 12)
recipes = st.builds(
    Recipe,
    width=sides,
    height=sides,
    fit=st.sampled_from(get_args(Fit)),
    colour=st.sampled_from(get_args(Colour)),
    scale=st.sampled_from(get_args(Scale)),
    layout=st.sampled_from(get_args(Layout)),
    invert=st.booleans(),
)


def noise(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def row(pixels: NDArray[np.uint8], recipe: Recipe) -> NDArray[np.generic]:
    return recipe.array(make_image(pixels))


def bands(*colours: tuple[int, int, int], across: int = 10, down: int = 10) -> NDArray[np.uint8]:
    """Draw vertical bands of one colour each."""
    return np.repeat(np.array([colours], np.uint8), across, axis=1).repeat(down, axis=0)


@given(recipe=recipes, height=sides, width=sides)
def test_every_recipe_gives_rows_of_its_shape_dtype_and_range(recipe: Recipe, height: int, width: int) -> None:
    given_pixels = noise(height, width)
    before = given_pixels.copy()
    result = row(given_pixels, recipe)
    assert result.shape == recipe.shape
    assert result.dtype == (np.uint8 if recipe.scale == "0-255" else np.float64)
    assert result.flags.c_contiguous
    low, high = RANGES.get(recipe.scale, (-np.inf, np.inf))
    assert np.isfinite(result).all()
    assert low <= float(result.min()) <= float(result.max()) <= high
    assert (given_pixels == before).all()


@given(recipe=recipes.filter(lambda recipe: recipe.scale in RANGES))
def test_white_and_black_are_the_ends_of_every_scale(recipe: Recipe) -> None:
    low, high = RANGES[recipe.scale]
    white, black = (row(np.full((7, 5, 3), level, np.uint8), recipe) for level in (255, 0))
    if recipe.fit == "pad":  # what is added beside a black picture is white
        assert np.isin(np.unique(black), (low, high)).all()
    else:
        assert (black == (high if recipe.invert else low)).all()
    assert (white == (low if recipe.invert else high)).all()


def test_a_picture_of_the_right_size_keeps_its_very_numbers() -> None:
    pixels = noise(6, 8)
    assert (row(pixels, Recipe(8, 6, scale="0-255", layout="height-width-channels")) == pixels).all()
    assert (row(pixels, Recipe(8, 6)) == (pixels / 255.0).reshape(-1)).all()


def test_scales_are_what_their_authors_divide_by() -> None:
    pixels = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    levels = np.arange(256).repeat(3)
    for scale, expected in (("0-1", levels / 255), ("0-16", levels / 255 * 16), ("-1-1", levels / 127.5 - 1)):
        assert np.allclose(row(pixels, Recipe(16, 16, scale=scale)), expected, rtol=0, atol=1e-12)  # type: ignore[arg-type]


def test_imagenet_takes_each_colour_by_its_own_mean_and_deviation() -> None:
    pixels = noise(4, 6)
    for colour, order in (("rgb", [0, 1, 2]), ("bgr", [2, 1, 0])):
        made = row(pixels, Recipe(6, 4, colour=colour, scale="imagenet", layout="height-width-channels"))  # type: ignore[arg-type]
        expected = (pixels / 255 - MEAN) / DEVIATION
        assert np.allclose(made, expected[:, :, order], rtol=0, atol=1e-12)
    grey = row(np.full((4, 6, 3), 128, np.uint8), Recipe(6, 4, colour="grey", scale="imagenet"))
    assert np.allclose(grey, (128 / 255 - np.mean(MEAN)) / np.mean(DEVIATION), rtol=0, atol=1e-12)


def test_standardising_takes_a_picture_by_its_own_mean_and_deviation() -> None:
    made = np.asarray(row(noise(6, 8), Recipe(8, 6, scale="standardised")), np.float64)
    assert (abs(made.mean()) < 1e-12, abs(made.std() - 1) < 1e-12) == (True, True)
    assert (row(np.full((6, 8, 3), 77, np.uint8), Recipe(8, 6, scale="standardised")) == 0).all()


@given(recipe=recipes.filter(lambda recipe: recipe.colour != "grey" and recipe.fit == "stretch"))
def test_levels_lead_back_to_the_picture(recipe: Recipe) -> None:
    pixels = noise(recipe.height, recipe.width)
    back = recipe.levels(np.asarray(row(pixels, recipe), np.float64)[np.newaxis])[0]
    again = row(np.clip(np.rint(back), 0, 255).astype(np.uint8), recipe)
    if recipe.scale == "standardised":  # brightness and contrast are lost, but nothing else
        assert np.corrcoef(back.ravel(), pixels.ravel().astype(float))[0, 1] > 0.999 or pixels.std() == 0
    else:
        assert np.allclose(again, row(pixels, recipe), rtol=0, atol=1e-9)


def test_inverting_comes_before_scaling() -> None:
    pixels = noise(4, 4)
    assert (row(pixels, Recipe(4, 4, scale="0-255", invert=True)) == 255 - pixels.reshape(-1)).all()
    assert np.allclose(row(pixels, Recipe(4, 4, invert=True)), (255 - pixels.reshape(-1)) / 255)


def test_colours_come_in_the_order_asked_for() -> None:
    pixels = np.full((2, 2, 3), (10, 20, 30), np.uint8)
    assert row(pixels, Recipe(2, 2, scale="0-255"))[:3].tolist() == [10, 20, 30]
    assert row(pixels, Recipe(2, 2, scale="0-255", colour="bgr"))[:3].tolist() == [30, 20, 10]


def test_grey_weighs_the_colours_as_itu_r_601_does() -> None:
    pixels = noise(5, 5)
    grey = row(pixels, Recipe(5, 5, scale="0-255", colour="grey"))
    weighed = pixels @ np.array([0.299, 0.587, 0.114])
    assert grey.shape == (25,)
    assert np.abs(grey.astype(float) - weighed.reshape(-1)).max() < 1


def test_layouts_hold_the_same_numbers_in_another_order() -> None:
    pixels = noise(3, 4)
    for layout, expected in (
        ("height-width-channels", pixels),
        ("channels-height-width", pixels.transpose(2, 0, 1)),
        ("flat", pixels.reshape(-1)),
        ("flat-channels-first", pixels.transpose(2, 0, 1).reshape(-1)),
    ):
        made = row(pixels, Recipe(4, 3, scale="0-255", layout=layout))  # type: ignore[arg-type]
        assert made.shape == expected.shape
        assert (made == expected).all()


def test_stretching_keeps_all_of_the_picture() -> None:
    red, green, blue = (200, 0, 0), (0, 200, 0), (0, 0, 200)
    made = row(bands(red, green, blue), Recipe(3, 3, scale="0-255", layout="height-width-channels"))
    assert made.argmax(axis=2).tolist() == [[0, 1, 2]] * 3


def test_cropping_keeps_the_middle_in_proportion() -> None:
    red, green, blue = (200, 0, 0), (0, 200, 0), (0, 0, 200)
    made = row(bands(red, green, blue), Recipe(5, 5, fit="crop", scale="0-255", layout="height-width-channels"))
    assert (made.argmax(axis=2) == 1).all()
    whole = row(bands(red, green, blue), Recipe(10, 10, fit="crop", scale="0-255", layout="height-width-channels"))
    assert (whole == green).all()


def test_padding_keeps_all_of_the_picture_in_proportion_on_white() -> None:
    picture = bands((200, 0, 0), across=20, down=10)
    recipe = Recipe(10, 10, fit="pad", scale="0-255", layout="height-width-channels")
    made = row(picture, recipe)
    assert (made[3:7] == (200, 0, 0)).all()
    assert (made[:2] == 255).all()
    assert (made[-2:] == 255).all()


@pytest.mark.parametrize(
    ("layout", "colour", "shape"),
    [
        ("flat", "rgb", (60,)),
        ("flat", "grey", (20,)),
        ("flat-channels-first", "bgr", (60,)),
        ("height-width-channels", "rgb", (4, 5, 3)),
        ("height-width-channels", "grey", (4, 5, 1)),
        ("channels-height-width", "bgr", (3, 4, 5)),
    ],
)
def test_tells_the_shape_of_its_rows(layout: Layout, colour: Colour, shape: tuple[int, ...]) -> None:
    assert Recipe(5, 4, layout=layout, colour=colour).shape == shape
