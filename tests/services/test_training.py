"""Training: the new version answers only where it is no worse than the present one on the same photos."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
from sklearn.dummy import DummyClassifier

from app.composition import Services
from app.errors import InvalidDataset
from app.inference.recipe import Recipe
from app.services.recorder import Owner
from app.services.training import TrainingService, Verdict
from tests.factories import make_classifier, make_drawing, make_manifest, make_photos, make_services
from tests.fakes import QuickConversion


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return make_services(tmp_path, models=tmp_path / "shipped")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_photos(tmp_path_factory.mktemp("photos"))


@pytest.fixture(scope="module")
def mislabelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give photos whose labels do not follow from what is on them."""
    folder = tmp_path_factory.mktemp("mislabelled")
    for number in range(40):
        label = ("left", "right")[number % 3 == 0]
        (folder / label).mkdir(exist_ok=True)
        make_drawing("same", number).save(folder / label / f"{number:02}.png")
    return folder


def make_service(services: Services) -> TrainingService:
    return TrainingService(repository=services.repository, conversion=QuickConversion())


def train(services: Services, folder: Path, name: str = "sides", **given: Any) -> Verdict:
    return make_service(services).train(name, folder, "pixels", lambda *_: None, **given)


def publish_rival(services: Services, classifier: Any, **given: Any) -> None:
    """Publish a version that sees pictures as `make_classifier` does."""
    manifest = make_manifest("sides", **{"classes": ("left", "right"), **given})
    services.repository.publish(manifest, {"source.pkl": pickle.dumps(classifier)})


def test_a_first_version_is_measured_and_answers(services: Services, photos: Path) -> None:
    verdict = train(services, photos, attribution="Drawn for a test", samples=[(photos / "left" / "00.png", "A drawing")])
    assert (verdict.active, verdict.previous, verdict.left_out) == (True, None, ())
    manifest = services.repository.package("sides").manifest
    assert manifest.origin == "trained"
    assert manifest.summary == "Tells apart a Left and a Right."
    assert manifest.expects == "A photo of a Left or a Right."
    assert manifest.attribution == "Drawn for a test"
    assert services.repository.package("sides").pinned(manifest.samples[0].file) == (photos / "left" / "00.png").read_bytes()
    accuracy = manifest.metric("accuracy")
    assert accuracy is not None
    assert accuracy.value == 1
    answer = services.classification.classify((photos / "right" / "03.png").read_bytes(), owner=Owner(), model="sides")
    assert answer.prediction.top.label == "right"


def test_given_words_stand_in_the_manifest_and_on_the_card(services: Services, photos: Path) -> None:
    verdict = train(services, photos, summary="Tells sides.", expects="A drawing.", limits="Not for circles.")
    assert (verdict.package.manifest.summary, verdict.package.manifest.expects) == ("Tells sides.", "A drawing.")
    assert "Tells sides." in verdict.package.card
    assert "Not for circles." in verdict.package.card


def test_a_version_that_is_as_good_takes_over(services: Services, photos: Path) -> None:
    train(services, photos)
    verdict = train(services, photos)
    assert (verdict.active, verdict.previous, verdict.previous_accuracy) == (True, "1", 1)
    assert services.repository.active_version("sides") == "2"


def test_a_version_that_is_worse_waits_and_the_verdict_says_so(services: Services, mislabelled: Path) -> None:
    known = train(services, mislabelled, "known").package.manifest
    held_out = set(mislabelled.rglob("*.png"))
    assert held_out
    accuracy = known.metric("accuracy")
    assert accuracy is not None
    assert accuracy.value < 1, "the photos can be told apart after all"
    _publish_oracle(services, mislabelled)
    verdict = train(services, mislabelled)
    assert (verdict.active, verdict.previous, verdict.previous_accuracy) == (False, "1", 1)
    assert verdict.package.manifest.version == "2"
    assert services.repository.active_version("sides") == "1"


def _publish_oracle(services: Services, folder: Path) -> None:
    """Publish a version that knows every photo of the folder by heart."""
    import numpy as np
    from sklearn.neighbors import KNeighborsClassifier

    from app.inference.images import decode

    recipe = Recipe(24, 24)
    files = sorted(folder.rglob("*.png"))
    rows = np.stack([recipe.array(decode(file.read_bytes(), fit=recipe.size)) for file in files])
    oracle = KNeighborsClassifier(1).fit(rows, [file.parent.name for file in files])
    publish_rival(services, oracle, recipe=recipe)


def test_a_version_that_is_better_takes_over(services: Services, photos: Path) -> None:
    constant = DummyClassifier(strategy="constant", constant="left").fit([[0.0] * 12] * 2, ["left", "right"])
    publish_rival(services, constant)
    verdict = train(services, photos)
    assert verdict.active
    assert verdict.previous_accuracy is not None
    assert 0 < verdict.previous_accuracy < 1
    assert services.repository.active_version("sides") == "2"


def test_a_damaged_version_does_not_stand_in_the_way(services: Services, photos: Path) -> None:
    publish_rival(services, make_classifier())
    folder = services.repository.package("sides").folder
    (folder / "source.pkl").write_bytes(b"damaged")
    verdict = train(services, photos)
    assert (verdict.active, verdict.previous, verdict.previous_accuracy) == (True, "1", None)
    (verdict.package.folder / "manifest.json").write_text("{")
    verdict = train(services, photos)
    assert (verdict.active, verdict.previous, verdict.previous_accuracy) == (True, "2", None)
    assert services.repository.active_version("sides") == "3"


def test_what_was_left_out_is_told(services: Services, tmp_path: Path) -> None:
    folder = make_photos(tmp_path / "photos")
    (folder / "left" / "broken.png").write_bytes(b"no picture")
    (folder / "left" / "copy.png").write_bytes((folder / "left" / "00.png").read_bytes())
    verdict = train(services, folder)
    assert {entry.file: entry.reason.split()[0] for entry in verdict.left_out} == {
        "left/broken.png": "This",
        "left/copy.png": "a",
    }


def test_a_sample_that_is_not_there_is_told_before_the_work(services: Services, photos: Path) -> None:
    stages: list[str] = []
    service = make_service(services)
    with pytest.raises(InvalidDataset, match=r"no sample .*no\.png"):
        service.train("sides", photos, "pixels", lambda stage, *_: stages.append(stage), samples=[(photos / "no.png", "")])
    assert (stages, services.repository.names()) == ([], [])
