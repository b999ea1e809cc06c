from __future__ import annotations

import ast
import inspect
import textwrap
import types

import pytest

from app.errors import UnsafeModel
from app.inference.allow_list import ALLOWED, Allowed, allowed

# Named by files that scikit-learn 1.3 wrote; today there is nothing by these names.
GONE = {("sklearn.ensemble._gb_losses", name) for name in ("BinomialDeviance", "ExponentialLoss", "MultinomialDeviance")}
ROWS = [row for key, row in ALLOWED.items() if key not in GONE]
ESTIMATORS = [row for row in ROWS if row.reason.startswith(("An estimator", "A part", "A transformer"))]

# Classes whose __init__ does more than store, each read: none opens, imports, executes or calls what it is given.
MORE_THAN_STORING = {
    "BaseLibSVM": "looks its class's own implementation up in a list, by a name that no argument changes",
    "DecisionTreeRegressor": "warns of an old name of a criterion, and puts the new one in its place",
    "ExtraTreesRegressor": "likewise",
    "RandomForestRegressor": "likewise",
    "BaseLoss": "sets constants, and takes an attribute of its link",
    "ExponentialLoss": "makes an interval of constants",
    "HalfBinomialLoss": "likewise",
    "HalfMultinomialLoss": "likewise",
    "HalfSquaredError": "notes whether there are weights",
    "_BaseKFold": "refuses numbers that make no sense",
    "BaseOptimizer": "brings a rate to a float",
    "AdamOptimizer": "makes arrays of zeros as large as the parameters",
    "SGDOptimizer": "likewise",
    "Bunch": "sets a constant",
    "Interval": "a dataclass, which compares its two ends",
}
# Methods by which a pickle or an attribute's name runs code of the class itself, each read likewise.
OWN_WAYS = {
    "IsotonicRegression.__setstate__": "fills its attributes, and makes an interpolation of two of them if they are arrays",
    "TreePredictor.__setstate__": "fills its attributes, and brings its nodes to today's type",
    "Bunch.__setstate__": "does nothing",
    "Bunch.__getattr__": "gives an item; which of them may begin with two underscores is the scan's to refuse",
    "Bunch.__setattr__": "sets an item",
    "FrozenEstimator.__getattr__": "gives an attribute of the estimator that it holds",
    "PassiveAggressiveClassifier.__new__": "warns that it is deprecated",
    "Hyperparameter.__new__": "checks bounds, and makes a tuple with names",
    "BaseEstimator.__setstate__": "warns of another version, and fills its attributes",
}
_WAYS = ("__reduce__", "__reduce_ex__", "__setstate__", "__new__", "__getattr__", "__getattribute__", "__setattr__", "__del__")
# Everything on the list that is no class, each read: what it calls of what it is given, if anything, is itself on the list.
FUNCTIONS = {
    "__bit_generator_ctor": "makes a generator by a name of NumPy's own list, or of the class it is given, without arguments",
    "__generator_ctor": "calls what it is given to make bits, and refuses what comes unless compiled code made it",
    "__pyx_unpickle_CyHalfMultinomialLoss": "makes an object of the class and its subclasses",
    "__pyx_unpickle_SeedSequence": "likewise",
    "__randomstate_ctor": "as __generator_ctor",
    "_frombuffer": "makes an array over bytes",
    "_mareconstruct": "makes a masked array",
    "_reconstruct": "makes an array of a subclass of NumPy's",
    "_reconstructor": "makes an object of the class that it is given; the scan lets it do so from plain bases only",
    "asarray": "makes an array",
    "chi2": "computes",
    "encode": "encodes by a codec that Python has",
    "f_classif": "computes",
    "mutual_info_classif": "computes",
    "newObj": "makes an empty object of the class it is given",
    "scalar": "makes a number of bytes",
    **dict.fromkeys(("abs", "exp", "expm1", "log", "log1p", "sqrt", "square", "tanh"), "computes"),
}


def label(row: Allowed) -> str:
    return f"{row.module}.{row.name}"


def written_classes(row: Allowed) -> list[type]:
    found = row.resolve()
    assert isinstance(found, type)
    return [kind for kind in found.__mro__ if kind.__module__.startswith(("sklearn.", "app."))]


def statements(kind: type) -> list[ast.stmt]:
    written = vars(kind).get("__init__")
    if not isinstance(written, types.FunctionType):
        return []
    if written.__code__.co_filename.startswith("<"):
        return [ast.Raise()]  # made by a decorator, not to be read
    tree = ast.parse(textwrap.dedent(inspect.getsource(written))).body[0]
    assert isinstance(tree, ast.FunctionDef)
    return tree.body


def stores(statement: ast.stmt) -> bool:
    """Tell a docstring, `self.x = x` and a call of the parent's __init__ from everything else."""
    match statement:
        case ast.Pass() | ast.Expr(ast.Constant(str())):
            return True
        case ast.Assign([ast.Attribute(ast.Name("self"), name)], ast.Name(given)):
            return name in (given, f"_{given}")
        case ast.Expr(ast.Call(ast.Attribute(ast.Call(ast.Name("super"), []), "__init__"), positional, named)):
            return all(map(passes_on, (*positional, *(word.value for word in named))))
    return False


def passes_on(argument: ast.expr) -> bool:
    """Tell what was given, a constant and an object made of nothing from everything else."""
    match argument:
        case ast.Name() | ast.Constant() | ast.UnaryOp(ast.USub(), ast.Constant()) | ast.Call(ast.Name(), [], []):
            return True
        case ast.Tuple(parts):
            return all(map(passes_on, parts))
    return False


@pytest.mark.parametrize("row", ROWS, ids=label)
def test_a_row_stands_for_what_is_there_today_and_says_why(row: Allowed) -> None:
    found = row.resolve()
    assert callable(found)
    assert row.reason.endswith(".")
    assert all(part.isidentifier() for part in (*row.module.split("."), row.name))
    assert not isinstance(found, types.ModuleType)


@pytest.mark.parametrize("key", sorted(GONE), ids=".".join)
def test_a_name_of_an_older_library_is_told_as_gone(key: tuple[str, str]) -> None:
    with pytest.raises(UnsafeModel, match="was part of an older library and is gone today"):
        ALLOWED[key].resolve()


@pytest.mark.parametrize("row", ESTIMATORS, ids=label)
def test_making_an_estimator_stores_its_parameters_and_does_nothing_else(row: Allowed) -> None:
    for kind in written_classes(row):
        more = [ast.unparse(statement) for statement in statements(kind) if not stores(statement)]
        assert more == [] or kind.__name__ in MORE_THAN_STORING, f"{kind}: {more}"


@pytest.mark.parametrize("row", ESTIMATORS, ids=label)
def test_an_estimator_has_no_way_of_its_own_to_be_unpickled(row: Allowed) -> None:
    own = {f"{kind.__name__}.{way}" for kind in written_classes(row) for way in _WAYS if way in vars(kind)}
    # The class that a named tuple stands on is written by Python.
    assert own <= OWN_WAYS.keys()


def test_no_exception_is_left_over() -> None:
    kinds = [kind for row in ESTIMATORS for kind in written_classes(row)]
    more = {kind.__name__ for kind in kinds if not all(map(stores, statements(kind)))}
    own = {f"{kind.__name__}.{way}" for kind in kinds for way in _WAYS if way in vars(kind)}
    assert more == MORE_THAN_STORING.keys()
    assert own == OWN_WAYS.keys()


def test_every_function_on_the_list_was_read() -> None:
    assert {row.name for row in ROWS if not isinstance(row.resolve(), type)} == FUNCTIONS.keys()


def test_functions_that_compute_may_be_named_only() -> None:
    named = {row.name for row in ROWS if row.only_named}
    assert named == {name for name, why in FUNCTIONS.items() if why in ("computes", "makes an array")}


def test_a_name_is_matched_whole() -> None:
    assert allowed("sklearn.svm._classes", "SVC") is not None
    for other in [("sklearn.svm", "SVC"), ("sklearn.svm._classes", "SVC.fit"), ("sklearn.svm._classes", ""), ("SVC", "")]:
        assert allowed(*other) is None


def test_what_executes_a_text_of_its_state_is_not_on_the_list() -> None:
    assert [row for row in ROWS if row.module.startswith(("scipy.stats", "numpy.f2py", "numpy.testing"))] == []
    assert not {"eval", "exec", "getattr", "open", "compile", "__import__", "type", "vars", "map", "partial"} & {
        row.name for row in ROWS
    }
