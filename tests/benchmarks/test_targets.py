"""Every target is judged on the right numbers of the right set-up."""

from __future__ import annotations

import pytest

from benchmarks.results.ratios import Figures
from benchmarks.results.targets import verdicts, wanted_speed
from benchmarks.results.values import Floor, Turn
from tests.benchmarks.runs import make_cell, make_measured, make_results, make_turn


def judge(*turns: Turn, floors: tuple[Floor, ...] = ()) -> dict[str, bool]:
    return {verdict.subject: verdict.reached for verdict in verdicts(Figures(make_results(*turns, floors=floors)))}


@pytest.mark.parametrize(
    ("server", "cell", "wanted"),
    [
        ("vitrine", "A1 c=1", 1.0),
        ("vitrine-bare", "A1 c=32", 1.3),
        ("vitrine", "A2 c=8", 4.0),
        ("vitrine", "B1 c=1", 10.0),
        ("vitrine", "B1 c=8", 5.0),
        ("vitrine", "B1 c=32", 2.0),
        ("vitrine", "B2 c=32", 3.0),
        ("vitrine-bare", "C1 c=8", 1.25),
        ("vitrine", "C1 c=8", None),
        ("vitrine", "B1 c=4", None),
        ("vitrine-bare", "D2 c=8", None),
    ],
)
def test_what_is_wanted_of_whom(server: str, cell: str, wanted: float | None) -> None:
    assert wanted_speed(server, make_cell(cell)) == wanted


def test_speed_is_held_against_peers_as_people_write_them() -> None:
    speeds = {"vitrine": 399, "vitrine-bare": 999, "flask": 100, "flask+draft": 1000}
    found = judge(*(make_turn(name, 1, make_measured("A2 c=8", speed)) for name, speed in speeds.items()))
    assert found["A2 c=8, all on: speed by the best peer's"] is False
    assert "A2 c=8, bare: speed by the best peer's" not in found


def test_memory_is_judged_by_the_worst_round() -> None:
    turns = [make_turn("vitrine", number, make_measured("B1 c=8", memory_mb=mb)) for number, mb in ((1, 149), (2, 151))]
    assert judge(turns[0])["model B: memory, MB"] is True
    assert judge(*turns)["model B: memory, MB"] is False


def test_a_picture_of_twelve_megapixels_has_a_limit_of_its_own() -> None:
    turn = make_turn("vitrine", 1, make_measured("A3 c=32", memory_mb=700), make_measured("A1 c=32", memory_mb=100))
    assert judge(turn)["A3 c=32: memory, MB"] is False


def test_a_start_is_held_against_the_quickest_peer() -> None:
    seconds = {"vitrine": 1.0, "flask": 2.1, "mlserver": 9.0, "flask+draft": 1.1}
    turns = [make_turn(name, 1, make_measured("A1 c=1"), cold_start_s=took) for name, took in seconds.items()]
    assert judge(*turns)["model A: cold start by the quickest peer's"] is True


def test_the_slowest_in_a_hundred_and_errors_are_judged_where_they_are_asked_for() -> None:
    slow, wrong = make_measured("A1 c=8", p50_ms=10, p99_ms=31), make_measured("A1 c=32", p50_ms=1, p99_ms=99, errors=1)
    found = judge(make_turn("vitrine", 1, slow, wrong))
    assert found == {"A1 c=8: p99 by the median": False, "all cases c=32: errors": False}


def test_the_bundled_model_is_held_against_its_own_network_round_by_round() -> None:
    turns = [make_turn("vitrine", number, make_measured("D2 c=1", cpu_ms=ms)) for number, ms in ((1, 12), (2, 24))]
    floors = (Floor("D2", 1, 2.0, 8.0), Floor("D2", 2, 4.0, 16.0))
    assert judge(*turns, floors=floors) == {"D2 c=1: processor time by that of the network and the decoder": True}
