"""The search for a recipe on forty classifiers whose recipe is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes import HereSandbox
from tests.intake.recipes import CASES, CLASSIFIERS, outcomes


def test_the_forty_differ_in_everything_a_recipe_holds() -> None:
    assert len(set(CASES)) == 40
    assert {case.classifier for case in CASES} == set(CLASSIFIERS)
    assert {case.recipe.scale for case in CASES} == {"0-1", "0-255", "0-16", "-1-1", "imagenet", "standardised"}
    assert {case.recipe.colour for case in CASES} == {"rgb", "bgr", "grey"}
    assert {case.recipe.layout for case in CASES} == {"flat", "flat-channels-first"}
    assert {case.recipe.fit for case in CASES} == {"stretch", "crop", "pad"}
    assert {case.recipe.invert for case in CASES} == {True, False}
    assert len({case.recipe.size for case in CASES}) >= 10


@pytest.mark.pets
def test_whatever_is_decided_is_right_and_most_are(pets: Path) -> None:
    found = list(outcomes(CASES, HereSandbox(), pets))
    assert [outcome.case for outcome in found if outcome.decided and not outcome.right] == []
    assert sum(outcome.decided for outcome in found) >= 30
    # What is asked is asked with the right way among those that are offered.
    for outcome in found:
        if not outcome.decided:
            likely = outcome.finding.trials[: 1 + len(outcome.finding.rivals)]
            assert outcome.case.recipe in {trial.recipe for trial in likely}, outcome.case
