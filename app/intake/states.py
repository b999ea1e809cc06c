"""What a file may not do to an object, though every name it uses is on the list."""

from __future__ import annotations

from collections.abc import Iterable

from app.inference.allow_list import allowed
from app.intake.described import Global, Made, Pairs

REBUILDERS = (Global("copyreg", "_reconstructor"), Global("copy_reg", "_reconstructor"))
JOBLIB_ARRAY = Global("joblib.numpy_pickle", "NumpyArrayWrapper")
_PLAIN = ("object", "dict", "tuple", "list", "set", "frozenset")
_BUNCH = Global("sklearn.utils._bunch", "Bunch")


def faults_of_call(made: Made) -> list[str]:
    """Tell what is wrong with a call."""
    if not isinstance(made.callee, Global):
        return ["calls something that it made itself"]
    row = allowed(made.callee.module, made.callee.name)
    if row is not None and row.only_named:
        return [f"calls {made.callee}"]
    if made.callee in REBUILDERS:
        match made.arguments:
            case (Global(), Global("builtins" | "__builtin__", name), None | Pairs() | tuple() | list() as content) if (
                name in _PLAIN
            ):
                return faults_of_items(made, content.pairs) if isinstance(content, Pairs) else []
        return ["rebuilds an object in a way of its own"]
    return ["uses joblib's arrays otherwise than joblib"] if JOBLIB_ARRAY in made.arguments else []


def faults_of_items(made: Made, items: Iterable[tuple[object, object]]) -> list[str]:
    """Tell what is wrong with the items put into an object: a Bunch gives them as its attributes."""
    return _faults_of_names(items) if _BUNCH in (made.callee, *made.arguments[:1]) else []


def faults_of_state(made: Made) -> list[str]:
    """Tell what is wrong with an object's state, which is set without asking its class."""
    parts = made.state if isinstance(made.state, tuple) else (made.state,)
    return [fault for part in parts if isinstance(part, Pairs) for fault in _faults_of_names(part.pairs)]


def _faults_of_names(pairs: Iterable[tuple[object, object]]) -> list[str]:
    # NumPy and Python ask an object for names like __array_interface__ and __class__, and believe what it says.
    special = [f"sets {name}" for name, _ in pairs if isinstance(name, str) and name.startswith("__")]
    return special + ["makes up the name of an attribute" for name, _ in pairs if isinstance(name, Made)]
