"""The pictures that are kept of a model's answers: the newest, whoever's they are, and those that are still there."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from app.composition import Services
from app.errors import DatabaseUnavailable
from app.services import kept_pictures
from app.services.kept_pictures import KeptPicture, KeptPictures
from app.services.recorder import Owner, Recorder
from tests.factories import make_picture, make_prediction, make_services

GUEST = Owner(guest="a" * 32)
FIRST = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_services(tmp_path)


@pytest.fixture
def kept(services: Services) -> KeptPictures:
    return KeptPictures(sessions=services.sessions, pictures=services.pictures)


def record(services: Services, count: int, *, model: str = "shade", owner: Owner = GUEST, pictures: bool = True) -> list[str]:
    """Record so many answers, a minute apart, and give their identifiers, newest first."""
    made = [make_prediction(model=model, created_at=FIRST + timedelta(minutes=number)) for number in range(count)]
    recorder = Recorder(engine=services.engine)
    for prediction in made:
        assert recorder.record(prediction, owner, None)
        assert not pictures or services.pictures.keep(prediction.id, make_picture())
    return [prediction.id for prediction in reversed(made)]


def soon() -> float:
    return time.monotonic() + 60


def test_the_newest_of_a_model_are_found_with_whose_they_are(services: Services, kept: KeptPictures) -> None:
    ada = Owner(account=services.accounts.create("ada@example.org", "correct horse battery"))
    theirs, hers = record(services, 2), record(services, 2, owner=ada)
    record(services, 2, model="other")
    found = kept.newest("shade", 10, soon())
    assert set(found) == {*(KeptPicture(name, GUEST) for name in theirs), *(KeptPicture(name, ada) for name in hers)}
    assert [picture.prediction_id for picture in found] == sorted((*theirs, *hers), reverse=True)
    assert kept.newest("shade", 3, soon()) == found[:3]
    assert kept.newest("nothing", 3, soon()) == ()


def test_what_no_picture_is_kept_of_is_not_found(services: Services, kept: KeptPictures) -> None:
    record(services, 2, pictures=False)
    first, second = record(services, 2)
    services.pictures.drop(first)
    (found,) = kept.newest("shade", 10, soon())
    assert found.prediction_id == second
    assert (kept.read(found) or b"")[:2] == b"\xff\xd8"
    services.pictures.drop(second)
    assert kept.read(found) is None


@pytest.mark.parametrize("number", [1, 3, 4, 5])
def test_they_are_looked_for_piece_by_piece_until_there_is_no_time(
    services: Services, kept: KeptPictures, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(kept_pictures, "_AT_ONCE", 2)
    wanted = record(services, number)
    assert [picture.prediction_id for picture in kept.newest("shade", 10, soon())] == wanted
    assert [picture.prediction_id for picture in kept.newest("shade", 10, time.monotonic())] == wanted[:2]


def test_a_database_that_does_not_answer_is_said(services: Services, kept: KeptPictures) -> None:
    with services.engine.begin() as connection:
        connection.execute(text("DROP TABLE predictions"))
    with pytest.raises(DatabaseUnavailable):
        kept.newest("shade", 10, soon())
