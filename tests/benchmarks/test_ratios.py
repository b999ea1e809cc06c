"""Ratios are taken within rounds, against the peer that is best over all of them."""

from __future__ import annotations

import pytest

from benchmarks.results.ratios import Figures, Ratio, ratio_to_best
from benchmarks.results.values import Failure
from tests.benchmarks.runs import make_cell, make_measured, make_results, make_turn


def test_the_median_of_the_rounds_ratios_to_the_best_peer() -> None:
    own = {1: 200.0, 2: 90.0, 3: 400.0}
    peers = {"slow": {1: 10.0, 2: 10.0, 3: 10.0}, "best": {1: 100.0, 2: 50.0, 3: 100.0}}
    assert ratio_to_best(own, peers, most=True) == Ratio("best", 2.0, 1.8, 4.0)


def test_where_less_is_better_the_best_has_the_least() -> None:
    assert ratio_to_best({1: 1.0}, {"quick": {1: 2.0}, "slow": {1: 9.0}}, most=False) == Ratio("quick", 0.5, 0.5, 0.5)


def test_a_round_that_only_one_of_them_has_does_not_count() -> None:
    ratio = ratio_to_best({1: 10.0, 3: 30.0}, {"peer": {1: 10.0, 2: 1.0}, "absent": {2: 99.0}}, most=True)
    assert ratio == Ratio("peer", 1.0, 1.0, 1.0)


@pytest.mark.parametrize(("own", "peers"), [({}, {"peer": {1: 2.0}}), ({1: 2.0}, {}), ({1: 2.0}, {"peer": {1: 0.0}})])
def test_no_ratio_where_there_is_nothing_to_divide(own: dict[int, float], peers: dict[str, dict[int, float]]) -> None:
    assert ratio_to_best(own, peers, most=True) is None


def test_a_ratio_is_shown_with_its_span() -> None:
    assert str(Ratio("peer", 1.5, 1.0, 2.25)) == "1.50 (1.00–2.25)"


def test_a_peer_that_failed_with_a_model_is_nobodys_best() -> None:
    turns = [
        make_turn(name, 1, make_measured("A1 c=8", speed)) for name, speed in (("vitrine", 90), ("flask", 30), ("wrong", 99))
    ]
    figures = Figures(make_results(*turns, failures=(Failure("wrong", "A", 2, "answered 'dog'"),)))
    assert figures.speed_ratio("vitrine", make_cell("A1 c=8"), "plain") == Ratio("flask", 3.0, 3.0, 3.0)


def test_peers_with_and_without_draft_are_never_mixed() -> None:
    turns = [
        make_turn(name, 1, make_measured("A2 c=8", speed))
        for name, speed in (("vitrine", 80), ("flask", 20), ("flask+draft", 40))
    ]
    figures = Figures(make_results(*turns))
    plain, draft = (figures.speed_ratio("vitrine", make_cell("A2 c=8"), kind) for kind in ("plain", "draft"))
    assert plain == Ratio("flask", 4.0, 4.0, 4.0)
    assert draft == Ratio("flask+draft", 2.0, 2.0, 2.0)


def test_a_cell_in_which_nothing_was_answered_is_no_number() -> None:
    turn = make_turn("vitrine", 1, make_measured("A1 c=8", 0.0, answers=0, errors=9))
    assert not Figures(make_results(turn)).measured("vitrine", make_cell("A1 c=8"))
