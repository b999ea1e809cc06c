"""Adding up what is answered and refused, for the dashboard: in memory first, and every few seconds in the database.

Nothing of it says who asked or what was on a picture. A process that is killed loses what it has not written yet.
"""

from __future__ import annotations

import atexit
import contextlib
import threading
import time
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Callable, Iterator

import structlog

from app.errors import DatabaseUnavailable
from app.inference.prediction import STAGES, Prediction, Timings
from app.storage.sums import HOUR, MINUTE, Amount, SumKey, Sums

# What is measured beside the stages of an answer, whose buckets count the answers, too.
CLASSES, CONFIDENCE, REFUSED, STATUS = "classes", "confidence", "refused", "status"
MEASURES = (*STAGES, CLASSES, CONFIDENCE, REFUSED, STATUS)
ANSWERS = STAGES[-1]  # every answer has a total
# A minute holds little: how many answers there were and how long they took, and what went wrong.
_BY_THE_MINUTE = (ANSWERS, REFUSED, STATUS)
# Upper ends in milliseconds: medians and percentiles are told from them, and are right within a tenth or so.
EDGES_MS = tuple(
    float(edge)
    for edge in (
        *(0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000, 1500),
        *(2000, 3000, 5000, 7000, 10_000, 15_000, 20_000, 30_000, 60_000, "inf"),
    )
)
CONFIDENCE_BINS = 20
OTHER_CLASSES = ""

KEPT_MINUTES, KEPT_DAYS = 120, 31
_WRITTEN_EVERY_SECONDS, _LONGEST_PAUSE_SECONDS = 2.0, 16.0
_SWEPT_EVERY_SECONDS = 600
_PIECE = 50
# What waits here at most: answers that are not added up yet, and sums that the database does not take.
_MOST_WAITING, _MOST_SUMS = 100_000, 50_000
# Of a version in an hour, in a process; the others are counted as one.
MOST_CLASSES, _LONGEST_NAME = 250, 255
_BUCKETS = len(EDGES_MS)
_EDGE_NAMES = tuple(f"{edge:g}" for edge in EDGES_MS)

log = structlog.get_logger(__name__)


class _Minute:
    """What one version answered in one minute."""

    __slots__ = ("classes", "confidence", "counts", "totals")

    def __init__(self) -> None:
        self.classes: Counter[str] = Counter()
        self.confidence = [0] * CONFIDENCE_BINS
        # Bucket by bucket, one stage after the other.
        self.counts, self.totals = [0] * (_BUCKETS * len(STAGES)), [0.0] * (_BUCKETS * len(STAGES))

    def add(self, label: str, probability: float, timings: Timings) -> None:
        """Count one answer."""
        self.classes[label] += 1
        self.confidence[_bin_of(probability)] += 1
        for first, ms in enumerate((timings.decode, timings.queue, timings.model, timings.store, timings.total)):
            place = first * _BUCKETS + bisect_left(EDGES_MS, ms)
            self.counts[place] += 1
            self.totals[place] += ms

    def stages(self) -> Iterator[tuple[str, str, Amount]]:
        """Give each stage and the upper end of each of its buckets that is not empty, with how many and how long in all."""
        for place, count in enumerate(self.counts):
            if count:
                stage, bucket = divmod(place, _BUCKETS)
                yield STAGES[stage], _EDGE_NAMES[bucket], Amount(count, self.totals[place])

    def bins(self) -> Iterator[tuple[str, Amount]]:
        """Give the lower end of each bin of confidence that is not empty, in percent, with how many."""
        for place, count in enumerate(self.confidence):
            if count:
                yield f"{place * 100 // CONFIDENCE_BINS:02}", Amount(count, 0.0)


def _bin_of(probability: float) -> int:
    # A model may give anything, also what is no number.
    if probability >= 1:
        return CONFIDENCE_BINS - 1
    return int(probability * CONFIDENCE_BINS) if probability > 0 else 0


class Traffic:
    """Adds up for all processes and machines together; whoever counts waits for no lock and for no database.

    A request leaves what it has to say in a line; a thread of this process adds it up, and writes it down every two seconds.
    """

    def __init__(self, *, sums: Sums, keep_days: int = KEPT_DAYS, clock: Callable[[], float] = time.time) -> None:
        self.sums = sums
        self._kept_seconds = min(keep_days, KEPT_DAYS) * 24 * HOUR
        self._clock = clock
        self._counts, self._works = False, False
        self._starting, self._writing, self._over = threading.Lock(), threading.Lock(), threading.Event()
        # Appending and popping cannot be torn apart between threads.
        self._answers: deque[tuple[float, str, str, str, float, Timings]] = deque(maxlen=_MOST_WAITING)
        self._failures: deque[tuple[float, str, str]] = deque(maxlen=_MOST_WAITING)
        self._unwritten: dict[SumKey, Amount] = {}
        self._named: dict[tuple[int, str, str], set[str]] = {}

    def begin(self) -> None:
        """Count from now on, as a served site does and a command does not; the thread starts with the first that is counted."""
        self._counts = True

    def answered(self, prediction: Prediction, timings: Timings) -> None:
        """Count one answer."""
        if self._counts:
            top = prediction.scores[0]
            self._answers.append((self._clock(), prediction.model, prediction.version, top.label, top.probability, timings))
            if not self._works:
                self._start()

    def refused(self, code: str) -> None:
        """Count one picture that was not answered."""
        self._fail(REFUSED, code)

    def failed(self, status: int) -> None:
        """Count one request that was answered with a status that whoever runs the site wants to know of."""
        self._fail(STATUS, str(status))

    def write(self) -> bool:
        """Write down what was counted, in one transaction; what the database does not take now waits, and it is False."""
        with self._writing:
            self._add_up()
            if not self._unwritten:
                return True
            try:
                self.sums.add(self._unwritten)
            except DatabaseUnavailable:
                return False
            except Exception as error:
                # None of them was written, and none would be the next time.
                log.error("sums_not_kept", reason=type(error).__name__)
            self._unwritten.clear()
        return True

    def sweep(self) -> None:
        """Delete the sums that are older than they may be."""
        now = int(self._clock())
        with contextlib.suppress(DatabaseUnavailable):
            self.sums.forget(MINUTE, _BY_THE_MINUTE, now - KEPT_MINUTES * MINUTE)
            self.sums.forget(HOUR, MEASURES, now - self._kept_seconds)

    def _fail(self, measure: str, detail: str) -> None:
        if self._counts:
            self._failures.append((self._clock(), measure, detail))
            if not self._works:
                self._start()

    def _start(self) -> None:
        with self._starting:
            if self._works:
                return
            self._works = True
        # What is left when the process ends is written on the way out, after the last request.
        atexit.register(self._end)
        threading.Thread(target=self._work, name="traffic", daemon=True).start()

    def _work(self) -> None:
        pause, sweep_at = _WRITTEN_EVERY_SECONDS, time.monotonic() + _SWEPT_EVERY_SECONDS
        while not self._over.wait(pause):
            written = self.write()
            pause = _WRITTEN_EVERY_SECONDS if written else min(2 * pause, _LONGEST_PAUSE_SECONDS)
            if written and time.monotonic() >= sweep_at:
                sweep_at += _SWEPT_EVERY_SECONDS
                self.sweep()

    def _end(self) -> None:
        self._over.set()
        self.write()

    def _add_up(self) -> None:
        minutes: dict[tuple[int, str, str], _Minute] = {}
        while self._answers:
            for _ in range(min(_PIECE, len(self._answers))):
                at, model, version, label, probability, timings = self._answers.popleft()
                key = int(at // MINUTE) * MINUTE, model, version
                minute = minutes.get(key)
                if minute is None:
                    minute = minutes[key] = _Minute()
                minute.add(label, probability, timings)
            time.sleep(0)  # requests go first
        for (begins_at, model, version), minute in minutes.items():
            self._put_minute(begins_at, model, version, minute)
        while self._failures:
            at, measure, detail = self._failures.popleft()
            for span in (MINUTE, HOUR):
                self._put(SumKey(span, measure, int(at // span) * span, "", "", detail), Amount(1, 0.0))

    def _put_minute(self, begins_at: int, model: str, version: str, minute: _Minute) -> None:
        hour = begins_at // HOUR * HOUR
        for stage, edge, amount in minute.stages():
            self._put(SumKey(HOUR, stage, hour, model, version, edge), amount)
            if stage == ANSWERS:
                self._put(SumKey(MINUTE, stage, begins_at, model, version, edge), amount)
        for lowest, amount in minute.bins():
            self._put(SumKey(HOUR, CONFIDENCE, hour, model, version, lowest), amount)
        for label, count in minute.classes.items():
            name = self._name(hour, model, version, label)
            self._put(SumKey(HOUR, CLASSES, hour, model, version, name), Amount(count, 0.0))

    def _put(self, key: SumKey, amount: Amount) -> None:
        before = self._unwritten.get(key)
        if before is not None:
            self._unwritten[key] = Amount(before.times + amount.times, before.total + amount.total)
        elif len(self._unwritten) < _MOST_SUMS:
            self._unwritten[key] = amount

    def _name(self, hour: int, model: str, version: str, label: str) -> str:
        """Give the name under which a class is counted: beyond so many classes of a version in an hour, all under one."""
        key = hour, model, version
        if key not in self._named:
            self._named = {known: names for known, names in self._named.items() if known[0] >= hour - HOUR}
        names = self._named.setdefault(key, set())
        # As a database takes it: without half a character, and without a zero.
        name = label[:_LONGEST_NAME].encode(errors="replace").decode().replace("\0", "?")
        if name not in names and len(names) >= MOST_CLASSES:
            return OTHER_CLASSES
        names.add(name)
        return name
