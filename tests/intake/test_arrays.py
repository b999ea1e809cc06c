from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from app.errors import InvalidModel
from app.intake.scan import scan_pickle
from app.intake.unpickling import open_listed
from tests.intake.hostile_files import BYTES, described
from tests.intake.kept import dumped
from tests.intake.opcodes import Raw, built, call, named, pickled

FIELDS = np.dtype([("a", "i8"), ("b", "f4")])
ARRAYS: dict[str, NDArray[np.generic]] = {
    "row by row": np.arange(12.0).reshape(3, 4),
    "column by column": np.asfortranarray(np.arange(12.0).reshape(3, 4)),
    "neither": np.arange(24.0).reshape(4, 6)[::2, ::3],
    "of the other byte order": np.arange(5, dtype=">i4"),
    "of texts": np.array(["a", "né"]),
    "of bytes": np.array([b"a", b"bc"]),
    "of truths": np.array([True, False]),
    "of complex numbers": np.array([1j]),
    "with fields": np.array([(1, 2.0), (3, 4.0)], dtype=FIELDS),
    "with aligned fields": np.zeros(3, np.dtype([("a", "i1"), ("b", "f8")], align=True)),
    "of no dimension": np.array(3.5),
    "of nothing": np.zeros((0, 3)),
    "of objects": np.array(["a", None, 1], dtype=object),
    "of arrays": np.array([np.arange(2), np.arange(3)], dtype=object),
}


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_is_read_and_opened_as_it_was(name: str, protocol: int) -> None:
    array = ARRAYS[name]
    for body in (pickle.dumps([array, "after"], protocol=protocol), dumped([array, "after"], protocol)):
        assert scan_pickle(body).refused == ()
        opened: Any = open_listed(body)
        found, after = opened
        assert (after, found.shape, found.dtype.newbyteorder("=")) == ("after", array.shape, array.dtype.newbyteorder("="))
        for one, other in zip(found.ravel(), array.ravel(), strict=True):
            np.testing.assert_array_equal(one, other)


def test_two_arrays_behind_each_other_are_both_stepped_over() -> None:
    body = dumped({"a": np.arange(3), "b": [np.asfortranarray(np.ones((2, 3))), np.array(["x"], dtype=object)]})
    assert scan_pickle(body).refused == ()
    found = open_listed(body)
    assert isinstance(found, dict)
    assert (found["a"].tolist(), found["b"][0].flags.f_contiguous, found["b"][1].tolist()) == ([0, 1, 2], True, ["x"])


@pytest.mark.parametrize(
    "state", [{}, {"shape": 3}, {"shape": (-1,)}, {"shape": ("a",)}, {"shape": (1, call(named("builtins:int")))}]
)
def test_a_description_without_a_shape_is_refused(state: dict[str, object]) -> None:
    made = built(Raw(named("joblib.numpy_pickle:NumpyArrayWrapper").opcodes + b")\x81"), {"dtype": BYTES, **state})
    with pytest.raises(InvalidModel, match="has no shape"):
        scan_pickle(pickled(made))


@pytest.mark.parametrize("code", ["M8[ns]", "f3", "u1,O", "object", "", "f8 ", "V"])
def test_a_type_that_no_classifier_has_is_refused(code: str) -> None:
    with pytest.raises(InvalidModel):
        scan_pickle(b"\x80\x04" + described(call(named("numpy:dtype"), code, False, True), 1) + bytes(8) + b".")


def test_what_is_no_type_is_refused() -> None:
    for dtype in (named("numpy:float64"), call(named("builtins:str"), "f8"), Raw(b"N")):
        with pytest.raises(InvalidModel):
            scan_pickle(b"\x80\x04" + described(dtype, 1) + bytes(8) + b".")


@pytest.mark.parametrize("dtype", ["f8", ">f8", "S5", "U5", "?", "O", "M8[ns]", "V8", "c16", FIELDS], ids=str)
def test_a_true_type_is_no_fault(dtype: str) -> None:
    assert scan_pickle(pickle.dumps(np.dtype(dtype))).refused == ()


@pytest.mark.parametrize(
    ("code", "state"),
    [
        ("f8", (3, "<", None, None, None, -1, -1, 63)),
        ("O8", (3, "|", None, None, None, -1, -1, 0)),
        ("S5", (3, "|", None, None, None, 1000, 1, 0)),
        ("U5", (3, "<", None, None, None, 5, 4, 8)),
        ("V8", (3, "|", None, ("a",), {"a": (call(named("numpy:dtype"), "O8", False, True), 0)}, 8, 1, 16)),
        ("V8", (3, "|", None, ("a",), {"a": (call(named("numpy:dtype"), [("b", "O")]), 0)}, 8, 1, 16)),
        ("f8", (3, "<")),
        ("f8", 1),
    ],
    ids=str,
)
def test_a_type_whose_state_belies_it_is_a_fault(code: str, state: object) -> None:
    made = built(call(named("numpy:dtype"), code, False, True), state)
    assert scan_pickle(pickled(made)).refused == ("describes a type of numbers falsely",)


def test_a_type_that_all_share_may_not_be_changed() -> None:
    made = built(call(named("numpy:dtype"), "f8", False, False), (3, ">", None, None, None, -1, -1, 0))
    assert scan_pickle(pickled(made)).refused == ("describes a type of numbers falsely",)
