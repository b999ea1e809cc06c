"""What versions in the shadow said: figures, pairs of classes, whose pictures they were, and how long it is kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app.composition import Services
from app.services.audit_log import Actor
from app.services.recorder import Owner, Recorder
from app.services.shadow_answers import Pair, ShadowAnswer, ShadowAnswers
from app.storage.tables import StoredShadowAnswer
from tests.factories import make_prediction, make_services


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_services(tmp_path)


@pytest.fixture
def answers(services: Services) -> ShadowAnswers:
    return ShadowAnswers(sessions=services.sessions)


def said(label: str, shadow_label: str | None, **given: object) -> ShadowAnswer:
    """Give what version 2 said in the shadow of version 1; nothing where it failed."""
    answer = ShadowAnswer("shade", "2", "1", None, label, 0.75, datetime.now(UTC))
    if shadow_label is not None:
        answer = replace(answer, shadow_label=shadow_label, shadow_probability=0.5, difference=0.25, ms=4.0)
    return replace(answer, **given)  # type: ignore[arg-type]


def stored(services: Services, owner: Owner) -> str:
    """Store a prediction, and give its identifier."""
    prediction = make_prediction()
    assert Recorder(engine=services.engine).record(prediction, owner, None)
    return prediction.id


def count(services: Services, model: str = "shade") -> int:
    with services.sessions() as session:
        found = select(func.count()).select_from(StoredShadowAnswer).where(StoredShadowAnswer.model == model)
        return session.scalar(found) or 0


def test_it_is_told_how_two_versions_agree(answers: ShadowAnswers) -> None:
    answers.record(
        [said("light", "light"), said("light", "light", difference=0.0, ms=2.0), said("dark", "dark", passed_over=3)]
    )
    answers.record([said("light", "dark"), said("light", "dark"), said("dark", "grey"), said("dark", None, passed_over=4)])
    found = answers.agreement("shade", "2", "1")
    assert (found.against, found.answered, found.same, found.other, found.failed, found.passed_over) == ("1", 6, 3, 3, 1, 7)
    assert found.difference == pytest.approx(0.25 * 5 / 6)
    assert found.ms == pytest.approx((4 * 5 + 2) / 6)
    assert found.pairs == (Pair("light", "dark", 2), Pair("dark", "grey", 1))


def test_of_nothing_there_are_no_figures(answers: ShadowAnswers) -> None:
    found = answers.agreement("shade", "2", "1")
    assert (found.answered, found.same, found.failed, found.passed_over, found.pairs) == (0, 0, 0, 0, ())
    assert (found.difference, found.ms) == (None, None)


def test_other_models_and_versions_do_not_count(answers: ShadowAnswers) -> None:
    answers.record([said("light", "dark", **other) for other in ({"model": "tint"}, {"version": "3"}, {"against": "4"})])
    assert answers.agreement("shade", "2", "1").answered == 0
    assert answers.disagreements("shade", "2", "1", None) == []
    assert answers.agreement("shade", "2", "4").answered == 1


def test_the_last_disagreements_come_newest_first(answers: ShadowAnswers) -> None:
    answers.record([said("light", "dark", probability=number / 100) for number in range(30)])
    answers.record([said("light", "light"), said("light", None)])
    found = answers.disagreements("shade", "2", "1", None, most=3)
    assert [each.probability for each in found] == [0.29, 0.28, 0.27]
    assert (found[0].label, found[0].shadow_label, found[0].shadow_probability) == ("light", "dark", 0.5)


def test_a_prediction_is_named_to_its_owner_alone(services: Services, answers: ShadowAnswers) -> None:
    ada, eve = (services.accounts.create(f"{name}@example.org", "correct horse battery") for name in ("ada", "eve"))
    owners = (Owner(account=ada), Owner(account=eve), Owner(guest="a guest"))
    predictions = [stored(services, owner) for owner in owners]
    answers.record([said("light", "dark", prediction_id=number) for number in (*predictions, None)])

    def named(account: int | None) -> list[str | None]:
        return [found.prediction_id for found in reversed(answers.disagreements("shade", "2", "1", account))]

    assert named(ada) == [predictions[0], None, None, None]
    assert named(eve) == [None, predictions[1], None, None]
    assert named(None) == [None, None, None, None]


def test_it_goes_with_its_prediction(services: Services, answers: ShadowAnswers) -> None:
    ada = services.accounts.create("ada@example.org", "correct horse battery")
    first, second = (stored(services, Owner(account=ada)) for _ in range(2))
    answers.record([said("light", "dark", prediction_id=first), said("light", "dark", prediction_id=second)])
    services.history.delete(Owner(account=ada), first)
    assert count(services) == 1
    services.personal_data.delete(ada, Actor("ada@example.org", ada))
    assert count(services) == 0


def test_of_a_prediction_that_is_gone_already_nothing_is_written(services: Services, answers: ShadowAnswers) -> None:
    gone = said("light", "dark", prediction_id="01K9Z3N2V6Q8R4T7W1X5Y0B3CD")
    answers.record([said("light", "light"), gone, said("dark", "dark")])
    assert (answers.agreement("shade", "2", "1").answered, count(services)) == (2, 2)


def test_of_each_model_the_last_are_kept(services: Services) -> None:
    answers = ShadowAnswers(sessions=services.sessions, kept=10)
    answers.record([said("light", "light", model="tint")])
    for number in range(25):
        answers.record([said("light", "dark", probability=number / 100)])
    assert 10 <= count(services) < 20
    answers.sweep({"shade"})
    assert (count(services), count(services, "tint")) == (10, 1)
    assert answers.disagreements("shade", "2", "1", None)[0].probability == 0.24


def test_what_is_too_old_is_swept_with_the_history(tmp_path: Path) -> None:
    services = make_services(tmp_path, keep_days=7)
    answers, now = ShadowAnswers(sessions=services.sessions), datetime.now(UTC)
    answers.record([said("light", "dark", created_at=now - timedelta(days=days)) for days in (6, 8, 9)])
    services.history.sweep()
    assert count(services) == 1


@pytest.mark.parametrize(("shadow_label", "outcome"), [("light", "same"), ("dark", "other"), (None, "failed")])
def test_what_became_of_a_picture_is_told_in_a_word(shadow_label: str | None, outcome: str) -> None:
    assert said("light", shadow_label).outcome == outcome
