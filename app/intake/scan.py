"""What a model file would use and what it says of itself, read without running any of it."""

from __future__ import annotations

import json
import lzma
import zipfile
import zlib
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO

from app.errors import InvalidModel, UnsafeModel
from app.inference.allow_list import allowed
from app.intake.arrays import described_values, is_false_type, joblib_array
from app.intake.described import Global, Made, Pairs
from app.intake.opcodes import PickleMachine
from app.intake.source import SourceFile
from app.intake.states import JOBLIB_ARRAY, REBUILDERS

_LARGEST_SCHEMA = 32_000_000
_MOST_NAMES_SHOWN = 8
# What zipfile, zlib and its like, and json raise over broken ones; NotImplementedError and RecursionError are RuntimeErrors.
_BROKEN_ARCHIVE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, KeyError, ValueError, OSError, EOFError, RuntimeError)


@dataclass(frozen=True)
class Report:
    """What was read: `estimators` from the outermost in, and by name everything that is `refused`."""

    estimators: tuple[str, ...] = ()
    libraries: Mapping[str, str] = field(default_factory=dict)
    n_features: int | None = None
    classes: tuple[str, ...] | None = None
    refused: tuple[str, ...] = ()

    def require_safe(self) -> None:
        """Raise UnsafeModel where anything was refused."""
        if self.refused:
            shown = ", ".join(self.refused[:_MOST_NAMES_SHOWN])
            more = len(self.refused) - _MOST_NAMES_SHOWN
            raise UnsafeModel(
                f"The file was not opened: it would use {shown}{f' and {more} more' if more > 0 else ''}, "
                "which a trained classifier does not need.",
                self.refused,
            )


def scan(source: SourceFile) -> Report:
    """Read a model file without running it; raises InvalidModel where it is broken. ONNX graphs hold no code to look for."""
    if source.format == "pickle":
        return scan_pickle(source.body)
    if source.format == "skops":
        return _scan_skops(source.body)
    return Report()


def scan_pickle(body: bytes) -> Report:
    """Read a pickle or an uncompressed joblib file; raises InvalidModel where it is broken."""
    file = BytesIO(body)
    machine = PickleMachine(file, _after_build)
    root = machine.run()
    faults = list(machine.faults)
    if JOBLIB_ARRAY in machine.globals and JOBLIB_ARRAY.name.encode() not in body:
        faults.append("hides that joblib wrote it")
    if file.tell() != len(body):
        faults.append(f"{len(body) - file.tell():,} bytes after its end")
    return _report(root, machine.globals, faults)


def _after_build(machine: PickleMachine, made: Made) -> object:
    if is_false_type(made):
        machine.faults.append("describes a type of numbers falsely")
    if _class_of(made) == JOBLIB_ARRAY:
        return joblib_array(machine, made, _after_build)
    return made


def _report(root: object, names: Mapping[Global, None], faults: list[str]) -> Report:
    refused = [str(found) for found in names if allowed(found.module, found.name) is None]
    estimators: list[str] = []
    libraries: dict[str, str] = {}
    n_features = classes = None
    for made in _objects(root):
        state = made.state if isinstance(made.state, Pairs) else Pairs()
        version = state.get("_sklearn_version")
        if not isinstance(version, str):
            continue
        libraries.setdefault("scikit-learn", version)
        estimators.append(named.name if (named := _class_of(made)) else "?")
        n_features = n_features or _count(state.get("n_features_in_"))
        classes = classes or described_values(state.get("classes_"))
    for found in names:
        if found.module.startswith(("numpy.core", "numpy._core")):
            libraries.setdefault("numpy", "1" if found.module.startswith("numpy.core") else "2")
    return Report(tuple(estimators), libraries, n_features, classes, tuple(dict.fromkeys(refused + faults)))


def _objects(root: object) -> Iterator[Made]:
    """Give every object in a description once, the outer before the inner."""
    waiting, seen = deque([root]), set()
    while waiting:
        found = waiting.popleft()
        if id(found) in seen or isinstance(found, (str, bytes, int, float, type(None), Global)):
            continue
        seen.add(id(found))
        if isinstance(found, Made):
            yield found
            waiting += [found.state, *found.arguments, *found.items, found.pairs]
        elif isinstance(found, Pairs):
            waiting += [part for pair in found.pairs for part in pair]
        elif isinstance(found, (list, tuple)):
            waiting += found


def _class_of(made: Made) -> Global | None:
    # Old pickles rebuild an object by a function whose first argument is the class.
    rebuilt = made.callee in REBUILDERS and made.arguments
    named = made.arguments[0] if rebuilt else made.callee
    return named if isinstance(named, Global) else None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _scan_skops(content: bytes) -> Report:
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            if archive.getinfo("schema.json").file_size > _LARGEST_SCHEMA:
                raise InvalidModel("The description in the skops archive is too large.")
            # No more is read than was just said, whatever the archive holds.
            described = json.loads(archive.read("schema.json"))
    except _BROKEN_ARCHIVE as error:
        raise InvalidModel("The file is no skops archive.") from error
    nodes = [Global(str(node["__module__"]), str(node["__class__"])) for node in _nodes(described)]
    refused = [str(found) for found in nodes if allowed(found.module, found.name) is None]
    kinds = [found.name for found in nodes if found.module.startswith("sklearn.") and found.name[:1] != "_"]
    return Report(tuple(dict.fromkeys(kinds)), refused=tuple(dict.fromkeys(refused)))


def _nodes(described: object) -> Iterator[dict[str, object]]:
    waiting = deque([described])
    while waiting:
        found = waiting.popleft()
        if isinstance(found, dict):
            if "__module__" in found and "__class__" in found:
                yield found
            waiting += found.values()
        elif isinstance(found, list):
            waiting += found
