"""Every name that a pickle could call, read from the source of what is installed; nothing is imported or called."""

from __future__ import annotations

import os
import re
import sys
import sysconfig
import types
from collections.abc import Iterator
from pathlib import Path

# Line by line, since Python's parser takes most of a minute for two million lines.
_DEFINITION = re.compile(r"^(    |\t|)(?:async )?(class|def) (\w+)", re.MULTILINE)
_LEFT_OUT = {"__pycache__", "tests", "test", "lib2to3", "idlelib", "turtledemo", "node_modules"}


def roots() -> Iterator[Path]:
    """Give the folders of the standard library and of the installed packages."""
    paths = sysconfig.get_paths()
    yield from {Path(paths[name]) for name in ("stdlib", "purelib", "platlib")}


def _modules(root: Path) -> Iterator[tuple[str, Path]]:
    for folder, folders, files in os.walk(root):
        here = Path(folder)
        folders[:] = sorted(name for name in folders if name.isidentifier() and name not in _LEFT_OUT)
        for file in sorted(files):
            if file.endswith(".py"):
                parts = (*here.relative_to(root).parts, file[:-3])
                yield ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts), here / file


def _defined(path: Path) -> Iterator[str]:
    """Give the classes and functions of a file, and the methods of its classes; a name too many, from a text, does no harm."""
    outer = ""
    for indent, kind, name in _DEFINITION.findall(path.read_bytes().decode("utf-8", "replace")):
        if not indent:
            outer = name if kind == "class" else ""
            yield name
        elif outer:
            yield f"{outer}.{name}"


def written() -> Iterator[tuple[str, str]]:
    """Give the module and the name of everything that is written in Python."""
    for root in roots():
        for module, path in _modules(root):
            yield from ((module, name) for name in _defined(path))


def compiled() -> Iterator[tuple[str, str]]:
    """Give the module and the name of everything callable in the compiled modules that are here by now."""
    for module, found in list(sys.modules.items()):
        file = getattr(found, "__file__", None)
        if isinstance(found, types.ModuleType) and (file is None or not str(file).endswith(".py")):
            held = vars(found)
            yield from ((module, name) for name in sorted(held) if callable(held[name]))
