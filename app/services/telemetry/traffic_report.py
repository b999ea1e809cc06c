"""What the sums tell: the last hour by the minute, and the last day, week or month by the hour."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from app.inference.prediction import STAGES
from app.services.telemetry.traffic import ANSWERS, CLASSES, CONFIDENCE, CONFIDENCE_BINS, EDGES_MS, REFUSED, STATUS
from app.storage.sums import HOUR, MINUTE, Amount, Sum, Sums

MINUTES, LATELY = 60, 5

_Key = TypeVar("_Key")


@dataclass(frozen=True, slots=True)
class Period:
    """How far back one looks, in slots of so many seconds, the present one the last; all begin with the hour in UTC."""

    name: str
    title: str
    slot: int
    slots: int

    def since(self, now: float) -> int:
        """Give when the first slot began, in seconds since the epoch."""
        return (int(now) // self.slot - self.slots + 1) * self.slot


PERIODS = {
    period.name: period
    for period in (
        Period("24h", "24 hours", HOUR, 24),
        Period("7d", "7 days", 6 * HOUR, 28),
        Period("30d", "30 days", 24 * HOUR, 30),
    )
}


@dataclass(frozen=True, slots=True)
class Latency:
    """How long answers took, in milliseconds: on average, and what half of them and nineteen of twenty stayed below."""

    answers: int
    mean: float
    median: float
    p95: float


@dataclass(frozen=True, slots=True)
class Series:
    """How often something happened, slot by slot: answers of a version of a model, or refusals of a code."""

    name: str
    version: str
    amounts: tuple[int, ...]

    @property
    def total(self) -> int:
        """How often in all slots together."""
        return sum(self.amounts)


@dataclass(frozen=True, slots=True)
class ClassCount:
    """How often a model gave a class; without a label those that are not counted one by one."""

    model: str
    label: str
    count: int


@dataclass(frozen=True, slots=True)
class Live:
    """The last hour, minute by minute, the present one the last; figures of the last five, the statuses by their number."""

    begins_at: int
    answered: tuple[int, ...]
    refused: tuple[int, ...]
    latency: Latency | None
    statuses: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class TrafficReport:
    """What happened in a period, all of it or of one model; what was refused was so before it was any model's.

    `begins` are the slots' beginnings in seconds since the epoch; `latencies` has one for each, and None where nothing was
    answered. `confidence` counts answers in bins of five percent.
    """

    period: Period
    model: str | None
    models: tuple[str, ...]
    begins: tuple[int, ...]
    answers: tuple[Series, ...]
    latencies: tuple[Latency | None, ...]
    stages: Mapping[str, Latency]
    classes: tuple[ClassCount, ...]
    confidence: tuple[int, ...]
    refusals: tuple[Series, ...]
    statuses: tuple[Series, ...]

    @property
    def answered(self) -> int:
        """How many pictures were answered."""
        return sum(series.total for series in self.answers)


class TrafficReports:
    """Reads the sums of all processes and machines."""

    def __init__(self, *, sums: Sums, clock: Callable[[], float] = time.time) -> None:
        self._sums = sums
        self._clock = clock

    def live(self) -> Live:
        """Give the last hour."""
        since = (int(self._clock()) // MINUTE - MINUTES + 1) * MINUTE
        found = self._sums.read(MINUTE, (ANSWERS, REFUSED, STATUS), since, MINUTE)
        lately = [row for row in found if row.slot >= MINUTES - LATELY]
        statuses: Counter[str] = Counter()
        for row in lately:
            if row.measure == STATUS:
                statuses[row.detail] += row.amount
        return Live(
            begins_at=since,
            answered=_by_slot((row for row in found if row.measure == ANSWERS), MINUTES),
            refused=_by_slot((row for row in found if row.measure == REFUSED), MINUTES),
            latency=_latency(row for row in lately if row.measure == ANSWERS),
            statuses=statuses,
        )

    def report(self, period: Period, model: str | None = None) -> TrafficReport:
        """Give what happened in a period, with every model or with one."""
        since = period.since(self._clock())
        slotted = self._sums.read(HOUR, (ANSWERS,), since, period.slot, model)
        failed = self._sums.read(HOUR, (REFUSED, STATUS), since, period.slot)
        whole = self._sums.read(HOUR, (*STAGES, CLASSES, CONFIDENCE), since, period.slot * (period.slots + 1), model)
        by_measure = _grouped(whole, lambda row: row.measure)
        by_slot = _grouped(slotted, lambda row: row.slot)
        stages = {stage: _latency(by_measure[stage]) for stage in STAGES}
        return TrafficReport(
            period=period,
            model=model,
            models=tuple(sorted({*self._sums.models(ANSWERS), *([model] if model else [])})),
            begins=tuple(since + slot * period.slot for slot in range(period.slots)),
            answers=_series(slotted, period.slots, lambda row: (row.model, row.version)),
            latencies=tuple(_latency(by_slot[slot]) for slot in range(period.slots)),
            stages={stage: latency for stage, latency in stages.items() if latency is not None},
            classes=_classes(by_measure[CLASSES]),
            confidence=_confidence(by_measure[CONFIDENCE]),
            refusals=_series((row for row in failed if row.measure == REFUSED), period.slots, lambda row: (row.detail, "")),
            statuses=_series((row for row in failed if row.measure == STATUS), period.slots, lambda row: (row.detail, "")),
        )


def _grouped(rows: Iterable[Sum], key: Callable[[Sum], _Key]) -> defaultdict[_Key, list[Sum]]:
    groups: defaultdict[_Key, list[Sum]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return groups


def _by_slot(rows: Iterable[Sum], slots: int) -> tuple[int, ...]:
    amounts = [0] * slots
    for row in rows:
        if row.slot < slots:  # another machine's clock may be ahead
            amounts[row.slot] += row.amount
    return tuple(amounts)


def _series(rows: Iterable[Sum], slots: int, name: Callable[[Sum], tuple[str, str]]) -> tuple[Series, ...]:
    """Give one for each name that something happened to, that of most first."""
    made = [Series(*named, _by_slot(group, slots)) for named, group in _grouped(rows, name).items()]
    return tuple(sorted((one for one in made if one.total), key=lambda one: (-one.total, one.name, one.version)))


def _classes(rows: Iterable[Sum]) -> tuple[ClassCount, ...]:
    counts: Counter[tuple[str, str]] = Counter()
    for row in rows:
        counts[row.model, row.detail] += row.amount
    ordered = sorted(counts.items(), key=lambda item: (not item[0][1], -item[1], item[0]))
    return tuple(ClassCount(model, label, count) for (model, label), count in ordered)


def _confidence(rows: Iterable[Sum]) -> tuple[int, ...]:
    bins = [0] * CONFIDENCE_BINS
    for row in rows:
        bins[int(row.detail) * CONFIDENCE_BINS // 100] += row.amount
    return tuple(bins)


def _latency(rows: Iterable[Sum]) -> Latency | None:
    """Give how long the answers took that are counted in these buckets; None where there are none."""
    buckets: defaultdict[float, Amount] = defaultdict(lambda: Amount(0, 0.0))
    for row in rows:
        times, total = buckets[float(row.detail)]
        buckets[float(row.detail)] = Amount(times + row.amount, total + row.total)
    answers = sum(bucket.times for bucket in buckets.values())
    if not answers:
        return None
    mean = sum(bucket.total for bucket in buckets.values()) / answers
    return Latency(answers, mean, _quantile(buckets, 0.5 * answers), _quantile(buckets, 0.95 * answers))


def _quantile(buckets: Mapping[float, Amount], wanted: float) -> float:
    """Give what so many answers stayed below, as if those of a bucket were spread evenly about what they took on average."""
    for edge in sorted(buckets):
        times, total = buckets[edge]
        if wanted <= times:
            break
        wanted -= times
    place, mean = bisect_left(EDGES_MS, edge), total / times
    if edge == EDGES_MS[-1]:
        return mean  # nobody knows where it ends
    lowest = EDGES_MS[place - 1] if place else 0.0
    return mean + max(0.0, min(mean - lowest, edge - mean)) * (2 * wanted / times - 1)
