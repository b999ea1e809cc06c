"""Tables are as wide as what they hold."""

from __future__ import annotations

import pytest

from app.cli.tables import show_table
from tests.cli.running import rows_of


def test_every_column_is_as_wide_as_its_longest_cell(capsys: pytest.CaptureFixture[str]) -> None:
    show_table(("name", "state"), [("a", ""), ("a longer name", "good")])
    printed = capsys.readouterr().out
    assert {len(line) for line in printed.splitlines()} == {25}
    assert rows_of(printed) == [["a", ""], ["a longer name", "good"]]


def test_a_table_without_rows_is_its_head(capsys: pytest.CaptureFixture[str]) -> None:
    show_table(("name",), [])
    assert capsys.readouterr().out == "┏━━━━━━┓\n┃ name ┃\n┡━━━━━━┩\n└──────┘\n"
