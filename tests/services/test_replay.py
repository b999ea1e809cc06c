"""What a version would change: pictures that there are, answered again by both versions, within bounds."""

from __future__ import annotations

import pickle
import threading
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text

from app.composition import Services
from app.errors import InvalidModel, InvalidPackage, Overloaded
from app.inference.images import DEFAULT_LIMITS
from app.inference.package import Sample
from app.inference.recipe import Recipe
from app.services.kept_pictures import KeptPicture, KeptPictures
from app.services.model_loader import ModelLoader
from app.services.recorder import Owner
from app.services.replay import Figures, Replay, Replays, SamplePicture
from tests.evidence import GREYS, grey, keep, publish_at
from tests.factories import make_classifier, make_manifest, make_services

GUEST = Owner(guest="a" * 32)


class Broken:
    """What can be opened and has classes, and raises when it is asked."""

    classes_ = np.array(["dark", "light"])

    def predict_proba(self, _rows: object) -> object:
        raise RuntimeError("broken")


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_services(tmp_path)


def replays_of(services: Services, seconds: float = 60.0) -> Replays:
    kept = KeptPictures(sessions=services.sessions, pictures=services.pictures)
    return Replays(loader=services.loader, kept=kept, limits=DEFAULT_LIMITS, seconds=seconds)


def between(services: Services, old: str = "1", new: str = "2", seconds: float = 60.0) -> Replay:
    return replays_of(services, seconds).between("shade", old, new)


def test_a_version_that_answers_alike_flips_nothing(services: Services) -> None:
    publish_at(services.repository, 128, GREYS)
    publish_at(services.repository, 130, GREYS)
    replay = between(services)
    assert replay.flips == ()
    assert replay.figures == Figures("1", "2", replayed=4, flipped=0)
    assert (replay.samples, replay.right, replay.passed_over, replay.left, replay.trouble) == (4, (4, 4, 4), 0, 0, "")


def test_what_flips_is_told_with_its_picture_and_both_answers(services: Services) -> None:
    publish_at(services.repository, 128, (20, 240))
    publish_at(services.repository, 200, (20, 150, 240))
    ours, theirs = keep(services, GUEST, 30, 170)
    replay = between(services)
    sample, kept = replay.flips
    assert sample.picture == SamplePicture("2", "samples/150.png", "Grey 150", "light")
    assert kept.picture == KeptPicture(theirs, GUEST)
    for flip in (sample, kept):
        assert (flip.before.label, flip.after.label) == ("light", "dark")
        assert 0.5 < flip.before.probability <= 1
    # The samples of both versions, each picture once, and the kept ones.
    assert replay.figures == Figures("1", "2", replayed=5, flipped=2)
    assert ours in {each.picture.prediction_id for each in replay.compared if isinstance(each.picture, KeptPicture)}
    assert (replay.samples, replay.right) == (3, (3, 2, 3))


def test_each_version_sees_a_picture_by_its_own_recipe_as_a_visitor_would(services: Services) -> None:
    publish_at(services.repository, 128, (100,))
    publish_at(services.repository, 128, (100,), recipe=Recipe(2, 2, invert=True))
    (compared,) = between(services).compared
    for version, answer in (("1", compared.before), ("2", compared.after)):
        told = services.classification.classify(grey(100), owner=Owner(), model="shade", version=version).prediction
        assert told.top == answer
    assert compared.flips


def test_a_picture_of_both_versions_is_replayed_once_by_the_label_that_one_of_them_has(services: Services) -> None:
    publish_at(services.repository, 128, (240,))
    manifest = make_manifest(samples=(Sample("samples/a.png", "A light square"),))
    services.repository.publish(manifest, {"source.pkl": pickle.dumps(make_classifier()), "samples/a.png": grey(240)})
    (compared,) = between(services).compared
    assert compared.picture == SamplePicture("1", "samples/240.png", "Grey 240", "light")


def test_samples_without_a_label_are_neither_right_nor_wrong(services: Services) -> None:
    for _ in range(2):
        manifest = make_manifest(samples=(Sample("samples/a.png", "A dark square"),))
        services.repository.publish(manifest, {"source.pkl": pickle.dumps(make_classifier()), "samples/a.png": grey(9)})
    replay = between(services)
    assert (replay.samples, replay.right) == (1, None)


def test_where_there_is_no_picture_nothing_is_opened(services: Services) -> None:
    publish_at(services.repository)
    broken = publish_at(services.repository)
    (broken.folder / "source.pkl").write_bytes(b"")
    keep(services, GUEST, 30, model="another")
    assert between(services) == Replay("1", "2")
    assert not between(services).figures.too_many


def test_pictures_that_are_gone_or_damaged_are_passed_over(services: Services) -> None:
    publish_at(services.repository, 128, GREYS)
    package = publish_at(services.repository, 128, (*GREYS, 77))
    (package.folder / "samples" / "77.png").write_bytes(b"another")
    (lost,) = keep(services, GUEST, 30)
    for path in services.settings.data.glob(f"pictures/*/{lost}.picture.jpg"):
        path.write_bytes(b"no picture")
    replay = between(services)
    assert (replay.figures.replayed, replay.passed_over) == (4, 2)


def test_the_newest_two_hundred_kept_pictures_are_enough(services: Services) -> None:
    publish_at(services.repository)
    publish_at(services.repository)
    oldest = keep(services, GUEST, *[30] * 201)[0]
    replay = between(services)
    assert replay.figures.replayed == 200
    assert KeptPicture(oldest, GUEST) not in {each.picture for each in replay.compared}


def test_when_the_time_is_over_what_is_left_is_told(services: Services) -> None:
    publish_at(services.repository, 128, GREYS)
    publish_at(services.repository, 128, GREYS)
    replay = between(services, seconds=0)
    assert (replay.figures.replayed, replay.left) == (1, 3)


def test_one_comparison_at_a_time_and_others_are_told_so(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    publish_at(services.repository, 128, GREYS)
    publish_at(services.repository, 128, GREYS)
    replays, inside, go_on = replays_of(services, seconds=0), threading.Event(), threading.Event()
    get = ModelLoader.get

    def slow(loader: ModelLoader, name: str | None = None, version: str | None = None) -> object:
        inside.set()
        go_on.wait(30)
        return get(loader, name, version)

    monkeypatch.setattr(ModelLoader, "get", slow)
    first = threading.Thread(target=replays.between, args=("shade", "1", "2"))
    first.start()
    assert inside.wait(30)
    with pytest.raises(Overloaded, match="compared already"):
        replays.between("shade", "1", "2")
    go_on.set()
    first.join(30)
    assert replays.between("shade", "1", "2").figures.replayed == 1


def test_without_a_database_the_samples_are_compared_and_it_is_said(services: Services) -> None:
    publish_at(services.repository, 128, GREYS)
    publish_at(services.repository, 200, GREYS)
    with services.engine.begin() as connection:
        connection.execute(text("DROP TABLE predictions"))
    replay = between(services)
    assert replay.figures == Figures("1", "2", replayed=4, flipped=1)
    assert "the database does not answer" in replay.trouble


def test_where_the_old_version_is_damaged_there_is_nothing_to_compare_with(services: Services) -> None:
    old = publish_at(services.repository, 128, GREYS)
    publish_at(services.repository, 128, GREYS)
    (old.folder / "source.pkl").write_bytes(b"")
    replay = between(services)
    assert replay.compared == ()
    assert "version 1 cannot be opened" in replay.trouble


def test_where_the_old_version_does_not_answer_its_pictures_are_passed_over(services: Services) -> None:
    services.repository.publish(make_manifest(), {"source.pkl": pickle.dumps(Broken())})
    publish_at(services.repository, 128, GREYS)
    assert between(services).passed_over == 4


def test_a_new_version_that_is_damaged_or_does_not_answer_is_refused(services: Services) -> None:
    publish_at(services.repository, 128, GREYS)
    damaged = publish_at(services.repository, 128, GREYS)
    (damaged.folder / "source.pkl").write_bytes(b"")
    with pytest.raises(InvalidPackage):
        between(services)
    services.repository.publish(make_manifest(), {"source.pkl": pickle.dumps(Broken())})
    with pytest.raises(InvalidModel, match="Version 3 of shade does not answer"):
        between(services, new="3")


def test_whatever_opening_a_version_raises_is_a_refusal(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    def out_of_memory(_loader: ModelLoader, name: str | None = None, version: str | None = None) -> object:
        raise MemoryError(name, version)

    publish_at(services.repository, 128, GREYS)
    publish_at(services.repository, 128, GREYS)
    monkeypatch.setattr(ModelLoader, "get", out_of_memory)
    with pytest.raises(InvalidModel, match="Version 2 of shade cannot be opened; the log says why"):
        between(services)


@pytest.mark.parametrize(
    ("replayed", "unasked"), [(2, 1), (6, 1), (20, 1), (39, 1), (40, 2), (100, 5), (199, 9), (200, 10), (206, 10)]
)
def test_one_flip_in_twenty_and_always_one_go_unasked(replayed: int, unasked: int) -> None:
    assert not Figures("1", "2", replayed, unasked).too_many
    assert Figures("1", "2", replayed, unasked + 1).too_many


@pytest.mark.parametrize("flipped", [0, 1])
def test_a_single_picture_asks_nobody(flipped: int) -> None:
    assert not Figures("1", "2", 1, flipped).too_many


def test_figures_are_said_in_words() -> None:
    assert str(Figures("1", "2", 200, 7)) == "7 of 200 replayed pictures flipped"
    assert str(Figures("1", "2", 1, 0)) == "0 of 1 replayed picture flipped"
