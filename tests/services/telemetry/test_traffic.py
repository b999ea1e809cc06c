"""Adding up what is answered and refused: exact whoever counts, in nobody's way, and nothing of it is a person's."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.composition import Services
from app.config import TREE
from app.errors import DatabaseUnavailable
from app.inference.prediction import STAGES, ClassScore, Prediction, Timings
from app.services.audit_log import Actor
from app.services.recorder import Owner
from app.services.telemetry.traffic import (
    CLASSES,
    CONFIDENCE,
    KEPT_DAYS,
    KEPT_MINUTES,
    MEASURES,
    MOST_CLASSES,
    REFUSED,
    STATUS,
    Traffic,
)
from app.storage.sums import HOUR, MINUTE, Amount, SumKey, Sums
from tests.factories import Clock, make_picture, make_prediction, make_services, publish

DAY = 24 * HOUR
ENDING = """
import sys
from datetime import UTC, datetime
from app.inference.prediction import ClassScore, Picture, Prediction, Timings
from app.services.telemetry.traffic import Traffic
from app.storage.database import open_database
from app.storage.sums import Sums

timings, picture = Timings(1.0, 2.0, 3.0, 6.5), Picture("PNG", 1, 1, "", ())
prediction = Prediction("", "shade", "1", (ClassScore("light", 0.75),), picture, timings, datetime.now(UTC))
traffic = Traffic(sums=Sums(open_database(sys.argv[1])))
traffic.begin()
for number in range(1000):
    traffic.answered(prediction, timings)
traffic.failed(503)
"""


class Unwilling(Sums):
    """A table that takes nothing while it is `away`."""

    away: Exception | None = None

    def add(self, amounts: Mapping[SumKey, Amount]) -> None:
        """Add, or raise."""
        if self.away is not None:
            raise self.away
        super().add(amounts)


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_services(tmp_path, models=tmp_path / "shipped")


@pytest.fixture
def clock() -> Clock:
    clock = Clock()
    clock.seconds = 20_000.0 * DAY
    return clock


@pytest.fixture
def sums(services: Services) -> Unwilling:
    return Unwilling(services.engine)


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no thread write: only who is told to does."""
    monkeypatch.setattr(Traffic, "_start", lambda _self: None)


@pytest.fixture
def traffic(sums: Sums, clock: Clock, unhurried: None) -> Traffic:
    """Give one that counts."""
    traffic = Traffic(sums=sums, clock=clock)
    traffic.begin()
    return traffic


def answer(traffic: Traffic, label: str = "light", probability: float = 0.75, **given: Any) -> Prediction:
    timings = given.pop("timings", Timings(1.0, 0.05, 3.0, 6.5, 0.4))
    prediction = make_prediction(scores=(ClassScore(label, probability),), **given)
    traffic.answered(prediction, timings)
    return prediction


def counted(traffic: Traffic, measure: str, span: int = HOUR, since: int = 0) -> Counter[str]:
    """Give how often each detail of a measure was written down."""
    assert traffic.write()
    found: Counter[str] = Counter()
    for row in traffic.sums.read(span, [measure], since, DAY):
        found[row.detail] += row.amount
    return found


def test_an_answer_counts_by_its_class_its_confidence_and_each_stage(traffic: Traffic) -> None:
    answer(traffic, "light", 0.75)
    answer(traffic, "dark", 1.0, timings=Timings(1.5, 0.0, 70_000.0, 70_001.5, 0.4))
    assert counted(traffic, CLASSES) == {"light": 1, "dark": 1}
    assert counted(traffic, CONFIDENCE) == {"75": 1, "95": 1}
    stages = {stage: dict(counted(traffic, stage)) for stage in STAGES}
    assert stages == {
        "decode": {"1": 1, "1.5": 1},
        "queue": {"0.1": 2},
        "model": {"3": 1, "inf": 1},
        "store": {"0.5": 2},
        "total": {"7": 1, "inf": 1},
    }
    assert {row.detail: row.total for row in traffic.sums.read(HOUR, ["total"], 0, DAY)} == {"7": 6.5, "inf": 70_001.5}


@pytest.mark.parametrize(("probability", "lowest"), [(float("nan"), "00"), (-0.5, "00"), (0.0, "00"), (1.0, "95"), (7.5, "95")])
def test_whatever_a_model_gives_is_counted(traffic: Traffic, probability: float, lowest: str) -> None:
    answer(traffic, probability=probability)
    assert counted(traffic, CONFIDENCE) == {lowest: 1}


def test_versions_of_models_count_apart(traffic: Traffic) -> None:
    for model, version in (("shade", "1"), ("shade", "2"), ("digits", "1"), ("shade", "2")):
        answer(traffic, model=model, version=version)
    assert traffic.write()
    found = {(row.model, row.version): row.amount for row in traffic.sums.read(HOUR, ["total"], 0, DAY)}
    assert found == {("shade", "1"): 1, ("shade", "2"): 2, ("digits", "1"): 1}


def test_each_counts_in_its_minute_and_its_hour_whenever_it_is_written(traffic: Traffic, clock: Clock) -> None:
    noon = int(clock.seconds)
    for second in (0, 59.9, 60, 3599, 3600):
        clock.seconds = noon + second
        answer(traffic)
        traffic.refused("overloaded")
    assert traffic.write()
    for measure in ("total", REFUSED):
        minutes = {row.slot: row.amount for row in traffic.sums.read(MINUTE, [measure], noon, MINUTE)}
        hours = {row.slot: row.amount for row in traffic.sums.read(HOUR, [measure], noon, HOUR)}
        assert (minutes, hours) == ({0: 2, 1: 1, 59: 1, 60: 1}, {0: 4, 1: 1})


def test_a_minute_says_how_much_and_how_fast_and_not_what(traffic: Traffic, clock: Clock) -> None:
    answer(traffic)
    traffic.refused("invalid_image")
    traffic.failed(503)
    assert traffic.write()
    found = {row.measure for row in traffic.sums.read(MINUTE, MEASURES, 0, DAY)}
    assert found == {"total", REFUSED, STATUS}


def test_what_was_refused_and_what_failed_count_by_code_and_status(traffic: Traffic) -> None:
    for code in ("invalid_image", "overloaded", "invalid_image"):
        traffic.refused(code)
    traffic.failed(503)
    assert (counted(traffic, REFUSED), counted(traffic, STATUS)) == ({"invalid_image": 2, "overloaded": 1}, {"503": 1})


def test_nothing_counts_before_it_begins(sums: Sums) -> None:
    traffic = Traffic(sums=sums)
    answer(traffic)
    traffic.refused("overloaded")
    traffic.failed(500)
    assert [counted(traffic, measure) for measure in ("total", REFUSED, STATUS)] == [{}, {}, {}]


def test_while_the_database_is_away_sums_wait_and_then_nothing_is_missing(traffic: Traffic, sums: Unwilling) -> None:
    sums.away = DatabaseUnavailable()
    for _ in range(3):
        answer(traffic)
        traffic.refused("overloaded")
        assert not traffic.write()
    sums.away = None
    answer(traffic)
    assert counted(traffic, CLASSES) == {"light": 4}
    assert counted(traffic, REFUSED) == {"overloaded": 3}
    assert counted(traffic, CLASSES) == {"light": 4}, "nothing is written twice"


def test_what_waits_is_bounded(traffic: Traffic, sums: Unwilling, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.services.telemetry.traffic._MOST_SUMS", 100)
    sums.away = DatabaseUnavailable()
    for _ in range(100):
        answer(traffic)
        clock.seconds += HOUR
        assert not traffic.write()
    assert len(traffic._unwritten) == 100


def test_sums_that_no_database_takes_are_told_of_and_do_not_come_again(traffic: Traffic, sums: Unwilling) -> None:
    sums.away = ValueError("too odd")
    answer(traffic)
    with capture_logs() as told:
        assert traffic.write()
    assert [(event["event"], event["reason"]) for event in told] == [("sums_not_kept", "ValueError")]
    sums.away = None
    answer(traffic)
    assert counted(traffic, CLASSES) == {"light": 1}


@pytest.mark.parametrize("label", ["half \ud800", "zero \0", "long " * 100])
def test_a_class_of_any_name_is_counted(traffic: Traffic, label: str) -> None:
    answer(traffic, label)
    answer(traffic, label)
    ((name, count),) = counted(traffic, CLASSES).items()
    assert (count, len(name) <= 255, name[:4]) == (2, True, label[:4])


def test_beyond_so_many_classes_in_an_hour_the_others_are_one(traffic: Traffic, clock: Clock) -> None:
    for _ in range(2):
        for number in range(MOST_CLASSES + 20):
            answer(traffic, f"class {number}")
        assert traffic.write()
    first = counted(traffic, CLASSES)
    assert (len(first), first[""], first["class 0"]) == (MOST_CLASSES + 1, 40, 2)
    clock.seconds += HOUR
    answer(traffic, f"class {MOST_CLASSES + 1}")
    assert counted(traffic, CLASSES, since=int(clock.seconds)) == {f"class {MOST_CLASSES + 1}": 1}


def test_many_threads_count_while_it_is_written_and_nothing_is_lost(traffic: Traffic) -> None:
    def count(_: int) -> None:
        for _ in range(500):
            answer(traffic)
            traffic.refused("overloaded")

    with ThreadPoolExecutor(5) as pool:
        waiting = [pool.submit(count, number) for number in range(4)]
        while not all(one.done() for one in waiting):
            assert traffic.write()
    assert counted(traffic, CLASSES) == {"light": 2000}
    assert counted(traffic, REFUSED) == {"overloaded": 2000}


def test_what_is_not_written_yet_when_a_process_ends_is_written_on_the_way_out(services: Services) -> None:
    url = str(services.engine.url)
    subprocess.run([sys.executable, "-c", ENDING, url], cwd=TREE, check=True, timeout=60)
    traffic = Traffic(sums=Sums(services.engine))
    assert counted(traffic, CLASSES) == {"light": 1000}
    assert counted(traffic, STATUS) == {"503": 1}


def test_old_sums_are_deleted_minutes_soon_and_hours_late(traffic: Traffic, clock: Clock) -> None:
    noon = int(clock.seconds)
    answer(traffic)
    assert traffic.write()
    clock.seconds = noon + KEPT_MINUTES * MINUTE
    traffic.sweep()
    assert len(traffic.sums.read(MINUTE, MEASURES, 0, DAY)) == 1
    clock.seconds += 1
    traffic.sweep()
    assert traffic.sums.read(MINUTE, MEASURES, 0, DAY) == []
    clock.seconds = noon + KEPT_DAYS * DAY
    traffic.sweep()
    assert len(traffic.sums.read(HOUR, MEASURES, 0, DAY)) == len(STAGES) + 2
    clock.seconds += 1
    traffic.sweep()
    assert traffic.sums.read(HOUR, MEASURES, 0, DAY) == []


def test_they_are_kept_no_longer_than_answers_are(sums: Sums, traffic: Traffic, clock: Clock) -> None:
    answer(traffic)
    assert traffic.write()
    clock.seconds += DAY + 1
    Traffic(sums=sums, keep_days=1, clock=clock).sweep()
    assert sums.read(HOUR, MEASURES, 0, DAY) == []


def test_the_one_path_counts_and_a_deleted_prediction_or_account_stays_counted(services: Services, unhurried: None) -> None:
    publish(services.repository)
    ada = services.accounts.create("ada@example.org", "correct horse battery")
    services.traffic.begin()
    picture = make_picture((250, 250, 250))
    kept = [services.classification.classify(picture, owner=Owner(account=ada)).prediction.id for _ in range(2)]
    with pytest.raises(Exception, match="picture"):
        services.classification.classify(b"I am a cat.", owner=Owner(account=ada))
    services.history.delete(Owner(account=ada), kept[0])
    assert services.traffic.write()
    before = services.traffic.sums.read(HOUR, MEASURES, 0, DAY)
    services.personal_data.delete(ada, Actor("ada@example.org", ada))
    assert services.traffic.sums.read(HOUR, MEASURES, 0, DAY) == before
    assert counted(services.traffic, CLASSES) == {"light": 2}
    assert counted(services.traffic, REFUSED) == {"unsupported_image": 1}
