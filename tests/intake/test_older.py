"""Model files of older scikit-learn: opened today they answer as they did then, or are refused with the reason."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.config import TREE
from app.errors import UnsafeModel
from app.inference.recipe import Recipe
from app.intake.scan import scan
from app.intake.source import read_source
from app.intake.source_model import SourceModel
from app.intake.unpickling import open_listed

RECIPE = Recipe(8, 8, colour="grey", scale="0-1")
FOLDER = TREE / "tests" / "data" / "models"
FILES = sorted([*FOLDER.glob("*/*.pkl"), *FOLDER.glob("*/*.joblib")])
# Its losses lived in a module that is gone.
GONE = FOLDER / "sklearn-1.3.2" / "boosting.pkl"

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.InconsistentVersionWarning")


def test_there_are_files_of_three_times() -> None:
    assert len(FILES) == 27
    assert {file.parent.name for file in FILES} == {"sklearn-1.3.2", "sklearn-1.5.2", "sklearn-1.7.2"}


@pytest.mark.parametrize("file", [file for file in FILES if file != GONE], ids=lambda file: f"{file.parent.name}/{file.name}")
def test_it_answers_as_it_did_where_it_was_written(file: Path) -> None:
    source = read_source(file)
    report = scan(source)
    assert report.refused == ()
    assert report.libraries["scikit-learn"] == file.parent.name.removeprefix("sklearn-")
    model = SourceModel(open_listed(source.body), RECIPE)
    with np.load(file.parent / "expected.npz") as expected:
        assert np.abs(model.probabilities(expected["rows"]) - expected[file.name]).max() < 1e-12
    repaired = file.parent.name == "sklearn-1.3.2" and file.name in ("forest.pkl", "hist-boosting.pkl")
    assert bool(model.repairs) == repaired


def test_what_names_a_module_that_is_gone_is_refused_with_the_way_out() -> None:
    with pytest.raises(UnsafeModel, match="MultinomialDeviance was part of an older library and is gone today: save the model"):
        open_listed(read_source(GONE).body)
