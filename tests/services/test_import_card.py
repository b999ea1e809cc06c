"""The card of an imported model: how it is fed, what differs from where it was made, and what nobody knows."""

from __future__ import annotations

from app.services.import_card import write_import_card
from tests.factories import make_manifest, make_source


def test_what_differs_is_listed() -> None:
    card = write_import_card(make_manifest(summary="A tree.", source=make_source(differences=("Made with 1.3.", "Repaired."))))
    assert card.startswith(
        "# shade\n\nA tree.\n\n## How it is fed\n\nA picture is stretched to 2 × 2 pixels; RGB; 0 to 1; one flat row."
    )
    assert "## What differs from where it was made\n\n- Made with 1.3.\n- Repaired.\n" in card
    assert card.endswith("nobody has told.\n")


def test_how_it_answers_is_told_where_the_figures_are_not_its_own() -> None:
    card = write_import_card(make_manifest(answers="logits"))
    assert "## How it answers\n\nThe network gives logits; what is shown is their softmax.\n" in card
    assert "How it answers" not in write_import_card(make_manifest())


def test_where_nothing_differs_nothing_is_said() -> None:
    for source in (None, make_source(differences=())):
        assert "differs" not in write_import_card(make_manifest(source=source))
