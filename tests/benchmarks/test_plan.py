"""What a run measures, and in which order."""

from __future__ import annotations

from typing import Any

from benchmarks.plan import Plan, Taker


def make_plan(**given: Any) -> Plan:
    values: dict[str, Any] = {
        "models": ("A", "B", "D"),
        "pictures": ("1", "2", "3"),
        "connections": (1, 8),
        "seconds": 2.0,
        "rounds": 5,
        "setups": ("vitrine", "vitrine-bare"),
        "peers": ("flask", "fastapi"),
        "kinds": ("plain", "draft"),
    }
    return Plan(**{**values, **given})


def test_the_heavy_model_is_not_measured_on_the_largest_picture() -> None:
    assert [str(cell) for cell in make_plan().cells("B", "plain")] == ["B1 c=1", "B1 c=8", "B2 c=1", "B2 c=8"]


def test_draft_is_measured_where_there_is_something_to_skip() -> None:
    assert {cell.case for cell in make_plan().cells("A", "draft")} == {"A2", "A3"}
    assert not any(taker.kind == "draft" for taker in make_plan(pictures=("1",)).takers("A"))


def test_the_bundled_model_is_measured_of_vitrine_as_it_comes() -> None:
    assert make_plan().takers("D") == [Taker("vitrine", "vitrine")]
    assert make_plan(setups=("vitrine-bare",)).takers("D") == []


def test_every_round_begins_with_another_server() -> None:
    plan = make_plan()
    first, second = plan.takers("A", 1), plan.takers("A", 2)
    assert [taker.server for taker in first] == ["vitrine", "vitrine-bare", "flask", "fastapi", "flask+draft", "fastapi+draft"]
    assert second == [*first[1:], first[0]]


def test_the_time_told_grows_with_what_is_measured() -> None:
    assert make_plan(rounds=1).minutes < make_plan(rounds=5).minutes
    assert make_plan(peers=()).minutes < make_plan().minutes < make_plan(seconds=9).minutes
