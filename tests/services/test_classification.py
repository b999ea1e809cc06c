"""The one path from an upload to an answer."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from sqlalchemy import text

from app.composition import Services
from app.errors import InvalidImage, ModelNotFound, Overloaded, UnsupportedImage
from app.inference.batching import Gate
from app.inference.images import DEFAULT_LIMITS
from app.inference.recipe import Recipe
from app.services.classification import ClassificationService
from app.services.recorder import Owner, Recorder
from tests.factories import make_picture, make_services, publish

GUEST = Owner(guest="a" * 32)
LIGHT, DARK = make_picture((250, 250, 250)), make_picture((5, 5, 5))


@pytest.fixture
def services(tmp_path: Path) -> Services:
    made = make_services(tmp_path, models=tmp_path / "shipped")
    publish(made.repository, recipe=Recipe(2, 2), titles={"light": "the Light"})
    return made


def test_answers_with_every_class_most_probable_first(services: Services) -> None:
    answer = services.classification.classify(LIGHT, owner=GUEST)
    assert [score.label for score in answer.prediction.scores] == ["light", "dark"]
    assert sum(score.probability for score in answer.prediction.scores) == pytest.approx(1)
    assert (answer.prediction.model, answer.prediction.version) == ("shade", "1")
    assert answer.manifest.titles == {"light": "the Light"}
    assert services.classification.classify(DARK, owner=GUEST).prediction.top.label == "dark"


def test_remembers_facts_of_the_upload(services: Services) -> None:
    picture = services.classification.classify(LIGHT, owner=GUEST).prediction.picture
    assert (picture.format, picture.width, picture.height) == ("PNG", 32, 24)
    assert picture.sha256 == hashlib.sha256(LIGHT).hexdigest()


def test_the_same_picture_gets_the_same_answer_under_another_identifier(services: Services) -> None:
    answers = [services.classification.classify(LIGHT, owner=GUEST).prediction for _ in range(5)]
    assert len({answer.scores for answer in answers}) == 1
    assert len({answer.id for answer in answers}) == 5


def test_an_answer_is_stored_for_its_owner(services: Services) -> None:
    answer = services.classification.classify(LIGHT, owner=GUEST, file_name="light.png")
    assert answer.stored
    item = services.history.get(GUEST, answer.prediction.id)
    assert (item.prediction, item.file_name) == (answer.prediction, "light.png")


def test_an_answer_for_nobody_is_not_stored(services: Services) -> None:
    assert not services.classification.classify(LIGHT, owner=Owner()).stored


def test_an_answer_is_given_while_it_cannot_be_stored(services: Services) -> None:
    with services.engine.begin() as connection:
        connection.execute(text("DROP TABLE predictions"))
    answer = services.classification.classify(LIGHT, owner=GUEST)
    assert (answer.prediction.top.label, answer.stored) == ("light", False)


def test_tells_where_the_time_went(services: Services) -> None:
    timings = services.classification.classify(LIGHT, owner=GUEST).prediction.timings
    assert min(timings.decode, timings.model, timings.total) > 0
    assert timings.queue >= 0
    assert timings.total >= timings.decode + timings.model


def test_answers_by_the_model_and_version_asked_for(services: Services) -> None:
    publish(services.repository, classes=("night", "day"))
    publish(services.repository, "other")
    asked = services.classification.classify(LIGHT, owner=GUEST, model="shade", version="2")
    assert (asked.prediction.top.label, asked.prediction.version) == ("day", "2")
    assert services.classification.classify(LIGHT, owner=GUEST, model="other").prediction.model == "other"
    with pytest.raises(ModelNotFound):
        services.classification.classify(LIGHT, owner=GUEST, model="nothing")


def test_the_model_is_asked_for_before_the_picture_is_read(services: Services) -> None:
    with pytest.raises(ModelNotFound):
        services.classification.classify(b"I am a cat.", owner=GUEST, model="nothing")


def test_a_broken_picture_is_refused_and_nothing_is_stored(services: Services) -> None:
    with pytest.raises(UnsupportedImage):
        services.classification.classify(b"I am a cat.", owner=GUEST)
    with pytest.raises(InvalidImage):
        services.classification.classify(LIGHT[:40], owner=GUEST)
    assert services.history.page(GUEST, 1).total == 0
    assert services.classification.classify(LIGHT, owner=GUEST).prediction.top.label == "light"


def test_the_limits_of_the_settings_hold(tmp_path: Path) -> None:
    services = make_services(tmp_path, models=tmp_path / "shipped", max_megapixels=0.0005)
    publish(services.repository)
    with pytest.raises(InvalidImage):
        services.classification.classify(LIGHT, owner=GUEST)
    small = make_picture((250, 250, 250), size=(20, 20))
    assert services.classification.classify(small, owner=GUEST).prediction.top.label == "light"


def test_who_cannot_come_in_before_the_time_is_over_is_told(services: Services) -> None:
    gate = Gate(1)
    classification = ClassificationService(
        loader=services.loader,
        recorder=Recorder(sessions=services.sessions),
        decoding=gate,
        limits=DEFAULT_LIMITS,
        answer_within=0.01,
    )
    with gate.passage(0), pytest.raises(Overloaded):
        classification.classify(LIGHT, owner=GUEST)
    assert services.history.page(GUEST, 1).total == 0
    assert classification.classify(LIGHT, owner=GUEST).stored
