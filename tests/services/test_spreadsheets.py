"""Comma-separated values: whole whatever a cell holds, and no cell is a formula."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.services.spreadsheets import as_it_was, csv_pieces, harmless


@dataclass(frozen=True)
class Row:
    name: str | None
    value: object


def read(*batches: Sequence[Row]) -> list[list[str]]:
    return list(csv.reader(StringIO(b"".join(csv_pieces(["name", "value"], batches)).decode(), newline="")))


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        ' =HYPERLINK("http://elsewhere.example")',
        "\u00a0=1",
        "\ufeff@x",
        "＝1+1",
        "=cmd|' /C calc'!A0",
    ],
)
def test_no_spreadsheet_takes_a_text_for_a_formula(text: str) -> None:
    assert harmless(text) == f"'{text}"
    assert read([Row(text, 1)])[1] == [f"'{text}", "1"]


@pytest.mark.parametrize("text", ["", "Cat", "a=b", "IMG-1.jpg", "1-2", "'quoted", "ada+tests@example.org"])
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert harmless(text) == text


@given(st.text(st.sampled_from("'=+-@ \t\nab＝\ufeff"), max_size=6))
def test_every_text_is_read_again_as_it_was(text: str) -> None:
    assert as_it_was(harmless(text)) == text
    assert not re.match(r"[ \ufeff]*[=+\-@＝\t\n]", harmless(text))


@pytest.mark.parametrize("text", ['a "b", c', "two\r\nlines", "a;b", "Ähre 🐈", ",", '"'])
def test_a_cell_holds_any_text(text: str) -> None:
    assert read([Row(text, "next")])[1] == [text, "next"]


def test_lines_end_as_the_standard_says_and_numbers_stay_numbers() -> None:
    moment = datetime(2026, 11, 29, 3, 4, 5, 678, UTC)
    pieces = csv_pieces(["name", "value"], [[Row(None, -0.5), Row("a", moment)], [Row("b", True), Row("\ud800", False)]])
    assert list(pieces) == [b"name,value\r\n,-0.5\r\na,2026-11-29T03:04:05+00:00\r\n", b"b,yes\r\n?,no\r\n"]


def test_what_has_parts_is_written_as_json() -> None:
    assert read([Row("a", [["cat", 0.5]]), Row("b", {"width": 32})])[1:] == [["a", '[["cat",0.5]]'], ["b", '{"width":32}']]


def test_a_list_without_rows_has_its_head() -> None:
    assert read() == [["name", "value"]]
