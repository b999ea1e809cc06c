"""Python modules that came beside a model whose owner vouched for them: importable by name, from memory, and only once."""

from __future__ import annotations

import hashlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Mapping, Sequence
from threading import Lock
from types import ModuleType

from app.errors import InvalidPackage

_FOLDER = "code/"


def module_of(file: str) -> str | None:
    """Give the module that a package's file holds, or None where it is no code: "code/a/b.py" is a.b."""
    if not file.startswith(_FOLDER) or not file.endswith(".py"):
        return None
    parts = file.removeprefix(_FOLDER).removesuffix(".py").split("/")
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts) or None


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds what was brought, after everything that is installed."""

    def __init__(self) -> None:
        self.sources: dict[str, tuple[bytes, bool]] = {}
        self.lock = Lock()

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 - the signature is Python's
        target: ModuleType | None = None,  # noqa: ARG002 - likewise
    ) -> importlib.machinery.ModuleSpec | None:
        """Give the module of that name where it was brought."""
        found = self.sources.get(fullname)
        return None if found is None else importlib.util.spec_from_loader(fullname, self, is_package=found[1])

    def exec_module(self, module: ModuleType) -> None:
        """Run a brought module's text."""
        content, _ = self.sources[module.__name__]
        exec(compile(content, f"<{module.__name__}, brought with a model>", "exec"), module.__dict__)  # noqa: S102 - vouched for


_FINDER = _Finder()


def bring(files: Mapping[str, bytes]) -> None:
    """Make the code among a package's verified files importable.

    Raises InvalidPackage where another model brought other code under the same name, or where it would hide an installed
    module: pickles name modules, so a name can mean one thing only.
    """
    with _FINDER.lock:
        for file, content in files.items():
            name = module_of(file)
            if name is None:
                continue
            known = _FINDER.sources.get(name)
            if known is not None and hashlib.sha256(known[0]).digest() != hashlib.sha256(content).digest():
                raise InvalidPackage(f"Another model brought other code under the name {name}: give one of them another name.")
            if known is None and (name.partition(".")[0] in sys.stdlib_module_names or _installed(name)):
                raise InvalidPackage(f"The code {name} has the name of an installed module: give it another name.")
            _FINDER.sources[name] = content, file.endswith("/__init__.py")
        if _FINDER.sources and _FINDER not in sys.meta_path:
            sys.meta_path.append(_FINDER)


def _installed(name: str) -> bool:
    top = name.partition(".")[0]
    return top not in _FINDER.sources and importlib.util.find_spec(top) is not None
