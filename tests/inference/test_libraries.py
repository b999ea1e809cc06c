"""The libraries a model was made with, and what is told where they differ."""

from __future__ import annotations

import numpy as np
import sklearn

from app.inference.libraries import differences, installed


def test_records_the_versions_that_are_installed() -> None:
    found = installed()
    assert (found["numpy"], found["scikit-learn"]) == (np.__version__, sklearn.__version__)


def test_tells_nothing_of_the_same_versions() -> None:
    assert differences(installed()) == []


def test_the_last_part_of_a_version_makes_no_difference() -> None:
    first, second, *_ = np.__version__.split(".")
    assert differences({"numpy": f"{first}.{second}.999"}) == []


def test_tells_each_library_of_another_version_in_a_sentence() -> None:
    sentences = differences({"numpy": "1.26.4", "scikit-learn": "0.24.2", "scipy": installed()["scipy"]})
    assert sentences == [
        f"Made with numpy 1.26.4; this site runs {np.__version__}.",
        f"Made with scikit-learn 0.24.2; this site runs {sklearn.__version__}.",
    ]


def test_tells_nothing_of_a_library_that_is_not_here() -> None:
    assert differences({"no-such-library": "1.0"}) == []
