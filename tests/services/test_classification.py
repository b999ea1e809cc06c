"""The one path from an upload to an answer."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import text

from app.composition import Services
from app.errors import InvalidImage, ModelNotFound, Overloaded, UnsupportedImage
from app.inference.batching import Gate
from app.inference.images import DEFAULT_LIMITS
from app.inference.recipe import Recipe
from app.services.answer_cache import AnswerCache
from app.services.classification import ClassificationService
from app.services.recorder import Owner, Recorder
from app.services.telemetry.metrics import Metrics
from app.services.telemetry.numbers import numbers
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
    kept, given = item.prediction.timings, answer.prediction.timings
    assert (replace(item.prediction, timings=given), item.file_name) == (answer.prediction, "light.png")
    # What is stored cannot know what storing takes.
    assert (kept.decode, kept.queue, kept.model, kept.store) == (given.decode, given.queue, given.model, 0)
    assert kept.total == pytest.approx(given.total - given.store)


def test_an_answer_for_nobody_is_not_stored(services: Services) -> None:
    assert not services.classification.classify(LIGHT, owner=Owner()).stored


def test_an_answer_is_given_while_it_cannot_be_stored(services: Services) -> None:
    with services.engine.begin() as connection:
        connection.execute(text("DROP TABLE predictions"))
    answer = services.classification.classify(LIGHT, owner=GUEST)
    assert (answer.prediction.top.label, answer.stored) == ("light", False)


def test_tells_where_the_time_went(services: Services) -> None:
    timings = services.classification.classify(LIGHT, owner=GUEST).prediction.timings
    assert min(timings.decode, timings.model, timings.store, timings.total) > 0
    assert timings.queue >= 0
    assert timings.total >= timings.decode + timings.queue + timings.model + timings.store


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
        recorder=Recorder(engine=services.engine),
        metrics=Metrics(),
        traffic=services.traffic,
        shadows=services.shadow_runner,
        answers=AnswerCache(size=0),
        decoding=gate,
        limits=DEFAULT_LIMITS,
        answer_within=0.01,
    )
    with gate.passage(0), pytest.raises(Overloaded):
        classification.classify(LIGHT, owner=GUEST)
    assert services.history.page(GUEST, 1).total == 0
    assert classification.classify(LIGHT, owner=GUEST).stored


def test_many_at_once_get_the_answers_they_would_get_alone(services: Services) -> None:
    pictures = [make_picture((level, level, level)) for level in range(0, 256, 5)]
    alone = [services.classification.classify(picture, owner=GUEST).prediction.scores for picture in pictures]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda picture: services.classification.classify(picture, owner=GUEST), pictures))
    assert all(answer.stored for answer in together)
    for answer, scores in zip(together, alone, strict=True):
        assert [score.label for score in answer.prediction.scores] == [score.label for score in scores]
        assert np.allclose([s.probability for s in answer.prediction.scores], [s.probability for s in scores], atol=1e-9)


def test_a_picture_that_is_refused_keeps_nobody_waiting_and_nothing_is_left_behind(services: Services) -> None:
    def classify(upload: bytes) -> str:
        try:
            return services.classification.classify(upload, owner=GUEST).prediction.top.label
        except InvalidImage as error:
            return error.code

    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(classify, [LIGHT, b"I am a cat.", LIGHT[:40], DARK] * 20))
    assert codes == ["light", "unsupported_image", "invalid_image", "dark"] * 20
    assert services.classification.classify(LIGHT, owner=GUEST).prediction.timings.queue < 1000


def test_every_answer_and_every_refusal_is_counted(services: Services) -> None:
    def counted() -> list[float]:
        given = {"model": "shade", "version": "1"}
        return [
            numbers().registry.get_sample_value("vitrine_predictions_total", {**given, "stored": "yes"}) or 0,
            numbers().registry.get_sample_value("vitrine_predictions_total", {**given, "stored": "no"}) or 0,
            numbers().registry.get_sample_value("vitrine_refusals_total", {"code": "unsupported_image"}) or 0,
            numbers().registry.get_sample_value("vitrine_refusals_total", {"code": "model_not_found"}) or 0,
        ]

    before = counted()
    for _ in range(3):
        services.classification.classify(LIGHT, owner=GUEST)
    services.classification.classify(LIGHT, owner=Owner())
    with pytest.raises(UnsupportedImage):
        services.classification.classify(b"I am a cat.", owner=GUEST)
    with pytest.raises(ModelNotFound):
        services.classification.classify(LIGHT, owner=GUEST, model="nothing")
    assert [after - earlier for after, earlier in zip(counted(), before, strict=True)] == [3, 1, 1, 1]


def test_where_the_history_is_off_nothing_is_stored(tmp_path: Path) -> None:
    services = make_services(tmp_path, models=tmp_path / "shipped", history=False)
    publish(services.repository)
    answer = services.classification.classify(LIGHT, owner=GUEST)
    assert (answer.prediction.top.label, answer.stored) == ("light", False)
    assert services.history.page(GUEST, 1).total == 0


@pytest.fixture
def remembering(tmp_path: Path) -> Services:
    """Give the services of a site that remembers ten answers."""
    made = make_services(tmp_path, models=tmp_path / "shipped", answer_cache=10)
    publish(made.repository, recipe=Recipe(2, 2))
    return made


def test_without_being_asked_to_nothing_is_remembered(services: Services) -> None:
    for _ in range(3):
        assert services.classification.classify(LIGHT, owner=GUEST).prediction.timings.model > 0


def test_the_very_same_pixels_are_answered_from_memory_and_stored_all_the_same(remembering: Services) -> None:
    first, second = (remembering.classification.classify(LIGHT, owner=GUEST) for _ in range(2))
    assert first.prediction.timings.model > 0 == second.prediction.timings.model
    assert second.prediction.scores == first.prediction.scores
    assert second.prediction.id != first.prediction.id
    assert (first.stored, second.stored) == (True, True)
    assert remembering.history.page(GUEST, 1).total == 2


def test_from_memory_too_the_facts_are_those_of_the_upload(remembering: Services) -> None:
    file = BytesIO()
    Image.open(BytesIO(LIGHT)).save(file, "BMP")
    remembering.classification.classify(LIGHT, owner=GUEST)
    answer = remembering.classification.classify(file.getvalue(), owner=GUEST).prediction
    assert answer.timings.model == 0
    assert (answer.picture.format, answer.picture.sha256) == ("BMP", hashlib.sha256(file.getvalue()).hexdigest())


def test_another_version_does_not_answer_from_the_memory_of_the_first(remembering: Services) -> None:
    publish(remembering.repository, classes=("night", "day"), recipe=Recipe(2, 2))
    ask = remembering.classification.classify
    labels = [ask(LIGHT, owner=GUEST, model="shade", version=version).prediction.top.label for version in "1212"]
    assert labels == ["light", "day", "light", "day"]


def test_other_pixels_are_not_answered_from_memory(remembering: Services) -> None:
    remembering.classification.classify(LIGHT, owner=GUEST)
    answer = remembering.classification.classify(make_picture((250, 250, 249)), owner=GUEST).prediction
    assert answer.timings.model > 0
