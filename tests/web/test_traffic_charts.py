"""A report as charts: in proportion, folded where there is much, and nothing drawn of nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from app.inference.prediction import STAGES
from app.services.telemetry.traffic_report import PERIODS, ClassCount, Latency, Live, Series, TrafficReport
from app.web.charts import HEIGHT
from app.web.live_traffic import live_values, shown_live
from app.web.traffic_charts import shown_report

NOW = datetime(2026, 3, 5, 14, 25, tzinfo=UTC).timestamp()


def make_report(name: str = "24h", **given: Any) -> TrafficReport:
    """Give a report of a period in which little happened."""
    period = PERIODS[name]
    begins = tuple(period.since(NOW) + slot * period.slot for slot in range(period.slots))
    values: dict[str, Any] = {
        "period": period,
        "model": None,
        "models": ("shade",),
        "begins": begins,
        "answers": (make_series("shade", "1", 7),),
        "latencies": (*[None] * (period.slots - 1), Latency(7, 5.0, 4.0, 12.0)),
        "stages": dict.fromkeys(STAGES, Latency(7, 5.0, 4.0, 8.0)),
        "classes": (ClassCount("shade", "light", 7),),
        "confidence": (0,) * 19 + (7,),
        "refusals": (),
        "statuses": (),
    }
    if "answers" not in given:
        values["answers"] = (make_series("shade", "1", 7, period.slots),)
    return TrafficReport(**{**values, **given})


def make_series(name: str, version: str, last: int, slots: int = 24) -> Series:
    """Give one of which so many happened in the present slot."""
    return Series(name, version, (*[0] * (slots - 1), last))


def test_of_nothing_nothing_is_drawn() -> None:
    nothing = make_report(answers=(), latencies=(None,) * 24, stages={}, classes=(), confidence=(0,) * 20)
    shown = shown_report(nothing)
    assert [figure.value for figure in shown.figures] == ["0", "0", "0"]
    charts = (shown.traffic, shown.latency, shown.stages, shown.classes, shown.confidence, shown.refusals, shown.reasons)
    assert charts == (None,) * 7


def test_a_column_and_its_row_say_the_same() -> None:
    drawn = shown_report(make_report()).traffic
    assert drawn is not None
    assert drawn.chart.columns[-1].words == "5 March, 14:00 (so far): shade, version 1: 7"
    assert drawn.chart.columns[0].words == "4 March, 15:00: no answers"
    assert drawn.table.rows[0] == ("5 March, 14:00 (so far)", "7")
    assert drawn.chart.columns[-1].pieces[0].height == HEIGHT * 7 / 8


@pytest.mark.parametrize(("versions", "keys"), [(1, 1), (5, 5), (6, 5), (9, 5)])
def test_beyond_five_versions_the_last_ones_are_told_as_one(versions: int, keys: int) -> None:
    drawn = shown_report(make_report(answers=tuple(make_series("a", str(number), 10) for number in range(versions)))).traffic
    assert drawn is not None
    assert len(drawn.chart.legend) == keys
    assert len({key.kind for key in drawn.chart.legend}) == keys
    assert (drawn.chart.legend[-1].words == f"others: {10 * (versions - 4)}") == (versions > 5)
    assert drawn.table.rows[0][-1] == str(10 * versions)


@pytest.mark.parametrize(("classes", "shown", "folded"), [(10, 10, 0), (11, 11, 0), (12, 10, 2), (120, 10, 110)])
def test_beyond_ten_classes_the_others_are_folded_but_never_a_single_one(classes: int, shown: int, folded: int) -> None:
    counts = tuple(ClassCount("a", f"class_{number}", 2) for number in range(classes))
    ranking = shown_report(make_report(classes=counts)).classes
    assert ranking is not None
    assert (len(ranking.rows), len(ranking.rest)) == (shown, folded)
    assert ranking.rest_words.startswith(f"{folded} further classes: {2 * folded} answers" if folded else "")


def test_models_are_named_where_there_are_several_and_other_classes_have_words() -> None:
    ranking = shown_report(make_report(classes=(ClassCount("a", "big_cat", 3), ClassCount("b", "", 1)))).classes
    assert ranking is not None
    assert [(row.name, row.small, row.bar) for row in ranking.rows] == [("Big cat", "a", 100), ("Other classes", "b", 100 / 3)]


def test_how_many_were_given_with_little_confidence_is_said() -> None:
    assert (
        shown_report(make_report(confidence=(1,) * 20)).unsure
        == "60.0 % of the answers were given with less than 60 % confidence."
    )


def test_refusals_have_words_and_those_without_have_their_code() -> None:
    refusals = (make_series("invalid_image", "", 3), make_series("something_new", "", 1))
    shown = shown_report(make_report(refusals=refusals, statuses=(make_series("503", "", 2), make_series("429", "", 5))))
    assert shown.reasons is not None
    assert [(row.name, row.small) for row in shown.reasons.rows] == [
        ("A broken picture", "invalid_image"),
        ("something_new", "something_new"),
    ]
    assert [(one.name, one.value) for one in shown.statuses] == [("Told to come back", "2"), ("Over a limit", "5")]
    assert [(one.name, one.value) for one in shown.figures[-2:]] == [("pictures refused", "4"), ("requests failed", "2")]


@pytest.mark.parametrize(
    ("name", "marks"),
    [
        ("24h", ["18:00", "5 Mar", "06:00", "12:00"]),
        ("7d", ["27 Feb", "28 Feb", "1 Mar", "2 Mar", "3 Mar", "4 Mar", "5 Mar"]),
        ("30d", ["8 Feb", "13 Feb", "18 Feb", "23 Feb", "28 Feb", "5 Mar"]),
    ],
)
def test_days_stand_below_their_columns(name: str, marks: list[str]) -> None:
    drawn = shown_report(make_report(name)).traffic
    assert drawn is not None
    assert [mark.words for mark in drawn.chart.marks] == marks
    assert all(0 <= mark.x <= 100 for mark in drawn.chart.marks)


def test_the_script_is_given_what_the_page_shows() -> None:
    answered, refused = (*range(59), 12_345), (*[0] * 59, 7)
    live = Live(int(NOW), answered, refused, Latency(9, 5.0, 4.0, 1200.0), {"503": 2, "429": 9, "500": 1})
    shown, values = shown_live(live), live_values(live)
    assert values["figures"] == {figure.key: figure.value for figure in shown.figures}
    assert values["figures"] == {
        "answered": f"{12_345 + 58 + 57 + 56 + 55:,}",
        "median": "4.0 ms",
        "p95": "1.2 s",
        "refused": "7",
        "failed": "3",
    }
    assert values["ticks"] == [tick.words for tick in shown.drawn.chart.ticks] == ["0", "10,000", "20,000"]
    assert (values["answered"], values["refused"], values["top"]) == (answered, refused, 20_000)
    assert shown.drawn.table.rows[0] == ("15:24", "12,345", "7")
    foot, head = shown.drawn.chart.columns[-1].pieces
    assert (foot.height, head.height) == (round(HEIGHT * 12_345 / 20_000, 2), 1.5)
