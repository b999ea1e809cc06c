"""What the sums tell: periods in slots, figures from buckets, and the last hour by the minute."""

from __future__ import annotations

import itertools
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.inference.prediction import STAGES, ClassScore, Timings
from app.services.telemetry.traffic import EDGES_MS, Traffic
from app.services.telemetry.traffic_report import LATELY, MINUTES, PERIODS, ClassCount, Latency, Series, TrafficReports
from app.storage.sums import HOUR, MINUTE, Amount, SumKey, Sums
from tests.factories import Clock, make_prediction, make_services

NOW = datetime(2026, 3, 5, 14, 25, 30, tzinfo=UTC).timestamp()
DAY = 24 * HOUR


class Seen:
    """What a test has happen, and what is told of it then."""

    def __init__(self, sums: Sums) -> None:
        self.clock = Clock()
        self.clock.seconds = NOW
        self.sums = sums
        self.traffic = Traffic(sums=sums, clock=self.clock)
        self.traffic.begin()
        self.reports = TrafficReports(sums=sums, clock=self.clock)

    def answer(
        self, total: float = 5.0, label: str = "light", sure: float = 0.75, *, before: float = 0.0, **given: str
    ) -> None:
        """Have a picture answered so many seconds ago."""
        prediction = make_prediction(scores=(ClassScore(label, sure),), **given)
        self.clock.seconds = NOW - before
        self.traffic.answered(prediction, Timings(total / 2, 0.05, total / 4, total))

    def refuse(self, code: str, *, before: float = 0.0) -> None:
        """Have a picture refused so many seconds ago."""
        self.clock.seconds = NOW - before
        self.traffic.refused(code)

    def told(self) -> TrafficReports:
        """Write everything down, and give who reads it."""
        assert self.traffic.write()
        self.clock.seconds = NOW
        return self.reports


@pytest.fixture
def seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Seen:
    monkeypatch.setattr(Traffic, "_start", lambda _self: None)
    return Seen(Sums(make_services(tmp_path).engine))


def test_of_nothing_nothing_is_told(seen: Seen) -> None:
    report = seen.told().report(PERIODS["24h"])
    assert (report.answered, report.models, report.answers, dict(report.stages)) == (0, (), (), {})
    assert (report.classes, report.refusals, report.statuses, sum(report.confidence)) == ((), (), (), 0)
    assert report.latencies == (None,) * 24
    live = seen.reports.live()
    assert (live.latency, live.statuses, sum(live.answered), sum(live.refused)) == (None, {}, 0, 0)


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("24h", datetime(2026, 3, 4, 15, tzinfo=UTC), datetime(2026, 3, 5, 14, tzinfo=UTC)),
        ("7d", datetime(2026, 2, 26, 18, tzinfo=UTC), datetime(2026, 3, 5, 12, tzinfo=UTC)),
        ("30d", datetime(2026, 2, 4, tzinfo=UTC), datetime(2026, 3, 5, tzinfo=UTC)),
    ],
)
def test_a_period_ends_with_the_present_slot_and_leaves_out_what_is_older(
    seen: Seen, name: str, first: datetime, last: datetime
) -> None:
    period = PERIODS[name]
    seen.answer()
    seen.answer(before=NOW - first.timestamp())
    seen.answer(before=NOW - first.timestamp() + 1)
    report = seen.told().report(period)
    assert (report.begins[0], report.begins[-1], len(report.begins)) == (first.timestamp(), last.timestamp(), period.slots)
    assert report.answers == (Series("shade", "1", (1, *[0] * (period.slots - 2), 1)),)
    assert (report.answered, report.classes) == (2, (ClassCount("shade", "light", 2),))


def test_versions_are_told_apart_the_busiest_first(seen: Seen) -> None:
    for model, version, count in (("shade", "1", 1), ("digits", "1", 3), ("shade", "2", 2)):
        for _ in range(count):
            seen.answer(model=model, version=version)
    report = seen.told().report(PERIODS["24h"])
    assert [(one.name, one.version, one.total) for one in report.answers] == [
        ("digits", "1", 3),
        ("shade", "2", 2),
        ("shade", "1", 1),
    ]
    assert report.models == ("digits", "shade")


def test_of_one_model_its_answers_are_told_and_the_refusals_of_all(seen: Seen) -> None:
    seen.answer(model="digits", label="8")
    seen.answer(model="shade")
    seen.refuse("invalid_image")
    report = seen.told().report(PERIODS["7d"], "digits")
    assert (report.answered, report.classes, report.models) == (1, (ClassCount("digits", "8", 1),), ("digits", "shade"))
    assert [(one.name, one.total) for one in report.refusals] == [("invalid_image", 1)]
    unknown = seen.reports.report(PERIODS["7d"], "unknown")
    assert (unknown.answered, unknown.models) == (0, ("digits", "shade", "unknown"))


def test_classes_of_one_name_are_told_apart_by_their_models_and_the_others_come_last(seen: Seen) -> None:
    for label, model in (("cat", "a"), ("cat", "b"), ("dog", "a"), ("cat", "b"), *[("", "a")] * 5):
        seen.answer(label=label, model=model)
    classes = [(one.model, one.label, one.count) for one in seen.told().report(PERIODS["24h"]).classes]
    assert classes == [("b", "cat", 2), ("a", "cat", 1), ("a", "dog", 1), ("a", "", 5)]


def test_confidence_is_told_in_bins_of_five_percent(seen: Seen) -> None:
    for sure in (0.0, 0.049, 0.05, 0.999, 1.0):
        seen.answer(sure=sure)
    bins = seen.told().report(PERIODS["24h"]).confidence
    assert (len(bins), bins[0], bins[1], bins[19], sum(bins)) == (20, 2, 1, 2, 5)


@pytest.mark.parametrize("spread", [0.1, 0.6])
def test_figures_from_buckets_are_near_those_from_every_answer(seen: Seen, spread: float) -> None:
    chance = random.Random(8)
    totals = [chance.lognormvariate(2.5, spread) for _ in range(2000)]
    for total in totals:
        seen.answer(total)
    latency = seen.told().report(PERIODS["24h"]).stages["total"]
    assert latency.answers == 2000
    assert latency.mean == pytest.approx(sum(totals) / 2000)
    for figure, part in ((latency.median, 0.5), (latency.p95, 0.95)):
        assert figure == pytest.approx(sorted(totals)[int(2000 * part)], rel=0.1)


def test_what_all_answers_took_is_told_where_they_all_took_the_same(seen: Seen) -> None:
    for _ in range(100):
        seen.answer(31.0)
    latency = seen.told().report(PERIODS["24h"]).stages["total"]
    assert [latency.median, latency.p95] == pytest.approx([31.0, 31.9])


def test_every_stage_has_its_figures_and_every_slot_its_own(seen: Seen) -> None:
    seen.answer(4.0)
    seen.answer(400.0, before=3 * HOUR)
    report = seen.told().report(PERIODS["24h"])
    assert tuple(report.stages) == STAGES
    assert report.stages["decode"].mean == (2.0 + 200.0) / 2
    assert [number for number, latency in enumerate(report.latencies) if latency] == [20, 23]
    assert report.latencies[23] == Latency(1, 4.0, 4.0, 4.9)


def test_what_is_beyond_the_last_edge_is_told_as_it_was_on_average(seen: Seen) -> None:
    for total in (100_000.0, 200_000.0):
        seen.answer(total)
    assert seen.told().report(PERIODS["24h"]).stages["total"] == Latency(2, 150_000.0, 150_000.0, 150_000.0)


def test_the_edges_are_near_each_other() -> None:
    assert list(EDGES_MS) == sorted(set(EDGES_MS))
    assert all(upper / lower <= 2 for lower, upper in itertools.pairwise(EDGES_MS[:-1]))


def test_the_last_hour_is_told_by_the_minute_and_its_end_in_figures(seen: Seen) -> None:
    for before in (0, 40, 4 * MINUTE, 5 * MINUTE, 59 * MINUTE, 60 * MINUTE):
        seen.answer(before=before)
    seen.refuse("overloaded", before=MINUTE)
    seen.refuse("overloaded", before=30 * MINUTE)
    seen.clock.seconds = NOW
    for status in (503, 503, 429):
        seen.traffic.failed(status)
    live = seen.told().live()
    assert live.begins_at == NOW // MINUTE * MINUTE - 59 * MINUTE
    assert {place: count for place, count in enumerate(live.answered) if count} == {0: 1, 54: 1, 55: 1, 58: 1, 59: 1}
    assert {place: count for place, count in enumerate(live.refused) if count} == {29: 1, 58: 1}
    assert (len(live.answered), LATELY) == (MINUTES, 5)
    assert live.latency is not None
    assert (live.latency.answers, live.statuses) == (3, {"503": 2, "429": 1})


def test_a_machine_whose_clock_is_ahead_breaks_nothing(seen: Seen) -> None:
    ahead = int(NOW) // HOUR * HOUR + 2 * HOUR
    seen.sums.add({SumKey(span, "total", ahead, "shade", "1", "5"): Amount(1, 4.0) for span in (MINUTE, HOUR)})
    seen.sums.add({SumKey(MINUTE, "refused", ahead, "", "", "overloaded"): Amount(1, 0.0)})
    seen.answer()
    assert seen.told().report(PERIODS["24h"]).answers[0].total == 1
    assert sum(seen.reports.live().answered) == 1
