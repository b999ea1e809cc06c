"""A version in the shadow looks at what was answered, behind the answer; whatever it does, the answers are as they were."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from app.composition import Services
from app.inference.recipe import Recipe
from app.services import shadow_runner
from app.services.audit_log import COMMAND_LINE
from app.services.recorder import Owner
from app.services.shadow_answers import Agreement
from app.services.shadow_runner import MOST_BYTES, MOST_WAITING, ShadowRunner
from app.services.telemetry.numbers import numbers
from tests.factories import make_picture, make_prediction, make_services, publish
from tests.shadows import Blocked, Failing, publish_reversed, publish_served
from tests.waiting import wait_until

GUEST = Owner(guest="a" * 32)
LIGHT, DARK = make_picture((250, 250, 250)), make_picture((5, 5, 5))


@pytest.fixture
def services(tmp_path: Path) -> Services:
    """Give services that serve one model."""
    services = make_services(tmp_path, models=tmp_path / "shipped")
    publish(services.repository)
    return services


def begin(services: Services, version: str, share: float = 1) -> None:
    """Let a version run in the shadow, and the process know of it."""
    services.shadows.begin("shade", version, share, COMMAND_LINE)
    services.shadow_runner.follow(["shade"])


def classify(services: Services, picture: bytes = LIGHT, **given: str) -> str:
    return services.classification.classify(picture, owner=GUEST, **given).prediction.top.label


def agreement(services: Services, version: str = "2") -> Agreement:
    return services.shadows.agreement("shade", version)


def wait_for(services: Services, seen: int, version: str = "2") -> Agreement:
    """Wait until so many pictures were looked at and written down."""
    wait_until(lambda: agreement(services, version).answered + agreement(services, version).failed >= seen)
    return agreement(services, version)


def shadows() -> set[threading.Thread]:
    """Give the threads that show pictures to shadows, those of other tests among them."""
    return {thread for thread in threading.enumerate() if thread.name == "shadow"}


def counted(outcome: str, version: str = "2") -> float:
    given = {"model": "shade", "version": version, "outcome": outcome}
    return numbers().registry.get_sample_value("vitrine_shadow_answers_total", given) or 0.0


def test_what_it_says_is_written_down_beside_the_answer_and_given_to_nobody(services: Services) -> None:
    begin(services, publish_reversed(services.repository))
    before = counted("other")
    answer = services.classification.classify(LIGHT, owner=GUEST)
    assert (answer.prediction.top.label, answer.prediction.version) == ("light", "1")
    found = wait_for(services, 1)
    assert (found.answered, found.same, found.passed_over) == (1, 0, 0)
    assert [(pair.label, pair.shadow_label, pair.count) for pair in found.pairs] == [("light", "dark", 1)]
    (seen,) = services.shadows.disagreements("shade", "2", None)
    assert seen.probability == answer.prediction.top.probability
    # It is as sure of the opposite, so of the class that was answered as little as of the other one.
    assert found.difference == pytest.approx(abs(seen.probability - (1 - seen.shadow_probability)))
    assert found.ms is not None
    assert found.ms > 0
    assert counted("other") == before + 1


def test_the_same_answers_agree_without_any_difference(services: Services) -> None:
    publish(services.repository)
    begin(services, "2")
    for picture in (LIGHT, DARK, LIGHT):
        classify(services, picture)
    found = wait_for(services, 3)
    assert (found.answered, found.same, found.other, found.pairs) == (3, 3, 0, ())
    assert found.difference == pytest.approx(0, abs=1e-9)


def test_it_sees_the_picture_as_its_own_recipe_has_it(services: Services) -> None:
    version = publish_served(services.repository, Wide(), recipe=Recipe(64, 48))
    begin(services, version)
    classify(services, make_picture((250, 250, 250), size=(640, 480)))
    assert wait_for(services, 1).same == 1


class Wide:
    """A classifier that knows rows of 64 by 48 pixels alone."""

    classes_ = ("dark", "light")

    def predict_proba(self, rows: object) -> object:
        """Say that it is light."""
        assert rows.shape == (1, 64 * 48 * 3)  # type: ignore[attr-defined]
        return [[0.25, 0.75]]


def test_a_class_that_it_does_not_know_has_no_probability(services: Services) -> None:
    begin(services, publish_reversed(services.repository, classes=("dusk", "dawn")))
    answer = services.classification.classify(LIGHT, owner=GUEST)
    assert wait_for(services, 1).difference == pytest.approx(answer.prediction.top.probability)


def test_where_none_runs_nothing_is_begun_or_kept(services: Services) -> None:
    publish(services.repository)
    services.shadow_runner.follow(["shade"])
    before = shadows()
    for _ in range(3):
        classify(services)
    assert (services.shadow_runner.running, shadows()) == ({}, before)
    assert agreement(services).answered == 0


def test_what_was_asked_of_a_version_by_name_is_none_of_its_business(services: Services) -> None:
    publish(services.repository)
    publish(services.repository)
    begin(services, "2")
    for version in "123":
        classify(services, model="shade", version=version)
    classify(services)
    assert wait_for(services, 1).answered == 1


def test_chance_chooses_the_share(services: Services) -> None:
    publish(services.repository)
    chances = iter([0.1, 0.25, 0.2499, 0.9, 0.0])
    runner = make_runner(services, chance=lambda: next(chances))
    services.shadows.begin("shade", "2", 0.25, COMMAND_LINE)
    runner.follow(["shade"])
    for _ in range(5):
        runner.offer(LIGHT, make_prediction(), stored=False)
    assert wait_for(services, 3).answered == 3


def make_runner(services: Services, **given: Callable[[], float]) -> ShadowRunner:
    whole = services.shadow_runner
    parts = {"repository": services.repository, "answers": whole._answers, "metrics": whole._metrics, "limits": whole._limits}
    return ShadowRunner(**parts, **given)  # type: ignore[arg-type]


def test_the_answer_comes_while_the_shadow_is_still_looking(services: Services, tmp_path: Path) -> None:
    begin(services, publish_served(services.repository, Blocked(tmp_path)))
    assert classify(services) == "light"
    wait_until((tmp_path / "asked").exists)
    assert [classify(services, picture) for picture in (DARK, LIGHT)] == ["dark", "light"]
    assert agreement(services).answered == 0
    (tmp_path / "go").touch()
    assert wait_for(services, 3).same == 1


def test_where_more_come_than_it_looks_at_the_others_are_passed_over_and_counted(services: Services, tmp_path: Path) -> None:
    begin(services, publish_served(services.repository, Blocked(tmp_path)))
    before = counted("passed over")
    classify(services)
    wait_until((tmp_path / "asked").exists)
    assert {classify(services) for _ in range(MOST_WAITING + 5)} == {"light"}
    (tmp_path / "go").touch()
    found = wait_for(services, MOST_WAITING + 1)
    assert (found.answered, found.passed_over) == (MOST_WAITING + 1, 5)
    assert counted("passed over") == before + 5


def test_pictures_that_wait_take_no_more_than_so_many_bytes(services: Services, tmp_path: Path) -> None:
    begin(services, publish_served(services.repository, Blocked(tmp_path)))
    classify(services)
    wait_until((tmp_path / "asked").exists)
    large = LIGHT + bytes(MOST_BYTES // 4)
    for _ in range(6):
        services.shadow_runner.offer(large, make_prediction(), stored=False)
    (tmp_path / "go").touch()
    found = wait_for(services, 4)
    assert (found.answered + found.failed, found.passed_over) == (4, 3)
    services.shadow_runner.offer(large, make_prediction(), stored=False)
    wait_for(services, 5)


def test_a_version_that_fails_is_told_once_and_counted_each_time(services: Services) -> None:
    begin(services, publish_served(services.repository, Failing()))
    before = counted("failed")
    with capture_logs() as events:
        assert [classify(services) for _ in range(3)] == ["light"] * 3
        assert wait_for(services, 3).failed == 3
    (told,) = events
    assert (told["event"], told["model"], told["version"]) == ("shadow_failed", "shade", "2")
    assert "divides by nothing" in str(told["exc_info"])
    assert counted("failed") == before + 3


def test_a_version_that_cannot_be_opened_is_told_once_and_tried_again_later(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(services.repository)
    artifact = services.repository.package("shade", "2").folder / "source.pkl"
    whole = artifact.read_bytes()
    artifact.write_bytes(whole[:-10])
    begin(services, "2")
    with capture_logs() as events:
        assert [classify(services) for _ in range(3)] == ["light"] * 3
        assert wait_for(services, 3).failed == 3
    assert [event["event"] for event in events] == ["shadow_failed"]
    artifact.write_bytes(whole)
    monkeypatch.setattr(shadow_runner, "_AGAIN_AFTER_SECONDS", 0.0)
    classify(services)
    assert wait_for(services, 4).answered == 1


def test_it_ends_for_the_process_when_the_disk_says_so(services: Services) -> None:
    publish(services.repository)
    begin(services, "2")
    classify(services)
    wait_for(services, 1)
    assert list(services.shadow_runner._opened) == [("shade", "2")]
    services.repository.activate("shade", "2")
    services.shadow_runner.follow(["shade"])
    assert (services.shadow_runner.running, services.shadow_runner._opened) == ({}, {})


def test_an_answer_that_was_not_stored_belongs_to_no_prediction(services: Services) -> None:
    begin(services, publish_reversed(services.repository))
    services.classification.classify(LIGHT, owner=Owner())
    stored = services.classification.classify(LIGHT, owner=GUEST).prediction.id
    wait_for(services, 2)
    with services.engine.connect() as connection:
        found = connection.execute(text("SELECT prediction_id FROM shadow_answers ORDER BY id")).scalars().all()
    assert found == [None, stored]


def test_a_database_that_takes_nothing_costs_no_answer(services: Services) -> None:
    publish(services.repository)
    begin(services, "2")
    with services.engine.begin() as connection:
        connection.execute(text("ALTER TABLE shadow_answers RENAME TO elsewhere"))
    with capture_logs() as events:
        assert classify(services) == "light"
        wait_until(lambda: "shadow_answers_not_kept" in [event["event"] for event in events])
    with services.engine.begin() as connection:
        connection.execute(text("ALTER TABLE elsewhere RENAME TO shadow_answers"))
    classify(services)
    assert wait_for(services, 1).answered == 1


def test_its_thread_steps_back_for_those_that_answer(services: Services) -> None:
    publish(services.repository)
    begin(services, "2")
    classify(services)
    wait_for(services, 1)
    niceness = [os.getpriority(os.PRIO_PROCESS, thread.native_id or 0) for thread in shadows()]
    assert max(niceness) == min(19, os.getpriority(os.PRIO_PROCESS, 0) + 10)
