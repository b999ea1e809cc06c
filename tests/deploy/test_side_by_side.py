"""The servers beside each other, printed as the table that docs/deploy.md keeps."""

from __future__ import annotations

from tests.deploy.side_by_side import BEGIN, END, compare, table
from tests.serving import TREE


def test_every_server_answers_everything_bare_and_behind_nginx() -> None:
    rows = compare()
    print(f"\n{table(rows)}")
    assert {row.cells()[0]: row.refused for row in rows if row.refused} == {}
    kept = (TREE / "docs" / "deploy.md").read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    assert all(f"| {row.cells()[0]} |" in kept for row in rows)
