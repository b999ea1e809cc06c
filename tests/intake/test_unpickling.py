from __future__ import annotations

import pickle
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.errors import InvalidModel, UnsafeModel, VitrineError
from app.intake.source import read_source, recognise
from app.intake.unpickling import open_listed
from tests.intake.hostile_files import BYTES, described
from tests.intake.kept import KEPT, ROWS, dumped, good, others, pipeline
from tests.intake.opcodes import call, named, pickled

# Opened by today's library, each warns of its age.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.InconsistentVersionWarning")
GONE = ("sklearn-1.3.2", "boosting.pkl")


def digest_of(model: Any) -> str:
    # A generator of random numbers has another digest each time.
    vars(model).pop("_random_state", None)
    return str(joblib.hash(model))


@pytest.mark.parametrize("protocol", range(6))
def test_what_is_opened_answers_exactly_as_the_original(protocol: int) -> None:
    for model in (pipeline(), *others()):
        for content in (pickle.dumps(model, protocol=protocol), dumped(model, protocol), dumped(model, protocol, compress=3)):
            opened: Any = open_listed(recognise("model", content).body)
            assert type(opened) is type(model)
            assert opened.predict(ROWS).tolist() == model.predict(ROWS).tolist()
            method = "predict_proba" if hasattr(model, "predict_proba") else "decision_function"
            assert np.array_equal(getattr(opened, method)(ROWS), getattr(model, method)(ROWS))


@pytest.mark.parametrize("path", KEPT, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_kept_file_opens_to_what_joblib_opens_it_to(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The name that compiled losses had when they were saved.
    monkeypatch.setitem(sys.modules, "_loss", import_module("sklearn._loss._loss"))
    body = read_source(path).body
    if (path.parent.name, path.name) == GONE:
        with pytest.raises(UnsafeModel, match="was part of an older library and is gone today"):
            open_listed(body)
    else:
        assert digest_of(open_listed(body)) == digest_of(joblib.load(path))


def test_a_name_that_is_not_on_the_list_is_told() -> None:
    with pytest.raises(UnsafeModel, match=r"would use os\.system, which a trained classifier does not need") as caught:
        open_listed(pickled(call("os:system", "true")))
    assert caught.value.names == ("os.system",)


def test_what_goes_on_after_its_end_is_refused() -> None:
    for content in (pickle.dumps(pipeline()), dumped(pipeline())):
        with pytest.raises(InvalidModel, match="goes on after its end"):
            open_listed(content + b"\x80\x04N.")


def test_the_file_may_not_bring_its_own_way_to_read_an_array() -> None:
    body = b"\x80\x04" + described(BYTES, 2, read=named("builtins:str"), nested=named("builtins:str")) + b"ab."
    opened = open_listed(body)
    assert isinstance(opened, np.ndarray)
    assert opened.tolist() == [97, 98]


@pytest.mark.parametrize("way", ["REDUCE", "OBJ", "newObj"])
def test_a_description_of_an_array_is_made_as_joblib_makes_it_or_not_at_all(way: str) -> None:
    name = named("joblib.numpy_pickle:NumpyArrayWrapper")
    held = {
        "REDUCE": name.opcodes + b")R",
        "OBJ": b"(" + name.opcodes + b"o",
        "newObj": call(named("sklearn.metrics._dist_metrics:newObj"), name).opcodes,
    }[way]
    with pytest.raises(InvalidModel, match="cannot be opened"):
        open_listed(b"\x80\x04" + held + b".")


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(number=st.integers(0, len(good()) - 2), cut=st.floats(0, 1))
def test_a_file_that_is_cut_is_refused(number: int, cut: float) -> None:
    body = recognise("model", good()[number]).body
    with pytest.raises(VitrineError):
        open_listed(body[: int(cut * (len(body) - 1))])
