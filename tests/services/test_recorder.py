"""The recorder: an answer is kept for its owner, and a database that is gone costs nobody an answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from app.composition import Services
from app.services.recorder import Owner, Recorder
from app.storage.database import open_database
from app.storage.tables import StoredPrediction
from tests.factories import make_prediction, make_services

GUEST = Owner(guest="0123456789abcdef")


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_services(tmp_path)


def stored(services: Services) -> int:
    with Session(services.engine) as session:
        return session.scalar(select(func.count()).select_from(StoredPrediction)) or 0


def test_what_is_recorded_comes_back_whole(services: Services) -> None:
    prediction = make_prediction()
    assert Recorder(sessions=services.sessions).record(prediction, GUEST, "cat.jpg")
    item = services.history.get(GUEST, prediction.id)
    assert (item.prediction, item.file_name, item.has_picture) == (prediction, "cat.jpg", False)


def test_the_row_can_be_searched_by_its_answer(services: Services) -> None:
    account = services.accounts.create("ada@example.org", "correct horse battery")
    Recorder(sessions=services.sessions).record(make_prediction(), Owner(account=account), None)
    with Session(services.engine) as session:
        row = session.scalars(select(StoredPrediction)).one()
    assert (row.user_id, row.guest, row.label, row.probability, row.file_name) == (account, None, "light", 0.75, None)


def test_what_belongs_to_nobody_is_not_stored(services: Services) -> None:
    assert not Owner().known
    assert not Recorder(sessions=services.sessions).record(make_prediction(), Owner(), "cat.jpg")
    assert stored(services) == 0


def test_a_long_file_name_keeps_its_end(services: Services) -> None:
    prediction = make_prediction()
    Recorder(sessions=services.sessions).record(prediction, GUEST, "x" * 300 + ".jpg")
    assert services.history.get(GUEST, prediction.id).file_name == "x" * 251 + ".jpg"


def test_a_database_that_is_gone_is_said_not_raised(services: Services, tmp_path: Path) -> None:
    services.sessions.configure(bind=open_database(f"sqlite:///{tmp_path / 'nowhere' / 'a.db'}"))
    assert Recorder(sessions=services.sessions).record(make_prediction(), GUEST, None) is False


def test_a_table_that_is_gone_is_said_not_raised(services: Services) -> None:
    with services.engine.begin() as connection:
        connection.execute(text("DROP TABLE predictions"))
    assert Recorder(sessions=services.sessions).record(make_prediction(), GUEST, None) is False


def test_an_account_that_was_deleted_meanwhile_is_said_not_raised(services: Services) -> None:
    assert Recorder(sessions=services.sessions).record(make_prediction(), Owner(account=99), None) is False
    assert stored(services) == 0
