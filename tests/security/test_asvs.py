"""docs/asvs.csv is whole, and every proof that it and docs/security.md name is there."""

from __future__ import annotations

import ast
import csv
import re
from collections import Counter
from functools import cache

import pytest

from app.config import TREE

# How many requirements OWASP ASVS 5.0.0 has in each chapter, at level 1 and beyond it at level 2.
CHAPTERS = {
    **{1: (8, 19), 2: (4, 7), 3: (8, 11), 4: (2, 8), 5: (4, 5), 6: (13, 22), 7: (6, 12), 8: (4, 3), 9: (4, 3)},
    **{10: (5, 24), 11: (3, 11), 12: (3, 6), 13: (1, 12), 14: (2, 7), 15: (3, 10), 16: (0, 16), 17: (0, 7)},
}
# How many sections each chapter has; a requirement's number says which it is in.
SECTIONS = dict(enumerate((5, 4, 7, 4, 4, 8, 6, 4, 2, 7, 7, 3, 4, 3, 4, 5, 3), 1))
ROWS = list(csv.DictReader((TREE / "docs" / "asvs.csv").read_text(encoding="utf-8").splitlines()))
DOCUMENT = (TREE / "docs" / "security.md").read_text(encoding="utf-8")
TEST = re.compile(r"tests/[\w/]+\.py::[\w?]+|tests/[^`; ]*\?[^`; ]*")


def proofs(row: dict[str, str]) -> list[str]:
    """Give the proofs of a row."""
    return [proof for proof in row["proof"].split("; ") if proof]


def applicable(level: str) -> list[dict[str, str]]:
    """Give the rows of a level that apply."""
    return [row for row in ROWS if row["level"] == level and row["applies"] == "yes"]


@cache
def defined_in(path: str) -> frozenset[str]:
    """Give the names of the tests in a file; none where there is no such file."""
    file = TREE / path
    if not file.is_file():
        return frozenset()
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return frozenset(
        node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    )


def is_there(proof: str) -> bool:
    """Tell whether a test is defined, or a command is a target of the Makefile."""
    if proof.startswith("make "):
        makefile = (TREE / "Makefile").read_text(encoding="utf-8")
        return re.search(rf"^{re.escape(proof.removeprefix('make '))}:", makefile, re.MULTILINE) is not None
    path, _, name = proof.partition("::")
    return path.startswith("tests/") and name in defined_in(path)


def test_every_requirement_has_one_row_in_the_standards_order() -> None:
    found = [tuple(map(int, row["id"].removeprefix("v5.0.0-").split("."))) for row in ROWS]
    assert all(row["id"].startswith("v5.0.0-") for row in ROWS)
    assert found == sorted(set(found))
    counted = Counter((number[0], row["level"]) for number, row in zip(found, ROWS, strict=True))
    assert {chapter: (counted[chapter, "1"], counted[chapter, "2"]) for chapter in CHAPTERS} == CHAPTERS
    assert len(ROWS) == 70 + 183
    assert all(1 <= section <= SECTIONS[chapter] for chapter, section, _ in found)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_a_row_says_what_is_asked_whether_it_applies_and_what_is_done(row: dict[str, str]) -> None:
    assert row["level"] in ("1", "2")
    assert row["applies"] in ("yes", "no")
    assert 1 <= len(row["about"].split()) <= 15
    assert row["control"]
    assert row["applies"] == "yes" or not row["proof"]


def test_every_proof_of_the_standards_rows_is_there() -> None:
    missing = {row["id"]: lost for row in ROWS if (lost := [proof for proof in proofs(row) if not is_there(proof)])}
    assert not missing


def test_every_proof_of_a_promise_is_there() -> None:
    named = set(TEST.findall(DOCUMENT))
    assert len(named) > 140
    assert not sorted(proof for proof in named if not is_there(proof))
    for target in re.findall(r"`make (\w[\w-]*)`", DOCUMENT):
        assert is_there(f"make {target}"), target


def test_every_promise_has_a_proof() -> None:
    promises = DOCUMENT.partition("## Decisions")[0]
    rows = re.findall(r"^\| (?!promise|---)(.*) \| ([^|]+) \| ([^|]*) \|$", promises, re.MULTILINE)
    assert len(rows) > 50
    assert not [what for what, _, proof in rows if not TEST.findall(proof)]


def test_level_1_is_proven_whole_and_level_2_in_at_least_95_of_100() -> None:
    figures = {}
    for level in ("1", "2"):
        rows = applicable(level)
        figures[level] = len(rows), sum(bool(proofs(row)) and all(map(is_there, proofs(row))) for row in rows)
    for level, (applies, proven) in figures.items():
        print(f"ASVS 5.0.0 level {level}: {applies} apply, {proven} are proven ({proven / applies:.1%})")
    assert figures["1"][0] == figures["1"][1]
    assert figures["2"][1] >= 0.95 * figures["2"][0]
