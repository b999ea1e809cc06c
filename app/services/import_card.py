"""The card of an imported model: what is known of it, which is what was proven, and what is not."""

from __future__ import annotations

from app.inference.package import Manifest
from app.inference.provenance import Candidate, Proof

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
    if manifest.proof is not None:
        parts.append(f"## Proof\n\n{_proof(manifest, manifest.proof)}")
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


def _proof(manifest: Manifest, proof: Proof) -> str:
    head = "| form | same labels | largest difference | one picture, ms | 32 pictures, ms | |\n|---|---|---|---|---|---|\n"
    original = (
        f"| as it came | {proof.pictures} of {proof.pictures} | | {proof.source_one_ms:g} | {proof.source_batch_ms:g} | |\n"
    )
    rows = "".join(_row(proof, candidate, candidate.runtime == manifest.runtime) for candidate in proof.candidates)
    weak = (
        f"**Weak proof.** Some class is among them only {proof.rarest} times, so it is served as it is. " if proof.weak else ""
    )
    compared = f"{weak}Compared on {proof.pictures} pictures, of every class at least {proof.rarest}."
    return f"{compared}\n\n{head}{original}{rows}".rstrip()


def _row(proof: Proof, candidate: Candidate, served: bool) -> str:
    if candidate.largest_difference is None:
        return f"| {candidate.runtime} | | | | | {_cell(candidate.refused)} |\n"
    note = "**served**" if served else _cell(candidate.refused)
    return (
        f"| {candidate.runtime} | {candidate.labels_equal} of {proof.pictures} | {candidate.largest_difference:.1e} "
        f"| {candidate.one_ms:g} | {candidate.batch_ms:g} | {note} |\n"
    )


def _cell(text: str) -> str:
    # A library's words about a stranger's file: no markup of theirs may count.
    plain = "".join(letter if letter.isalnum() or letter in " .,:;%'()-" else " " for letter in text)
    return " ".join(plain.split())
