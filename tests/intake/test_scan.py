from __future__ import annotations

import contextlib
import pickle
import time
from pathlib import Path
from typing import Any

import cloudpickle  # type: ignore[import-untyped] # it has no types
import numpy as np
import pytest
import sklearn
import skops.io
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from app.errors import UnsafeModel, VitrineError
from app.intake.scan import Report, scan, scan_pickle
from app.intake.source import read_source, recognise
from app.intake.unpickling import open_listed
from tests.factories import make_classifier
from tests.intake.kept import KEPT, dumped, good, others, pipeline
from tests.intake.opcodes import Raw, built, call, named, named_by_stack, pickled, value

SVC = Raw(named("sklearn.svm._classes:SVC").opcodes + b")\x81")
BUNCH = Raw(named("sklearn.utils._bunch:Bunch").opcodes + b")\x81")
ADDRESS = {"data": (4096, False), "shape": (8,), "typestr": "|u1", "version": 3}


def report_of(content: bytes) -> Report:
    return scan(recognise("model", content))


@pytest.mark.parametrize("number", range(len(good())))
def test_a_good_file_of_any_form_is_read_and_nothing_refused(number: int) -> None:
    report = report_of(good()[number])
    report.require_safe()
    assert report.estimators


@pytest.mark.parametrize("protocol", range(6))
def test_the_report_tells_what_a_pipeline_is_and_knows(protocol: int) -> None:
    for content in (pickle.dumps(pipeline(), protocol=protocol), dumped(pipeline(), protocol)):
        report = report_of(content)
        assert report.estimators == ("Pipeline", "StandardScaler", "SVC")
        assert report.libraries == {"scikit-learn": sklearn.__version__, "numpy": "2"}
        assert (report.n_features, report.classes) == (12, ("cat", "dog", "eel"))


@pytest.mark.parametrize("classes", [("a", "b"), (0, 1, 2), (-1, 1), (1.5, 2.5), (False, True)], ids=str)
def test_the_classes_are_told_whatever_their_type(classes: tuple[Any, ...]) -> None:
    labels = np.array(classes)[np.arange(12) % len(classes)]
    model = LogisticRegression()
    model.classes_, model.n_features_in_ = np.unique(labels), 2
    for content in (pickle.dumps(model), pickle.dumps(model, 2), dumped(model), dumped(model, compress=3)):
        assert report_of(content).classes == tuple(str(name) for name in model.classes_.tolist())


@pytest.mark.parametrize("path", KEPT, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_kept_files_of_older_libraries_are_read(path: Path) -> None:
    report = scan(read_source(path))
    report.require_safe()
    assert report.libraries["scikit-learn"] == path.parent.name.removeprefix("sklearn-")
    assert (report.n_features, report.classes) == (64, tuple("0123456789"))


def test_a_classifier_pickled_by_cloudpickle_is_read() -> None:
    report = report_of(cloudpickle.dumps(make_classifier()))
    assert (report.refused, report.estimators, report.classes) == ((), ("LogisticRegression",), ("dark", "light"))


def test_a_function_of_its_own_is_refused_by_the_names_that_would_make_it() -> None:
    model = LogisticRegression()
    model.scale = lambda rows: rows / 255
    report = report_of(cloudpickle.dumps(model))
    assert "cloudpickle.cloudpickle._make_function" in report.refused
    with pytest.raises(UnsafeModel, match=r"it would use .*cloudpickle\.cloudpickle\._make_function") as caught:
        report.require_safe()
    assert caught.value.names == report.refused


def test_many_refused_names_are_counted_and_all_are_kept() -> None:
    report = scan_pickle(pickled([named_by_stack(f"m{number}:x") for number in range(20)]))
    with pytest.raises(UnsafeModel, match=r"m7\.x and 12 more, which") as caught:
        report.require_safe()
    assert len(caught.value.names) == 20


def test_a_skops_archive_tells_its_estimators() -> None:
    report = report_of(skops.io.dumps(pipeline()))
    assert {"Pipeline", "StandardScaler", "SVC"} <= set(report.estimators)


@pytest.mark.parametrize(
    ("held", "fault"),
    [
        (built(SVC, {"__array_interface__": ADDRESS}), "sets __array_interface__"),
        (built(SVC, (None, {"__class__": named("builtins:list")})), "sets __class__"),
        (built(SVC, {call(named("builtins:str"), "C"): 1}), "makes up the name of an attribute"),
        (Raw(BUNCH.opcodes + value("__array_interface__") + value(ADDRESS) + b"s"), "sets __array_interface__"),
        (
            call(
                named("copyreg:_reconstructor"),
                named("sklearn.utils._bunch:Bunch"),
                named("builtins:dict"),
                {"__array_interface__": ADDRESS},
            ),
            "sets __array_interface__",
        ),
        (
            call(named("copyreg:_reconstructor"), named("numpy:dtype"), named("numpy:dtype"), "f8"),
            "rebuilds an object in a way of its own",
        ),
        (call(named("numpy:exp"), 1.0), "calls numpy.exp"),
    ],
    ids=str,
)
def test_names_that_are_listed_can_still_be_misused(held: Raw, fault: str) -> None:
    assert fault in scan_pickle(pickled(held)).refused


def test_long_lists_are_read_in_time_that_grows_as_they_do() -> None:
    body = pickle.dumps([[number] for number in range(100_000)])
    seconds = []
    for _ in range(3):
        start = time.thread_time()
        scan_pickle(body)
        seconds.append(time.thread_time() - start)
    assert min(seconds) < 2.0


def test_a_call_that_grows_by_doubling_is_not_written_out() -> None:
    made = built(call(Raw(value(1) + b"2\x86" * 60)), {"_sklearn_version": "1.9.0"})
    assert scan_pickle(pickled(made)).estimators == ("?",)


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_damaged_file_is_refused_or_read_and_nothing_else_is_raised(data: st.DataObject) -> None:
    files = (*good(), *(pickle.dumps(model) for model in others()))
    content = bytearray(data.draw(st.sampled_from(files)))
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, max(0, len(content) - 10)))
        match data.draw(st.sampled_from(["change", "insert", "remove", "cut"])):
            case "change":
                content[at : at + 1] = bytes([data.draw(st.integers(0, 255))])
            case "insert":
                content[at:at] = data.draw(st.binary(min_size=1, max_size=9))
            case "remove":
                del content[at : at + data.draw(st.integers(1, 9))]
            case "cut" if at > 1:
                del content[at:]
    with contextlib.suppress(VitrineError):
        report_of(bytes(content))


def test_what_is_read_without_a_fault_is_opened_without_one() -> None:
    for content in good()[:-1]:
        assert type(open_listed(recognise("model", content).body)).__module__.startswith("sklearn.")
