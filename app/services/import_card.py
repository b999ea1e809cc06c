"""The card of an imported model: what is known of it, which is what was proven, and what is not."""

from __future__ import annotations

from app.inference.package import Manifest

_HOW = {
    "predict_proba": "Probabilities are the classifier's own.",
    "decision_function": (
        "The classifier gives no probabilities. What is shown are its decision values, brought to a sum of 1: "
        "the order is its own, the height is not how often it is right."
    ),
    "predict": "The classifier gives a label only: it is shown as certain, which it is not.",
}


def write_import_card(manifest: Manifest) -> str:
    """Give the card in Markdown."""
    parts = [f"# {manifest.name}\n\n{manifest.summary}", f"## How it is fed\n\n{_recipe(manifest)} {_HOW[manifest.answers]}"]
    if manifest.source is not None:
        lines = [f"- {line}" for line in manifest.source.differences]
        held = ", ".join(manifest.source.confinement)
        parts.append("\n".join(["## Where it came from", "", f"Opened once, confined by: {held}.", "", *lines]).strip())
    parts.append(
        "## What is not known\n\nWhich data it learned from, how often it is right, and what it does with pictures of "
        "another kind: nobody has told."
    )
    return "\n\n".join(parts) + "\n"


def _recipe(manifest: Manifest) -> str:
    recipe = manifest.recipe
    colour = {"grey": "grey", "rgb": "RGB", "bgr": "BGR"}[recipe.colour]
    return f"A picture is brought to {recipe.width} by {recipe.height} pixels, {colour}, levels {recipe.scale}."
