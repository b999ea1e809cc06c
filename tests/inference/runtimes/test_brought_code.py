"""Code that came beside a model: importable by its name, from what was verified, and one meaning a name."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module

import pytest

from app.errors import InvalidPackage
from app.inference.runtimes import brought_code
from app.inference.runtimes.brought_code import bring, module_of


@pytest.fixture(autouse=True)
def nothing_stays() -> Iterator[None]:
    yield
    for name in brought_code._FINDER.sources:
        sys.modules.pop(name, None)
    brought_code._FINDER.sources.clear()


def test_a_module_is_imported_from_the_bytes_that_were_brought() -> None:
    bring({"code/vitrine_ink.py": b"SHADE = 'dark'", "card.md": b"# no code"})
    assert import_module("vitrine_ink").SHADE == "dark"


def test_packages_and_modules_in_them_are_imported_too() -> None:
    bring({"code/vitrine_tools/__init__.py": b"", "code/vitrine_tools/ink.py": b"from vitrine_tools import __name__ as home"})
    assert import_module("vitrine_tools.ink").home == "vitrine_tools"


def test_the_same_code_may_come_with_several_models() -> None:
    bring({"code/vitrine_ink.py": b"SHADE = 'dark'"})
    bring({"code/vitrine_ink.py": b"SHADE = 'dark'"})
    assert import_module("vitrine_ink").SHADE == "dark"


def test_other_code_under_the_same_name_is_refused() -> None:
    bring({"code/vitrine_ink.py": b"SHADE = 'dark'"})
    with pytest.raises(InvalidPackage, match="other code under the name vitrine_ink"):
        bring({"code/vitrine_ink.py": b"SHADE = 'light'"})
    assert import_module("vitrine_ink").SHADE == "dark"


@pytest.mark.parametrize("name", ["os", "json", "numpy", "app", "sklearn"])
def test_no_installed_module_can_be_hidden(name: str) -> None:
    with pytest.raises(InvalidPackage, match="name of an installed module"):
        bring({f"code/{name}.py": b""})
    with pytest.raises(InvalidPackage, match="name of an installed module"):
        bring({f"code/{name}/extra.py": b""})


def test_a_file_tells_its_module() -> None:
    assert module_of("code/a.py") == "a"
    assert module_of("code/a/b.py") == "a.b"
    assert module_of("code/a/__init__.py") == "a"
    assert module_of("source.pkl") is None
    assert module_of("code/readme.txt") is None
