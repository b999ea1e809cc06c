"""The search for a recipe on forty classifiers whose recipe is known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.fakes import HereSandbox
from tests.intake.recipes import CASES, CLASSIFIERS, Outcome, outcomes
from tests.sampling import sample, sampled


def test_the_forty_differ_in_everything_a_recipe_holds() -> None:
    assert len(set(CASES)) == 40
    assert {case.classifier for case in CASES} == set(CLASSIFIERS)
    assert {case.recipe.scale for case in CASES} == {"0-1", "0-255", "0-16", "-1-1", "imagenet", "standardised"}
    assert {case.recipe.colour for case in CASES} == {"rgb", "bgr", "grey"}
    assert {case.recipe.layout for case in CASES} == {"flat", "flat-channels-first"}
    assert {case.recipe.fit for case in CASES} == {"stretch", "crop", "pad"}
    assert {case.recipe.invert for case in CASES} == {True, False}
    assert len({case.recipe.size for case in CASES}) >= 10


@sampled
@pytest.mark.pets
def test_most_are_decided_and_all_of_those_rightly_and_the_others_are_asked_with_the_right_way(pets: Path) -> None:
    found = list(outcomes(sample(CASES, 10), HereSandbox(), pets))
    assert_honest(found)
    decided = sum(outcome.decided for outcome in found)
    print(f"\n{decided} of {len(found)} decided")
    assert decided >= len(found) * 0.75


def assert_honest(found: Sequence[Outcome]) -> None:
    """See that what was decided is right, and that what is asked has the right way among those that are offered."""
    assert [outcome.case for outcome in found if outcome.decided and not outcome.right] == []
    for outcome in found:
        if not outcome.decided:
            likely = outcome.finding.trials[: 1 + len(outcome.finding.rivals)]
            assert outcome.case.recipe in {trial.recipe for trial in likely}, outcome.case
