from __future__ import annotations

from collections.abc import Callable
from itertools import chain

import pytest

from app.errors import VitrineError
from app.inference.allow_list import ALLOWED
from app.intake.scan import scan_pickle
from tests.intake.callables import compiled, written
from tests.intake.hostile_files import in_joblib
from tests.intake.opcodes import Raw, call, named, named_by_stack, pickled, value
from tests.sampling import sample, sampled

_ARGUMENTS = value(("true",)) + b"R."


@pytest.fixture(scope="module")
def names() -> list[tuple[str, str]]:
    """Give every name once, without those that may be called."""
    return sorted(set(chain(written(), compiled())) - ALLOWED.keys())


def refused(body: bytes) -> tuple[str, ...]:
    try:
        return scan_pickle(body).refused
    except VitrineError as error:
        return (str(error),)


@sampled
def test_no_other_callable_of_python_or_a_package_may_be_named(
    names: list[tuple[str, str]], record_property: Callable[[str, object], None]
) -> None:
    head, tail = in_joblib(b"\x00").split(b"\x00.")[0], b"."
    tried = sample(names, 5)
    for module, name in tried:
        said = f"{module}.{name}"
        by_global = b"\x80\x02c" + f"{module}\n{name}\n".encode() + _ARGUMENTS
        by_stack = b"\x80\x04" + value(module) + value(name) + b"\x93" + _ARGUMENTS
        for body in (by_global, by_stack, head + by_stack + tail):
            assert said in refused(body), said
    print(f"{len(tried):,} of {len(names):,} callables, {3 * len(tried):,} files")
    record_property("callables", len(tried))
    assert len(names) > 50_000


def test_a_name_on_the_list_has_no_other_spelling() -> None:
    for module, name in ALLOWED:
        others = {
            (module, f"{name}.__call__"),
            (module, f" {name}"),
            (module, f"{name}\x00"),
            (module, name.swapcase()),
            (module + ".", name),
            (f".{module}", name),
            (module.upper(), name),
            (module.rpartition(".")[0], f"{module.rpartition('.')[2]}.{name}"),
            (module, f"{name}.__init__.__globals__"),
        } - ALLOWED.keys()
        for other in others:
            assert refused(b"\x80\x04" + value(other[0]) + value(other[1]) + b"\x93" + _ARGUMENTS), other


def test_what_a_module_on_the_list_has_besides_is_refused_one_by_one() -> None:
    for module in {module for module, _ in ALLOWED}:
        for name in ("__loader__", "__builtins__", "__spec__", "os", "sys", "np", "warnings", "import_module"):
            body = pickled(call(named_by_stack(f"{module}:{name}.system"), "true"))
            assert f"{module}.{name}.system" in refused(body)
            assert f"{module}.{name}" in refused(pickled(named_by_stack(f"{module}:{name}")))


def test_a_name_on_the_list_may_be_called() -> None:
    assert refused(pickled(call(named("sklearn.svm._classes:SVC")))) == ()
    assert refused(pickled(Raw(named("builtins:list").opcodes + b")R"))) == ()


def test_a_function_that_an_estimator_holds_may_be_named_and_not_called() -> None:
    for module, name in [key for key, row in ALLOWED.items() if row.only_named]:
        assert refused(pickled(named(f"{module}:{name}"))) == ()
        assert refused(pickled(call(named(f"{module}:{name}"), 1.0))) == (f"calls {module}.{name}",)
