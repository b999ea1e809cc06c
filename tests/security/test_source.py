"""What our code never does, so that whole kinds of attack find nothing to hold on to."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.config import TREE

SOURCES = sorted((TREE / "app").rglob("*.py"))
# Where the linter's rules about security are set aside, and why that is no hole; asserts, names and addresses do no harm.
SET_ASIDE = {
    ("app/inference/runtimes/sklearn.py", "S301"): "a pickle whose digest its owner vouched for",
    ("app/inference/runtimes/brought_code.py", "S102"): "code that came with such a pickle, vouched for likewise",
    ("app/intake/sandbox.py", "S603"): "starts this very interpreter, with nothing of anybody's in the command",
    ("app/storage/counters.py", "S608"): "a table's name from our own code",
    ("app/storage/appender.py", "S608"): "names from our own tables",
    ("app/web/models.py", "S704"): "a card's Markdown, rendered with every markup in it escaped",
    ("app/web/qr.py", "S704"): "a drawing that a library makes of squares alone",
}
HARMLESS = {"S101", "S104", "S105", "S106", "S107"}
# What makes a script run text, send messages between windows, or keep something in the browser.
NOT_IN_SCRIPTS = (
    r"\.(inner|outer)HTML|insertAdjacentHTML|document\.write|createContextualFragment"
    r"|\beval\(|\bFunction\(|setTimeout\(\s*[\"']"
    r"|postMessage|addEventListener\(\s*[\"']message"
    r"|localStorage|sessionStorage|indexedDB|document\.cookie|serviceWorker"
    r"|__proto__|constructor\s*\["
)


def calls(path: Path) -> Iterator[ast.Call]:
    """Give every call in a module."""
    yield from (node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call))


def name_of(call: ast.Call) -> str:
    """Give what is called, as far as it is written."""
    return ast.unparse(call.func)


def test_the_linters_rules_about_security_are_set_aside_only_where_it_is_known_why() -> None:
    found = set()
    for path in SOURCES:
        for codes in re.findall(r"# noqa: ([A-Z0-9, ]+)", path.read_text(encoding="utf-8")):
            found |= {(path.relative_to(TREE).as_posix(), code) for code in re.findall(r"S\d{3}", codes)}
    assert {(path, code) for path, code in found if code not in HARMLESS} <= SET_ASIDE.keys()


def test_no_template_is_built_from_a_text() -> None:
    for path in SOURCES:
        for call in calls(path):
            assert name_of(call).rpartition(".")[2] not in ("render_template_string", "from_string", "Template"), path


def test_no_pattern_and_no_format_is_made_of_what_somebody_sent() -> None:
    for path in SOURCES:
        for call in calls(path):
            name = name_of(call)
            if re.fullmatch(r"re\.(?!escape)\w+", name) and call.args and not isinstance(call.args[0], ast.Constant):
                assert "re.escape(" in path.read_text(encoding="utf-8"), f"{path}:{call.lineno}"
            if name.endswith(".format"):  # `sentence` is one of a table in app/web/people.py
                assert re.match(r"'|Markup\('|sentence\.", name), f"{path}:{call.lineno}"


def test_no_statement_of_the_database_is_made_of_what_somebody_sent() -> None:
    for path in SOURCES:
        for call in calls(path):
            if name_of(call).rpartition(".")[2] in ("text", "exec_driver_sql", "literal_column") and call.args:
                written = ast.unparse(call.args[0])
                made = isinstance(call.args[0], ast.JoinedStr) or "%" in written or ".format(" in written
                assert not made or "migrations" in path.parts, f"{path}:{call.lineno}: {written}"


@pytest.mark.parametrize("path", sorted((TREE / "static").glob("*.js")), ids=lambda path: path.name)
def test_our_scripts_make_no_markup_of_text_and_keep_nothing_in_the_browser(path: Path) -> None:
    assert not re.findall(NOT_IN_SCRIPTS, path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", sorted((TREE / "templates").rglob("*.html")), ids=lambda path: path.name)
def test_our_templates_escape_everything_and_load_nothing_from_elsewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.findall(r"\|\s*safe\b|autoescape\s+false", text)
    assert not re.findall(r"<script(?![^>]*\bsrc=)|\sstyle=|\son\w+=", text)
    assert not re.findall(r"(?:src|href)=[\"'](?:https?:)?//", text)
