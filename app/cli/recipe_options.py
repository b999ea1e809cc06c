"""What may be said of a model file, in every command that imports one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, get_args

import click

from app.inference.recipe import Layout, Scale
from app.intake.recipe_guess import RecipeWish
from app.services.importing import Given

_Function = TypeVar("_Function", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--size", metavar="WxH", help="Size of the pictures it was trained on, e.g. 32x32, where the file does not tell."
    ),
    click.option("--colour", type=click.Choice(["rgb", "bgr", "grey"]), help="Order of the colours."),
    click.option(
        "--scale", type=click.Choice(get_args(Scale)), help="Levels as it learned them, from black to white; 0-1 by default."
    ),
    click.option(
        "--fit",
        type=click.Choice(["stretch", "crop", "pad"]),
        help="How a picture of another shape comes to that size; stretched by default.",
    ),
    click.option("--layout", type=click.Choice(get_args(Layout)), help="How its numbers stand in a row; flat by default."),
    click.option("--invert/--no-invert", default=None, help="Whether it learned negatives of the pictures."),
    click.option("--labels", default="", metavar="A,B,...", help="Names of the classes, in the classifier's order."),
    click.option(
        "--samples",
        type=click.Path(path_type=Path, file_okay=False, exists=True),
        help="A folder of pictures to prove it on; with a folder a class, or a labels.csv, they show how it was fed.",
    ),
    click.option("--trust", default="", metavar="sha256:...", help="The file's digest: says that you vouch for what is in it."),
    click.option(
        "--code", type=click.Path(path_type=Path, file_okay=False, exists=True), help="A folder of modules that the file needs."
    ),
    click.option("--weak-sandbox", is_flag=True, help="Open the file even where this system cannot confine what opens it."),
)


def recipe_options(function: _Function) -> _Function:
    """Give a command these options; it passes all but `weak_sandbox` on to `given`."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def given(file: Path, name: str, *, labels: str, samples: Path | None, trust: str, code: Path | None, **wish: Any) -> Given:
    """Give what is to be imported as the service takes it."""
    return Given(
        file,
        name,
        wish=RecipeWish(**wish),
        labels=tuple(label.strip() for label in labels.split(",") if label.strip()),
        samples=samples,
        trust=trust,
        code=code,
    )
