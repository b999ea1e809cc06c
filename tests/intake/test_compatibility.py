"""Every classifier of scikit-learn and the usual pipelines: imported with equal labels, or refused with a reason."""

from __future__ import annotations

import pickle
import re

import numpy as np
import pytest

from app.config import TREE
from app.errors import InvalidModel
from app.inference.recipe import Recipe
from app.services.conversion import ConversionService
from tests.fakes import HereSandbox
from tests.intake.classifiers import SEVERAL_ANSWERS, Case, cases, fitted

RECIPE = Recipe(8, 8, colour="grey", scale="0-1")
NO_SAMPLES = np.empty((0, 8, 8, 3), np.uint8)
CASES = list(cases())
# The last brings scorers along, which nobody has read yet for what a stranger's arguments could make of them.
REFUSED = {
    **dict.fromkeys(SEVERAL_ANSWERS, "more than one answer"),
    "TunedThresholdClassifierCV": r"would use sklearn\.metrics\._scorer",
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_is_imported_with_equal_labels_or_refused_with_a_reason(case: Case) -> None:
    conversion = ConversionService(sandbox=HereSandbox())
    pickled = pickle.dumps(fitted(case))
    if case.name in REFUSED:
        with pytest.raises(InvalidModel, match=REFUSED[case.name]):
            conversion.convert(pickled, "pickle", RECIPE, NO_SAMPLES)
        return
    converted, _ = conversion.convert(pickled, "pickle", RECIPE, NO_SAMPLES)
    proof = converted.proof
    assert proof is not None
    assert proof.pictures >= 256
    assert proof.weak or proof.rarest >= 8
    served = next(c for c in proof.candidates if c.runtime == converted.runtime)
    assert served.labels_equal == proof.pictures
    assert served.largest_difference is not None
    assert served.largest_difference <= proof.tolerance
    assert not proof.weak or converted.runtime == "sklearn"


def test_of_twenty_classifiers_nineteen_are_imported() -> None:
    assert len(REFUSED) <= 0.05 * len(CASES)


def test_the_documented_table_names_each_and_says_the_same() -> None:
    page = (TREE / "docs" / "compatibility.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| ([^|]+?) \|[^|]*\| ([^|]+?) \|", page, re.MULTILINE))
    assert {case.name for case in CASES} <= told.keys()
    assert {case.name for case in CASES if told[case.name] == "refused"} == REFUSED.keys()
