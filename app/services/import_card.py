"""The card of an imported model: what is known of it, and what nobody has told. What was proven stands in the manifest."""

from __future__ import annotations

from app.inference.package import Manifest
from app.intake.recipe_search import Trial
from app.services.version_report import describe_recipe, report_on


def write_import_card(manifest: Manifest, measured: Trial | None = None) -> str:
    """Give the card in Markdown; `measured` is what labelled samples said of how it is fed."""
    told = [] if manifest.source is None else manifest.source.differences
    answers = report_on(manifest).answers
    parts = [
        f"# {manifest.name}",
        manifest.summary,
        f"## How it is fed\n\nA picture is {describe_recipe(manifest.recipe)}.{_how_found(measured)}",
        *([f"## How it answers\n\n{answers}"] if answers else []),
        *(["## What differs from where it was made\n\n" + "\n".join(f"- {line}" for line in told)] if told else []),
        f"## What is not known\n\nWhich data it learned from, {'' if measured else 'how often it is right, '}and what it does "
        "with pictures of another kind: nobody has told.",
    ]
    return "\n\n".join(parts) + "\n"


def _how_found(measured: Trial | None) -> str:
    if measured is None:
        return ""
    low, high = measured.interval
    return (
        f" So fed, it was right on {measured.accuracy:.1%} of {len(measured.truth)} labelled samples that came with it "
        f"(95 % interval {low:.1%} to {high:.1%}); if it learned from these very pictures, it is less often right on others."
    )
