"""History: one's own predictions, page by page, and another's as if they did not exist."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from app.composition import Services
from app.errors import PredictionNotFound
from app.inference.prediction import Prediction
from app.services.accounts.personal_data import GIVEN
from app.services.recorder import Owner, Recorder
from app.storage.tables import StoredPrediction
from tests.factories import make_picture, make_prediction, make_services

PAGE = 24
GUEST, OTHER_GUEST = Owner(guest="a" * 32), Owner(guest="b" * 32)


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_services(tmp_path, keep_days=30)


@pytest.fixture
def ada(services: Services) -> Owner:
    return Owner(account=services.accounts.create("ada@example.org", "correct horse battery"))


@pytest.fixture
def eve(services: Services) -> Owner:
    return Owner(account=services.accounts.create("eve@example.org", "correct horse battery"))


def record(services: Services, owner: Owner, count: int = 1, *, days_ago: float = 0) -> list[Prediction]:
    """Record predictions with pictures, oldest first."""
    moment = datetime.now(UTC) - timedelta(days=days_ago)
    made = [make_prediction(id=f"{_number():026}", created_at=moment) for _ in range(count)]
    recorder = Recorder(engine=services.engine)
    for prediction in made:
        assert recorder.record(prediction, owner, "cat.jpg")
        assert services.pictures.keep(prediction.id, make_picture())
    return made


def _number(numbers: list[int] = [0]) -> int:  # noqa: B006 - counts on
    numbers[0] += 1
    return numbers[0]


def test_one_finds_ones_own(services: Services, ada: Owner) -> None:
    (prediction,) = record(services, ada)
    item = services.history.get(ada, prediction.id)
    assert (item.prediction, item.file_name, item.has_picture) == (prediction, "cat.jpg", True)
    assert services.history.picture(ada, prediction.id, "thumbnail")[:2] == b"\xff\xd8"


@pytest.mark.parametrize("question", ["get", "picture", "delete"])
def test_anothers_is_not_found_and_stays(services: Services, ada: Owner, eve: Owner, question: str) -> None:
    questions: dict[str, Callable[[Owner, str], object]] = {
        "get": services.history.get,
        "picture": lambda owner, number: services.history.picture(owner, number, "picture"),
        "delete": services.history.delete,
    }
    (hers,) = record(services, ada)
    (guests,) = record(services, GUEST)
    for prediction, strangers in ((hers, (eve, GUEST, Owner())), (guests, (ada, OTHER_GUEST, Owner()))):
        for stranger in strangers:
            with pytest.raises(PredictionNotFound):
                questions[question](stranger, prediction.id)
    assert services.history.get(ada, hers.id).has_picture
    assert services.history.get(GUEST, guests.id).has_picture
    for unknown in ("", "0", "../0", "%", hers.id.replace("0", "1")):
        with pytest.raises(PredictionNotFound):
            questions[question](ada, unknown)


def test_nobody_sees_anything(services: Services, ada: Owner) -> None:
    record(services, ada)
    record(services, GUEST)
    assert services.history.page(Owner(), 1).total == 0
    assert services.history.page(Owner(guest=""), 1).total == 0


def test_pages_hold_ones_own_newest_first(services: Services, ada: Owner, eve: Owner) -> None:
    made = record(services, ada, 3)
    record(services, eve, 2)
    record(services, GUEST, 4)
    page = services.history.page(ada, 1)
    assert [item.prediction.id for item in page.items] == [prediction.id for prediction in reversed(made)]
    assert (page.number, page.pages, page.total) == (1, 1, 3)
    assert services.history.page(GUEST, 1).total == 4


@pytest.mark.parametrize(
    ("count", "asked", "number", "pages", "shown"),
    [
        (0, 1, 1, 1, 0),
        (0, 5, 1, 1, 0),
        (1, 0, 1, 1, 1),
        (PAGE, 1, 1, 1, PAGE),
        (PAGE, 2, 1, 1, PAGE),
        (PAGE + 1, 1, 1, 2, PAGE),
        (PAGE + 1, 2, 2, 2, 1),
        (PAGE + 1, 10**30, 2, 2, 1),
        (PAGE + 1, -3, 1, 2, PAGE),
    ],
)
def test_a_page_number_leads_to_the_nearest_page(
    services: Services, count: int, asked: int, number: int, pages: int, shown: int
) -> None:
    recorder = Recorder(engine=services.engine)
    for _ in range(count):
        recorder.record(make_prediction(), GUEST, None)
    page = services.history.page(GUEST, asked)
    assert (page.number, page.pages, page.total, len(page.items)) == (number, pages, count, shown)


def test_pages_together_hold_everything_once(services: Services) -> None:
    made = record(services, GUEST, PAGE + 3)
    pages = [services.history.page(GUEST, number) for number in (1, 2)]
    shown = [item.prediction.id for page in pages for item in page.items]
    assert shown == sorted((prediction.id for prediction in made), reverse=True)


def test_deleting_takes_the_row_and_both_pictures(services: Services, ada: Owner) -> None:
    kept, gone = record(services, ada, 2)
    services.history.delete(ada, gone.id)
    with pytest.raises(PredictionNotFound):
        services.history.get(ada, gone.id)
    assert services.pictures.read(gone.id, "picture") is services.pictures.read(gone.id, "thumbnail") is None
    assert services.history.get(ada, kept.id).has_picture
    with pytest.raises(PredictionNotFound):
        services.history.delete(ada, gone.id)


def test_a_picture_that_was_not_kept_is_not_found(services: Services, ada: Owner) -> None:
    (prediction,) = record(services, ada)
    services.pictures.drop(prediction.id)
    assert not services.history.get(ada, prediction.id).has_picture
    with pytest.raises(PredictionNotFound, match="not kept"):
        services.history.picture(ada, prediction.id, "picture")


def test_the_sweep_takes_what_is_too_old_with_its_pictures_and_nothing_else(services: Services, ada: Owner) -> None:
    old = record(services, ada, 2, days_ago=30.01) + record(services, GUEST, 1, days_ago=400)
    young = record(services, ada, 1, days_ago=29.99) + record(services, GUEST)
    assert services.history.sweep() == 3
    assert services.history.sweep() == 0
    assert not any(services.pictures.has(prediction.id) for prediction in old)
    assert all(services.pictures.has(prediction.id) for prediction in young)
    assert (services.history.page(ada, 1).total, services.history.page(GUEST, 1).total) == (1, 1)


def test_a_sweep_of_what_is_kept_for_a_hundred_years_takes_nothing(tmp_path: Path) -> None:
    services = make_services(tmp_path, keep_days=36_500)
    (prediction,) = record(services, GUEST, 1, days_ago=20_000)
    assert services.history.sweep() == 0
    assert services.history.get(GUEST, prediction.id)


def test_tells_when_a_prediction_goes(services: Services) -> None:
    prediction = make_prediction()
    assert services.history.expires_on(prediction) - prediction.created_at == timedelta(days=30)


@pytest.mark.parametrize("owner", [GUEST, Owner(account=1)], ids=["guest", "account"])
def test_a_page_is_found_and_sorted_by_an_index(services: Services, owner: Owner) -> None:
    asked: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        asked.append((statement, parameters))

    event.listen(services.engine, "before_cursor_execute", note)
    services.history.page(owner, 1)
    event.remove(services.engine, "before_cursor_execute", note)
    assert len(asked) == 2
    with services.engine.connect() as connection:
        for statement, parameters in asked:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
            assert [str(step[3]).split()[0] for step in plan] == ["SEARCH"], plan


def test_the_history_is_read_part_by_part(services: Services, ada: Owner, eve: Owner) -> None:
    made = [prediction.id for prediction in record(services, ada, 5)][::-1]
    record(services, eve)
    first = services.history.before(ada, None, 2)
    assert ([item.prediction.id for item in first.items], first.next) == (made[:2], made[1])
    last = services.history.before(ada, first.next, 3)
    assert ([item.prediction.id for item in last.items], last.next) == (made[2:], None)
    assert services.history.before(ada, made[-1], 3).items == ()


def test_what_follows_a_prediction_is_found_when_that_is_gone(services: Services, ada: Owner) -> None:
    oldest, middle, _ = record(services, ada, 3)
    services.history.delete(ada, middle.id)
    assert [item.prediction for item in services.history.before(ada, middle.id, 10).items] == [oldest]


def test_a_file_holds_the_owners_answers_alone_newest_first_and_all_that_is_given_of_them(
    services: Services, ada: Owner, eve: Owner
) -> None:
    record(services, eve)
    recorder, moment = Recorder(engine=services.engine), datetime.now(UTC)
    own = [make_prediction(created_at=moment + timedelta(milliseconds=number)) for number in range(1203)]
    assert all(recorder.record(made, ada, None) for made in own)
    pieces = list(services.history.file(ada))
    assert len(pieces) == 3, "some at a time"
    head, *rows = csv.reader(StringIO(b"".join(pieces).decode(), newline=""))
    assert sorted(head) == sorted(GIVEN[StoredPrediction])
    assert [row[head.index("id")] for row in rows] == [made.id for made in reversed(own)]


def test_a_file_of_nobody_has_a_head_alone(services: Services, ada: Owner) -> None:
    record(services, ada)
    for nobody in (Owner(), GUEST):
        assert b"".join(services.history.file(nobody)).count(b"\n") == 1
