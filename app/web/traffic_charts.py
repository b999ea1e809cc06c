"""A report of the traffic as a page shows it: charts, each with its table, and what can be compared with its bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from app.inference.naming import name_of
from app.services.telemetry.traffic import CONFIDENCE_BINS
from app.services.telemetry.traffic_report import ClassCount, Series, TrafficReport
from app.web.charts import Chart, Drawn, Key, Mark, Scale, Table, duration, places, ranging, share, stacked, whole
from app.web.models import ShownMetric

_DAY, _HOUR = 86_400, 3600
_MOST_SERIES = 4
_MOST_CLASSES = 10
_STAGES = {
    "decode": "Decoding the picture",
    "queue": "Waiting for a turn",
    "model": "Asking the model",
    "store": "Writing it down",
    "total": "All together",
}
_REASONS = {
    "unsupported_image": "No picture of a known format",
    "invalid_image": "A broken picture",
    "image_too_large": "A file too large",
    "image_too_complex": "A picture too large or too complex",
    "model_not_found": "No such model or version",
    "model_required": "No model was named",
    "overloaded": "More to do than could be done in time",
    "invalid_package": "A model’s files are damaged",
    "invalid_model": "A model cannot be served",
    "invalid_request": "A request that was not understood",
    "too_slow": "A request that came too slowly",
}
_STATUSES = {"429": "Over a limit", "500": "A fault of ours", "503": "Told to come back"}
_SURE_FROM = 60


@dataclass(frozen=True, slots=True)
class Row:
    """One of several things that are compared: its bar, in percent of the longest, and its figures."""

    name: str
    small: str
    bar: float
    beyond: float
    figures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ranking:
    """Things that are compared, each a row of a table with a bar in it."""

    caption: str
    heads: tuple[str, ...]
    rows: tuple[Row, ...]
    rest: tuple[Row, ...] = ()
    rest_words: str = ""
    kind: str = "1"


@dataclass(frozen=True, slots=True)
class ShownReport:
    """Everything that the page shows of a period; no chart where there is nothing to draw."""

    figures: tuple[ShownMetric, ...]
    traffic: Drawn | None
    latency: Drawn | None
    stages: Ranking | None
    classes: Ranking | None
    confidence: Drawn | None
    unsure: str
    refusals: Drawn | None
    reasons: Ranking | None
    statuses: tuple[ShownMetric, ...]


def shown_report(report: TrafficReport) -> ShownReport:
    """Give everything that the page shows of a period."""
    total = report.stages.get("total")
    figures = [_figure("answers", whole(report.answered))]
    if total is not None:
        figures += [
            _figure("median", duration(total.median)),
            _figure("95th percentile", duration(total.p95)),
        ]
    figures.append(_figure("pictures refused", whole(sum(one.total for one in report.refusals))))
    figures.append(_figure("requests failed", whole(sum(one.total for one in report.statuses if one.name >= "500"))))
    return ShownReport(
        figures=tuple(figures),
        traffic=_traffic(report) if report.answered else None,
        latency=_latency(report) if any(report.latencies) else None,
        stages=_stages(report) if report.stages else None,
        classes=_classes(report.classes) if report.classes else None,
        confidence=_confidence(report.confidence) if any(report.confidence) else None,
        unsure=_unsure(report.confidence),
        refusals=_refusals(report) if report.refusals else None,
        reasons=_reasons(report.refusals) if report.refusals else None,
        statuses=tuple(
            ShownMetric(_STATUSES.get(one.name, "Status"), whole(one.total), f"status {one.name}") for one in report.statuses
        ),
    )


def _figure(name: str, value: str) -> ShownMetric:
    return ShownMetric(name, value, None)


def _traffic(report: TrafficReport) -> Drawn:
    series = _few(report.answers)
    names = tuple(_version(one) for one in series)
    scale = Scale(max(map(sum, zip(*(one.amounts for one in series), strict=True))), whole=True)
    columns, rows = [], []
    for number, (slot, (x, width)) in enumerate(zip(_slots(report), places(report.period.slots), strict=True)):
        amounts = [one.amounts[number] for one in series]
        told = ", ".join(f"{name}: {whole(amount)}" for name, amount in zip(names, amounts, strict=True) if amount)
        parts = zip((_kind(place) for place in range(len(series))), amounts, strict=True)
        columns.append(stacked(x, width, f"{slot}: {told or 'no answers'}", scale, parts))
        rows.append((slot, *map(whole, amounts), *([whole(sum(amounts))] if len(series) > 1 else [])))
    keys = tuple(
        Key(_kind(place), f"{name}: {whole(one.total)}") for place, (name, one) in enumerate(zip(names, series, strict=True))
    )
    chart = Chart("answers", scale.ticks(whole), _marks(report), tuple(columns), keys)
    return Drawn(
        chart, Table("Answers, in UTC", ("From", *names, *(["Together"] if len(series) > 1 else [])), tuple(reversed(rows)))
    )


def _latency(report: TrafficReport) -> Drawn:
    scale = Scale(max(latency.p95 for latency in report.latencies if latency is not None))
    columns, rows = [], []
    for slot, latency, (x, width) in zip(_slots(report), report.latencies, places(report.period.slots), strict=True):
        if latency is None:
            rows.append((slot, "0", "–", "–", "–"))
            continue
        median, p95, mean = map(duration, (latency.median, latency.p95, latency.mean))
        words = f"{slot}: median {median}, 95th percentile {p95}"
        columns.append(ranging(x, width, words, scale, latency.median, latency.p95))
        rows.append((slot, whole(latency.answers), median, mean, p95))
    keys = (Key("upper", "95th percentile"), Key("lower", "median"))
    chart = Chart("milliseconds", scale.ticks(_plain), _marks(report), tuple(columns), keys)
    heads = ("From", "Answers", "Median", "Mean", "95th percentile")
    return Drawn(chart, Table("Time of an answer, in UTC", heads, tuple(reversed(rows))))


def _stages(report: TrafficReport) -> Ranking:
    longest = max(latency.p95 for latency in report.stages.values()) or 1.0
    rows = (
        Row(
            _STAGES[stage],
            "",
            100 * latency.median / longest,
            100 * max(0.0, latency.p95 - latency.median) / longest,
            tuple(map(duration, (latency.median, latency.mean, latency.p95))),
        )
        for stage, latency in report.stages.items()
    )
    heads = ("Stage", "Median", "Mean", "95th")
    return Ranking("Where the time of an answer goes", heads, tuple(rows))


def _classes(counts: Sequence[ClassCount]) -> Ranking:
    of, most = sum(one.count for one in counts), max(one.count for one in counts)
    several = len({one.model for one in counts}) > 1
    rows = tuple(
        Row(
            name_of(one.label).noun if one.label else "Other classes",
            one.model if several else "",
            100 * one.count / most,
            0.0,
            (whole(one.count), share(one.count, of)),
        )
        for one in counts
    )
    first, rest = rows[:_MOST_CLASSES], rows[_MOST_CLASSES:]
    if len(rest) == 1:
        first, rest = rows, ()
    others = sum(one.count for one in counts[len(first) :])
    words = f"{len(rest)} further classes: {whole(others)} answers, {share(others, of)}"
    return Ranking("Answers by class", ("Class", "Answers", "Share"), first, rest, words if rest else "")


def _confidence(bins: Sequence[int]) -> Drawn:
    scale, of, step = Scale(max(bins), whole=True), sum(bins), 100 // CONFIDENCE_BINS
    columns, rows = [], []
    for lowest, count, (x, width) in zip(range(0, 100, step), bins, places(CONFIDENCE_BINS), strict=True):
        words = f"{lowest} to {lowest + step} %"
        columns.append(stacked(x, width, f"{words}: {whole(count)} answers", scale, [("1", count)]))
        rows.append((words, whole(count), share(count, of)))
    marks = (Mark(0, "0 %", "start"), *(Mark(edge, f"{edge} %") for edge in (25, 50, 75)), Mark(100, "100 %", "end"))
    chart = Chart("answers", scale.ticks(whole), marks, tuple(columns))
    return Drawn(chart, Table("Answers by confidence", ("Confidence", "Answers", "Share"), tuple(reversed(rows))))


def _unsure(bins: Sequence[int]) -> str:
    unsure = share(sum(bins[: _SURE_FROM * CONFIDENCE_BINS // 100]), sum(bins))
    return f"{unsure} of the answers were given with less than {_SURE_FROM} % confidence."


def _refusals(report: TrafficReport) -> Drawn:
    by_slot = [sum(amounts) for amounts in zip(*(one.amounts for one in report.refusals), strict=True)]
    scale = Scale(max(by_slot), whole=True)
    columns, rows = [], []
    for slot, count, (x, width) in zip(_slots(report), by_slot, places(report.period.slots), strict=True):
        columns.append(stacked(x, width, f"{slot}: {whole(count)} refused", scale, [("refused", count)]))
        rows.append((slot, whole(count)))
    chart = Chart("pictures", scale.ticks(whole), _marks(report), tuple(columns))
    return Drawn(chart, Table("Pictures that were refused, in UTC", ("From", "Refused"), tuple(reversed(rows))))


def _reasons(refusals: Sequence[Series]) -> Ranking:
    of, most = sum(one.total for one in refusals), max(one.total for one in refusals)
    rows = (
        Row(_REASONS.get(one.name, one.name), one.name, 100 * one.total / most, 0.0, (whole(one.total), share(one.total, of)))
        for one in refusals
    )
    return Ranking("Why they were refused", ("Reason", "Pictures", "Share"), tuple(rows), kind="refused")


def _few(series: Sequence[Series]) -> tuple[Series, ...]:
    """Give the first of these, and the others as one."""
    if len(series) <= _MOST_SERIES + 1:
        return tuple(series)
    others = zip(*(one.amounts for one in series[_MOST_SERIES:]), strict=True)
    return (*series[:_MOST_SERIES], Series("", "", tuple(map(sum, others))))


def _version(series: Series) -> str:
    return f"{series.name}, version {series.version}" if series.name else "others"


def _kind(place: int) -> str:
    return str(place + 1) if place < _MOST_SERIES else "rest"


def _plain(ms: float) -> str:
    return f"{ms:,g}"


def _slots(report: TrafficReport) -> list[str]:
    """Give when each slot begins; the last goes on."""
    moments = (datetime.fromtimestamp(begins_at, UTC) for begins_at in report.begins)
    words = [f"{moment:%-d %B}" if report.period.slot == _DAY else f"{moment:%-d %B, %H:%M}" for moment in moments]
    return [*words[:-1], f"{words[-1]} (so far)"]


def _marks(report: TrafficReport) -> tuple[Mark, ...]:
    """Give the days below the columns, not all of them where there are many; of a single day every sixth hour."""
    slot, slots, marks = report.period.slot, report.period.slots, []
    for number, begins_at in enumerate(report.begins):
        moment, x = datetime.fromtimestamp(begins_at, UTC), round(100 * (number + 0.5) / slots, 3)
        day = f"{moment:%-d %b}"
        if slot == _HOUR:
            if moment.hour % 6 == 0:
                marks.append(Mark(x, f"{moment:%H:%M}" if moment.hour else day))
        elif slot == _DAY:
            if (slots - number) % 5 == 1:
                marks.append(Mark(x, day) if number < slots - 1 else Mark(100, day, "end"))
        elif moment.hour == 0:
            marks.append(Mark(x, day, "roomy" if len(marks) % 2 else "middle"))
    return tuple(marks)
