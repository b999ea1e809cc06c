"""The search for a recipe on all forty classifiers whose recipe is known; a fifth of them is looked for in every run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes import HereSandbox
from tests.intake.recipes import CASES, outcomes
from tests.intake.test_recipes import assert_honest


@pytest.mark.pets
def test_most_of_the_forty_are_decided_and_all_of_those_rightly(pets: Path) -> None:
    found = list(outcomes(CASES, HereSandbox(), pets))
    assert_honest(found)
    decided = sum(outcome.decided for outcome in found)
    print(f"\n{decided} of {len(found)} decided")
    assert decided >= 30
