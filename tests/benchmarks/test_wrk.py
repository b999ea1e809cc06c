"""In which seconds the answers came, and where load may go."""

from __future__ import annotations

import click
import pytest

from benchmarks.load.wrk import counted_seconds, demand_loopback


def test_the_time_after_the_latest_answer_does_not_count_while_others_are_under_way() -> None:
    assert counted_seconds({"seconds": 2.0, "silence": 0.5, "longest_ms": 800.0}) == 1.5


def test_a_server_that_fell_silent_is_held_to_the_whole_time() -> None:
    assert counted_seconds({"seconds": 2.0, "silence": 1.9, "longest_ms": 20.0}) == 2.0


@pytest.mark.parametrize("url", ["http://example.org/predict", "http://127.0.0.1.example.org/", "http://10.0.0.1:80/"])
def test_load_goes_to_this_machine_alone(url: str) -> None:
    demand_loopback("http://127.0.0.1:8000/api/v1/predict")
    with pytest.raises(click.ClickException, match="alone"):
        demand_loopback(url)
