"""The shape of a graph's input tells the size, the colours and the layout; what was said must agree with it."""

from __future__ import annotations

from typing import Any

import pytest

from app.errors import InvalidRequest
from app.intake.graph_input import GraphInput, read_input
from app.intake.recipe_guess import RecipeWish


@pytest.mark.parametrize(
    ("shape", "said", "size", "colour", "layout", "note"),
    [
        ((3, 20, 30), {}, "30x20", "rgb", "channels-height-width", "(3, 20, 30): rgb pictures of 30x20, colours first."),
        ((3, 20, 30), {"colour": "bgr"}, "30x20", "bgr", "channels-height-width", "(3, 20, 30): bgr pictures"),
        ((20, 30, 3), {"size": "30x20"}, "30x20", "rgb", "height-width-channels", "colours last."),
        ((1, 28, 28), {}, "28x28", "grey", "channels-height-width", "grey pictures of 28x28, colours first."),
        ((28, 28, 1), {"colour": "grey"}, "28x28", "grey", "height-width-channels", "grey pictures of 28x28, colours last."),
        ((None, None, None), {"size": "8x8"}, "8x8", "rgb", "channels-height-width", "(any, any, any): rgb pictures of 8x8"),
        ((None, 8, 8), {"colour": "grey"}, "8x8", "grey", "channels-height-width", "grey pictures of 8x8, colours first."),
        ((8, 8, None), {}, "8x8", "rgb", "height-width-channels", "colours last."),
        ((3, None, None), {"size": "64x48"}, "64x48", "rgb", "channels-height-width", "(3, any, any): rgb pictures of 64x48"),
    ],
)
def test_a_pictures_shape_tells_all_but_the_scale(
    shape: tuple[int | None, ...], said: dict[str, Any], size: str, colour: str, layout: str, note: str
) -> None:
    seen = read_input(shape, RecipeWish(**said, scale="imagenet", fit="crop"))
    assert (seen.wish.size, seen.wish.colour, seen.layout, seen.n_features) == (size, colour, layout, None)
    assert (seen.wish.scale, seen.wish.fit) == ("imagenet", "crop")
    assert len(seen.notes) == 1
    assert seen.notes[0].startswith("Seen from its input of (")
    assert note in seen.notes[0]


@pytest.mark.parametrize(("shape", "n_features"), [((64,), 64), ((None,), None), (None, None)])
def test_a_flat_row_tells_its_length_alone(shape: tuple[int | None, ...] | None, n_features: int | None) -> None:
    wish = RecipeWish(colour="grey")
    assert read_input(shape, wish) == GraphInput(wish, "flat", n_features)
    assert read_input(shape, wish, "flat-channels-first").layout == "flat-channels-first"


def test_what_was_said_of_the_layout_decides_where_both_ends_could_hold_the_colours() -> None:
    assert read_input((3, 5, 3), RecipeWish()).layout == "channels-height-width"
    seen = read_input((3, 5, 3), RecipeWish(), "height-width-channels")
    assert (seen.layout, seen.wish.size) == ("height-width-channels", "5x3")


@pytest.mark.parametrize(
    ("shape", "said", "layout", "sentence"),
    [
        ((3, 20, 30), {"size": "20x30"}, None, "The graph takes pictures of 30x20, not of 20x30."),
        ((3, 20, 30), {"colour": "grey"}, None, "The graph takes 3 colours a picture, which is not grey."),
        ((1, 20, 30), {"colour": "rgb"}, None, "The graph takes 1 colour a picture, which is not rgb."),
        ((3, None, 30), {}, None, "say with --size which it learned from."),
        ((4, 20, 30), {}, None, r"rows of the shape \(4, 20, 30\), which is not a picture's: colours, 1 or 3, stand neither"),
        ((28, 28), {}, None, r"rows of the shape \(28, 28\), which is not a picture's"),
        ((3, 20, 30), {}, "height-width-channels", r"shape \(3, 20, 30\), which is not height-width-channels."),
        ((3, 20, 30), {}, "flat", r"shape \(3, 20, 30\), which is not flat."),
    ],
)
def test_what_does_not_agree_is_told(shape: tuple[int | None, ...], said: dict[str, Any], layout: Any, sentence: str) -> None:
    with pytest.raises(InvalidRequest, match=sentence):
        read_input(shape, RecipeWish(**said), layout)
