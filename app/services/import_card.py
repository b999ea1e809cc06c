"""The card of an imported model: what is known of it, and what nobody has told. What was proven stands in the manifest."""

from __future__ import annotations

from app.inference.package import Manifest
from app.services.version_report import describe_recipe, report_on


def write_import_card(manifest: Manifest) -> str:
    """Give the card in Markdown."""
    told = [] if manifest.source is None else manifest.source.differences
    answers = report_on(manifest).answers
    parts = [
        f"# {manifest.name}",
        manifest.summary,
        f"## How it is fed\n\nA picture is {describe_recipe(manifest.recipe)}.",
        *([f"## How it answers\n\n{answers}"] if answers else []),
        *(["## What differs from where it was made\n\n" + "\n".join(f"- {line}" for line in told)] if told else []),
        "## What is not known\n\nWhich data it learned from, how often it is right, and what it does with pictures of another "
        "kind: nobody has told.",
    ]
    return "\n\n".join(parts) + "\n"
